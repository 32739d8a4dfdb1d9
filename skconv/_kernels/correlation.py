"""Cross-correlation of a block of samples with its weight gradient.  The data gradient is the adjoint's correlation.

Two algorithms with one interface, beside `Spectral`, which has no gradient.  In both the window across is free: the
rows of ``(W, C, N)`` that a window covers are one matrix with ``S * C`` rows, and `numpy.matmul` takes such overlapping
views as they are.

`Gathered` copies the ``R`` rows under each output row next to each other (MEC, arXiv 1706.06873): any geometry.
`Winograd` transforms tiles of rows, F(m, R) down the image only: for 3 x 3 and 14 rows 18 products, not 42.
Both work through bands of output rows, so that what lies between two products stays small, and both keep nothing from
the forward pass: the backward pass needs the layer's input alone.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .geometry import Window
from .products import product
from .sums import fold
from .winograd import best_tile, winograd_matrices

__all__ = ["Gathered", "Winograd"]

_PRODUCT_BYTES = 1 << 18  # of weight gradients by position before they are summed
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
        self.rows_per_band = self.band
        self.by_tap = self.across and self.columns.stride == 1 and self.R * channels >= 32 and self.R * self.S > 1
        self.weight_shape: tuple[int, ...] = (filters, self.K)
        self.product = product if alike else np.matmul
        self.scratch = {"gathered": (self.band, lines, self.R * channels, width)} if copies else {}
        if self.by_tap:
            self.gradient_scratch = {
                **self.scratch,
                "dy": (filters, self.Q, width),
                "x": (self.R * channels, self.columns.size, width),
                "product": (self.S, filters, self.R * channels),
                "total": (self.S, filters, self.R * channels),
            }
        else:
            self.gradient_scratch = {
                **self.scratch,
                "product": (self._rows_at_once(), self.Q, filters, self.K),
                "row": (filters, self.K),
                "total": (filters, self.K),
            }

    def _rows_at_once(self) -> int:
        """Rows whose weight gradients one call multiplies: long calls, which threads do not wait for."""
        return max(1, min(self.band, _PRODUCT_BYTES // (self.Q * self.F * self.K * self.dtype.itemsize)))

    def prepare(self, weight, out):
        """Weight ``(F, R, S, C)`` in the order of a window's rows, ``(F, S * R * C)``."""
        np.copyto(out.reshape(self.F, self.S, self.R, self.C), weight.transpose(0, 2, 1, 3))

    def fit_bands(self, rows, multiple) -> int:
        """Make the bands at most ``rows`` high where that can be, and a ``multiple``; returns their height."""
        self.band = min(self.P, max(multiple, min(rows, self.band) // multiple * multiple))
        self.rows_per_band = self.band
        if self.scratch:
            gathered = (self.band, *self.scratch["gathered"][1:])
            self.scratch["gathered"] = self.gradient_scratch["gathered"] = gathered
        if not self.by_tap:
            self.gradient_scratch["product"] = (self._rows_at_once(), *self.gradient_scratch["product"][1:])
        return self.rows_per_band

    def _bands(self, x, scratch):
        """Per band of output rows: first row, what to copy (or None), lines ``(rows, columns, R * C, N)``."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        for start in range(0, self.P, self.band):
            count = min(self.band, self.P - start)
            first = x[start * rows.stride :]
            if not self.scratch:
                lines = as_strided(first, (count, columns.size, self.C, self.N), (h * rows.stride, w, c, n))
                yield start, None, lines
                continue
            lines = scratch["gathered"][:count]
            if self.across:
                shape = (count, columns.size, self.R, self.C, self.N)
                strides = (h * rows.stride, w, h * rows.dilation, c, n)
            else:
                shape = (count, self.Q, self.S, self.R, self.C, self.N)
                strides = (h * rows.stride, w * columns.stride, w * columns.dilation, h * rows.dilation, c, n)
            yield start, (lines.reshape(shape), as_strided(first, shape, strides)), lines

    def _windows(self, lines):
        """Windows ``(rows, Q, S * R * C, N)`` over gathered lines."""
        h, w, c, n = lines.strides
        step = w * self.columns.stride if self.across else w * self.S
        return as_strided(lines, (lines.shape[0], self.Q, self.K, self.N), (h, step, c, n))

    def bind(self, x, scratch, out):
        """What `forward` does on these arrays, with all views made, for `run`."""
        return [
            (copy, self._windows(lines), out[start : start + len(lines)])
            for start, copy, lines in self._bands(x, scratch)
        ]

    def run(self, bound, weight):
        """Correlate the bound arrays with a prepared weight."""
        for copy, windows, out in bound:
            if copy is not None:
                np.copyto(*copy)
            self.product(weight, windows, out=out)

    def forward(self, x, weight, scratch, out):
        """Correlate ``x`` (stored_rows, Wp, C, N) with a prepared weight into ``out`` (P, Q, F, N)."""
        self.run(self.bind(x, scratch, out), weight)

    def bind_gradient(self, x, dy, scratch):
        """What `weight_gradient` does on these arrays, for `run_gradient`."""
        bound = []
        for start, copy, lines in self._bands(x, scratch):
            gradients = dy[start : start + len(lines)]
            if self.by_tap:  # of each row, (F, Q, N) and (R * C, W, N)
                pairs = zip(gradients.transpose(0, 2, 1, 3), lines.transpose(0, 2, 1, 3), strict=True)
            else:  # of some rows, (rows, Q, F, N) and (rows, Q, N, K)
                windows, rows = self._windows(lines).swapaxes(2, 3), self._rows_at_once()
                pairs = ((gradients[i : i + rows], windows[i : i + rows]) for i in range(0, len(lines), rows))
            bound.append((copy, list(pairs)))
        return bound

    def run_gradient(self, bound, scratch, out, before=None):
        """Gradient of the weight of the bound arrays into ``out`` (F, R, S, C); ``before(i)`` makes band i's ``dy``."""
        accumulate = self._add_by_tap if self.by_tap else self._add_by_position
        total = scratch["total"]
        total.fill(0)
        for i, (copy, rows) in enumerate(bound):
            if before is not None:
                before(i)
            if copy is not None:
                np.copyto(*copy)
            for dy, x in rows:
                accumulate(dy, x, scratch, total)
        if self.by_tap:
            np.copyto(out, total.reshape(self.S, self.F, self.R, self.C).transpose(1, 2, 0, 3))
        else:
            np.copyto(out, total.reshape(self.F, self.S, self.R, self.C).transpose(0, 2, 1, 3))

    def weight_gradient(self, x, dy, scratch, out):
        """Gradient of the weight into ``out`` (F, R, S, C)."""
        self.run_gradient(self.bind_gradient(x, dy, scratch), scratch, out)

    def _add_by_tap(self, dy, x, scratch, total):
        """A product ``(F, Q*N) @ (Q*N, R*C)`` a tap across: long inner sizes, the shifts are views."""
        np.copyto(scratch["dy"], dy)
        np.copyto(scratch["x"], x)
        np.matmul(scratch["dy"].reshape(self.F, -1), _taps(scratch["x"], self.S, self.Q), out=scratch["product"])
        np.add(total, scratch["product"], out=total)

    def _add_by_position(self, dy, x, scratch, total):
        """A product ``(F, N) @ (N, K)`` a position, summed: no copies, for few channels or strides across."""
        product = scratch["product"][: len(dy)]
        np.matmul(dy, x, out=product)
        fold(product.reshape(-1, self.F, self.K), scratch["row"])
        np.add(total, scratch["row"], out=total)


def _taps(x, taps, outputs):
    """Transposed matrices ``(taps, ..., outputs * N, C)`` of shifted columns of ``x`` (..., C, W, N), one a tap."""
    *lead, c, w, n = x.strides
    shape = (taps, *x.shape[:-3], outputs * x.shape[-1], x.shape[-3])
    return as_strided(x, shape, (w, *lead, n, c))


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
        self.rows_per_band = self.band * self.m
        self.weight_shape = (self.a, 1, filters, self.K)
        self.product = product if alike else np.matmul
        self.scratch: dict[str, tuple[int, ...]] = {
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
        """Transformed weight ``(a, 1, F, S * C)``."""
        np.matmul(self.G, weight.transpose(1, 0, 2, 3).reshape(self.R, -1), out=out.reshape(self.a, -1))

    def fit_bands(self, rows, multiple) -> int:
        """Make the bands at most ``rows`` high where that can be, and a ``multiple``; returns their height."""
        least = multiple // gcd(multiple, self.m)
        self.band = min(self.tiles, max(least, min(rows // self.m, self.band) // least * least))
        self.rows_per_band = self.band * self.m
        for name, shape in self.scratch.items():
            self.scratch[name] = (self.band, *shape[1:])
        return self.rows_per_band

    def bind(self, x, scratch, out):
        """What `forward` does on these arrays, with all views made, for `run`."""
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
        """``(AT, M, rows of out)`` for the whole tiles and for a last one with fewer than ``m`` rows."""
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
        """Correlate the bound arrays with a prepared weight."""
        for tiles, V, windows, M, backward in bound:
            self.product(self.BT, tiles, out=V)
            self.product(weight, windows, out=M)
            for AT, products, rows in backward:
                self.product(AT, products, out=rows)

    def forward(self, x, weight, scratch, out):
        """Correlate ``x`` (stored_rows, Wp, C, N) with a prepared weight into ``out`` (P, Q, F, N)."""
        self.run(self.bind(x, scratch, out), weight)

    def bind_gradient(self, x, dy, scratch):
        """What `weight_gradient` does on these arrays, for `run_gradient`."""
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
        """Gradient of the weight into ``out`` (F, R, S, C): products in the transformed domain, then ``G.T``."""
        Vt, Mt, total, product = scratch["Vt"], scratch["Mt"], scratch["total"], scratch["product"]
        xt = scratch["x"].reshape(self.a, -1)
        left, right = Mt.reshape(self.a, self.F, -1), _taps(Vt, self.S, self.Q)
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

    def weight_gradient(self, x, dy, scratch, out):
        """Gradient of the weight into ``out`` (F, R, S, C)."""
        self.run_gradient(self.bind_gradient(x, dy, scratch), scratch, out)
