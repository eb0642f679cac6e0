"""A network of one hidden layer, drawn with its trained weights in place."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon

from pixelspace.artifacts import Projection
from pixelspace.errors import UserError
from pixelspace.figures import style

HEAD = 0.3  # the words above the columns
FOOT = 0.42  # the scales below
PIXELS, WEIGHTS, NODE = 0.55, 2.15, 3.4  # middles of the columns, inches
RADIUS = 0.19
LONGEST_NAME = 1.0
THICKEST = 4.0  # points, of the edge with the largest weight
TEXT = 0.13  # height of a line of numbers


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw input pixels, weights of the hidden nodes as images, ReLU, and the edges to the logits.

    An edge is as thick as its weight is large, and bears its value; its colour is the weight's
    sign, as in the images. The projection needs ``readout``, the weights ``(units, classes)``
    from the hidden nodes to the logits.

    Raises:
        UserError: if the layer has no such readout.
    """
    if "readout" not in projection.arrays:
        layer = projection.about["layer"]
        raise UserError(
            f"diagram: layer {layer} does not feed the logits through a ReLU; "
            "draw the hidden layer of a perceptron, or the figure of its weights"
        )
    images, readout = projection.arrays["projections"], projection.arrays["readout"]
    units, classes = readout.shape
    names = projection.about["class_names"]
    inside = style.widest(names) < 2 * RADIUS - 0.1
    logit = style.WIDTH - RADIUS - 0.03
    if not inside:
        logit -= min(style.widest(names), LONGEST_NAME) + 0.08
    pitch = max(0.55, min(1.0, 6.5 / units))
    least = TEXT * units / (1 - TEXT / pitch)
    tall = max(pitch * units, max(0.5, least) * classes)
    step = tall / classes
    middle = HEAD + tall / 2
    nodes = middle + (np.arange(units) - (units - 1) / 2) * pitch
    logits = middle + (np.arange(classes) - (classes - 1) / 2) * step
    height, width, _ = images.shape[1:]
    size = min(1.0, pitch - 0.2) / max(height, width) * np.array([width, height])
    figure, canvas = style.sheet(HEAD + tall + FOOT)

    _pixels(canvas, middle, size, (height, width))
    limit = np.abs(images).max()
    for unit, y in enumerate(nodes):
        _fan(canvas, middle, y, size)
        left, top = WEIGHTS - size[0] / 2, y - size[1] / 2
        shown = style.signed(canvas, images[unit], (left, top, *size), limit)
        name = style.unit_name("hidden", projection.arrays["units"][unit])
        _node(canvas, y, WEIGHTS + size[0] / 2, name)
    way = 1 - step / (units * pitch + step)  # there the edges are evenly spaced
    _edges(canvas, nodes, (logit, logits), readout, way)
    for y, name in zip(logits, names, strict=True):
        canvas.add_patch(
            Circle((logit, y), RADIUS, facecolor="white", edgecolor=style.BLACK, lw=0.8, zorder=3)
        )
        x, side = (logit, "center") if inside else (logit + RADIUS + 0.07, "left")
        style.write(canvas, x, y, name, room=LONGEST_NAME, ha=side, va="center", zorder=4)
    for x, words in (
        (PIXELS, "pixels $x$"),
        (WEIGHTS, "weights $w_i$"),
        (NODE, r"$h_i=\max(0,\langle w_i, x\rangle)$"),
        (logit, "logits"),
    ):
        canvas.text(x, HEAD - 0.12, words, ha="center", va="baseline")
    _scales(figure, canvas, shown, np.abs(readout).max(), HEAD + tall)
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    images, readout = projection.arrays["projections"], projection.arrays["readout"]
    names = projection.about["class_names"]
    edges = "; ".join(
        f"of node {unit + 1}, " + ", ".join(f"{n} {w:.2f}" for n, w in zip(names, row, strict=True))
        for unit, row in enumerate(readout)
    )
    return (
        f"A network from left to right: {images.shape[1]} by {images.shape[2]} pixels, the weights "
        f"of {style.counted(len(images), 'hidden node')} as images, a rectifier for each, and "
        f"edges to the logits with their weights: {edges}."
    )


