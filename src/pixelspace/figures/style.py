"""The look that all figures share, and how a figure is laid out and saved.

A figure has its final size: it is printed at `WIDTH` and never scaled, so that a text of 8 points
is 8 points on paper. Lengths are inches from the top left corner of the figure. Type is Computer
Modern, which matplotlib carries, like that of the paper. Nothing depends on the fonts of the
machine, on the locale, or on a matplotlibrc.
"""

import functools
import logging
import math
import re
import string
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pixelspace.artifacts import written

WIDTH = 5.9
"""Width of every figure, in inches; it stands in the middle of the paper's text, which is wider."""

TALLEST = 8.2
"""Inches that the tallest figure may take on a page, its caption below it."""

SMALL, NORMAL = 7, 8
"""Sizes of type, in points."""

NOTE_LINE, NOTE_LETTERS = 0.13, 105
"""Height of a line of notes below a figure, in inches, and the most letters in it."""

SHARP_DPI, SMOOTH_DPI, SCREEN_DPI = 600, 300, 200
"""Resolution in print of figures with sharp pixels alone, and of others; resolution on screen."""

SCREEN_COMPRESSION = 3
"""Of the PNGs, from 0 to 9: half the time of PIL's 6, for a tenth more bytes."""

BLACK = "#000000"
GREY = "#767676"
LIGHT = "#d9d9d9"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
"""The colours: three of Okabe and Ito's palette (2008), safe for the colour-blind, and greys."""

SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#002f4d", BLUE, "#9fcbe6", "#ffffff", "#f6bb90", VERMILLION, "#5c2400"], N=257
)
"""Negative blue, zero white, positive red."""

INTENSITY = "cividis"

ROUNDING = 1e-6  # inches, by which a sum of lengths may miss what it should be

LOGITS = "logits"
"""The layer whose units are classes, and are called by their names."""

METHODS = {
    "gradient_times_input": "gradient times input",
    "smooth_grad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "deconvnet": "deconvolution",
    "guided": "guided backpropagation",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
}
"""How the text calls methods; all others by the names that they have in the settings."""

SMALL_IMAGE = 64
"""Images of at most so many pixels a side are drawn with sharp pixels; larger ones smoothly."""

RC = {
    "axes.formatter.use_mathtext": True,
    "axes.labelpad": 3,
    "axes.labelsize": NORMAL,
    "axes.linewidth": 0.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": SCREEN_DPI,  # so that texts which were measured are not set again for the screen
    "font.family": ["cmr10", "DejaVu Serif"],
    "font.size": NORMAL,
    "hatch.linewidth": 0.4,
    "image.composite_image": False,
    "legend.borderaxespad": 0.2,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.2,
    "mathtext.fontset": "cm",
    "pdf.fonttype": 42,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.5,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.5,
    "ytick.minor.size": 1.5,
    "ytick.minor.width": 0.4,
}

house = functools.partial(matplotlib.style.context, ["default", RC])
"""``with house():`` or ``@house()``: matplotlib's own defaults and `RC`, no user's settings."""


def sheet(height: float) -> tuple[Figure, Axes]:
    """Return a figure of ``height`` inches, and axes that cover it, in inches from the top left."""
    figure = Figure((WIDTH, height))
    FigureCanvasAgg(figure)
    canvas = place(figure, 0, 0, WIDTH, height)
    canvas.set(xlim=(0, WIDTH), ylim=(height, 0))
    canvas.set_axis_off()
    return figure, canvas


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes whose frame lies ``left`` and ``top`` inches from the figure's top left corner."""
    full_width, full_height = figure.get_size_inches()
    bottom = full_height - top - height
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


# Words ----------------------------------------------------------------------------------------

_CMR10 = frozenset(string.ascii_letters + string.digits + " !\"#%&'()*+,-./:;=?@[]^`~")
_MATHTEXT = {
    "$": r"\$",
    "\\": r"$\backslash$",
    "_": r"$\_$",
    "{": r"$\{$",
    "}": r"$\}$",
    "|": "${|}$",
    "<": "${<}$",
    ">": "${>}$",
}  # cmr10 has other glyphs in these places


def literal(words: str) -> dict:
    """Return properties of a text that draw ``words`` as they stand, none of it as mathematics.

    Words with a character that Computer Modern lacks are set in DejaVu Serif as a whole.
    """
    if all(c in _CMR10 or c in _MATHTEXT for c in words):
        return {"text": "".join(_MATHTEXT.get(c, c) for c in words), "parse_math": True}
    return {"text": words, "parse_math": False, "family": "DejaVu Serif"}


