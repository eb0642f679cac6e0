"""How often perceptrons find the described code, and what else becomes of them, by recipe."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pixelspace.figures import style

RECIPES = {
    "plain": "plain",
    "penalty": "penalty",
    "positive": "positive start",
    "both": "both",
}
OUTCOMES = {
    "perfect": "no error",
    "described": "described\ncode",
    "readable": "... and\nreadable",
    "other": "another\nperfect code",
    "dead": "a dead\nnode",
    "origin": "a class at\nthe origin",
}
SINGLE = {"color": style.BLUE}
SELECTED = {"color": style.VERMILLION}
TALL = 1.5  # inches of a panel
ABOVE, BELOW = 0.34, 0.62
GAP = 0.2


@style.house()
def draw(numbers: Mapping[str, float]) -> Figure:
    """Draw a panel for each outcome and in it a bar for each recipe, with its interval.

    Below the bar of single networks stands that of the best of a group, where there is one.
    """
    figure, canvas = style.sheet(ABOVE + TALL + BELOW)
    left = style.widest(RECIPES.values()) + 0.12
    wide = (style.WIDTH - left - 0.12 + GAP) / len(OUTCOMES) - GAP
    for place, (outcome, words) in enumerate(OUTCOMES.items()):
        x = left + place * (wide + GAP)
        axes = style.place(figure, x, ABOVE, wide, TALL)
        _panel(axes, numbers, outcome)
        if place == 0:
            axes.set_yticks(range(len(RECIPES)), labels=RECIPES.values(), size=style.NORMAL)
        canvas.text(x + wide / 2, ABOVE - 0.06, words, ha="center", va="bottom", linespacing=1)
    middle = left + (style.WIDTH - left) / 2
    bottom = ABOVE + TALL
    canvas.text(middle, bottom + 0.3, "share of networks (%)", ha="center", va="center")
    groups = f"best of each of {numbers['groups']:g} groups of {numbers['restarts']:g}"
    _key(canvas, middle - 1.9, bottom + 0.5, f"{numbers['networks']:g} single networks", SINGLE)
    _key(canvas, middle + 0.2, bottom + 0.5, groups, SELECTED)
    return figure


def alt(numbers: Mapping[str, float]) -> str:
    """Return in words what `draw` shows."""
    outcomes = "; ".join(
        f"{_in_one_line(words)}, "
        + ", ".join(f"{RECIPES[r]} {100 * numbers[f'{r}_{outcome}']:.0f} %" for r in RECIPES)
        for outcome, words in OUTCOMES.items()
    )
    best = ", ".join(f"{RECIPES[r]} {100 * numbers[f'{r}_best_readable']:.0f} %" for r in RECIPES)
    return (
        f"Bars with intervals: shares of {numbers['networks']:g} letter networks by each recipe: "
        f"{outcomes}. Readable among the best of {numbers['restarts']:g}: {best}."
    )


def _in_one_line(words: str) -> str:
    return words.replace("\n", " ").replace("... and", "described and")


def _panel(axes: Axes, numbers: Mapping[str, float], outcome: str) -> None:
    """Draw the bars of one outcome, from the first recipe at the top."""
    places = np.arange(len(RECIPES))
    selected = f"plain_best_{outcome}" in numbers
    _bars(axes, numbers, outcome, places - (0.18 if selected else 0), SINGLE)
    if selected:
        _bars(axes, numbers, f"best_{outcome}", places + 0.18, SELECTED)
    axes.set(xlim=(0, 100), ylim=(len(RECIPES) - 0.5, -0.5), xticks=[0, 50, 100], yticks=[])
    axes.tick_params(axis="y", length=0)


def _bars(
    axes: Axes, numbers: Mapping[str, float], outcome: str, places: np.ndarray, look: Mapping
) -> None:
    shares, low, high = (
        100 * np.array([numbers[f"{recipe}_{outcome}{end}"] for recipe in RECIPES])
        for end in ("", "_low", "_high")
    )
    axes.barh(places, shares, height=0.3, alpha=0.75, **look)
    axes.hlines(places, low, high, color=style.BLACK, linewidth=0.8, clip_on=False)


def _key(canvas: Axes, x: float, y: float, words: str, look: Mapping) -> None:
    canvas.add_patch(Rectangle((x, y - 0.04), 0.22, 0.08, alpha=0.75, linewidth=0, **look))
    canvas.text(x + 0.28, y, words, size=style.SMALL, va="center")
