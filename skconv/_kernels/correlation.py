"""Cross-correlation of a block of samples by gathered windows, for any stride, dilation and kernel.

Windows across need no copy without dilation: the rows of ``(W, C, N)`` that a window covers are one matrix with
``S * C`` rows, and `numpy.matmul` takes such overlapping views.  `Gathered` copies the ``R`` input rows of each output
row next to each other (MEC, arXiv 1706.06873).  It works through bands of output rows, so that the copies of a band are
small, and keeps nothing from the forward pass: the backward pass needs the input alone.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Correlation, shifted_taps
from .geometry import Window
from .sums import fold

__all__ = ["Gathered"]

_PRODUCT_BYTES = 1 << 18  # most bytes of weight gradients by position before they are summed


class Gathered(Correlation):
    """Gathered windows: ``out[p, q] = weight @ window[p, q]``.

    Parameters as `Correlation`.
    """

    gradient_by_bands = True

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.across = self.columns.dilation == 1  # windows across are views, without a copy
        copies = not (self.across and self.R == 1)
        lines = self.columns.size if self.across else self.Q * self.S
        per_row = lines * self.R * channels * width * self.dtype.itemsize
        self.band = self.P if not copies else max(1, min(self.P, self.band_bytes // per_row))
        self.rows_per_band = self.band
        self.by_tap = self.across and self.columns.stride == 1 and self.R * channels >= 32 and self.R * self.S > 1
        self.weight_shape = (filters, self.K)
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
        """Output rows whose products by position one call computes: many, since short calls make threads wait."""
        return max(1, min(self.band, _PRODUCT_BYTES // (self.Q * self.F * self.K * self.dtype.itemsize)))

    def prepare(self, weight, out):
        """Write a weight ``(F, R, S, C)`` into ``out`` (F, S * R * C), in the order of the rows of a window."""
        np.copyto(out.reshape(self.F, self.S, self.R, self.C), weight.transpose(0, 2, 1, 3))

    def fit_bands(self, rows, multiple) -> int:
        super().fit_bands(rows, multiple)
        if self.scratch:
            gathered = (self.band, *self.scratch["gathered"][1:])
            self.scratch["gathered"] = self.gradient_scratch["gathered"] = gathered
        if not self.by_tap:
            self.gradient_scratch["product"] = (self._rows_at_once(), *self.gradient_scratch["product"][1:])
        return self.rows_per_band

    def _bands(self, x, scratch):
        """Per band: its first output row, arguments of a copy (or None), gathered ``(rows, columns, R * C, N)``."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        for start, count in self.starts():
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
        """View ``(rows, Q, S * R * C, N)`` of the windows over gathered ``lines`` (rows, columns, R * C, N)."""
        h, w, c, n = lines.strides
        step = w * self.columns.stride if self.across else w * self.S
        return as_strided(lines, (lines.shape[0], self.Q, self.K, self.N), (h, step, c, n))

    def bind(self, x, scratch, out):
        return [
            (copy, self._windows(lines), out[start : start + len(lines)])
            for start, copy, lines in self._bands(x, scratch)
        ]

    def run(self, bound, weight):
        for copy, windows, out in bound:
            if copy is not None:
                np.copyto(*copy)
            self.product(weight, windows, out=out)

    def bind_gradient(self, x, dy, scratch):
        bound = []
        for start, copy, lines in self._bands(x, scratch):
            gradients = dy[start : start + len(lines)]
            if self.by_tap:  # for each output row (F, Q, N) and (R * C, W, N)
                pairs = zip(gradients.transpose(0, 2, 1, 3), lines.transpose(0, 2, 1, 3), strict=True)
            else:  # for some output rows (rows, Q, F, N) and (rows, Q, N, K)
                windows, rows = self._windows(lines).swapaxes(2, 3), self._rows_at_once()
                pairs = ((gradients[i : i + rows], windows[i : i + rows]) for i in range(0, len(lines), rows))
            bound.append((copy, list(pairs)))
        return bound

    def run_gradient(self, bound, scratch, out, before=None):
        """Write the weight gradient into ``out`` (F, R, S, C); ``before(i)`` fills ``dy`` of band ``i``."""
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

    def _add_by_tap(self, dy, x, scratch, total):
        """Add a product ``(F, Q * N) @ (Q * N, R * C)`` for each tap across; the shifted inputs are views."""
        np.copyto(scratch["dy"], dy)
        np.copyto(scratch["x"], x)
        np.matmul(scratch["dy"].reshape(self.F, -1), shifted_taps(scratch["x"], self.S, self.Q), out=scratch["product"])
        np.add(total, scratch["product"], out=total)

    def _add_by_position(self, dy, x, scratch, total):
        """Add the sum of products ``(F, N) @ (N, K)`` over positions: no copies, for few channels or strides across."""
        product = scratch["product"][: len(dy)]
        np.matmul(dy, x, out=product)
        fold(product.reshape(-1, self.F, self.K), scratch["row"])
        np.add(total, scratch["row"], out=total)
