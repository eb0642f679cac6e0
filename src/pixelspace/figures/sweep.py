"""What became of an experiment with other settings: one number at every point of a sweep."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pixelspace.figures import style

HEIGHT, LEFT, BELOW, ABOVE, GAP = 1.9, 0.55, 0.45, 0.22, 0.15
PANELS, ACROSS = 6, 3
NAME = 14  # letters of the name of a line, at most
MARK = {"markersize": 3.5, "markerfacecolor": "white", "markeredgewidth": 0.7}
TICKS = 24  # letters of all labels of an axis in an inch of it, at most
STYLES = (
    {"color": style.BLUE, "marker": "o"},
    {"color": style.VERMILLION, "marker": "^", "linestyle": (0, (3, 1))},
    {"color": style.GREY, "marker": "s", "linestyle": (0, (1, 1))},
    {"color": style.BLACK, "marker": "D", "linestyle": (0, (4, 1, 1, 1))},
)


@style.house()
def draw(found: Mapping) -> Figure:
    """Draw a number over the values of the first key, a line for each value of the second.

    What further keys there are have a panel for each combination, up to `PANELS`; of more the
    means are over all. Dots are networks, marks their means, bars the intervals of these. Values
    stand in the order of the configuration, evenly apart.

    Args:
        found: see `pixelspace.report.sweep.summary`.
    """
    keys, panels = _panels(found)
    ticks, lines = _texts(found["points"], keys[0]), _texts(found["points"], *keys[1:])
    looks = {text: _look(place, len(lines)) for place, text in enumerate(lines)}
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // ACROSS)
    figure, canvas = style.sheet(HEIGHT * down + 0.2)
    width = (style.WIDTH - LEFT - (across - 1) * GAP - 0.05) / across
    limits = _limits(found["points"])
    for number, (title, points) in enumerate(panels.items()):
        row, column = divmod(number, ACROSS)
        axes = style.place(
            figure,
            LEFT + column * (width + GAP),
            0.2 + ABOVE + row * HEIGHT,
            width,
            HEIGHT - ABOVE - BELOW,
        )
        for place, (line, look) in enumerate((looks or {None: STYLES[0]}).items()):
            own = [p for p in points if line is None or _text(p["varied"], keys[1]) == line]
            shift = 0.3 * ((place + 0.5) / max(len(looks), 1) - 0.5)
            _line(axes, own, keys[0], ticks, shift, look, limits)
        _ticks(axes, ticks, width)
        axes.set_ylim(limits)
        style.write(axes, 0, 1.04, title, transform=axes.transAxes, size=style.SMALL, room=width)
        axes.tick_params(labelleft=column == 0)
    if looks:
        style.write(canvas, LEFT, 0.13, keys[1], size=style.SMALL, room=2.2)
        named = list(looks) if len(looks) <= len(STYLES) else _ends(list(looks))
        handles = [Line2D([], [], label=_short(text), **MARK, **looks[text]) for text in named]
        figure.legend(handles=handles, loc="upper right", ncols=len(named), borderaxespad=0)
    style.write(
        canvas,
        LEFT + (style.WIDTH - LEFT) / 2,
        HEIGHT * down + 0.17,
        keys[0],
        ha="center",
        size=style.NORMAL,
        room=style.WIDTH - LEFT,
    )
    style.write(
        canvas,
        0.13,
        0.2 + (HEIGHT * down - BELOW + ABOVE) / 2,
        found["shows"].replace("_", " "),
        ha="center",
        va="center",
        rotation=90,
        room=HEIGHT,
    )
    return style.noted(figure, [*_failures(found), *_beyond(found, limits)])


def alt(found: Mapping) -> str:
    """Return in words what `draw` shows."""
    points = [point for point in found["points"] if "mean" in point]
    ends = ""
    if points:
        lowest, highest = (choose(points, key=lambda p: p["mean"]) for choose in (min, max))
        low, high = (_setting(point["varied"], found["keys"]) for point in (lowest, highest))
        ends = (
            f" The mean is lowest, {lowest['mean']:.4g}, at {low}, and highest, "
            f"{highest['mean']:.4g}, at {high}."
        )
    return " ".join(
        [
            f"The {found['shows'].replace('_', ' ')} over {' and '.join(found['keys'])}, at "
            f"{len(found['points'])} points of a sweep.{ends}",
            *_failures(found),
            *_beyond(found, _limits(found["points"])),
        ]
    )


def _failures(found: Mapping) -> list[str]:
    failed = sum(len(point["errors"]) for point in found["points"])
    return [f"Networks that failed: {failed}."] if failed else []


def _beyond(found: Mapping, limits: tuple[float, float]) -> list[str]:
    wide = sum(any(_ends_beyond(point, limits)) for point in found["points"])
    return [f"Intervals that leave the axes, where they end in arrows: {wide}."] if wide else []


def _ends_beyond(point: Mapping, limits: tuple[float, float]) -> tuple[bool, bool]:
    """Tell whether the interval of a point goes below and above the limits of the axes."""
    return (
        point.get("low", limits[0]) < limits[0],
        point.get("high", limits[1]) > limits[1],
    )


def _panels(found: Mapping) -> tuple[list[str], dict[str, list[Mapping]]]:
    """Return the keys of the axis and of the lines, and the points of each panel by its title."""
    keys, further = found["keys"][:2], found["keys"][2:]
    panels: dict[str, list[Mapping]] = {}
    for point in found["points"]:
        title = _setting(point["varied"], further)
        panels.setdefault(title, []).append(point)
    if len(panels) > PANELS:
        panels = {f"all of {', '.join(further)}": list(found["points"])}
    return keys, panels


def _line(
    axes: Axes,
    points: Sequence[Mapping],
    key: str,
    ticks: Sequence[str],
    shift: float,
    look: Mapping[str, Any],
    limits: tuple[float, float],
) -> None:
    """Draw the networks of some points, and a line through their means, ``shift`` off the ticks."""
    middles = []
    color = look["color"]
    for place, tick in enumerate(ticks):
        here = [point for point in points if _text(point["varied"], key) == tick]
        values = [value for point in here for value in point["values"]]
        across = place + shift
        # Before the bars and the marks: of a few networks these would hide all.
        axes.plot([across] * len(values), values, ".", color=color, ms=2, zorder=4)
        if values:
            middles.append((across, float(np.mean(values))))
        if len(here) == 1 and "low" in here[0]:
            axes.plot([across] * 2, [here[0]["low"], here[0]["high"]], lw=0.6, c=color)
            for arrow, end, beyond in zip("v^", limits, _ends_beyond(here[0], limits), strict=True):
                if beyond:
                    axes.plot([across], [end], arrow, color=color, ms=3, clip_on=False)
    if middles:
        axes.plot(*zip(*middles, strict=True), **MARK, **look)


def _ends(texts: list[str]) -> list[str]:
    """Return the first, the middle and the last of what is too much to name."""
    return [texts[0], texts[len(texts) // 2], texts[-1]]


def _short(text: str) -> str:
    return text if len(text) <= NAME else f"{text[:NAME]}..."


def _look(number: int, lines: int) -> dict[str, Any]:
    if lines <= len(STYLES):
        return STYLES[number]
    return {"color": colormaps[style.INTENSITY](0.9 * number / (lines - 1)), "marker": "o"}


def _ticks(axes: Axes, labels: Sequence[str], width: float) -> None:
    """Label the values of an axis of ``width`` inches, or every second of them, or third, …"""
    every = -(-sum(len(label) + 1 for label in labels) // int(TICKS * width))
    axes.set_xticks(range(0, len(labels), every), labels[::every])
    axes.set_xlim(-0.5, len(labels) - 0.5)


def _limits(points: Iterable[Mapping]) -> tuple[float, float]:
    """Return what an axis has to show: all networks, and as much again of their intervals.

    Those of two or three networks may be so wide that nothing else could be seen.
    """
    points = list(points)
    values = [value for point in points for value in point["values"]]
    if not values:
        return 0, 1
    low, high = min(values), max(values)
    room = high - low
    low = max(low - room / 2, min([low, *(p["low"] for p in points if "low" in p)]))
    high = min(high + room / 2, max([high, *(p["high"] for p in points if "high" in p)]))
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 1
    return low - margin, high + margin


def _texts(points: Iterable[Mapping], key: str | None = None) -> list[str]:
    """Return the values of a key as texts, in the order of the points, each once; of none, none."""
    return list(dict.fromkeys(_text(point["varied"], key) for point in points if key))


def _text(varied: Mapping[str, Any], key: str) -> str:
    value = varied.get(key, "as it is")
    return value if isinstance(value, str) else json.dumps(value)


def _setting(varied: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} = {_text(varied, key)}" for key in keys)
