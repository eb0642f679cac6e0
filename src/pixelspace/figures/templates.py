"""How well pictures of units predict what the units answer: a row for each kind of picture."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.figures import style

LABELS = {
    "weights": "weight projection",
    "gradient": "gradient",
    "deconvnet": "deconvolution",
    "guided": "guided backpropagation",
    "top_patches": "top patches",
    "top_difference": "top patches less mean patch",
    "fitted": "fitted by least squares",
    "mean_patch": "mean patch",
}
ROW, ABOVE, BELOW = 0.17, 0.26, 0.62
GAP = 0.18


@style.house()
def draw(numbers: Mapping[str, float]) -> Figure:
    """Draw for each layer the mean rank correlation of each picture, with its interval.

    Beside it, hollow, the same of another unit's picture; and of the weights in untrained networks.
    """
    layers = [name.removesuffix("_units") for name in numbers if name.endswith("_units")]
    label = style.widest(LABELS.values(), style.SMALL) + 0.12
    height = ROW * len(LABELS)
    panel = (style.WIDTH - label - GAP * len(layers)) / len(layers)
    figure, canvas = style.sheet(ABOVE + height + BELOW)
    drawn = [
        numbers.get(f"{layer}_{picture}_{key}", 0.0)
        for layer in layers
        for picture in LABELS
        for key in ("low", "other", "untrained")
    ]
    least = min(drawn) - 0.08
    for place, layer in enumerate(layers):
        left = label + place * (panel + GAP)
        axes = style.place(figure, left, ABOVE, panel, height)
        axes.set(xlim=(least, 1.05), ylim=(len(LABELS) - 0.4, -0.6), yticks=range(len(LABELS)))
        axes.set_xlabel("rank correlation with the answer")
        axes.axvline(0, color=style.GREY, linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", color=style.LIGHT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_yticklabels(LABELS.values() if place == 0 else [])
        _dots(axes, numbers, layer)
        title = f"{layer}, {numbers[f'{layer}_units']:g} units"
        style.write(canvas, left + panel / 2, ABOVE - 0.1, title, ha="center")
        if place == 0:
            legend = (label / style.WIDTH, 0.02 / (ABOVE + height + BELOW))
            figure.legend(
                *axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=legend, ncols=3
            )
    return figure


def alt(numbers: Mapping[str, float]) -> str:
    """Return in words what `draw` shows."""
    layers = [name.removesuffix("_units") for name in numbers if name.endswith("_units")]
    shown = ". ".join(
        f"Layer {layer}: "
        + ", ".join(f"{LABELS[p]} {numbers[f'{layer}_{p}_spearman']:.2f}" for p in LABELS)
        for layer in layers
    )
    return f"Dots with intervals: the rank correlation of each picture with the answer. {shown}."


def _dots(axes: Axes, numbers: Mapping[str, float], layer: str) -> None:
    """Draw one layer: a row for each picture."""
    rows = range(len(LABELS))
    own, low, high = (
        [numbers[f"{layer}_{picture}_{key}"] for picture in LABELS]
        for key in ("spearman", "low", "high")
    )
    axes.hlines(rows, low, high, color=style.BLUE, linewidth=1.2)
    axes.plot(own, rows, "o", color=style.BLUE, markersize=3.5, label="the unit's own picture")
    others = {
        row: numbers[name]
        for row, picture in enumerate(LABELS)
        if (name := f"{layer}_{picture}_other") in numbers
    }
    axes.plot(
        others.values(),
        others.keys(),
        "o",
        color=style.GREY,
        markerfacecolor="white",
        markersize=3.5,
        markeredgewidth=0.7,
        label="another unit's",
    )
    axes.plot(
        numbers[f"{layer}_weights_untrained"],
        list(LABELS).index("weights"),
        "D",
        color=style.VERMILLION,
        markerfacecolor="none",
        markersize=5.5,
        markeredgewidth=0.9,
        label="the unit's own in untrained networks",
    )
