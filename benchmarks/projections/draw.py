"""Plots of how maximization's time grows with batch and image size."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from pixelspace.figures import style

NETWORKS = {
    "digits": ("digit network, 28 px", style.VERMILLION),
    "deep": ("deep network, 128 px", style.BLUE),
}


def _axes(ticks, xlabel: str, ylabel: str):
    figure, _ = style.sheet(2.3)
    axes = style.place(figure, 0.6, 0.15, style.WIDTH - 0.8, 1.65)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.minorticks_off()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes


@style.house()
def by_batch(curves: dict[str, list]) -> Figure:
    figure, axes = _axes([b for b, _ in curves["deep"]], "units in one batch", "ms a unit and step")
    for name, (label, colour) in NETWORKS.items():
        axes.plot(*zip(*curves[name], strict=True), "o-", ms=3, color=colour, label=label)
    axes.legend()
    return figure


@style.house()
def by_size(curve: list) -> Figure:
    figure, axes = _axes(
        [s for s, _ in curve], "height and width in pixels", "ms an image and step"
    )
    axes.plot(*zip(*curve, strict=True), "o-", ms=3, color=style.BLUE)
    return figure


def plots(found: dict, folder: Path) -> None:
    for name, figure, against in (
        ("maximization-batch", by_batch(found["batch"]), "the units in one batch"),
        ("maximization-size", by_size(found["size"]), "height and width of the image"),
    ):
        files = [folder / f"{name}.{suffix}" for suffix in ("pdf", "png", "txt")]
        style.save(figure, *files, alt=f"Milliseconds for each step of maximization, by {against}.")
