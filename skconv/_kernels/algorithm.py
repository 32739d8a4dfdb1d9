"""Base classes of the algorithms for a correlation, and of those for groups of channels."""

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
        Dtype of all arrays.
    alike : bool, default=False
        Whether every column must be computed alike, see `products`.

    Attributes
    ----------
    stored_rows, stored_columns : int
        Size of the stored input, with any zeros beyond the windows that the algorithm reads.
    weight_shape : tuple
        Shape of the prepared weight, or ``(shape, dtype)`` where its dtype is not ``dtype``.
    scratch, gradient_scratch : dict of shapes
        Work arrays of `run` and of `run_gradient`.
    rows_per_band : int
        Output rows of each band that `bind` returns.
    gradient_by_bands : bool
        Whether `run_gradient` goes band by band of output rows and takes ``before``, which fills a band of ``dy``.
    temporary : int
        Bytes that a call allocates and frees.
    """

    band_bytes = 1 << 20  # most bytes of scratch of a band, with which a call takes about 100 us
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
        """Limit bands to ``rows`` output rows, a multiple of ``multiple`` and at least that; return rows of a band."""
        self.band = min(self.P, max(multiple, min(rows, self.band) // multiple * multiple))
        self.rows_per_band = self.band
        return self.band

    def starts(self):
        """List of ``(first output row, number of rows)`` by band."""
        return [(start, min(self.band, self.P - start)) for start in range(0, self.P, self.band)]

    def prepare(self, weight, out):
        """Write a weight ``(F, R, S, C)`` into ``out`` in the form that `run` takes."""
        raise NotImplementedError

    def bind(self, x, scratch, out):
        """List for `run`, by band: views of ``x`` (stored_rows, stored_columns, C, N) and ``out`` (P, Q, F, N)."""
        raise NotImplementedError

    def run(self, bound, weight):
        """Correlate the bound arrays with a prepared weight."""
        raise NotImplementedError

    def bind_gradient(self, x, dy, scratch):
        """Views for `run_gradient` of ``x`` (stored_rows, stored_columns, C, N) and ``dy`` (P, Q, F, N)."""
        raise NotImplementedError

    def run_gradient(self, bound, scratch, out):
        """Write the weight gradient of the bound arrays into ``out`` (F, R, S, C)."""
        raise NotImplementedError


class Groups(Correlation):
    """A correlation in groups of channels; its weight is ``(F, R, S, C // G)`` or ``(G, F // G, R, S, C // G)``.

    Parameters as `Correlation`, and ``groups``, a divisor of ``channels`` and ``filters``.  The attribute ``G`` is the
    number of groups; ``C`` and ``F`` are channels and filters of one group.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels // groups, filters // groups, width, dtype, alike)
        self.G = groups

    def by_group(self, weight):
        """The weight as ``(G, F // G, R, S, C // G)``."""
        return weight.reshape(self.G, self.F, self.R, self.S, self.C)


def shifted_taps(x, count, outputs):
    """View ``(count, ..., outputs * N, C)`` of ``x`` (..., C, W, N): per tap its columns, transposed."""
    *lead, c, w, n = x.strides
    shape = (count, *x.shape[:-3], outputs * x.shape[-1], x.shape[-3])
    return as_strided(x, shape, (w, *lead, n, c))
