"""Correlation of a series with long kernels by fewer multiplications: fast FIR algorithms (Mou and Duhamel, 1991).

The kernel is cut into blocks of ``m`` taps and the outputs into tiles of ``m``.  F(m, m) (see `winograd`) takes the
``2 m - 1`` inputs under a tile and a block.  Block ``i`` of tile ``t`` reads the same inputs as block 0 of tile
``t + i``, so each input is transformed once, and all blocks of a tile are one product: for ``m = 4`` 7 multiplications
in place of 16, however long the kernel.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Correlation, shifted_taps
from .geometry import Window
from .winograd import winograd_matrices

__all__ = ["Blocked", "blocked_cost"]

_SIZES = (3, 4, 5)  # values of m; errors of F(m, m) are 1e-6, 2e-6 and 4e-6 of the largest output
_TRANSFORM = 2.5  # cost of a multiply-add in the transforms' small products relative to one in a large product
_GROUP_BYTES = 1 << 19  # most bytes of the products of the tiles that are multiplied at once


def _cost(m, taps, channels, filters) -> float:
    """Multiply-adds per output position, counted in multiply-adds of the direct method."""
    a = 2 * m - 1
    return -(-taps // m) * a / m * channels * filters + _TRANSFORM * (a * a / m * channels + a * filters)


def blocked_cost(window: Window, channels: int, filters: int) -> float:
    """Work of `Blocked` relative to the direct method; 1 for windows that `Blocked` cannot take."""
    rows, columns = window.rows, window.columns
    plain = rows.size == rows.kernel == columns.stride == columns.dilation == 1
    if not plain or columns.kernel < 3 or min(channels, filters) < 8:
        return 1.0
    direct = columns.kernel * channels * filters
    return min(_cost(m, columns.kernel, channels, filters) for m in _SIZES) / direct


class Blocked(Correlation):
    """Correlation of one row by F(m, m), with one product for all blocks of taps.

    Parameters as `Correlation`.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.m = min(_SIZES, key=lambda m: _cost(m, self.S, channels, filters))
        self.a = 2 * self.m - 1
        self.blocks, self.tiles = -(-self.S // self.m), -(-self.Q // self.m)
        self.inputs = self.tiles + self.blocks - 1  # tiles of the input
        self.stored_columns = (self.inputs + 1) * self.m - 1
        self.BT, self.G, self.AT = winograd_matrices(self.m, self.m, self.dtype.type)
        self.A, self.GT = np.ascontiguousarray(self.AT.T), np.ascontiguousarray(self.G.T)
        self.K = self.blocks * channels
        self.weight_shape = (self.a, 1, filters, self.K)
        self.group = max(1, min(self.tiles, _GROUP_BYTES // (self.a * filters * width * self.dtype.itemsize)))
        V, M = (self.a, self.inputs, channels, width), (self.a, self.tiles, filters, width)
        self.scratch = {"V": V, "M": (self.a, self.group, filters, width)}
        self.gradient_scratch = {
            "V": V,
            "M": M,
            "Vt": (self.a, channels, self.inputs, width),
            "Mt": (self.a, filters, self.tiles, width),
            "product": (self.blocks, self.a, filters, channels),
            "final": (self.blocks, self.m, filters, channels),
        }

    def prepare(self, weight, out):
        """Transformed blocks of a weight ``(F, 1, S, C)``, side by side: ``(a, 1, F, blocks * C)``."""
        by_tap = np.zeros((self.m, self.F, self.blocks, self.C), self.dtype)
        for tap, into in enumerate(by_tap):
            taps = weight[:, 0, tap :: self.m]
            into[:, : taps.shape[1]] = taps
        np.matmul(self.G, by_tap.reshape(self.m, -1), out=out.reshape(self.a, -1))

    def _tiles(self, x, V):
        """Two views ``(inputs, a, C * N)``: the tiles of ``x``, and their transforms in ``V`` (a, inputs, C, N)."""
        _, w, _, n = x.strides
        tiles = as_strided(x, (self.inputs, self.a, self.C * self.N), (w * self.m, w, n))
        return tiles, V.reshape(self.a, self.inputs, -1).swapaxes(0, 1)

    def _outputs(self, M, out, start=0):
        """``(outputs of a tile, M, out)`` from tile ``start`` on: for all whole tiles, then for a shorter last one."""
        M = M.reshape(self.a, M.shape[1], -1).swapaxes(0, 1)
        _, w, _, n = out.strides
        whole = min(len(M), self.Q // self.m - start)
        first = out[0, start * self.m :]
        parts = [(self.m, M[:whole], as_strided(first, (whole, self.m, M.shape[2]), (w * self.m, w, n)))]
        if whole < len(M):
            rest = self.Q % self.m
            parts.append((rest, M[whole], as_strided(first[whole * self.m :], (rest, M.shape[2]), (w, n))))
        return parts

    def bind(self, x, scratch, out):
        V, groups, out = scratch["V"], [], out[0:1]
        a, v, c, n = V.strides
        windows = as_strided(V, (self.a, self.tiles, self.K, self.N), (a, v, c, n))
        for start in range(0, self.tiles, self.group):
            tiles = windows[:, start : start + self.group]
            M = scratch["M"][:, : tiles.shape[1]]
            groups.append((tiles, M, self._outputs(M, out, start)))
        return [(*self._tiles(x, V), groups)]

    def run(self, bound, weight):
        for tiles, V, groups in bound:
            self.product(self.BT, tiles, out=V)
            for windows, M, outputs in groups:
                self.product(weight, windows, out=M)
                for rows, each, out in outputs:
                    self.product(self.AT[:rows], each, out=out)

    def bind_gradient(self, x, dy, scratch):
        return (*self._tiles(x, scratch["V"]), self._outputs(scratch["M"], dy))

    def run_gradient(self, bound, scratch, out):
        """Write the weight gradient into ``out`` (F, 1, S, C): products in the transformed domain, then ``G.T``."""
        tiles, V, outputs = bound
        np.matmul(self.BT, tiles, out=V)
        for rows, M, dy in outputs:
            np.matmul(self.A[:, :rows], dy, out=M)
        Vt, Mt = scratch["Vt"], scratch["Mt"]
        np.copyto(Vt, scratch["V"].swapaxes(1, 2))
        np.copyto(Mt, scratch["M"].swapaxes(1, 2))
        left = Mt.reshape(self.a, self.F, -1)
        np.matmul(left, shifted_taps(Vt, self.blocks, self.tiles), out=scratch["product"])
        final = scratch["final"]
        product = scratch["product"].reshape(self.blocks, self.a, -1)
        np.matmul(self.GT, product, out=final.reshape(self.blocks, self.m, -1))
        final = final.reshape(-1, self.F, self.C)[: self.S]
        np.copyto(out[:, 0], final.transpose(1, 0, 2))