def write(axes: Axes, x: float, y: float, words: str, *, room: float = math.inf, **style) -> Text:
    """Write a user's ``words``, literally, shortened until they take at most ``room`` inches."""
    text = axes.text(x, y, "", **style)
    text.set(**literal(words))
    kept = len(words)
    while extent(text)[0] > room + ROUNDING and kept > 1:
        kept -= 1
        text.set(**literal(words[:kept].rstrip() + "..."))
    return text


def extent(text: Text) -> tuple[float, float]:
    """Return the width and height of a text in inches; width runs along its own line."""
    box = text.get_window_extent()
    width, height = box.width / text.figure.dpi, box.height / text.figure.dpi
    return (height, width) if text.get_rotation() == 90 else (width, height)


def widest(names, size: float = NORMAL) -> float:
    """Return the width in inches of the widest of ``names``, set in ``size`` points, if any."""
    _, canvas = sheet(1)
    return max((extent(write(canvas, 0, 0, name, size=size))[0] for name in names), default=0.0)


def number(value: float, significant: int = 2) -> str:
    """Return a number to so many significant digits, with a true minus sign, as mathtext."""
    if value == 0:
        return "$0$"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -3 or exponent > 4:
        return rf"${value / 10**exponent:.{significant - 1}f}\times 10^{{{exponent}}}$"
    return f"${value:.{max(0, significant - 1 - exponent)}f}$"


def counted(count: int, one: str, many: str = "") -> str:
    """Return in words how many there are of something; of more than one it is called ``many``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words with commas between them, and an "and" before the last."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def unit_name(layer: str, unit: int) -> str:
    """Return how a unit is called: the perceptron's nodes ``h_1`` and so on, others by number."""
    return f"$h_{{{unit + 1}}}$" if layer in ("hidden", "hidden_relu") else f"{unit}"


def named_units(about: Mapping, units: Sequence[int]) -> str:
    """Return the units of a projection's layer in plain words."""
    layer = about["layer"]
    if layer == LOGITS:
        many = "the logit" if len(units) == 1 else "the logits"
        return f"{many} of {listed([about['class_names'][unit] for unit in units])}"
    if len(units) > 2 and list(units) == list(range(units[0], units[-1] + 1)):
        return f"units {units[0]} to {units[-1]} of layer {layer}"
    many = "unit" if len(units) == 1 else "units"
    return f"{many} {listed([str(unit) for unit in units])} of layer {layer}"


def in_words(note: str) -> str:
    """Return a note that calls the methods which it is about as the text does."""

    def named(found: re.Match) -> str:
        return found[1] + ", ".join(METHODS.get(name, name) for name in found[2].split(", "))

    return re.sub(r"^(methods? )([\w, ]+)(?=:)", named, note)


@house()
def noted(figure: Figure, notes: Sequence[str]) -> Figure:
    """Make room below a figure and write notes there, in grey lines as wide as it."""
    lines = [line for note in notes for line in textwrap.wrap(note, NOTE_LETTERS)]
    width, height = figure.get_size_inches()
    taller = height + NOTE_LINE * len(lines)
    for axes in figure.axes:
        left, bottom, wide, tall = axes.get_position().bounds
        top = (1 - bottom - tall) * height / taller
        axes.set_position((left, 1 - top - tall * height / taller, wide, tall * height / taller))
    figure.set_figheight(taller)
    for number, line in enumerate(reversed(lines)):
        bottom = (number + 0.3) * NOTE_LINE / taller
        figure.text(0.03 / width, bottom, "", size=SMALL, color=GREY).set(**literal(line))
    return figure


# Images ---------------------------------------------------------------------------------------

Box = tuple[float, float, float, float]
"""Left, top, width and height, in inches."""


def span(value_range: Sequence[float], images: np.ndarray) -> tuple[float, float]:
    """Return the values to draw black and white: the range, or more where noise exceeds it."""
    low, high = value_range
    return min(low, float(images.min())), max(high, float(images.max()))


def picture(canvas: Axes, image: np.ndarray, box: Box, low: float, high: float) -> AxesImage:
    """Show an image ``(h, w, 1 or 3)``, grey or colour; ``low`` is black, ``high`` white."""
    if image.shape[-1] == 1:
        return _show(canvas, image[..., 0], box, cmap="gray", vmin=low, vmax=high)
    return _show(canvas, np.clip((image - low) / (high - low), 0, 1), box)


def signed(canvas: Axes, values: np.ndarray, box: Box, limit: float) -> AxesImage:
    """Show signed values ``(h, w, 1 or 3)`` on a scale from ``-limit`` to ``limit``.

    One channel is drawn in the colours of `SIGNED`; three as a colour image, where zero is grey.
    """
    limit = limit or 1.0
    if values.shape[-1] == 1:
        return _show(canvas, values[..., 0], box, cmap=SIGNED, vmin=-limit, vmax=limit)
    return picture(canvas, values, box, -limit, limit)


