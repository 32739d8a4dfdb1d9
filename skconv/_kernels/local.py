"""Locally connected correlation, with separate weights at every position, and its two gradients.

Windows are gathered in bands of output rows, as in `Gathered`; the product of a band is batched, with a matrix for each
window.
"""

from __future__ import annotations

import numpy as np

from .correlation import Gathered
from .geometry import Window
from .memory import Shapes

__all__ = ["LocalAdjoint", "LocalGathered"]


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

    def prepare(self, weight, out):
        """Write a weight ``(P, Q, F, R, S, C)`` into ``out`` (P, Q, F, S * R * C), in the order of rows of a window."""
        np.copyto(self._by_column(out).swapaxes(3, 4), weight)

    def _by_column(self, weight):
        """View ``(..., S, R, C)`` of a weight ``(..., S * R * C)``."""
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
        """Write the weight gradient into ``out`` (P, Q, F, R, S, C): one product per position."""
        for start, copy, dy, windows in bound:
            if copy is not None:
                np.copyto(*copy)
            product = scratch["product"][: len(dy)]
            np.matmul(dy, windows, out=product)
            np.copyto(out[start : start + len(dy)], self._by_column(product).swapaxes(3, 4))


class LocalAdjoint:
    """The data gradient of `LocalGathered`: products with the transposed weights, added tap by tap.

    Parameters
    ----------
    algorithm : LocalGathered
    window : Window
        Windows of the layer over the image and its borders.

    Attributes
    ----------
    storage, shared, scratch, temporary
        As in `Adjoint`.
    """

    storage = None
    temporary = 0

    def __init__(self, algorithm: LocalGathered, window: Window):
        self.algorithm, self.window = algorithm, window
        self.shared: Shapes = {}
        windows = (algorithm.band, algorithm.Q, algorithm.K, algorithm.N)
        self.scratch: dict[str, Shapes] = {"adjoint": {"windows": windows}}

    def prepare(self, weight, shared):
        """Do nothing: `run` takes the weight that the algorithm has prepared."""

    def bind(self, dy, scratch, dx):
        """List for `run`, by band of output rows: views of ``dy`` (P, Q, F, N) and ``dx`` (H, W, C, N)."""
        algorithm, rows, columns = self.algorithm, self.window.rows, self.window.columns
        bound = []
        for start in range(0, algorithm.P, algorithm.band):
            lines = dy[start : start + algorithm.band]
            windows = scratch["adjoint"]["windows"][: len(lines)]
            taps = windows.reshape(len(lines), algorithm.Q, algorithm.S, algorithm.R, algorithm.C, algorithm.N)
            adds = []
            for r in range(algorithm.R):
                first, stop, row = rows.inside(r)
                skip = max(0, start - first)
                first, stop, row = first + skip, min(stop, start + len(lines)), row + skip * rows.stride
                for s in range(algorithm.S):
                    left, right, column = columns.inside(s)
                    if first < stop and left < right:
                        part = taps[first - start : stop - start, left:right, s, r]
                        into = dx[row :: rows.stride, column :: columns.stride]
                        adds.append((into[: stop - first, : right - left], part))
            bound.append((start, lines, windows, adds))
        return bound

    def run(self, bound, shared, dx):
        """Fill the input's gradient ``dx`` (H, W, C, N)."""
        dx.fill(0)
        for start, dy, windows, adds in bound:
            np.matmul(shared["weight"][start : start + len(dy)].swapaxes(2, 3), dy, out=windows)
            for into, part in adds:
                np.add(into, part, out=into)
