"""Convolution of one image: the columns of products are positions, not samples.

The narrowest block has 16 columns, of which one image would fill one.  Here the columns are the positions of a row, or
tiles, or all positions.  The products have the rows and the order of terms that they have in a block, and `product`
gives each column the same bits among any others, so outputs equal those of a block to the bit.

`GatheredAlone`, `WinogradAlone` and `Winograd2DAlone` take the prepared weights of `Gathered`, `Winograd` and
`Winograd2D`.  Their ``columns`` (A, B, F, N) are outputs in the order of the products, with any finite number in
columns beyond the positions.  Their ``image`` (P, Q, F) is a view of ``columns``, or of the copy that
``numpy.copyto(*back)`` makes.
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

_MOST_BYTES = 1 << 25  # most bytes of all windows of an image; larger images go through a block, band by band


def columns_of(positions: int) -> int:
    """``positions`` rounded up to a multiple of `COLUMNS`."""
    return -(-positions // COLUMNS) * COLUMNS


def as_image(columns, height, width):
    """View ``(H, W, C)`` of ``columns`` (1, 1, C, N), whose columns are the positions in row-major order."""
    planes = columns[0, 0, :, : height * width]
    return planes.reshape(-1, height, width, copy=False).transpose(1, 2, 0)


class _Alone:
    """Convolution of ``image`` (H, W, C), of any strides, in windows with borders, by the algorithm of ``kernel``."""

    back: tuple[np.ndarray, np.ndarray] | None = None

    def __init__(self, kernel, window: Window, image):
        self.kernel, self.window, self.x = kernel, window, image

    def _stored(self, rows, columns, by_planes):
        """View of the image within zeros, and these zeros ``(rows, columns, C)``, in memory channels first or last."""
        (height, width, channels), dtype = self.x.shape, self.kernel.dtype
        if by_planes:
            stored = aligned((channels, rows, columns), dtype).transpose(1, 2, 0)
        else:
            stored = aligned((rows, columns, channels), dtype)
        top, left = self.window.rows.before, self.window.columns.before
        return stored[top : top + height, left : left + width], stored


class GatheredAlone(_Alone):
    """`Gathered` for one image: all windows as one matrix ``(K, positions)``."""

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
        """Fill ``columns`` from the image and a prepared weight."""
        np.copyto(self.inner, self.x)
        np.copyto(*self.gather)
        product(weight, self.windows, out=self.columns[0, 0])


class WinogradAlone(_Alone):
    """`Winograd` for one image: the positions of a row as samples, the ``S`` shifted inputs of a window as channels."""

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
        """Fill ``columns`` from the image and a prepared weight."""
        for copy in self.copies:
            np.copyto(*copy)
        self.inside.run(self.bound, weight)


class Winograd2DAlone(_Alone):
    """`Winograd2D` for one image: its tiles as samples."""

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
        """Bind the last row of tiles where these have fewer rows, whose product has fewer rows and so its own bits."""
        self.lower = None
        if rows < self.inside.m:
            out = aligned((rows, *self.columns.shape[1:]), self.inside.dtype)
            lower = self.inside.AT[:rows], Z.reshape(len(Z), -1), out.reshape(rows, -1)
            self.lower = lower, (self.columns[:rows, ..., last], out[..., last])

    def run(self, weight):
        """Fill ``columns`` from the image and a prepared weight."""
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
    """The convolution of ``image`` (H, W, C) that a block's algorithm ``kernel`` does; None where there is none."""
    kind = _ALONE.get(type(kernel))
    if kind is GatheredAlone and kernel.K * kernel.P * kernel.Q * kernel.dtype.itemsize > _MOST_BYTES:
        return None
    return kind and kind(kernel, window, image)
