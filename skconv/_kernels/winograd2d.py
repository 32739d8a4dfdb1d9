"""Winograd's minimal filtering down and across, for many channels."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .geometry import Window
from .winograd import Winograd, winograd_matrices

__all__ = ["Winograd2D", "tile_across"]

_TILES = (2, 3, 4)  # widths of a tile; errors with 8 rows and 64 to 128 channels: 5e-6 to 2e-5 of the largest output
_GROUP_BYTES = 1 << 21  # most bytes of scratch of a group of transformed rows, with which a call takes 100 us or more


def tile_across(outputs: int, taps: int) -> int:
    """Width ``m`` of the tiles across with the fewest multiplications, and among those the narrowest (least error)."""
    return min((-(-outputs // m) * (m + taps - 1), m) for m in _TILES)[1]


class Winograd2D(Winograd):
    """F(m, R) down the image and F(m2, S) across, tile row by tile row; stride 1 and no dilation.

    Parameters as `Winograd`.  The weight gradient is that of `Winograd`, whose products have long sums already.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.m2 = tile_across(self.Q, self.S)
        self.a2 = self.m2 + self.S - 1
        self.tiles2 = -(-self.Q // self.m2)
        self.columns2 = self.tiles2 * self.m2 + self.S - 1  # columns of the input and of the zeros beyond
        self.BT2, self.G2, self.AT2 = winograd_matrices(self.m2, self.S, self.dtype.type)
        self.weight_shape = (self.a, self.a2, filters, channels)
        per_row = self.tiles2 * self.a2 * (channels + filters) * width * self.dtype.itemsize
        self.group = max(1, min(self.a, _GROUP_BYTES // per_row))
        self.band, self.rows_per_band = 1, self.m
        self.scratch = {
            "T": (self.a, self.columns2, channels, width),
            "V": (self.group, self.tiles2, self.a2, channels, width),
            "M": (self.group, self.tiles2, self.a2, filters, width),
            "Z": (self.a, self.tiles2 * self.m2, filters, width),
        }

    def prepare(self, weight, out):
        """Write the transform of a weight ``(F, R, S, C)`` into ``out`` (a, a2, F, C)."""
        across = np.matmul(self.G2, weight).transpose(1, 2, 0, 3).reshape(self.R, -1)  # (R, a2 * F * C)
        np.matmul(self.G, across, out=out.reshape(self.a, -1))

    def fit_bands(self, rows, multiple) -> int:
        least = multiple // gcd(multiple, self.m)
        self.band = min(self.tiles, max(least, rows // self.m // least * least))
        self.rows_per_band = self.band * self.m
        return self.rows_per_band

    def bind(self, x, scratch, out):
        """List for `run`, by band: for each of its rows of tiles the views of ``x``, of scratch and of ``out``."""
        h, _, _, n = x.strides
        T, Z = scratch["T"], scratch["Z"]
        stored = self.columns.size
        into = as_strided(T, (self.a, stored * self.C * self.N), (T.strides[0], n))
        back = as_strided(Z, (1, self.a, self.Q * self.F * self.N), (0, Z.strides[0], n))
        groups = self._bind_across(T, Z, scratch["V"], scratch["M"])
        bands = []
        for start in range(0, self.tiles, self.band):
            band, first = [], start * self.m
            below = out[first : first + self.rows_per_band]  # a whole band, the only slice that a `Band` takes
            for row in range(0, len(below), self.m):
                rows = as_strided(x[first + row :], into.shape, (h, n))
                (untransform,) = self._untransforms(back, below[row : row + self.m])
                band.append((rows, into, T[:, stored:], groups, untransform))
            bands.append(band)
        return bands

    def _bind_across(self, T, Z, V, M):
        """Per group of transformed rows: its slice, tiles of ``T``, ``V`` flat, ``V``, ``M``, ``M`` flat, ``Z``."""
        h, w, _, n = T.strides
        tiles = as_strided(T, (self.a, self.tiles2, self.a2, self.C * self.N), (h, w * self.m2, w, n))
        outputs = Z.reshape(self.a, self.tiles2, self.m2, -1)
        groups = []
        for start in range(0, self.a, self.group):
            rows = slice(start, start + self.group)
            count = len(tiles[rows])
            v, m = V[:count], M[:count]
            flat = (count, self.tiles2, self.a2, -1)
            groups.append((rows, tiles[rows], v.reshape(flat), v, m, m.reshape(flat), outputs[rows]))
        return groups

    def run(self, bound, weight):
        weight = weight[:, None]  # (a, 1, a2, F, C)
        for band in bound:
            for rows, into, beyond, groups, (AT, Z, out) in band:
                self.product(self.BT, rows, out=into)
                beyond.fill(0)
                for group, tiles, V, matrices, M, flat, outputs in groups:
                    self.product(self.BT2, tiles, out=V)
                    self.product(weight[group], matrices, out=M)
                    self.product(self.AT2, flat, out=outputs)
                self.product(AT, Z, out=out)
