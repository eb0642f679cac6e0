"""How alike two arrays are, by their values or by the ranks of these."""

import numpy as np
from scipy.stats import rankdata


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two arrays of one shape; 0 where one of them is constant."""
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    a, b = a - a.mean(), b - b.mean()
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length else 0.0


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of two arrays of one shape; 0 where one of them is constant."""
    return correlation(rankdata(a), rankdata(b))
