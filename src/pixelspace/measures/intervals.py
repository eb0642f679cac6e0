"""Intervals: for means by the bootstrap, for shares by Wilson."""

import numpy as np
from scipy.special import ndtri  # scipy.stats takes a second to import

RESAMPLES = 2000
COVERAGE = 0.95


def of_mean(
    values: np.ndarray, groups: np.ndarray | None = None, *, seed: int
) -> tuple[float, float]:
    """Return the ends of the interval of 95 % for the mean of values ``(n,)``.

    The stratified percentile bootstrap (Efron and Tibshirani 1993): the middle of the means of
    `RESAMPLES` samples, drawn with replacement, in which each group has as many values as it has
    here. So nothing is counted as chance that comes of the groups' being unlike each other. Values
    of the same groups and seed are drawn alike.

    Args:
        groups: the number of each value's group ``(n,)``; None for a single one.
    """
    groups = np.zeros(len(values)) if groups is None else groups
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = [random.choice(own, (RESAMPLES, len(own))) for own in members]
    means = values[np.concatenate(drawn, axis=1)].mean(axis=1)
    beyond = (1 - COVERAGE) / 2
    low, high = np.quantile(means, [beyond, 1 - beyond])
    return float(low), float(high)


def of_share(share: float, count: int) -> tuple[float, float]:
    """Return the ends of the interval of 95 % for a share of ``count`` trials that were won.

    Wilson's (1927, doi:10.1080/01621459.1927.10502953), which has a width where none was won, or
    all. A trial may be won in part; the interval is then wider than it must be.
    """
    square = ndtri((1 + COVERAGE) / 2) ** 2 / count
    middle = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return float(max(middle - reach, 0)), float(min(middle + reach, 1))
