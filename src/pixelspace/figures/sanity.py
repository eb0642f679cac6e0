"""How alike a method's maps stay while the network's weights are drawn anew, layer by layer."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from pixelspace.figures import style
from pixelspace.figures.attribution import WORDS

STAGES = ("top", "half", "most", "all")
LINES = {
    "guided": (style.VERMILLION, "-", "o"),
    "deconvnet": (style.VERMILLION, (0, (3, 1)), "s"),
    "gradient": (style.BLUE, "-", "o"),
    "smooth_grad": (style.BLUE, (0, (3, 1)), "s"),
    "gradient_times_input": (style.BLUE, (0, (1, 1)), "^"),
    "integrated_gradients": (style.BLUE, (0, (4, 1, 1, 1)), "v"),
    "grad_cam": (style.BLACK, "-", "o"),
    "grad_cam_plus_plus": (style.BLACK, (0, (3, 1)), "s"),
    "occlusion": (style.BLACK, (0, (1, 1)), "^"),
}
"""Colour, dashes and marker of each method: one colour for those of one family."""

CONTROLS = {
    "noise_times_input": ("noise times input", (0, (3, 2))),
    "noise": ("noise", (0, (1, 2))),
}
PANELS = {"spearman": "rank correlation", "ssim": "structural similarity"}
HEIGHT, TOP, BELOW = 1.95, 0.08, 0.4
LEFT, BETWEEN, LEGEND = 0.48, 0.55, 1.38


@style.house()
def draw(numbers: Mapping[str, float]) -> Figure:
    """Draw the similarity to the trained network's maps against the number of random layers.

    The rank correlation of signed maps on the left and the structural similarity of absolute ones
    on the right. Bands are intervals of the mean; dashed grey lines are maps of noise.
    """
    methods = [method for method in LINES if f"{method}_with_input" in numbers]
    figure, _ = style.sheet(HEIGHT)
    width = (style.WIDTH - LEFT - BETWEEN - LEGEND - 0.08) / 2
    for number, (quantity, name) in enumerate(PANELS.items()):
        left = LEFT + number * (width + BETWEEN)
        axes = style.place(figure, left, TOP, width, HEIGHT - TOP - BELOW)
        for method in methods:
            _curve(axes, numbers, f"{method}_{quantity}", LINES[method])
        for control, (_, dashes) in CONTROLS.items():
            level = numbers[f"{control}_{quantity}"]
            axes.axhline(level, color=style.GREY, linestyle=dashes, linewidth=0.8, zorder=1)
        ticks = [0, *(round(numbers[f"layers_{stage}"]) for stage in STAGES)]
        axes.set_xticks(range(len(ticks)), labels=[f"{tick}" for tick in ticks])
        axes.set_xlabel("random layers, from the logits down")
        axes.set_ylabel(name)
        axes.yaxis.set_label_coords(-0.36 / width, 0.5)
        axes.yaxis.set_major_locator(MultipleLocator(0.25))
        axes.set_ylim(min(-0.12, axes.get_ylim()[0]), 1.04)
    handles = [_handle(WORDS.get(method, method), *LINES[method]) for method in methods]
    handles += [_handle(name, style.GREY, dashes) for name, dashes in CONTROLS.values()]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.04, 1.02), labelspacing=0.7)
    return figure


def alt(numbers: Mapping[str, float]) -> str:
    """Return in words what `draw` shows."""
    methods = [method for method in LINES if f"{method}_with_input" in numbers]
    shown = "; ".join(
        f"{name}: "
        + ", ".join(f"{WORDS.get(m, m)} {numbers[f'{m}_{quantity}_half']:.2f}" for m in methods)
        for quantity, name in PANELS.items()
    )
    return (
        "Curves of how alike maps stay to those of the trained network as more layers are random. "
        f"With {numbers['layers_half']:g} random layers, {shown}."
    )


def _curve(axes: Axes, numbers: Mapping[str, float], name: str, line: Sequence) -> None:
    """Draw a quantity at each stage, from 1 where no layer is random."""
    colour, dashes, marker = line
    mean, low, high = (
        [1.0, *(numbers[f"{name}_{stage}{end}"] for stage in STAGES)]
        for end in ("", "_low", "_high")
    )
    places = range(len(mean))
    axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(places, mean, color=colour, linestyle=dashes, marker=marker, markersize=2.6)


def _handle(name: str, colour: str, dashes, marker: str | None = None) -> Line2D:
    return Line2D([], [], color=colour, linestyle=dashes, marker=marker, markersize=2.6, label=name)