def feature_map(canvas: Axes, values: np.ndarray, box: Box, low: float, high: float) -> AxesImage:
    """Show a map ``(h, w)``: from zero up in `INTENSITY`; if ``low`` is negative, as `signed`."""
    if low < 0:
        return signed(canvas, values[..., None], box, max(-low, high))
    return _show(canvas, values, box, cmap=INTENSITY, vmin=0, vmax=high or 1.0)


def _show(canvas: Axes, image: np.ndarray, box: Box, **scale) -> AxesImage:
    left, top, width, height = box
    canvas.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=GREY, lw=0.4))
    return canvas.imshow(
        image,
        extent=(left, left + width, top + height, top),
        aspect="auto",
        interpolation="nearest" if max(image.shape[:2]) <= SMALL_IMAGE else "hanning",
        **scale,
    )


def colour_bar(axes: Axes, image: ScalarMappable, labels=None) -> None:
    """Fill ``axes`` with the scale of ``image``, upright if they are: its ends, and zero.

    ``labels`` replaces the numbers at the ticks.
    """
    width, height = axes.bbox.size
    low, high = image.get_clim()
    ticks = [low, 0, high] if low < 0 else [low, high]
    upright = height > width
    scale = np.linspace(low, high, 256)
    axes.imshow(
        scale[:, None] if upright else scale[None],
        extent=(0, 1, low, high) if upright else (low, high, 0, 1),
        cmap=image.get_cmap(),
        aspect="auto",
        origin="lower",
        interpolation="nearest",
    )
    axis, other = (axes.yaxis, axes.xaxis) if upright else (axes.xaxis, axes.yaxis)
    axis.set_ticks(ticks, labels=labels or [number(tick) for tick in ticks])
    axes.tick_params(length=2, pad=1.5, labelsize=SMALL)
    if upright:
        axis.tick_right()
    other.set_visible(False)
    for spine in axes.spines.values():
        spine.set(visible=True, linewidth=0.4, edgecolor=GREY)


def grid(
    count: int, width: float, aspect: float, *, gap: float, line: float, largest: float
) -> tuple[int, float]:
    """Return the columns of a grid of ``count`` pictures, and the width of one in inches.

    A picture is ``aspect`` times as high as wide and at most ``largest`` inches wide; each row
    takes ``line`` inches more than its pictures. The grid is ``width`` wide. Its pictures are as
    large as that and `TALLEST` allow, or up to a third smaller if that fills the last row better.
    """

    def size(columns: int) -> float:
        return min(largest, (width + gap) / columns - gap)

    def fits(columns: int) -> bool:
        return math.ceil(count / columns) * (size(columns) * aspect + line) <= TALLEST - 1

    fewest = min(count, max(1, int((width + gap) / (largest + gap))))
    fewest = next((columns for columns in range(fewest, count) if fits(columns)), count)
    choices = range(fewest, min(count, math.ceil(1.5 * fewest)) + 1)
    columns = min(choices, key=lambda columns: (-count % columns, columns))
    columns = math.ceil(count / math.ceil(count / columns))
    return columns, size(columns)


# Saving ---------------------------------------------------------------------------------------


@house()
def save(
    figure: Figure,
    pdf,
    png,
    txt,
    *,
    alt: str,
    shown: Iterable[Mapping] = (),
    screen_dpi: int = SCREEN_DPI,
) -> None:
    """Write the figure for print and for the screen, and beside them ``alt``: it in words.

    The same figure gives the same bytes.

    Args:
        shown: how the network was trained that the figure is of; where it was chosen of several,
            the words say so.
    """
    images = [image for axes in figure.axes for image in axes.images]
    sharp = all(image.get_interpolation() == "nearest" for image in images)
    dpi = SHARP_DPI if sharp else SMOOTH_DPI
    without = {"CreationDate": None, "Creator": None, "Producer": None}
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of the fonts' old dates
    with written(pdf) as file:
        figure.savefig(file, format="pdf", dpi=dpi, metadata=without)
    with written(png) as file:
        figure.savefig(
            file,
            format="png",
            dpi=screen_dpi,
            metadata={"Software": None},
            pil_kwargs={"compress_level": SCREEN_COMPRESSION},
        )
    with written(txt) as file:
        file.write_text(" ".join([alt, *_chosen(shown)]) + "\n", encoding="utf-8")


def _chosen(shown: Iterable[Mapping]) -> Iterator[str]:
    for report in shown:
        if "replicate" in report:
            number = report["replicate"]
            yield f"The network is number {number}, counted from 0: the median by validation loss."
