"""How much networks that were trained from different seeds differ."""

from collections.abc import Iterable

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

COVERAGE = 0.95


def median(values: Iterable[float]) -> int:
    """Return the place of the median value, counted from 0; of two in the middle the lower one."""
    order = np.argsort(list(values), kind="stable")
    return int(order[(len(order) - 1) // 2])


def of_mean(values: Iterable[float]) -> dict[str, float]:
    """Return the standard deviation of values, and the interval of 95 % for their mean.

    Returns:
        ``deviation``, of the sample (n - 1), and ``low`` and ``high``, by Student's t, which
        takes the values for draws of a normal distribution. Nothing where there is one value.
    """
    values = np.array(list(values), float)
    if len(values) < 2:
        return {}
    deviation = float(values.std(ddof=1))
    reach = stdtrit(len(values) - 1, (1 + COVERAGE) / 2) * deviation / len(values) ** 0.5
    mean = values.mean()
    return {"deviation": deviation, "low": float(mean - reach), "high": float(mean + reach)}
