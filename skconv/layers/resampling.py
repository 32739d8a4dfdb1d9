"""Larger images: each pixel becomes several."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from .._input.constraints import one_of, shown, sizes
from .._input.memory import counted
from .._kernels.geometry import pair
from .._kernels.resampling import add_interpolation_gradient, interpolate, phases, reach
from ._base import Layer
from ._frame import Frame, Plan
from ._operation import Operation

__all__ = ["DepthToSpace", "Upsample"]


_BAND_BYTES = (
    1 << 21
)  # most bytes of a band of interpolated rows: half the time of an image of 56 x 56 with 32 channels


class _Larger(Operation):
    """Base class of operations that give some rows of an image that is larger by integer factors.

    Parameters
    ----------
    factors : (int, int)
        Rows and columns of the output per row and column of the input.
    first, rows : int
        First row of the output, and their number; None gives all.
    """

    takes = "image"
    by_rows = True
    single_sample = "windows"

    def __init__(self, factors, first=0, rows=None):
        self.factors = factors
        self.first = first
        self.rows = rows

    def output_shape(self, shape):
        down, across = self.factors
        return (down * shape[0] if self.rows is None else self.rows, across * shape[1], self._channels(shape[2]))

    def _channels(self, channels):
        """Number of channels of the output."""
        return channels

    def _reach(self, start, stop, size):
        """Range of the input's rows, of which there are ``size``, for rows ``start`` to ``stop - 1`` of the output."""
        down = self.factors[0]
        return start // down, (stop - 1) // down + 1

    def strip(self, shape, start, stop):
        first, end = self._reach(start, stop, shape[0])
        part = {"first": start - first * self.factors[0], "rows": stop - start}
        return type(self)(**{**vars(self), **part}), first, end

    def _phases(self, y):
        return phases(self.factors[0], self.first, len(y))


def _columns(array, across):
    """View ``(rows, W, across, C, N)`` of an array ``(rows, W * across, C, N)``."""
    return array.reshape(len(array), -1, across, *array.shape[2:], copy=False)


class _Nearest(_Larger):
    """Each pixel repeated."""

    def forward(self, frame, training):
        for _, outputs, inputs in self._phases(frame.y):
            np.copyto(_columns(frame.y[outputs], self.factors[1]), frame.x[inputs, :, None])

    def backward(self, frame):
        if frame.dx is None:
            return
        down, across = self.factors
        first, *others = [frame.dy[r::down, s::across] for r in range(down) for s in range(across)]
        np.copyto(frame.dx, first)
        for part in others:
            np.add(frame.dx, part, out=frame.dx)


@dataclass(kw_only=True)
class _LinearPlan(Plan):
    """Plan with the number of rows of a band."""

    band: int


