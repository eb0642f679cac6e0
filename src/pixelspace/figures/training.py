"""How a network was trained, and what it confuses."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from pixelspace.figures import style

CURVES = {
    "train": {"color": style.BLUE},
    "validation": {"color": style.VERMILLION, "linestyle": (0, (3, 1))},
}
LONGEST_NAME = 0.8
MARGIN = 0.03


@style.house()
def draw(reports: Mapping | Sequence[Mapping], shown: int = 0) -> Figure:
    """Draw loss and accuracy per epoch, and the confusion matrix on the test images.

    Of several replicates every curve is drawn thin and their mean thick; the matrix is that of
    the one ``shown``, counted from 0, the median one. Rows of the matrix are true classes, columns
    predicted ones. Right answers are tinted blue by their share of the row, wrong ones red relative
    to the most frequent mistake.
    """
    reports = [reports] if isinstance(reports, Mapping) else list(reports)
    names = reports[shown]["class_names"]
    label = min(style.widest(names, style.SMALL), LONGEST_NAME)
    counts = np.array(reports[shown]["confusion"])
    smallest = style.widest([f"{counts.max()}"], style.SMALL) + 0.05
    cell = min(max(1.75 / len(names), smallest), (style.WIDTH - label - 0.3) / len(names))
    side = cell * len(names)
    turned = style.widest(names, style.SMALL) > cell - 0.04
    below = 0.24 + (label if turned else 0.12)
    curves = style.WIDTH - side - label - 0.95
    beside = curves >= 2.2
    if beside:
        height = max(2.3, side + below + 0.28)
    else:
        curves, height = style.WIDTH - 0.55, 1.9 + side + below + 0.4

    figure, canvas = style.sheet(height)
    _curves(figure, reports, 0.5, 0.06, curves, (height if beside else 1.9) - 0.46)
    left = style.WIDTH - side - MARGIN
    top = 0.26 if beside else height - side - below
    matrix = style.place(figure, left, top, side, side)
    _confusion(matrix, counts, names, turned)
    images = reports[shown]["test"]["images"]
    which = "" if len(reports) == 1 else f", median of {len(reports)}"
    canvas.text(
        left + side / 2, top - 0.08, f"{images:,} test images{which}", ha="center", va="baseline"
    )
    middle = top + side / 2
    canvas.text(
        left - label - 0.12, middle, "true", rotation=90, ha="right", va="center", color=style.GREY
    )
    canvas.text(
        left + side / 2,
        top + side + below - 0.14,
        "predicted",
        ha="center",
        va="top",
        color=style.GREY,
    )
    return figure


def alt(reports: Mapping | Sequence[Mapping], shown: int = 0) -> str:
    """Return in words what `draw` shows."""
    reports = [reports] if isinstance(reports, Mapping) else list(reports)
    losses, accuracies = (
        [report["history"][f"validation_{quantity}"] for report in reports]
        for quantity in ("loss", "accuracy")
    )
    counts = np.array(reports[shown]["confusion"])
    loss, accuracy = np.mean(losses, axis=0), np.mean(accuracies, axis=0)
    networks = style.counted(len(reports), "network")
    mean = "" if len(reports) == 1 else "mean "
    of = "" if len(reports) == 1 else " of one of them"
    return (
        f"Curves of loss and accuracy of {networks} over {style.counted(len(loss), 'epoch')}: the "
        f"{mean}validation loss goes from {loss[0]:.3g} to {loss[-1]:.3g}, the {mean}validation "
        f"accuracy ends at {accuracy[-1]:.2%}. With them the confusion matrix{of} on "
        f"{style.counted(counts.sum(), 'test image')}, {counts.sum() - counts.trace()} of them "
        "off its diagonal."
    )


def _curves(
    figure: Figure, reports: Sequence[Mapping], left: float, top: float, width: float, height: float
) -> None:
    """Draw loss above accuracy, both against the epoch."""
    gap = 0.12
    epochs = len(reports[0]["history"]["train_loss"])
    panel = (height - gap) / 2
    loss = style.place(figure, left, top, width, panel)
    accuracy = style.place(figure, left, top + panel + gap, width, panel)
    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        values = [_plot(axes, reports, split, quantity) for split in CURVES]
        axes.set_ylabel(quantity)
        axes.yaxis.set_label_coords(-0.36 / width, 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlim(1 - 0.03 * epochs, 1.03 * epochs)
        if quantity == "loss":
            _scale_of_losses(axes, np.concatenate(values, axis=None))
        else:
            lowest = min(0.98, np.min(values))
            axes.set_ylim(lowest - 0.05 * (1 - lowest), 1 + 0.05 * (1 - lowest))
    loss.tick_params(labelbottom=False)
    accuracy.set_xlabel("epoch")
    accuracy.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    accuracy.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
    loss.legend()


def _plot(axes: Axes, reports: Sequence[Mapping], split: str, quantity: str) -> np.ndarray:
    """Draw one quantity of all replicates; return it ``(replicates, epochs)``."""
    values = np.array([report["history"][f"{split}_{quantity}"] for report in reports])
    epochs = np.arange(1, values.shape[1] + 1)
    if len(values) > 1:
        axes.plot(epochs, values.T, **CURVES[split], linewidth=0.4, alpha=0.6)
    name = {"train": "training", "validation": "validation"}[split]
    if len(values) > 1:
        name += f", mean of {len(values)}"
    marker = "o" if len(epochs) <= 20 else None
    axes.plot(
        epochs, values.mean(axis=0), **CURVES[split], marker=marker, markersize=2.2, label=name
    )
    return values


def _scale_of_losses(axes: Axes, losses: np.ndarray) -> None:
    """Choose a logarithmic scale where losses fall tenfold or more."""
    if losses.min() > 0 and losses.max() >= 10 * losses.min():
        axes.set_yscale("log")
        if losses.max() < 1000 * losses.min():
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.number(value, 1)))
        axes.yaxis.set_minor_formatter("")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))


def _confusion(axes: Axes, counts: np.ndarray, names: Sequence[str], turned: bool) -> None:
    """Draw a matrix of counts, its cells tinted."""
    classes = len(names)
    axes.set(xlim=(0, classes), ylim=(classes, 0), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=style.GREY)
    right = np.eye(classes, dtype=bool)
    tint = np.where(
        right,
        -counts / np.maximum(1, counts.sum(axis=1, keepdims=True)),
        0.6 * counts / max(1, counts[~right].max(initial=0)),
    )
    axes.imshow(
        0.4 * tint,
        cmap=style.SIGNED,
        vmin=-1,
        vmax=1,
        extent=(0, classes, classes, 0),
        aspect="auto",
        interpolation="nearest",
    )
    for row, column in np.ndindex(counts.shape):
        count = counts[row, column]
        colour = style.BLACK if count else style.GREY
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{count}",
            size=style.SMALL,
            color=colour,
            ha="center",
            va="center",
        )
    inch = classes / (axes.bbox.height / axes.figure.dpi)
    small = {"size": style.SMALL, "room": LONGEST_NAME}
    for place, name in enumerate(names, 1):
        style.write(axes, -0.06 * inch, place - 0.5, name, ha="right", va="center", **small)
        style.write(
            axes,
            place - 0.5,
            classes + 0.06 * inch,
            name,
            ha="center",
            va="top",
            rotation=90 if turned else 0,
            **small,
        )
