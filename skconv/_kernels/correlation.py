"""Cross-correlation of a block of samples with its weight gradient.  The data gradient is the adjoint's correlation.

Two algorithms with one interface.  In both the window across is free: the rows of ``(W, C, N)`` that a window covers
are one matrix with ``S * C`` rows, and `numpy.matmul` takes such overlapping views as they are.

`Gathered` copies the ``R`` rows under each output row next to each other (MEC, arXiv 1706.06873): any geometry.
`Winograd` transforms tiles of rows, F(m, R) down the image only: half the multiplications for 3 x 3 with m = 4.
Both work through bands of output rows, so that what lies between two products stays small, and both keep nothing from
the forward pass: the backward pass needs the layer's input alone.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._geometry import Window
from .products import product
from .winograd import best_tile, winograd_matrices

__all__ = ["Gathered", "Winograd", "choose_correlation"]

_BAND_BYTES = 1 << 20  # scratch of one band: a few calls of 100 us each, see docs/design.md


class Gathered:
    """Gathered windows: ``out[p, q] = weight @ window[p, q]``.

    Parameters
    ----------
    window : Window
        Windows over the stored input, borders included (``before`` and ``after`` are 0).
    channels, filters, width : int
        ``C``, ``F`` and ``N``.
    dtype : dtype
        Of every array.
    alike : bool, default=False
        Whether every column must be computed alike, see `products`.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        self.rows, self.columns = window.rows, window.columns
        self.C, self.F, self.N = channels, filters, width
        self.dtype = np.dtype(dtype)
        self.R, self.S = self.rows.kernel, self.columns.kernel
        self.P, self.Q = window.output
        self.stored_rows = self.rows.size
        self.K = self.S * self.R * channels
        self.across = self.columns.dilation == 1  # the window across is free
        copies = not (self.across and self.R == 1)
        lines = self.columns.size if self.across else self.Q * self.S
        per_row = lines * self.R * channels * width * self.dtype.itemsize
        self.band = self.P if not copies else max(1, min(self.P, _BAND_BYTES // per_row))
        self.by_tap = self.across and self.columns.stride == 1 and self.R * channels >= 16
        self.weight_shape = (filters, self.K)
        self.product = product(filters, self.K, dtype, alike)
        self.scratch = {"gathered": (self.band, lines, self.R * channels, width)} if copies else {}
        if self.by_tap:
            self.gradient_scratch = {
                **self.scratch,
                "dy": (filters, self.Q, width),
                "x": (self.R * channels, self.columns.size, width),
                "tap": (filters, self.R * channels),
                "taps": (self.S, filters, self.R * channels),
            }
        else:
            self.gradient_scratch = {
                **self.scratch,
                "position": (self.Q, filters, self.K),
                "row": (filters, self.K),
                "total": (filters, self.K),
            }

    def prepare(self, weight, out):
        """Weight ``(F, R, S, C)`` in the order of a window's rows, ``(F, S * R * C)``."""
        np.copyto(out.reshape(self.F, self.S, self.R, self.C), weight.transpose(0, 2, 1, 3))

    def _gather(self, x, start, stop, scratch):
        """Rows ``start`` to ``stop`` as ``(rows, lines, R * C, N)``: a view where nothing has to be copied."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        first = x[start * rows.stride :]
        if not self.scratch:
            return as_strided(first, (stop - start, columns.size, self.C, self.N), (h * rows.stride, w, c, n))
        gathered = scratch["gathered"][: stop - start]
        if self.across:
            shape = (stop - start, columns.size, self.R, self.C, self.N)
            strides = (h * rows.stride, w, h * rows.dilation, c, n)
        else:
            shape = (stop - start, self.Q, self.S, self.R, self.C, self.N)
            strides = (h * rows.stride, w * columns.stride, w * columns.dilation, h * rows.dilation, c, n)
        np.copyto(gathered.reshape(shape), as_strided(first, shape, strides))
        return gathered

    def _windows(self, lines):
        """Windows ``(rows, Q, S * R * C, N)`` over gathered lines."""
        h, w, c, n = lines.strides
        step = w * self.columns.stride if self.across else w * self.S
        return as_strided(lines, (lines.shape[0], self.Q, self.K, self.N), (h, step, c, n))

    def forward(self, x, weight, scratch, out):
        """Correlate ``x`` (stored_rows, Wp, C, N) with a prepared weight into ``out`` (P, Q, F, N)."""
        for start in range(0, self.P, self.band):
            stop = min(start + self.band, self.P)
            self.product(weight, self._windows(self._gather(x, start, stop, scratch)), out=out[start:stop])

    def weight_gradient(self, x, dy, scratch, out):
        """Gradient of the weight into ``out`` (F, R, S, C)."""
        if self.by_tap:
            total = self._gradient_by_tap(x, dy, scratch)
            np.copyto(out, total.reshape(self.S, self.F, self.R, self.C).transpose(1, 2, 0, 3))
        else:
            total = self._gradient_by_position(x, dy, scratch)
            np.copyto(out, total.reshape(self.F, self.S, self.R, self.C).transpose(0, 2, 1, 3))

    def _gradient_by_tap(self, x, dy, scratch):
        """One product a row and tap across, ``(F, Q*N) @ (Q*N, R*C)``: long inner sizes, the shifts are views."""
        N, Q = self.N, self.Q
        dy_row, x_row, tap, total = scratch["dy"], scratch["x"], scratch["tap"], scratch["taps"]
        left, right = dy_row.reshape(self.F, Q * N), x_row.reshape(self.R * self.C, -1)
        total.fill(0)
        for start in range(0, self.P, self.band):
            lines = self._gather(x, start, min(start + self.band, self.P), scratch)
            for p, line in enumerate(lines, start):
                np.copyto(dy_row, dy[p].transpose(1, 0, 2))
                np.copyto(x_row, line.transpose(1, 0, 2))
                for s in range(self.S):
                    np.matmul(left, right[:, s * N : (s + Q) * N].T, out=tap)
                    total[s] += tap
        return total

    def _gradient_by_position(self, x, dy, scratch):
        """One product a position, ``(F, N) @ (N, K)``, summed: no copies, for few channels or strides across."""
        position, row, total = scratch["position"], scratch["row"], scratch["total"]
        total.fill(0)
        for start in range(0, self.P, self.band):
            windows = self._windows(self._gather(x, start, min(start + self.band, self.P), scratch))
            for p, window in enumerate(windows, start):
                np.matmul(dy[p], window.swapaxes(1, 2), out=position)
                np.add.reduce(position, axis=0, out=row)
                total += row
        return total


class Winograd:
    """F(m, R) down the image, free windows across; stride 1 and no dilation down.

    Parameters as `Gathered`; ``x`` is stored with ``stored_rows`` rows, zeros beyond the windows.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        self.C, self.F, self.N = channels, filters, width
        self.dtype = np.dtype(dtype)
        self.columns = window.columns
        self.R, self.S = window.rows.kernel, window.columns.kernel
        self.P, self.Q = window.output
        self.m, _ = best_tile(self.P, self.R)
        self.a = self.m + self.R - 1
        self.tiles = -(-self.P // self.m)
        self.stored_rows = self.tiles * self.m + self.R - 1
        self.K = self.S * channels
        self.BT, self.G, self.AT = winograd_matrices(self.m, self.R, self.dtype.type)
        self.A, self.GT = np.ascontiguousarray(self.AT.T), np.ascontiguousarray(self.G.T)
        per_tile = self.a * width * self.dtype.itemsize * (self.columns.size * channels + self.Q * filters)
        self.band = max(1, min(self.tiles, _BAND_BYTES // per_tile))
        self.weight_shape = (self.a, 1, filters, self.K)
        self.transform = product(self.a, self.a, dtype, alike, wide=True)
        self.product = product(filters, self.K, dtype, alike)
        self.scratch = {
            "V": (self.band, self.a, self.columns.size, channels, width),
            "M": (self.band, self.a, self.Q, filters, width),
        }
        self.gradient_scratch = {
            "x": (self.a, channels, self.columns.size, width),
            "Vt": (self.a, channels, self.columns.size, width),
            "dy": (self.m, filters, self.Q, width),
            "Mt": (self.a, filters, self.Q, width),
            "tap": (self.a, filters, channels),
            "taps": (self.S, self.a, filters, channels),
            "final": (self.S, self.R, filters, channels),
        }

    def prepare(self, weight, out):
        """Transformed weight ``(a, 1, F, S * C)``."""
        np.matmul(self.G, weight.transpose(1, 0, 2, 3).reshape(self.R, -1), out=out.reshape(self.a, -1))

    def forward(self, x, weight, scratch, out):
        """Correlate ``x`` (stored_rows, Wp, C, N) with a prepared weight into ``out`` (P, Q, F, N)."""
        h, _w, _c, n = x.strides
        flat = self.columns.size * self.C * self.N
        for start in range(0, self.tiles, self.band):
            count = min(self.band, self.tiles - start)
            V, M = scratch["V"][:count], scratch["M"][:count]
            tiles = as_strided(x[start * self.m :], (count, self.a, flat), (h * self.m, h, n))
            self.transform(self.BT, tiles, out=V.reshape(count, self.a, flat))
            t, a, vw, vc, vn = V.strides
            windows = as_strided(V, (count, self.a, self.Q, self.K, self.N), (t, a, vw * self.columns.stride, vc, vn))
            self.product(weight, windows, out=M)
            self._untransform(M, out[start * self.m : (start + count) * self.m])

    def _untransform(self, M, out):
        """``AT @ M`` into the rows of ``out``; the last tile may have fewer than ``m``."""
        whole, rest = divmod(out.shape[0], self.m)
        M = M.reshape(M.shape[0], self.a, -1)
        o, _, _, n = out.strides
        length = M.shape[2]
        if whole:
            rows = as_strided(out, (whole, self.m, length), (o * self.m, o, n))
            np.matmul(self.AT, M[:whole], out=rows)
        if rest:
            rows = as_strided(out[whole * self.m :], (rest, length), (o, n))
            np.matmul(self.AT[:rest], M[whole], out=rows)

    def weight_gradient(self, x, dy, scratch, out):
        """Gradient of the weight into ``out`` (F, R, S, C): products in the transformed domain, then ``G.T``."""
        xt, Vt, dyt, Mt = scratch["x"], scratch["Vt"], scratch["dy"], scratch["Mt"]
        tap, total = scratch["tap"], scratch["taps"]
        left, right = Mt.reshape(self.a, self.F, -1), Vt.reshape(self.a, self.C, -1)
        N, reach = self.N, self.Q * self.N
        total.fill(0)
        for t in range(self.tiles):
            start = t * self.m
            rows = min(self.m, self.P - start)
            np.copyto(dyt[:rows], dy[start : start + rows].transpose(0, 2, 1, 3))
            np.matmul(self.A[:, :rows], dyt[:rows].reshape(rows, -1), out=Mt.reshape(self.a, -1))
            np.copyto(xt, x[start : start + self.a].transpose(0, 2, 1, 3))
            np.matmul(self.BT, xt.reshape(self.a, -1), out=Vt.reshape(self.a, -1))
            for s in range(self.S):
                np.matmul(left, right[:, :, s * N : s * N + reach].swapaxes(1, 2), out=tap)
                total[s] += tap
        final = scratch["final"]
        np.matmul(self.GT, total.reshape(self.S, self.a, -1), out=final.reshape(self.S, self.R, -1))
        np.copyto(out, final.transpose(2, 1, 0, 3))


def choose_correlation(window: Window, channels: int, filters: int, width: int, dtype, alike=False):
    """The faster algorithm for these sizes: `Winograd` for float32, kernels 3 or 5 high and some channels.

    With fewer than 8 channels the transforms cost more than the products they save (measured: 1 channel, 28 x 28, 25
    against 80 GFLOP/s).
    """
    rows, columns = window.rows, window.columns
    plain = rows.stride == rows.dilation == columns.stride == columns.dilation == 1
    if plain and rows.kernel in (3, 5) and channels >= 8 and filters >= 8:
        _, ratio = best_tile(rows.output, rows.kernel)
        if ratio < 0.8:
            return Winograd(window, channels, filters, width, dtype, alike)
    return Gathered(window, channels, filters, width, dtype, alike)
