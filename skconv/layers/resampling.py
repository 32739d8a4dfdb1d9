"""Larger images: each pixel becomes several."""

from __future__ import annotations

import numpy as np

from .._input.constraints import one_of, shown, sizes
from .._input.memory import counted
from .._kernels.geometry import pair
from .._kernels.resampling import add_interpolation_gradient, interpolate, phases, reach
from ._base import Layer
from ._frame import Plan
from ._operation import Operation

__all__ = ["DepthToSpace", "Upsample"]


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


class _Linear(_Larger):
    """Interpolation between the centres of pixels, across, then down."""

    def _reach(self, start, stop, size):
        return reach(self.factors[0], start, stop, size)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        middle = (shape[0], shape[1] * self.factors[1], shape[2], width)
        scratch = {"middle": middle, "part": middle}
        return Plan(scratch={"forward": scratch, **({"backward": scratch} if training else {})})

    def forward(self, frame, training):
        work, (down, across) = frame.scratch.forward, self.factors
        columns = work.part[:, : frame.x.shape[1]].swapaxes(0, 1)
        middle = frame.y if down == 1 else work.middle
        interpolate(frame.x.swapaxes(0, 1), across, 0, middle.swapaxes(0, 1), columns)
        if down > 1:
            interpolate(middle, down, self.first, frame.y, work.part)

    def backward(self, frame):
        if frame.dx is None:
            return
        work, (down, across) = frame.scratch.backward, self.factors
        middle = frame.dy
        if down > 1:
            middle = work.middle
            middle.fill(0)
            add_interpolation_gradient(frame.dy, down, middle, work.part)
        frame.dx.fill(0)
        columns = work.part[:, : frame.x.shape[1]].swapaxes(0, 1)
        add_interpolation_gradient(middle.swapaxes(0, 1), across, frame.dx.swapaxes(0, 1), columns)


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
