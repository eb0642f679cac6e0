"""How much networks that were trained from different seeds differ."""

from collections.abc import Iterable

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

COVERAGE = 0.95
SHARE = (0.0, 1.0)
"""What a mean of shares, as of accuracies, can be."""


def median(values: Iterable[float]) -> int:
    """Return the place of the median value, counted from 0; of two in the middle the lower one."""
    order = np.argsort(list(values), kind="stable")
    return int(order[(len(order) - 1) // 2])


def of_mean(
    values: Iterable[float], within: tuple[float, float] = (-np.inf, np.inf)
) -> dict[str, float]:
    """Return the standard deviation of values, and the interval of 95 % for their mean.

    Args:
        within: what the mean can be; the interval ends there at the latest.

    Returns:
        ``deviation``, of the sample (n - 1), and ``low`` and ``high``, by Student's t, which
        takes the values for draws of a normal distribution. Nothing where there is one value.
    """
    values = np.array(list(values), float)
    if len(values) < 2:
        return {}
    deviation = float(values.std(ddof=1))
    reach = stdtrit(len(values) - 1, (1 + COVERAGE) / 2) * deviation / len(values) ** 0.5
    low, high = np.clip([values.mean() - reach, values.mean() + reach], *within)
    return {"deviation": deviation, "low": float(low), "high": float(high)}