def _pixels(canvas: Axes, middle: float, size: np.ndarray, shape: tuple[int, int]) -> None:
    """Draw the grid of input pixels."""
    height, width = shape
    left, top = PIXELS - size[0] / 2, middle - size[1] / 2
    line = {"color": style.GREY, "linewidth": 0.5}
    for x in np.linspace(left, left + size[0], width + 1):
        canvas.plot([x, x], [top, top + size[1]], solid_capstyle="projecting", **line)
    for y in np.linspace(top, top + size[1], height + 1):
        canvas.plot([left, left + size[0]], [y, y], solid_capstyle="projecting", **line)
    canvas.text(
        PIXELS,
        top + size[1] + 0.07,
        rf"{height}$\times${width}",
        size=style.SMALL,
        ha="center",
        va="top",
        color=style.GREY,
    )


def _fan(canvas: Axes, middle: float, y: float, size: np.ndarray) -> None:
    """Draw that all pixels go to one node: a band from the grid to the node's image."""
    start, end = PIXELS + size[0] / 2 + 0.04, WEIGHTS - size[0] / 2 - 0.04
    half = size[1] / 2
    corners = [(start, middle - half), (end, y - half), (end, y + half), (start, middle + half)]
    canvas.add_patch(Polygon(corners, facecolor=style.LIGHT, alpha=0.45, linewidth=0))


def _node(canvas: Axes, y: float, start: float, name: str) -> None:
    """Draw the line from a weight image to its node, a circle with the graph of the ReLU."""
    canvas.plot([start + 0.04, NODE - RADIUS], [y, y], color=style.BLACK, linewidth=0.8)
    canvas.add_patch(
        Circle((NODE, y), RADIUS, facecolor="white", edgecolor=style.BLACK, lw=0.8, zorder=3)
    )
    bend = [NODE - 0.1, NODE, NODE + 0.09], [y + 0.04, y + 0.04, y - 0.07]
    canvas.plot(*bend, color=style.BLACK, linewidth=1, zorder=4)
    canvas.text(NODE, y - RADIUS - 0.05, name, size=9, ha="center", va="bottom", zorder=4)


def _edges(
    canvas: Axes,
    nodes: np.ndarray,
    logits: tuple[float, np.ndarray],
    readout: np.ndarray,
    way: float,
) -> None:
    """Draw the edges to the logits, their values in a column at the fraction ``way`` of them."""
    start, end = NODE + RADIUS, logits[0] - RADIUS
    largest = np.abs(readout).max() or 1.0
    for (unit, label), weight in np.ndenumerate(readout):
        y = nodes[unit], logits[1][label]
        canvas.plot(
            (start, end),
            y,
            color=_colour(weight),
            linewidth=max(0.3, THICKEST * abs(weight) / largest),
            solid_capstyle="butt",
            zorder=1,
        )
        canvas.text(
            start + way * (end - start),
            y[0] + way * (y[1] - y[0]),
            f"${weight:.2f}$",
            size=style.SMALL,
            ha="center",
            va="center",
            zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )


def _colour(weight: float) -> str:
    return style.VERMILLION if weight > 0 else style.BLUE


def _scales(figure: Figure, canvas: Axes, image, largest: float, top: float) -> None:
    """Draw below the diagram what the colours of images and the thickness of edges mean."""
    style.colour_bar(style.place(figure, WEIGHTS - 0.5, top + 0.12, 1.0, 0.07), image)
    y = top + 0.155
    x = NODE + RADIUS
    for weight in (-largest, largest):
        canvas.plot(
            [x, x + 0.35], [y, y], color=_colour(weight), linewidth=THICKEST, solid_capstyle="butt"
        )
        canvas.text(x + 0.42, y, f"${weight:.2f}$", size=style.SMALL, va="center")
        x += 1.0
