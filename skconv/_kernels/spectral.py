"""Correlation by the Fourier transform, for long kernels; forward only.

``Y = X conj(W)`` for each frequency, a product over channels, with transforms of rows and columns by scipy.fft.  The
work per position grows with the logarithm of the image's size and does not depend on the kernel's.
"""

from __future__ import annotations

from math import prod

import numpy as np
from scipy.fft import irfftn, next_fast_len, rfftn

from .algorithm import Correlation
from .geometry import Window

__all__ = ["Spectral", "spectral_cost"]

_GROUP_BYTES, _GROUP_WIDTH = 1 << 20, 64  # most bytes of the spectra of a group of filters, in a block of that width
# Costs per transformed number (100 to 160, whatever the size) and per complex product, in multiply-adds of the direct
# method; measured on AVX2 for images of 28 x 28 and series of up to 1000 steps.
_TRANSFORM, _PRODUCT = 130, 3


class Spectral(Correlation):
    """Circular correlation ``out[p, q] = sum of x[p + r, q + s] weight[r, s]``, over a size without wrap-around.

    Parameters as `Correlation`.
    """

    def __init__(self, window: Window, channels: int, filters: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, width, dtype, alike)
        self.complex = np.result_type(self.dtype, np.complex64)
        self.size = _sizes(window)
        frequencies = (self.size[0], self.size[1] // 2 + 1)
        self.weight_shape = ((*frequencies, filters, channels), self.complex)
        # By a fixed width: bits may depend on the size of groups and must not depend on the block's width.
        per_filter = prod(frequencies) * _GROUP_WIDTH * self.complex.itemsize
        self.group = max(1, min(filters, _GROUP_BYTES // per_filter))
        self.scratch = {"spectra": ((*frequencies, self.group, width), self.complex)}
        self.temporary = self._temporary_bytes(prod(frequencies))

    def _temporary_bytes(self, frequencies) -> int:
        """Most bytes that scipy.fft has allocated at a time.

        These are the zero-padded input and its spectrum; that spectrum, the copy of a group's spectra and their
        inverse transforms; or, in `prepare`, the zero-padded weight and its spectra.
        """
        real, spectrum = prod(self.size) * self.dtype.itemsize, frequencies * self.complex.itemsize
        stored = (self.rows.size, self.columns.size) != self.size
        forward, back = self.C * self.N * (real * stored + spectrum), self.group * self.N * (real + spectrum)
        return max(forward, self.C * self.N * spectrum + back, self.F * self.C * (real + spectrum))

    def prepare(self, weight, out):
        """Write the conjugate spectra of a weight ``(F, R, S, C)`` into ``out`` (frequencies down, across, F, C)."""
        spread = np.zeros((*self.size, self.F, self.C), self.dtype)
        down, across = self.rows.dilation, self.columns.dilation
        spread[: self.rows.span : down, : self.columns.span : across] = weight.transpose(1, 2, 0, 3)
        np.conj(rfftn(spread, axes=(0, 1)), out=out)

    def fit_bands(self, rows, multiple) -> int:
        """Return ``P``: all output rows are one band."""
        return self.P

    def bind(self, x, scratch, out):
        return [(x[: self.stored_rows], scratch["spectra"], out[0 : self.P])]

    def run(self, bound, weight):
        for x, scratch, out in bound:
            spectrum = rfftn(x, s=self.size, axes=(0, 1))
            for start in range(0, self.F, self.group):
                filters = weight[:, :, start : start + self.group]
                spectra = scratch[:, :, : filters.shape[2]]
                if self.C == 1:
                    np.multiply(filters, spectrum, out=spectra)
                else:
                    self.product(filters, spectrum, out=spectra)
                whole = irfftn(spectra, s=self.size, axes=(0, 1))
                rows = whole[: (self.P - 1) * self.rows.stride + 1 : self.rows.stride]
                np.copyto(
                    out[:, :, start : start + self.group],
                    rows[:, : (self.Q - 1) * self.columns.stride + 1 : self.columns.stride],
                )


def _sizes(window) -> tuple[int, int]:
    """Rows and columns of the transform, so many that no window wraps around."""
    return next_fast_len(window.rows.size), next_fast_len(window.columns.size, real=True)


def spectral_cost(window, channels, filters) -> int:
    """Time per sample, in multiply-adds of the direct method."""
    products = channels * filters if channels > 1 else 0
    return prod(_sizes(window)) * (_TRANSFORM * (channels + filters) + _PRODUCT * products)
