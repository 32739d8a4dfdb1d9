"""Convolution of one image: positions take the places of samples, so that no column of a product is wasted.

A block of samples as narrow as products allow is 16 columns, of which one image would fill one.  Here positions along a
row, or tiles, or all positions are the columns.  The products have the rows and the order of terms that they have in a
block, and `product` gives each column the same bits among any others.

Each class does what the block's algorithm of that name does, with the same prepared weight.  ``columns`` (A, B, F, N)
are its outputs as they come, with anything finite in columns that are no position; ``image`` (P, Q, F) is a view of
them where they lie, or of a copy that ``back``, arguments of `numpy.copyto`, makes.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .correlation import Gathered
from .geometry import Axis, Window
from .memory import aligned, allocate
from .products import COLUMNS, product
from .winograd import Winograd
from .winograd2d import Winograd2D

__all__ = ["alone", "as_image", "columns_of"]

_MOST_BYTES = 1 << 25  # of all windows at once; blocks take larger images band by band


def columns_of(positions: int) -> int:
    """Columns that hold so many positions."""
    return -(-positions // COLUMNS) * COLUMNS


def as_image(columns, height, width):
    """Channels' positions side by side, ``(1, 1, C, N)``, as an image ``(H, W, C)``."""
    planes = columns[0, 0, :, : height * width]
    return planes.reshape(-1, height, width, copy=False).transpose(1, 2, 0)


class _Alone:
    """One image ``(H, W, C)``, any view, convolved by a block's algorithm with ``window`` over it and its borders."""

    back: tuple[np.ndarray, np.ndarray] | None = None

    def __init__(self, kernel, window: Window, image):
        self.kernel, self.window, self.x = kernel, window, image

    def _stored(self, rows, columns, by_planes):
        """The image's place in zeros ``(rows, columns, C)``, one image a channel or channels last, and the zeros."""
        (height, width, channels), dtype = self.x.shape, self.kernel.dtype
        if by_planes:
            stored = aligned((channels, rows, columns), dtype).transpose(1, 2, 0)
        else:
            stored = aligned((rows, columns, channels), dtype)
        top, left = self.window.rows.before, self.window.columns.before
        return stored[top : top + height, left : left + width], stored


class GatheredAlone(_Alone):
    """All windows as one matrix, a position a column."""

    def __init__(self, kernel: Gathered, window: Window, image):
        super().__init__(kernel, window, image)
        rows, columns = window.rows, window.columns
        (P, Q), F, K, dtype = window.output, kernel.F, kernel.K, kernel.dtype
        self.inner, stored = self._stored(rows.padded, columns.padded, by_planes=True)
        h, w, c = stored.strides
        shape = (kernel.S, kernel.R, kernel.C, P, Q)
        strides = (w * columns.dilation, h * rows.dilation, c, h * rows.stride, w * columns.stride)
        self.windows = aligned((K, columns_of(P * Q)), dtype)
        self.gather = self.windows[:, : P * Q].reshape(shape, copy=False), as_strided(stored, shape, strides)
        self.columns = aligned((1, 1, F, columns_of(P * Q)), dtype)
        self.image = as_image(self.columns, P, Q)

    def run(self, weight):
        """Fill ``columns``."""
        np.copyto(self.inner, self.x)
        np.copyto(*self.gather)
        product(weight, self.windows, out=self.columns[0, 0])


class WinogradAlone(_Alone):
    """Rows whose samples are the positions along them: a window's columns are channels, shifted."""

    def __init__(self, kernel: Winograd, window: Window, image):
        super().__init__(kernel, window, image)
        (P, Q), S, C, dtype = window.output, kernel.S, kernel.C, kernel.dtype
        (height, width, _), top, left = image.shape, window.rows.before, window.columns.before
        N = columns_of(Q)
        down = Axis(window.rows.padded, kernel.R)
        self.inside = Winograd(Window(down, Axis(1, 1)), S * C, kernel.F, N, dtype, alike=True)
        x = aligned((kernel.stored_rows, 1, S * C, N), dtype)
        taps = x.reshape(-1, S, C, N)[top : top + height]
        self.copies = []
        for s in range(S):
            first, last = max(0, left - s), min(Q, width + left - s)
            if first < last:
                source = image[:, first + s - left : last + s - left]
                self.copies.append((taps[:, s, :, first:last], source.swapaxes(1, 2)))
        self.columns = aligned((P, 1, kernel.F, N), dtype)
        self.image = self.columns[:, 0, :, :Q].swapaxes(1, 2)
        self.bound = self.inside.bind(x, allocate(self.inside.scratch, dtype), self.columns)

    def run(self, weight):
        """Fill ``columns``."""
        for copy in self.copies:
            np.copyto(*copy)
        self.inside.run(self.bound, weight)


class Winograd2DAlone(_Alone):
    """Tiles that take the places of samples."""

    def __init__(self, kernel: Winograd2D, window: Window, image):
        super().__init__(kernel, window, image)
        (P, Q), m, m2, a, a2 = window.output, kernel.m, kernel.m2, kernel.a, kernel.a2
        C, F, dtype, down, across = kernel.C, kernel.F, kernel.dtype, kernel.tiles, kernel.tiles2
        N = columns_of(down * across)
        self.inside = Winograd2D(Window(Axis(a, kernel.R), Axis(a2, kernel.S)), C, F, N, dtype, alike=True)
        self.inner, stored = self._stored(kernel.stored_rows, kernel.columns2, by_planes=False)
        x = aligned((a, a2, C, N), dtype)
        self.copies = [
            (x[..., i * across + j], stored[i * m : i * m + a, j * m2 : j * m2 + a2])
            for i in range(down)
            for j in range(across)
        ]
        self.columns = aligned((m, m2, F, N), dtype)
        settled = aligned((down, m, across, m2, F), dtype)
        tiles = self.columns[..., : down * across].reshape(m, m2, F, down, across, copy=False)
        self.back = settled, tiles.transpose(3, 0, 4, 1, 2)
        self.image = settled.reshape(down * m, across * m2, F)[:P, :Q]
        scratch = allocate(self.inside.scratch, dtype)
        self.bound = self.inside.bind(x, scratch, self.columns)
        self._bind_lower(scratch["Z"], P - (down - 1) * m, slice((down - 1) * across, down * across))

    def _bind_lower(self, Z, rows, last):
        """The last row of tiles where it is lower than the others: a product with fewer rows has bits of its own."""
        self.lower = None
        if rows < self.inside.m:
            out = aligned((rows, *self.columns.shape[1:]), self.inside.dtype)
            lower = self.inside.AT[:rows], Z.reshape(len(Z), -1), out.reshape(rows, -1)
            self.lower = lower, (self.columns[:rows, ..., last], out[..., last])

    def run(self, weight):
        """Fill ``columns``."""
        np.copyto(self.inner, self.x)
        for copy in self.copies:
            np.copyto(*copy)
        self.inside.run(self.bound, weight)
        if self.lower is not None:
            (AT, Z, out), copy = self.lower
            product(AT, Z, out=out)
            np.copyto(*copy)


_ALONE = {Gathered: GatheredAlone, Winograd: WinogradAlone, Winograd2D: Winograd2DAlone}


def alone(kernel, window: Window, image):
    """What a block's ``kernel`` does, for one image ``(H, W, C)``; None where there is no way."""
    kind = _ALONE.get(type(kernel))
    if kind is GatheredAlone and kernel.K * kernel.P * kernel.Q * kernel.dtype.itemsize > _MOST_BYTES:
        return None
    return kind and kind(kernel, window, image)
