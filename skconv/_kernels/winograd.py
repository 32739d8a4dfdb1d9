"""Matrices of the Cook-Toom minimal filtering algorithms F(m, r) (Winograd, 1980; Lavin and Gray, arXiv 1509.09308).

``y = AT @ ((G @ g) * (BT @ d))`` gives ``m`` outputs of a correlation with ``r`` taps from ``m + r - 1`` inputs by as
many multiplications.  The matrices follow from the interpolation points, exactly, in rational arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import ceil

import numpy as np

__all__ = ["best_tile", "winograd_matrices"]

# For each number of points those with the least error in float32 that were found, in a search over fractions from 1/4
# to 4 by how much the matrices enlarge rounding.  Of the largest output it is 3e-7 for F(2, 3), 1e-6 for F(4, 3), 4e-6
# for F(7, 3), 7e-6 for F(8, 3); with one list for all, from the whole numbers on, F(4, 3) and F(7, 3) had twice that.
_POINTS = {
    len(points.split()): [Fraction(point) for point in points.split()]
    for points in (
        "",
        "0",
        "0 1",
        "0 1 -1",
        "0 2/3 -1 3/2",
        "0 2/3 -2/3 3/2 -3/2",
        "0 -3 -1 -1/2 2/3 1",
        "0 1/2 -1/2 1 -1 2 -2",
        "0 -3 -4/3 -3/4 -1/3 2/3 1 3/2",
        "0 -3 -1 -4/5 -1/3 1/2 4/5 5/4 3",
    )
}
_MOST = max(_POINTS)


def _product(roots) -> list[Fraction]:
    """Coefficients, lowest first, of the monic polynomial with these roots."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [high - root * low for high, low in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return coefficients


@cache
def winograd_matrices(m: int, r: int, dtype=np.float32) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``BT`` of shape (a, a), ``G`` of shape (a, r) and ``AT`` of shape (m, a), with ``a = m + r - 1``."""
    a = m + r - 1
    if a - 1 not in _POINTS:
        raise ValueError(f"F({m}, {r}) needs {a - 1} interpolation points; there are sets of up to {_MOST}")
    points = _POINTS[a - 1]
    BT, G, AT = [], [], []
    for point in points:
        others = [p for p in points if p != point]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        BT.append([*_product(others), Fraction(0)])
        G.append([point**k / scale for k in range(r)])
        AT.append([point**i for i in range(m)])
    BT.append(_product(points))
    G.append([Fraction(int(k == r - 1)) for k in range(r)])
    AT.append([Fraction(int(i == m - 1)) for i in range(m)])
    matrices = [np.array([[float(v) for v in row] for row in rows], dtype) for rows in (BT, G, AT)]
    matrices[2] = np.ascontiguousarray(matrices[2].T)
    for matrix in matrices:
        matrix.flags.writeable = False
    return matrices[0], matrices[1], matrices[2]


def best_tile(outputs: int, r: int) -> tuple[int, float]:
    """Tile height ``m`` with the fewest multiplications for ``outputs`` rows, and their ratio to the direct method.

    The tallest tile is not always it: 14 rows are two tiles of F(7, 3), 18 products, but four of F(4, 3), 24.
    """
    largest = _MOST + 2 - r
    cost, m = min((ceil(outputs / m) * (m + r - 1), m) for m in range(2, largest + 1))
    return m, cost / (outputs * r)
