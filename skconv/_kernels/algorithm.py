"""What is asked of every algorithm for a correlation, with defaults, and what those in groups of channels share."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .geometry import Window
from .memory import Shapes
from .products import product

__all__ = ["Correlation", "Groups", "shifted_taps"]


class Correlation:
    """An algorithm for the correlation of a block of samples, and for its weight gradient, on arrays of given sizes.

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

    Attributes
    ----------
    stored_rows, stored_columns : int
        Size of the input as it is stored, zeros beyond the windows.
    weight_shape : tuple
        Of the prepared weight; ``(shape, dtype)`` where it has a dtype of its own.
    scratch, gradient_scratch : dict of shapes
        Arrays that `run` and `run_gradient` work in.
    rows_per_band : int
        Output rows of each band that `bind` returns.
    gradient_by_bands : bool
        Whether `run_gradient` goes band by band of output rows and has each made just before.
    temporary : int
        Bytes that a call allocates and gives back.
    """

    band_bytes = 1 << 20  # scratch of one band: a few calls of 100 us each, see docs/design.md
    gradient_by_bands = False
    temporary = 0

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        self.rows, self.columns = window.rows, window.columns
        self.C, self.F, self.N = channels, filters, width
        self.dtype = np.dtype(dtype)
        self.R, self.S = self.rows.kernel, self.columns.kernel
        self.P, self.Q = window.output
        self.K = self.S * self.R * channels
        self.stored_rows, self.stored_columns = self.rows.size, self.columns.size
        self.band = self.rows_per_band = self.P
        self.product = product if alike else np.matmul
        self.weight_shape: tuple = ()
        self.scratch: Shapes = {}
        self.gradient_scratch: Shapes = {}

    def fit_bands(self, rows, multiple) -> int:
        """Make the bands at most ``rows`` high where that can be, and a ``multiple``; returns their height."""
        self.band = min(self.P, max(multiple, min(rows, self.band) // multiple * multiple))
        self.rows_per_band = self.band
        return self.band

    def starts(self):
        """``(first row, rows)`` of each band."""
        return [(start, min(self.band, self.P - start)) for start in range(0, self.P, self.band)]

    def prepare(self, weight, out):
        """What `run` takes of a weight ``(F, R, S, C)``."""
        raise NotImplementedError

    def bind(self, x, scratch, out):
        """Bands of ``x`` (stored_rows, stored_columns, C, N) and of ``out`` (P, Q, F, N), a list for `run`."""
        raise NotImplementedError

    def run(self, bound, weight):
        """Correlate the bound arrays with a prepared weight."""
        raise NotImplementedError

    def bind_gradient(self, x, dy, scratch):
        """What `run_gradient` takes for these arrays, with all views made."""
        raise NotImplementedError

    def run_gradient(self, bound, scratch, out):
        """Gradient of the weight of the bound arrays into ``out`` (F, R, S, C)."""
        raise NotImplementedError


class Groups(Correlation):
    """A correlation in groups of channels; its weight is ``(F, R, S, C // G)`` or ``(G, F // G, R, S, C // G)``.

    Parameters as `Correlation`, where ``groups``, ``G``, divides ``channels`` and ``filters``; ``C`` and ``F`` are
    those of one group.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels // groups, filters // groups, width, dtype, alike)
        self.G = groups

    def by_group(self, weight):
        """The weight as ``(G, F // G, R, S, C // G)``."""
        return weight.reshape(self.G, self.F, self.R, self.S, self.C)


def shifted_taps(x, count, outputs):
    """Transposed matrices ``(count, ..., outputs * N, C)`` of shifted columns of ``x`` (..., C, W, N), one a tap."""
    *lead, c, w, n = x.strides
    shape = (count, *x.shape[:-3], outputs * x.shape[-1], x.shape[-3])
    return as_strided(x, shape, (w, *lead, n, c))
