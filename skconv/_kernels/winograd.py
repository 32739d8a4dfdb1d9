"""Correlation by the Cook-Toom minimal filtering algorithms F(m, r) (Winograd, 1980; Lavin and Gray, arXiv 1509.09308).

``y = AT @ ((G @ g) * (BT @ d))`` gives the ``m`` outputs of a correlation of ``m + r - 1`` inputs ``d`` with ``r`` taps
``g`` by ``m + r - 1`` multiplications.  The matrices are computed from the interpolation points in rational arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Correlation, shifted_taps
from .geometry import Window

__all__ = ["Winograd", "best_tile", "winograd_matrices"]

# Interpolation points, by their number: those of a search over fractions from 1/4 to 4 whose matrices amplify rounding
# errors least.  The error in float32, relative to the largest output, is 3e-7 for F(2, 3), 1e-6 for F(4, 3), 4e-6 for
# F(7, 3), 7e-6 for F(8, 3).  Points from one list for all numbers (0, 1, -1, 2, ...) double it for F(4, 3) and F(7, 3).
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
    """Tile height ``m`` with the fewest products for ``outputs`` rows, and their number relative to the direct method.

    The tallest tile is not always the best: 14 rows take 18 products with two tiles of F(7, 3), 20 with F(8, 3).
    """
    largest = _MOST + 2 - r
    cost, m = min((ceil(outputs / m) * (m + r - 1), m) for m in range(2, largest + 1))
    return m, cost / (outputs * r)


class Winograd(Correlation):
    """F(m, R) down the image, windows across as views, as in `Gathered`; stride 1 and no dilation down.

    14 rows of a 3 x 3 kernel take 18 products in place of 42.  A band is some rows of tiles.  Parameters as
    `Correlation`.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.m, _ = best_tile(self.P, self.R)
        self.a = self.m + self.R - 1
        self.tiles = -(-self.P // self.m)
        self.stored_rows = self.tiles * self.m + self.R - 1
        self.K = self.S * channels
        self.BT, self.G, self.AT = winograd_matrices(self.m, self.R, self.dtype.type)
        self.A, self.GT = np.ascontiguousarray(self.AT.T), np.ascontiguousarray(self.G.T)
        per_tile = self.a * width * self.dtype.itemsize * (self.columns.size * channels + self.Q * filters)
        self.band = max(1, min(self.tiles, self.band_bytes // per_tile))
        self.rows_per_band = self.band * self.m
        self.weight_shape = (self.a, 1, filters, self.K)
        self.scratch = {
            "V": (self.band, self.a, self.columns.size, channels, width),
            "M": (self.band, self.a, self.Q, filters, width),
        }
        self.gradient_scratch = {
            "x": (self.a, channels, self.columns.size, width),
            "Vt": (self.a, channels, self.columns.size, width),
            "dy": (self.m, filters, self.Q, width),
            "Mt": (self.a, filters, self.Q, width),
            "product": (self.S, self.a, filters, channels),
            "total": (self.S, self.a, filters, channels),
            "final": (self.S, self.R, filters, channels),
        }

    def prepare(self, weight, out):
        """Write the transform of a weight ``(F, R, S, C)`` into ``out`` (a, 1, F, S * C)."""
        np.matmul(self.G, weight.transpose(1, 0, 2, 3).reshape(self.R, -1), out=out.reshape(self.a, -1))

    def fit_bands(self, rows, multiple) -> int:
        least = multiple // gcd(multiple, self.m)
        self.band = min(self.tiles, max(least, min(rows // self.m, self.band) // least * least))
        self.rows_per_band = self.band * self.m
        for name, shape in self.scratch.items():
            self.scratch[name] = (self.band, *shape[1:])
        return self.rows_per_band

    def bind(self, x, scratch, out):
        bound = []
        h, _, _, n = x.strides
        flat = self.columns.size * self.C * self.N
        for start in range(0, self.tiles, self.band):
            count = min(self.band, self.tiles - start)
            V, M = scratch["V"][:count], scratch["M"][:count]
            tiles = as_strided(x[start * self.m :], (count, self.a, flat), (h * self.m, h, n))
            t, a, vw, vc, vn = V.strides
            windows = as_strided(V, (count, self.a, self.Q, self.K, self.N), (t, a, vw, vc, vn))
            backward = self._untransforms(M.reshape(count, self.a, -1), out[start * self.m : (start + count) * self.m])
            bound.append((tiles, V.reshape(count, self.a, flat), windows, M, backward))
        return bound

    def _untransforms(self, M, out):
        """List of ``(AT, M, rows of out)``: for all whole tiles, and for a last tile with fewer than ``m`` rows."""
        whole, rest = divmod(len(out), self.m)
        o, _, _, n = out.strides
        parts = []
        if whole:
            rows = as_strided(out, (whole, self.m, M.shape[2]), (o * self.m, o, n))
            parts.append((self.AT, M[:whole], rows))
        if rest:
            rows = as_strided(out[whole * self.m :], (rest, M.shape[2]), (o, n))
            parts.append((self.AT[:rest], M[whole], rows))
        return parts

    def run(self, bound, weight):
        for tiles, V, windows, M, backward in bound:
            self.product(self.BT, tiles, out=V)
            self.product(weight, windows, out=M)
            for AT, products, rows in backward:
                self.product(AT, products, out=rows)

    def bind_gradient(self, x, dy, scratch):
        bound = []
        for start in range(0, self.P, self.m):
            rows = min(self.m, self.P - start)
            dyt = scratch["dy"][:rows]
            copies = (
                (dyt, dy[start : start + rows].transpose(0, 2, 1, 3)),
                (scratch["x"], x[start : start + self.a].transpose(0, 2, 1, 3)),
            )
            bound.append((copies, self.A[:, :rows], dyt.reshape(rows, -1)))
        return bound

    def run_gradient(self, bound, scratch, out):
        """Write the weight gradient into ``out`` (F, R, S, C): products in the transformed domain, then ``G.T``."""
        Vt, Mt, total, product = scratch["Vt"], scratch["Mt"], scratch["total"], scratch["product"]
        xt = scratch["x"].reshape(self.a, -1)
        left, right = Mt.reshape(self.a, self.F, -1), shifted_taps(Vt, self.S, self.Q)
        total.fill(0)
        for copies, A, dyt in bound:
            for copy in copies:
                np.copyto(*copy)
            np.matmul(A, dyt, out=Mt.reshape(self.a, -1))
            np.matmul(self.BT, xt, out=Vt.reshape(self.a, -1))
            np.matmul(left, right, out=product)
            np.add(total, product, out=total)
        final = scratch["final"]
        np.matmul(self.GT, total.reshape(self.S, self.a, -1), out=final.reshape(self.S, self.R, -1))
        np.copyto(out, final.transpose(2, 1, 0, 3))
