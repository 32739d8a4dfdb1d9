"""What correlations in groups of channels share."""

from __future__ import annotations

import numpy as np

from .geometry import Window

__all__ = ["Groups"]


class Groups:
    """Sizes of a correlation in groups, and what its algorithms share.

    Parameters
    ----------
    window : Window
        Windows over the stored input, borders included (``before`` and ``after`` are 0).
    channels, filters, groups, width : int
        ``C``, ``F``, ``G`` and ``N``; ``G`` divides ``C`` and ``F``.
    dtype : dtype
        Of every array.
    alike : bool, default=False
        Whether every column must be computed alike, see `products`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        self.window, self.rows, self.columns = window, window.rows, window.columns
        self.G, self.N, self.dtype, self.alike = groups, width, np.dtype(dtype), alike
        self.C, self.F = channels // groups, filters // groups  # of one group
        self.R, self.S = self.rows.kernel, self.columns.kernel
        self.P, self.Q = window.output
        self.K = self.S * self.R * self.C
        self.stored_rows = self.rows.size
        self.band = self.rows_per_band = self.P
        self.weight_shape: tuple = ()
        self.scratch: dict = {}
        self.gradient_scratch: dict = {}

    def by_group(self, weight):
        """A weight ``(F, R, S, C // G)`` or ``(G, F // G, R, S, C // G)`` as the latter."""
        return weight.reshape(self.G, self.F, self.R, self.S, self.C)

    def fit_bands(self, rows, multiple) -> int:
        """Make the bands at most ``rows`` high where that can be, and a ``multiple``; returns their height."""
        self.band = min(self.P, max(multiple, min(rows, self.band) // multiple * multiple))
        self.rows_per_band = self.band
        return self.band

    def starts(self):
        """``(first row, rows)`` of each band."""
        return [(start, min(self.band, self.P - start)) for start in range(0, self.P, self.band)]

    def bind(self, x, scratch, out):
        """What `forward` does on these arrays, with all views made, for `run`."""
        raise NotImplementedError

    def run(self, bound, weight):
        """Correlate the bound arrays with a prepared weight."""
        raise NotImplementedError

    def forward(self, x, weight, scratch, out):
        """Correlate ``x`` (stored_rows, Wp, C, N) with a prepared weight into ``out`` (P, Q, F, N)."""
        self.run(self.bind(x, scratch, out), weight)

    def bind_gradient(self, x, dy, scratch):
        """What `weight_gradient` does on these arrays, for `run_gradient`."""
        raise NotImplementedError

    def run_gradient(self, bound, scratch, out):
        """Gradient of the weight of the bound arrays into ``out`` (F, R, S, C // G)."""
        raise NotImplementedError

    def weight_gradient(self, x, dy, scratch, out):
        """Gradient of the weight into ``out`` (F, R, S, C // G)."""
        self.run_gradient(self.bind_gradient(x, dy, scratch), scratch, out)
