"""Correlation by the Fourier transform, for long kernels; forward only.

``Y = X conj(W)`` for each frequency, a product over channels; transforms by scipy.fft over rows and columns, with the
samples side by side.  The work grows with the logarithm of the image, not with the kernel.
"""

from __future__ import annotations

from math import prod

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn

from .algorithm import Correlation
from .geometry import Window

__all__ = ["Spectral", "spectral_cost"]

_GROUP_BYTES, _GROUP_WIDTH = 1 << 20, 64  # of the spectra of a group of filters, in a block of usual width
# Costs in multiply-adds of the direct method, measured on AVX2 for images of 28 x 28 to 1000 samples: per number
# transformed (100 to 160, whatever the size) and per complex product.
_TRANSFORM, _PRODUCT = 130, 3


class Spectral(Correlation):
    """Circular correlation over a size that fits: ``out[p, q] = sum of x[p + r, q + s] weight[r, s]``.

    Parameters as `Correlation`.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.complex = np.result_type(self.dtype, np.complex64)
        self.size = _sizes(window)
        frequencies = (self.size[0], self.size[1] // 2 + 1)
        self.weight_shape = ((*frequencies, filters, channels), self.complex)
        # By a fixed width: products of other groups could give other bits, which must not depend on the block's width.
        per_filter = prod(frequencies) * _GROUP_WIDTH * self.complex.itemsize
        self.group = max(1, min(filters, _GROUP_BYTES // per_filter))
        self.scratch = {"spectra": ((*frequencies, self.group, width), self.complex)}
        self.temporary = self._temporary_bytes(prod(frequencies))

    def _temporary_bytes(self, frequencies) -> int:
        """What scipy's transforms allocate: the input within zeros and its spectrum; a spectrum's copy and its inverse;
        of the weight, in `prepare`, the taps among zeros and their spectra.
        """
        real, spectrum = prod(self.size) * self.dtype.itemsize, frequencies * self.complex.itemsize
        stored = (self.rows.size, self.columns.size) != self.size
        forward, back = self.C * self.N * (real * stored + spectrum), self.group * self.N * (real + spectrum)
        return max(forward, self.C * self.N * spectrum + back, self.F * self.C * (real + spectrum))

    def prepare(self, weight, out):
        """Conjugate spectra ``(frequencies down, across, F, C)`` of a weight ``(F, R, S, C)``."""
        spread = np.zeros((*self.size, self.F, self.C), self.dtype)
        down, across = self.rows.dilation, self.columns.dilation
        spread[: self.rows.span : down, : self.columns.span : across] = weight.transpose(1, 2, 0, 3)
        np.conj(rfftn(spread, axes=(0, 1)), out=out)

    def fit_bands(self, rows, multiple) -> int:
        """All rows are one band."""
        return self.P

    def bind(self, x, scratch, out):
        return [(x[: self.stored_rows], scratch["spectra"], out[0 : self.P])]

    def run(self, bound, weight):
        for x, scratch, out in bound:
            spectrum = rfftn(x, s=self.size, axes=(0, 1))
            for start in range(0, self.F, self.group):
                each = weight[:, :, start : start + self.group]
                spectra = scratch[:, :, : each.shape[2]]
                if self.C == 1:
                    np.multiply(each, spectrum, out=spectra)
                else:
                    self.product(each, spectrum, out=spectra)
                whole = irfftn(spectra, s=self.size, axes=(0, 1))
                rows = whole[: (self.P - 1) * self.rows.stride + 1 : self.rows.stride]
                np.copyto(
                    out[:, :, start : start + self.group],
                    rows[:, : (self.Q - 1) * self.columns.stride + 1 : self.columns.stride],
                )


def _sizes(window) -> tuple[int, int]:
    """Sizes of the transform: no window may meet its other end."""
    return next_fast_len(window.rows.size), next_fast_len(window.columns.size, real=True)


def spectral_cost(window, channels, filters) -> int:
    """Work for a sample, in multiply-adds of the direct method that take as long."""
    products = channels * filters if channels > 1 else 0
    return prod(_sizes(window)) * (_TRANSFORM * (channels + filters) + _PRODUCT * products)
