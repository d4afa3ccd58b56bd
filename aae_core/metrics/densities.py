"""What chapter 1 says about two densities, computed on a grid: the best discriminator, the value of the game, and how far
the two densities are apart (Goodfellow et al. 2014, section 4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.special import xlogy

Array = NDArray[np.floating]
TINY = np.finfo(np.float64).tiny


def optimal_discriminator(p_data: Array, p_g: Array) -> Array:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)), (N,); one half where both densities are zero."""
    total = p_data + p_g
    return np.divide(p_data, total, out=np.full_like(total, 0.5), where=total > 0)


def value(x: Array, p_data: Array, p_g: Array, d: Array) -> float:
    """V(D, G) = E_data log D + E_g log(1 − D) in nats, by the trapezoidal rule.

    Args:
        x: the grid, (N,), wide enough to hold nearly all of both densities.
        p_data: density of the data on the grid.
        p_g: density of what the generator makes.
        d: the discriminator's probabilities, between 0 and 1.
    """
    # Far out, where one density is all but zero, rounding makes the best answer exactly 0 or 1.
    return float(trapezoid(xlogy(p_data, np.maximum(d, TINY)) + xlogy(p_g, np.maximum(1 - d, TINY)), x))


def jensen_shannon(x: Array, p: Array, q: Array) -> float:
    """JS(p ‖ q) in nats, 0 … log 2: how much the entropy of the even mixture exceeds the mean of the two entropies."""

    def entropy(density: Array) -> float:
        return float(-trapezoid(xlogy(density, density), x))

    return entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
