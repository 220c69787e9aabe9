"""Polynomials through points: x, y, a degree and a weight decay in, coefficients by least squares out.

The basis are Legendre's polynomials on -1 to 1, which look alike at every degree, so that the sums stay well behaved;
powers of x would need numbers of twenty digits. Where there are more coefficients than points, the smallest ones that
fit are taken, as weight decay would choose them in the limit of none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre

from core.errors import SettingsError

DEGREE_MAX = 200


@dataclass(frozen=True)
class Polynomial:
    """Its coefficients (degree + 1,) in Legendre's basis."""

    weights: np.ndarray

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return len(self.weights)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The curve at x, in any shape."""
        found: np.ndarray = legendre.legval(x, self.weights)
        return found


def fit_polynomial(x: np.ndarray, y: np.ndarray, degree: int, *, decay: float = 0.0) -> Polynomial:
    """The weights with the smallest mean squared error + decay * (sum of squared weights, all but the constant).

    x (n,) within -1 to 1 and y (n,); `degree` 0 to 200; `decay` from 0 on. With a decay this is ridge regression (Hoerl
    and Kennard 1970), solved as least squares on rows that ask every weight to be 0.
    """
    if not (0 <= degree <= DEGREE_MAX and decay >= 0 and len(x) == len(y) >= 1):
        raise SettingsError(
            f"A polynomial of degree {degree} with weight decay {decay} was to go through {len(x)} points.",
            hint=f"Degrees run from 0 to {DEGREE_MAX}, weight decay from 0 on, and it takes a point.",
        )
    rows = legendre.legvander(x, degree) / np.sqrt(len(x))
    asked = y / np.sqrt(len(x))
    if decay > 0:
        small = np.sqrt(decay) * np.eye(degree + 1)[1:]
        rows, asked = np.vstack([rows, small]), np.concatenate([asked, np.zeros(degree)])
    return Polynomial(np.linalg.lstsq(rows, asked, rcond=None)[0])
