"""What a network loses with its filters, by the criterion that chooses them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from pixelspace.figures import style

CURVES = {
    "random": {"color": style.GREY, "marker": "s", "linestyle": (0, (1, 1))},
    "magnitude": {"color": style.BLUE, "marker": "o", "linestyle": (0, (3, 1))},
    "projection": {"color": style.VERMILLION, "marker": "^"},
}
STATES = {"": "removed", "_trained": "removed, then trained further"}
HEIGHT, LEFT, BELOW, ABOVE, GAP = 1.95, 0.5, 0.4, 0.2, 0.15
APART = 1.02  # ratio by which the points of two curves are drawn beside each other


@style.house()
def draw(numbers: Mapping[str, float]) -> Figure:
    """Draw the test error against the multiply-adds that are left: as is, and trained further.

    Points are means over networks; bars reach from the lowest to the highest.
    """
    figure, _ = style.sheet(HEIGHT)
    width = (style.WIDTH - LEFT - GAP - 0.05) / 2
    panels = [
        style.place(figure, LEFT + i * (width + GAP), ABOVE, width, HEIGHT - ABOVE - BELOW)
        for i in range(len(STATES))
    ]
    percents = sorted((name for name in map(_percent_left_out, numbers) if name.isdigit()), key=int)
    sizes = [numbers[f"multiply_adds{end}"] for end in ["", *(f"_{p}" for p in percents)]]
    errors = []
    for axes, (state, title) in zip(panels, STATES.items(), strict=True):
        for place, criterion in enumerate(CURVES):
            names = [f"accuracy{state}", *(f"{criterion}_{p}{state}" for p in percents)]
            found = 1 - np.array(
                [[numbers[name + end] for name in names] for end in ("", "_highest", "_lowest")]
            )
            shift = APART ** (place - (len(CURVES) - 1) / 2)
            _curve(axes, shift * np.array(sizes), found, criterion)
            errors.append(found)
        axes.set_title(title, size=style.NORMAL, pad=4)
        _scales(axes, sizes)
    lowest = max(np.min(errors), 1e-4)
    for axes in panels:
        axes.set_ylim(lowest / 1.3, 1.3 * np.max(errors))
    panels[0].set_ylabel("test error")
    panels[1].tick_params(labelleft=False)
    panels[1].legend(loc="upper right")
    return figure


def alt(numbers: Mapping[str, float]) -> str:
    """Return in words what `draw` shows."""
    percents = sorted((name for name in map(_percent_left_out, numbers) if name.isdigit()), key=int)
    shown = "; ".join(
        f"{percent} % {title}: "
        + ", ".join(f"{c} {100 * (1 - numbers[f'{c}_{percent}{state}']):.2f} %" for c in CURVES)
        for state, title in STATES.items()
        for percent in percents
    )
    return (
        f"Curves of the test error against multiply-adds, from "
        f"{100 * (1 - numbers['accuracy']):.2f} % with all filters. {shown}."
    )


def _percent_left_out(name: str) -> str:
    """Return the end of the name of a size, which is a share in percent if the size is of one."""
    return name.removeprefix("multiply_adds_") if name.startswith("multiply_adds_") else ""


def _curve(axes: Axes, sizes: np.ndarray, errors: np.ndarray, criterion: str) -> None:
    """Draw ``errors`` ``(3, points)``: the mean, the lowest and the highest."""
    mean, *extremes = errors
    reach = np.abs(np.stack(extremes) - mean)
    axes.errorbar(
        sizes, mean, reach, **CURVES[criterion], markersize=3, elinewidth=0.6, label=criterion
    )


def _scales(axes: Axes, sizes: Sequence[float]) -> None:
    """Make both axes logarithmic."""
    axes.set(xscale="log", yscale="log", xlabel="multiply-adds, in millions")
    axes.set_xlim(min(sizes) / 1.15, max(sizes) * 1.15)
    for axis, shown in ((axes.xaxis, _millions), (axes.yaxis, _percent)):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(shown))


def _millions(value: float, _) -> str:
    return f"{value / 1e6:g}"


def _percent(value: float, _) -> str:
    return f"{value * 100:g}%"
