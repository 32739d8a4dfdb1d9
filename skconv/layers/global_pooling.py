"""Pooling over the whole image: one number per channel."""

from __future__ import annotations

import numpy as np

from .._input.overflow import average_in_range
from .._kernels.geometry import Axis, Window
from .._kernels.pooling import max_pool_gradient
from .._kernels.sums import add_positions, partial_sums
from ._base import Layer
from ._frame import Frame, Plan
from ._window_pool import WindowPlan

__all__ = ["GlobalMaxPool", "GlobalMeanPool"]


class _GlobalPool(Layer):
    """Base class of summaries of the whole image."""

    _parameter_constraints: dict = {"keepdims": ["boolean"]}
    takes = "image"
    any_layout = True

    def __init__(self, keepdims=False):
        self.keepdims = keepdims

    def output_shape(self, shape):
        return (1, 1, shape[2]) if self.keepdims else (shape[2],)


def _vectors(array):
    """View (C, N) of an array (C, N) or (1, 1, C, N)."""
    return array.reshape(array.shape[-2:], copy=False)


class GlobalMaxPool(_GlobalPool):
    """Maximum of each channel over the image.

    The gradient goes to the first maximum in row-major order.

    Parameters
    ----------
    keepdims : bool, default=False
        Whether the output is an image of one pixel, ``(1, 1, channels)``, and not a vector.

    Examples
    --------
    >>> from skconv.layers import GlobalMaxPool
    >>> GlobalMaxPool().output_shape((7, 7, 32))
    (32,)
    """

    def plan(self, shape, width, dtype, *, training, input_gradient):
        height, across, channels = shape
        pooled, boolean = (1, 1, channels, width), np.dtype(bool)
        masks = {"part": pooled, "mask": (pooled, boolean), "left": (pooled, boolean), "y": pooled}
        window = Window(Axis(height, height), Axis(across, across))
        return WindowPlan(window=window, scratch={"backward": masks} if training else {})

    def forward(self, frame, training):
        np.maximum.reduce(frame.x, axis=(0, 1), out=_vectors(frame.y))

    def backward(self, frame: Frame[WindowPlan]):
        if frame.dx is not None:
            work = frame.scratch.backward
            np.maximum.reduce(frame.x, axis=(0, 1), out=work.y[0, 0])
            max_pool_gradient(frame.x, frame.plan.window, work.y, _vectors(frame.dy)[None, None], work, frame.dx)


class GlobalMeanPool(_GlobalPool):
    """Mean of each channel over the image.

    Parameters
    ----------
    keepdims : bool, default=False
        Whether the output is an image of one pixel, ``(1, 1, channels)``, and not a vector.

    Examples
    --------
    >>> from skconv.layers import GlobalMeanPool
    >>> GlobalMeanPool().output_shape((7, 7, 32))
    (32,)
    >>> GlobalMeanPool(keepdims=True).output_shape((7, 7, 32))
    (1, 1, 32)
    """

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(scratch={"forward": partial_sums((*shape, width))})

    def forward(self, frame, training):
        positions, y = frame.x.shape[0] * frame.x.shape[1], _vectors(frame.y)

        def average(x):
            add_positions(x, frame.scratch.forward.get("parts"), y)
            np.divide(y, positions, out=y)

        average_in_range(average, frame.x, y, positions)

    def backward(self, frame):
        if frame.dx is not None:
            np.divide(_vectors(frame.dy), frame.x.shape[0] * frame.x.shape[1], out=frame.dx)
