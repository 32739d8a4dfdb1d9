"""Correlation with a weight of its own at every position: its weight gradient and its data gradient.

The windows are `Gathered`'s, and so are the bands of output rows; where a convolution multiplies all windows of a band
with one matrix, here each has its own, a batched product.
"""

from __future__ import annotations

import numpy as np

from .correlation import Gathered
from .geometry import Window
from .memory import Shapes

__all__ = ["LocalGathered"]


class LocalGathered(Gathered):
    """Gathered windows: ``out[p, q] = weight[p, q] @ window[p, q]``.

    Parameters as `Gathered`.
    """

    gradient_by_bands = False

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.fit_bands(self.band_bytes // (self.Q * self.K * width * self.dtype.itemsize), 1)
        self.weight_shape = (self.P, self.Q, filters, self.K)
        self.gradient_scratch = {**self.scratch, "product": (self.band, self.Q, filters, self.K)}
        self.adjoint_scratch: Shapes = {"windows": (self.band, self.Q, self.K, width)}

    def prepare(self, weight, out):
        """Weight ``(P, Q, F, R, S, C)`` in the order of a window's rows, ``(P, Q, F, S * R * C)``."""
        np.copyto(self._by_column(out).swapaxes(3, 4), weight)

    def _by_column(self, weight):
        """``(..., S * R * C)`` as ``(..., S, R, C)``."""
        return weight.reshape(*weight.shape[:-1], self.S, self.R, self.C, copy=False)

    def run(self, bound, weight):
        for start, (copy, windows, out) in zip(range(0, self.P, self.band), bound, strict=True):
            if copy is not None:
                np.copyto(*copy)
            self.product(weight[start : start + self.band], windows, out=out)

    def bind_gradient(self, x, dy, scratch):
        return [
            (start, copy, dy[start : start + len(lines)], self._windows(lines).swapaxes(2, 3))
            for start, copy, lines in self._bands(x, scratch)
        ]

    def run_gradient(self, bound, scratch, out):
        """Gradient of the weight of the bound arrays into ``out`` (P, Q, F, R, S, C): one product a position."""
        for start, copy, dy, windows in bound:
            if copy is not None:
                np.copyto(*copy)
            product = scratch["product"][: len(dy)]
            np.matmul(dy, windows, out=product)
            np.copyto(out[start : start + len(dy)], self._by_column(product).swapaxes(3, 4))

    def bind_adjoint(self, dy, dx, window: Window, scratch):
        """What the data gradient does on these arrays, for `run_adjoint`.

        Parameters
        ----------
        dy : ndarray of shape (P, Q, F, N)
        dx : ndarray of shape (H, W, C, N)
            Without borders; ``window`` has them.
        """
        bound = []
        for start in range(0, self.P, self.band):
            rows = dy[start : start + self.band]
            windows = scratch["windows"][: len(rows)]
            taps = windows.reshape(len(rows), self.Q, self.S, self.R, self.C, self.N)
            adds = []
            for r in range(self.R):
                first, stop, row = window.rows.inside(r)
                skip = max(0, start - first)
                first, stop, row = first + skip, min(stop, start + len(rows)), row + skip * window.rows.stride
                for s in range(self.S):
                    left, right, column = window.columns.inside(s)
                    if first < stop and left < right:
                        part = taps[first - start : stop - start, left:right, s, r]
                        into = dx[row :: window.rows.stride, column :: window.columns.stride]
                        adds.append((into[: stop - first, : right - left], part))
            bound.append((start, rows, windows, adds))
        return bound

    def run_adjoint(self, bound, weight, dx):
        """Gradient of the data into ``dx``: products with the transposed weights, each tap added where it lies."""
        dx.fill(0)
        for start, dy, windows, adds in bound:
            np.matmul(weight[start : start + len(dy)].swapaxes(2, 3), dy, out=windows)
            for into, part in adds:
                np.add(into, part, out=into)
