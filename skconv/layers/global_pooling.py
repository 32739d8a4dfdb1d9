"""Pooling over the whole image: a vector with one number per channel."""

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


class GlobalMaxPool(Layer):
    """Maximum of each channel over the image: a vector with one number per channel.

    The gradient goes to the first maximum in row-major order.

    Examples
    --------
    >>> from skconv.layers import GlobalMaxPool
    >>> GlobalMaxPool().output_shape((7, 7, 32))
    (32,)
    """

    takes = "image"

    def output_shape(self, shape):
        return (shape[2],)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        height, across, channels = shape
        pooled, boolean = (1, 1, channels, width), np.dtype(bool)
        masks = {"part": pooled, "mask": (pooled, boolean), "left": (pooled, boolean), "y": pooled}
        window = Window(Axis(height, height), Axis(across, across))
        return WindowPlan(window=window, scratch={"backward": masks} if training else {})

    def forward(self, frame, training):
        np.maximum.reduce(frame.x, axis=(0, 1), out=frame.y)

    def backward(self, frame: Frame[WindowPlan]):
        if frame.dx is not None:
            work = frame.scratch.backward
            np.maximum.reduce(frame.x, axis=(0, 1), out=work.y[0, 0])
            max_pool_gradient(frame.x, frame.plan.window, work.y, frame.dy[None, None], work, frame.dx)


class GlobalMeanPool(Layer):
    """Mean of each channel over the image: a vector with one number per channel.

    Examples
    --------
    >>> from skconv.layers import GlobalMeanPool
    >>> GlobalMeanPool().output_shape((7, 7, 32))
    (32,)
    """

    takes = "image"

    def output_shape(self, shape):
        return (shape[2],)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(scratch={"forward": partial_sums((*shape, width))})

    def forward(self, frame, training):
        positions = frame.x.shape[0] * frame.x.shape[1]

        def average(x):
            add_positions(x, frame.scratch.forward.get("parts"), frame.y)
            np.divide(frame.y, positions, out=frame.y)

        average_in_range(average, frame.x, frame.y, positions)

    def backward(self, frame):
        if frame.dx is not None:
            np.divide(frame.dy, frame.x.shape[0] * frame.x.shape[1], out=frame.dx)
