"""Convolution of one image whose channels lie one after the other: positions are the columns of products.

The arrays of an image are its planes (C, H * W), of which a band of rows is a slice of columns.  A convolution works
through parts of the output, some channels of some rows, that fit in the cache, so that what follows element by element
finds them there.  Parts follow from sizes alone.

Each class has the scratch arrays of a part, and binds a part to arrays: a list of calls ``(function, arguments)``.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .geometry import Axis, Window
from .memory import Shapes

__all__ = ["DepthwisePlanes", "GatheredPlanes", "bands_of", "cube"]

_GATHERED_BYTES = 1 << 20  # most bytes of the gathered windows of a band
_DIRECT_BYTES = 1 << 20  # most bytes of input and output of a band of a 1 x 1 convolution
_WINDOWS_BYTES = 1 << 21  # most bytes of the windows of some rows and channels of a depthwise convolution


def cube(planes, shape):
    """View ``(C, H, W)`` of planes ``(C, H * W)`` of an image of ``shape`` (H, W, C)."""
    height, width, channels = shape
    return planes.reshape(channels, height, width, copy=False)


def bands_of(rows, bytes_per_row, most) -> list[slice]:
    """Slices of ``rows`` into bands of nearly equal height, of at most ``most`` bytes where a row has no more."""
    count = -(-rows // max(1, most // bytes_per_row))
    height = -(-rows // count)
    return [slice(start, min(rows, start + height)) for start in range(0, rows, height)]


def _copies(out, image, rows, columns):
    """Calls that copy a part of ``image`` (C, H, W) into ``out`` (C, P, Q), whose other numbers are zeros.

    ``rows`` and ``columns`` are results of `_every`.  Few calls count more than few bytes: of two threads in short
    calls each waits for the other.
    """
    (down, from_rows), (across, from_columns) = rows, columns
    inner = out[:, down, across]
    zeros = [] if inner.shape == out.shape else [(out.fill, (0,))]
    return [*zeros, (np.copyto, (inner, image[:, from_rows, from_columns]))]


class GatheredPlanes:
    """Windows of a band gathered as a matrix ``(K, positions)``, group by group; a 1 x 1 convolution needs no copy.

    Parameters
    ----------
    window : Window
        Windows with borders of zeros.
    channels, filters, groups : int
    dtype : dtype
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, dtype):
        self.rows, self.columns, self.groups = window.rows, window.columns, groups
        self.channels, self.filters = channels, filters
        (self.P, self.Q), taps = window.output, self.rows.kernel * self.columns.kernel
        axes = self.rows, self.columns
        self.plain = all(axis.padded == axis.size for axis in axes)  # no borders
        self.direct = taps == 1 and self.plain and all(axis.stride == 1 for axis in axes)
        numbers, most = (channels + filters, _DIRECT_BYTES) if self.direct else (taps * channels, _GATHERED_BYTES)
        self.bands = bands_of(self.P, numbers * self.Q * dtype.itemsize, most)

    @property
    def parts(self):
        """``(channels, rows)`` of parts of the output, as slices."""
        return [(slice(0, self.filters), band) for band in self.bands]

    def scratch(self, part) -> Shapes:
        """Shapes of the scratch arrays of a part."""
        height = part[1].stop - part[1].start
        out: Shapes = {"out": (self.filters, height, self.Q)}
        if self.direct:
            return out
        groups, channels = self.groups, self.channels // self.groups
        windows = (groups, self.rows.kernel, self.columns.kernel, channels, height, self.Q)
        bordered = (self.channels, self._inputs(height), self.columns.padded)
        return {"windows": windows, **out} if self.plain else {"windows": windows, "bordered": bordered, **out}

    def _inputs(self, height):
        """Rows of the bordered image under ``height`` output rows."""
        return (height - 1) * self.rows.stride + self.rows.span

    def bind(self, part, x, weight, scratch):
        """Calls that compute a part of the output in ``scratch.out``, which may be a view of the output itself.

        ``x`` is the image (C, H, W), ``weight`` (F, R, S, C / G).
        """
        G, band = self.groups, part[1]
        weight = weight.reshape(G, self.filters // G, -1, copy=False)
        out = scratch.out.reshape(G, self.filters // G, -1, copy=False)
        if self.direct:
            columns = slice(band.start * self.Q, band.stop * self.Q)
            windows = x.reshape(G, self.channels // G, -1, copy=False)[..., columns]
            return [(np.matmul, _matrices(weight, windows, out))]
        rows, columns, windows, calls = self.rows, self.columns, scratch.windows, []
        image = x[:, band.start * rows.stride :]
        if not self.plain:
            image, first = scratch.bordered, band.start * rows.stride
            inputs = slice(first, first + image.shape[1])
            calls = _copies(image, x, _every(rows, 0, inputs, 1), _every(columns, 0, slice(0, columns.padded), 1))
        c, h, w = image.strides
        steps = (h * rows.dilation, w * columns.dilation, c, h * rows.stride, w * columns.stride)
        calls.append((np.copyto, (windows, as_strided(image, windows.shape, (c * windows.shape[3], *steps)))))
        return [*calls, (np.matmul, _matrices(weight, windows.reshape(G, -1, out.shape[-1], copy=False), out))]


def _matrices(*arrays):
    """Matrices in place of arrays (1, ..., ...), which NumPy multiplies a little faster."""
    return arrays if len(arrays[0]) > 1 else tuple(array[0] for array in arrays)


class DepthwisePlanes:
    """Each channel with one filter of its own: the windows of a channel times the filter, (1, R * S) by (R * S, L).

    A bias is one more factor, of ones.
    Rows of some channels are copied with their borders, one after the other, so that the inputs of a tap are one run of
    L numbers, of which a few at each row's end are not used.  With strides there is a copy for each of the first inputs
    of a stride.

    Parameters
    ----------
    window : Window
    channels : int
    dtype : dtype
    """

    def __init__(self, window: Window, channels: int, dtype):
        self.rows, self.columns = window.rows, window.columns
        self.P, self.Q = window.output
        axes = self.rows, self.columns
        first = [sorted({tap * axis.dilation % axis.stride for tap in range(axis.kernel)}) for axis in axes]
        self.phases = [(down, across) for down in first[0] for across in first[1]]
        below, beside = ((axis.span - 1) // axis.stride for axis in axes)
        self.below, self.run = below + 1, self.Q + beside  # one row more, since runs end behind the last row
        row = self.rows.kernel * self.columns.kernel * self.run * dtype.itemsize
        bands = bands_of(self.P, row, _WINDOWS_BYTES)
        chunks = bands_of(channels, row * (bands[0].stop - bands[0].start), _WINDOWS_BYTES)
        self.parts = [(chunk, band) for chunk in chunks for band in bands]

    def scratch(self, part) -> Shapes:
        """Shapes of the scratch arrays of a part; ``out`` has its outputs, of each row some more."""
        channels, height = (each.stop - each.start for each in part)
        taps = self.rows.kernel * self.columns.kernel
        return {
            "copies": (len(self.phases), channels, height + self.below, self.run),
            "windows": (channels, taps + 1, height, self.run),
            "out": (channels, height, self.run),
        }

    def prepared(self, weight, bias):
        """Factors (C, 1, R * S + 1) from a weight (C, R, S, 1) and a bias (C,), which is multiplied by ones."""
        return np.concatenate([weight.reshape(len(weight), 1, -1), bias[:, None, None]], axis=2)

    def bind(self, part, x, factors, scratch):
        """Calls that compute a part of the output from ``x`` (C, H, W) and ``factors``, in ``scratch.out``."""
        channels, band = part
        height, x = band.stop - band.start, x[channels]
        length, calls = height * self.run, []
        windows = scratch.windows.reshape(len(x), -1, length, copy=False)
        taps = windows[:, :-1].reshape(len(x), self.rows.kernel, self.columns.kernel, length, copy=False)
        for (down, across), copy in zip(self.phases, scratch.copies, strict=True):
            rows = _every(self.rows, down, slice(band.start, band.stop + self.below), self.rows.stride)
            columns = _every(self.columns, across, slice(0, self.run), self.columns.stride)
            calls += _copies(copy, x, rows, columns)
            vertical, horizontal = _Taps(self.rows, down), _Taps(self.columns, across)
            part = taps[:, vertical.taps, horizontal.taps]
            c, h, w = copy.strides
            source = copy[:, vertical.first :, horizontal.first :]
            strides = (c, h * vertical.step, w * horizontal.step, w)
            calls.append((np.copyto, (part, as_strided(source, part.shape, strides))))
        calls.append((windows[:, -1].fill, (1,)))
        return [*calls, (np.matmul, (factors[channels], windows, scratch.out.reshape(len(x), 1, length, copy=False)))]


def _every(axis: Axis, first, places: slice, stride):
    """``(places, samples)`` as slices: place p is sample ``first + p * stride`` of the axis with its border before.

    Places beyond the axis are left out; those that remain count from ``places.start``.
    """
    offset = first - axis.before
    start = max(places.start, -(offset // stride))
    end = max(start, min(places.stop, (axis.size - 1 - offset) // stride + 1))
    sample = start * stride + offset
    inputs = slice(sample, sample + max(0, (end - start - 1) * stride + 1), stride) if end > start else slice(0, 0)
    return slice(start - places.start, end - places.start), inputs


class _Taps:
    """The taps of an axis that read one phase of a stride, as a slice, and where they read it: every ``step``-th."""

    def __init__(self, axis: Axis, phase):
        found = [tap for tap in range(axis.kernel) if tap * axis.dilation % axis.stride == phase]
        step = found[1] - found[0] if len(found) > 1 else 1
        self.taps = slice(found[0], found[-1] + 1, step)
        self.first, self.step = found[0] * axis.dilation // axis.stride, step * axis.dilation // axis.stride
