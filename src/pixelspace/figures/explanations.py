"""How well methods of attribution explain a network: a row for each, a column for each measure."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pixelspace.figures import attribution, style

METHODS = {
    name: attribution.WORDS.get(name, name)
    for name in (
        *("gradient", "gradient_times_input", "smooth_grad", "integrated_gradients"),
        *("deconvnet", "guided", "grad_cam", "grad_cam_plus_plus", "occlusion"),
    )
}
CONTROLS = {"random": "noise", "centre": "middle of the image", "edges": "edges of the image"}
MEASURES = {
    "pointing": "pointing game",
    "energy": "energy inside",
    "iou": "IoU",
    "deletion": "deletion",
    "insertion": "insertion",
}
BETTER = {"deletion": "less is better"}

LINE = 0.165
GAP = 0.15
HEAD = 0.34
FOOT = 0.26
MARGIN = 0.06


@style.house()
def draw(numbers: Mapping[str, float]) -> Figure:
    """Draw means with their intervals, by measure; below the methods, maps of no network.

    A dashed line is the chance level: that of the masks or, for deletion and insertion, of noise.
    """
    measures = [name for name in MEASURES if f"random_{name}" in numbers]
    methods = [name for name in METHODS if f"{name}_deletion" in numbers]
    rows = {name: place for place, name in enumerate(methods)}
    rows |= {name: place + 0.5 for place, name in enumerate(CONTROLS, len(methods))}
    words = METHODS | CONTROLS
    room = style.widest(words.values()) + 0.1
    height = LINE * (len(rows) + 0.5)
    width = (style.WIDTH - 2 * MARGIN - room + GAP) / len(measures) - GAP

    figure, canvas = style.sheet(HEAD + height + FOOT)
    for name, row in rows.items():
        y = HEAD + LINE * (row + 0.5)
        canvas.text(MARGIN, y, words[name], va="center", size=style.NORMAL)
    for place, measure in enumerate(measures):
        left = MARGIN + room + place * (width + GAP)
        small = {"ha": "center", "va": "baseline", "size": style.SMALL}
        canvas.text(left + width / 2, HEAD - 0.18, MEASURES[measure], **small)
        better = BETTER.get(measure, "more is better")
        canvas.text(left + width / 2, HEAD - 0.06, better, color=style.GREY, **small)
        axes = style.place(figure, left, HEAD, width, height)
        _dots(axes, numbers, measure, rows)
        axes.set_ylim(len(rows) + 0.5, 0)
    return figure


def alt(numbers: Mapping[str, float]) -> str:
    """Return in words what `draw` shows."""
    words = METHODS | CONTROLS

    def extremes(measure: str) -> str:
        found = {
            name: numbers[f"{name}_{measure}"] for name in words if f"{name}_{measure}" in numbers
        }
        low, high = (choose(found, key=found.get) for choose in (min, max))
        return (
            f"{MEASURES[measure]} from {found[low]:.2f} ({words[low]}) to {found[high]:.2f} "
            f"({words[high]})"
        )

    shown = "; ".join(extremes(measure) for measure in MEASURES if f"random_{measure}" in numbers)
    return f"Dots with intervals for each method and for maps that know no network: {shown}."


def _dots(
    axes: Axes, numbers: Mapping[str, float], measure: str, rows: Mapping[str, float]
) -> None:
    """Draw a dot and an interval for each row."""
    level = numbers.get(f"chance_{measure}", numbers[f"random_{measure}"])
    axes.axvline(level, color=style.GREY, linewidth=0.6, linestyle=(0, (3, 2)))
    for name, row in rows.items():
        mean, low, high = (numbers[f"{name}_{measure}{end}"] for end in ("", "_low", "_high"))
        of_network = name in METHODS
        colour = style.BLUE if of_network else style.VERMILLION
        axes.plot([low, high], [row + 0.5] * 2, color=colour, linewidth=0.9)
        axes.plot(
            [mean], [row + 0.5], color=colour, marker="o" if of_network else "s", markersize=2.8
        )
    largest = max(numbers[f"{name}_{measure}_high"] for name in rows)
    axes.set_xlim(0, 1.06 * max(largest, level))
    axes.set_yticks([])
    axes.spines["left"].set_color(style.LIGHT)
    axes.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