class _Linear(_Larger):
    """Interpolation between the centres of pixels, across, then down."""

    def _reach(self, start, stop, size):
        return reach(self.factors[0], start, stop, size)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        """Plan with bands of the output's rows that stay in the cache."""
        row = (shape[1] * self.factors[1], shape[2], width)
        band = max(1, _BAND_BYTES // (prod(row) * dtype.itemsize))
        reached = min(shape[0], (band - 1) // self.factors[0] + 3)  # most rows between which a band lies
        plan = _LinearPlan(band=band, scratch={"forward": {"middle": (reached, *row)}})
        if training:
            plan.scratch["backward"] = {"middle": (reached, *row), "part": (reached, *row)}
        return plan

    def _bands(self, frame, rows, middle):
        """Yield, band by band, rows of the output, of the input and of ``middle``, and the first output's place."""
        down, size = self.factors[0], len(frame.x)
        for start in range(0, rows, frame.plan.band):
            stop = min(rows, start + frame.plan.band)
            first, end = reach(down, self.first + start, self.first + stop, size)
            yield slice(start, stop), slice(first, end), middle[: end - first], self.first + start - first * down

    def forward(self, frame: Frame[_LinearPlan], training):
        down, across = self.factors
        for outputs, inputs, middle, first in self._bands(frame, len(frame.y), frame.scratch.forward.middle):
            wide = frame.y[outputs] if down == 1 else middle
            interpolate(frame.x[inputs].swapaxes(0, 1), across, 0, wide.swapaxes(0, 1))
            if down > 1:
                interpolate(middle, down, first, frame.y[outputs])

    def backward(self, frame: Frame[_LinearPlan]):
        if frame.dx is None:
            return
        work, (down, across) = frame.scratch.backward, self.factors
        frame.dx.fill(0)
        for outputs, inputs, middle, first in self._bands(frame, len(frame.dy), work.middle):
            middle.fill(0)
            add_interpolation_gradient(frame.dy[outputs], down, first, middle, work.part[: len(middle)])
            dx = frame.dx[inputs].swapaxes(0, 1)
            columns = work.part[: len(middle), : len(dx)].swapaxes(0, 1)
            add_interpolation_gradient(middle.swapaxes(0, 1), across, 0, dx, columns)


class Upsample(Layer):
    """Make images larger by integer factors.

    Parameters
    ----------
    factor : int or (int, int), default=2
        Factor down and across; on a series one number is the factor along time.
    mode : {"nearest", "linear"}, default="nearest"
        Each pixel repeated, or interpolation between the centres of pixels, which is bilinear on images.  Beyond the
        outermost centres the image goes on with the same values.

    Notes
    -----
    "linear" is what PyTorch does with ``align_corners=False``, and ONNX with "half_pixel".

    Examples
    --------
    >>> from skconv.layers import Upsample
    >>> Upsample(2, "linear").output_shape((7, 7, 32))
    (14, 14, 32)
    """

    _parameter_constraints: dict = {"factor": [sizes()], "mode": [one_of("nearest", "linear")]}
    takes = "image"
    summary_shows = "factor"

    def __init__(self, factor=2, mode="nearest"):
        self.factor = factor
        self.mode = mode

    def lower(self, shape):
        return [(_Nearest if self.mode == "nearest" else _Linear)(pair(self.factor, shape[0]))]

    def output_shape(self, shape):
        return self.lower(shape)[0].output_shape(shape)


class _Unfolding(_Larger):
    """Channels laid out in space; ``order`` is that of `DepthToSpace`."""

    def __init__(self, factors, order, first=0, rows=None):
        super().__init__(factors, first, rows)
        self.order = order

    def _channels(self, channels):
        return channels // (self.factors[0] * self.factors[1])

    def _blocks(self, array):
        """View ``(down, rows, W, across, C, N)`` of an array ``(rows, W, channels, N)``."""
        (down, across), (rows, width, _, n) = self.factors, array.shape
        if self.order == "DCR":
            return array.reshape(rows, width, down, across, -1, n, copy=False).transpose(2, 0, 1, 3, 4, 5)
        return array.reshape(rows, width, -1, down, across, n, copy=False).transpose(3, 0, 1, 4, 2, 5)

    def forward(self, frame, training):
        blocks = self._blocks(frame.x)
        for phase, outputs, inputs in self._phases(frame.y):
            np.copyto(_columns(frame.y[outputs], self.factors[1]), blocks[phase, inputs])

    def backward(self, frame):
        if frame.dx is not None:
            blocks = self._blocks(frame.dx)
            for phase, outputs, inputs in self._phases(frame.dy):
                np.copyto(blocks[phase, inputs], _columns(frame.dy[outputs], self.factors[1]))


class DepthToSpace(Layer):
    """Lay channels out in space: the channels of a pixel become a block of pixels (Shi et al., arXiv 1609.05158).

    Parameters
    ----------
    block_size : int or (int, int), default=2
        Block down and across, whose number of pixels divides the number of channels; on a series one number is the
        block along time.
    order : {"DCR", "CRD"}, default="DCR"
        Order of the channels: "DCR" has all channels of the block's first pixel, then those of the next, as in
        TensorFlow; "CRD" has all pixels of the first channel, then those of the next, as PyTorch's ``PixelShuffle``.
        Both names are ONNX's.

    Examples
    --------
    >>> from skconv.layers import DepthToSpace
    >>> DepthToSpace(2).output_shape((7, 7, 32))
    (14, 14, 8)
    """

    _parameter_constraints: dict = {"block_size": [sizes()], "order": [one_of("DCR", "CRD")]}
    takes = "image"
    summary_shows = "block_size"

    def __init__(self, block_size=2, order="DCR"):
        self.block_size = block_size
        self.order = order

    def lower(self, shape):
        return [_Unfolding(pair(self.block_size, shape[0]), self.order)]

    def output_shape(self, shape):
        down, across = pair(self.block_size, shape[0])
        if shape[2] % (down * across):
            raise ValueError(
                f"block_size={shown(self.block_size)} makes blocks of {counted(down * across, 'pixel')}, which must "
                f"divide the {counted(shape[2], 'channel')} of the input"
            )
        return self.lower(shape)[0].output_shape(shape)
