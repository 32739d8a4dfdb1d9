"""Pooling: a summary of each window, or its top left sample."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from .._input.constraints import at_least, sizes
from .._input.overflow import average_in_range
from .._kernels.geometry import pair
from .._kernels.memory import Shapes
from .._kernels.padding import inside
from .._kernels.pooling import (
    add_taps,
    lost_digits,
    lp_pool,
    lp_pool_gradient,
    max_pool,
    max_pool_gradient,
    max_tiles,
    max_tiles_gradient,
    taps,
)
from ._base import Layer
from ._frame import Frame
from ._window_pool import PoolingLayer, WindowPlan
from .activation import Activation
from .bias import Bias
from .convolution import Convolution

__all__ = ["LpPool", "MaxPool", "MeanPool", "StridePool"]


class _PlainPool(PoolingLayer):
    """Base class of maximum and mean, which prediction can run in bands of the convolution before, or on one sample."""

    ends_band = True
    single_sample = "windows"

    def tile(self, shape):
        """Height of the windows if they tile the image's rows, else 0."""
        rows = self.window(shape).rows
        return rows.kernel if (rows.stride, rows.padded) == (rows.kernel, rows.size) else 0


class MaxPool(_PlainPool):
    """Maximum of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Step from one window to the next; None is ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border, which is never the maximum; at most half the window.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the border if samples would be left over.  A window that would start
        beyond the image is dropped, as in PyTorch and ONNX.

    Notes
    -----
    The gradient goes to the first maximum in row-major order.

    Examples
    --------
    >>> from skconv.layers import MaxPool
    >>> MaxPool(2).output_shape((7, 7, 32))
    (3, 3, 32)
    >>> MaxPool(2, ceil_mode=True).output_shape((7, 7, 32))
    (4, 4, 32)
    """

    _border = -np.inf
    pooled_as = "maximum"

    def commutes(self, before):
        increasing = isinstance(before, Activation) and before.increasing
        return increasing or (isinstance(before, Bias) and before.pointwise)

    def plan(self, shape, width, dtype, *, training, input_gradient) -> WindowPlan:
        window = self.window(shape).trimmed()
        (P, Q), C = window.output, shape[2]
        pooled, boolean = (P, Q, C, width), np.dtype(bool)
        plan = WindowPlan(window=window)
        if window.tiled:
            across = (shape[0], Q, C, width)
            if training:
                plan.buffers["across"] = across
                plan.scratch["backward"] = {"rows": across, "mask": (pooled, boolean), "mask2": (across, boolean)}
            else:
                plan.scratch["forward"] = {"across": across}
            return plan
        plan.scratch["forward"] = self._padded(window, shape, width, "x")
        if training:
            masks: Shapes = {"part": pooled, "mask": (pooled, boolean), "left": (pooled, boolean), "y": pooled}
            plan.scratch["backward"] = masks | self._padded(window, shape, width, "x", "dx")
        return plan

    def forward(self, frame: Frame[WindowPlan], training):
        window = frame.plan.window
        if window.tiled:
            across = frame.buffers.across if training else frame.scratch.forward.across
            max_tiles(frame.x, across, frame.y)
        else:
            max_pool(self._bordered(frame, window, frame.scratch.forward), window, frame.y)

    def backward(self, frame: Frame[WindowPlan]):
        if frame.dx is None:
            return
        window, work = frame.plan.window, frame.scratch.backward
        if window.tiled:
            max_tiles_gradient(frame.x, frame.buffers.across, frame.dy, work, frame.dx)
            return
        x = self._bordered(frame, window, work)
        max_pool(x, window, work.y)  # the output itself may have been overwritten by a layer in place
        dx = work.get("dx", frame.dx)
        max_pool_gradient(x, window, work.y, frame.dy, work, dx)
        if dx is not frame.dx:
            np.copyto(frame.dx, inside(dx, window))


@dataclass(kw_only=True)
class _MeanPlan(WindowPlan):
    """Plan with one over the number of samples in each window, ``(P, Q, 1, 1)``."""

    share: np.ndarray


class MeanPool(_PlainPool):
    """Mean of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Step from one window to the next; None is ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border; at most half the window.
    ceil_mode : bool, default=False
        As in `MaxPool`.  Positions beyond the border never count.
    count_include_pad : bool, default=False
        Whether the border counts, as zeros, or is left out of the mean.

    Examples
    --------
    >>> from skconv.layers import MeanPool
    >>> MeanPool((1, 4)).output_shape((1, 100, 8))
    (1, 25, 8)
    """

    _parameter_constraints: dict = {**PoolingLayer._parameter_constraints, "count_include_pad": ["boolean"]}

    def __init__(self, pool_size=2, *, stride=None, padding=0, ceil_mode=False, count_include_pad=False):
        super().__init__(pool_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
        self.count_include_pad = count_include_pad

    def commutes(self, before):
        return isinstance(before, Bias) and before.pointwise and not self.count_include_pad

    def plan(self, shape, width, dtype, *, training, input_gradient) -> _MeanPlan:
        window = self.window(shape).trimmed()
        axes = self.window(shape).rows, self.window(shape).columns
        down, across = (axis.counts(borders=self.count_include_pad) for axis in axes)
        share = np.array([[1 / (n * m) for m in across] for n in down])  # Python's integers, which do not overflow
        plan = _MeanPlan(window=window, share=share[:, :, None, None].astype(dtype))
        part = (*window.output, shape[2], width)
        plan.scratch["forward"] = self._padded(window, shape, width, "x") | lost_digits(window, part)
        if training:
            plan.scratch["backward"] = {"part": part, **self._padded(window, shape, width, "dx")}
        return plan

    def forward(self, frame: Frame[_MeanPlan], training):
        window, work = frame.plan.window, frame.scratch.forward

        def average(x):
            add_taps(taps(x, window), work, frame.y)
            np.multiply(frame.y, frame.plan.share, out=frame.y)

        x = self._bordered(frame, window, work)
        if training:
            average(x)
        else:
            average_in_range(average, x, frame.y, window.rows.kernel * window.columns.kernel)

    def backward(self, frame: Frame[_MeanPlan]):
        if frame.dx is None:
            return
        window, part = frame.plan.window, frame.scratch.backward.part
        dx = frame.scratch.backward.get("dx", frame.dx)
        np.multiply(frame.dy, frame.plan.share, out=part)
        dx.fill(0)
        for view in taps(dx, window):
            np.add(view, part, out=view)
        if dx is not frame.dx:
            np.copyto(frame.dx, inside(dx, window))


class LpPool(PoolingLayer):
    """Norm of each window: ``(sum |x|^p)^(1 / p)``, as in ONNX.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    p : float, default=2
        Exponent, at least 1: with 1 the sum of absolute values, with a large number nearly their maximum.
    stride : int or (int, int), default=None
        Step from one window to the next; None is ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border of zeros; at most half the window.
    ceil_mode : bool, default=False
        As in `MaxPool`.

    Notes
    -----
    The gradient of a window of zeros is zero.  PyTorch's `LPPool2d` sums ``x^p`` with its sign, which is the same if p
    is even or x is not negative.

    Examples
    --------
    >>> from skconv.layers import LpPool
    >>> LpPool(2, p=3).output_shape((7, 7, 32))
    (3, 3, 32)
    """

    _parameter_constraints: dict = {**PoolingLayer._parameter_constraints, "p": [at_least(1, Real)]}

    def __init__(self, pool_size=2, p=2, *, stride=None, padding=0, ceil_mode=False):
        super().__init__(pool_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
        self.p = p

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape).trimmed()
        pooled = (*window.output, shape[2], width)
        work = {"part": pooled, "largest": pooled, **self._padded(window, shape, width, "x")}
        work |= lost_digits(window, pooled)
        plan = WindowPlan(window=window, scratch={"forward": work})
        if training:
            plan.scratch["backward"] = {**work, "y": pooled, **self._padded(window, shape, width, "dx")}
        return plan

    def forward(self, frame: Frame[WindowPlan], training):
        window, work = frame.plan.window, frame.scratch.forward
        lp_pool(self._bordered(frame, window, work), window, float(self.p), work, frame.y)

    def backward(self, frame: Frame[WindowPlan]):
        if frame.dx is None:
            return
        window, work = frame.plan.window, frame.scratch.backward
        x, dx = self._bordered(frame, window, work), work.get("dx", frame.dx)
        lp_pool(x, window, float(self.p), work, work.y)  # the output itself may have been overwritten
        lp_pool_gradient(x, window, float(self.p), work.y, frame.dy, work, dx)
        if dx is not frame.dx:
            np.copyto(frame.dx, inside(dx, window))


class StridePool(Layer):
    """Sub-sampling: every ``pool_size``-th sample from the top left, ``x[::s, ::s]``.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Step down and across; on a series one number is the step along time.

    Notes
    -----
    A convolution and this layer after it run as one strided convolution, which computes no output that is left out.

    Examples
    --------
    >>> from skconv.layers import StridePool
    >>> StridePool(2).output_shape((7, 7, 32))
    (4, 4, 32)
    """

    _parameter_constraints: dict = {"pool_size": [sizes()]}
    takes = "image"
    summary_shows = "pool_size"
    by_rows = True

    def __init__(self, pool_size=2):
        self.pool_size = pool_size

    def output_shape(self, shape):
        down, across = pair(self.pool_size, shape[0])
        return (-(-shape[0] // down), -(-shape[1] // across), shape[2])

    def commutes(self, before):
        return isinstance(before, (Activation, Bias)) and before.pointwise

    def joined(self, before, shape):
        return before.strided(self.pool_size, shape) if isinstance(before, Convolution) else None

    def strip(self, shape, start, stop):
        down, across = pair(self.pool_size, shape[0])
        return StridePool((down, across)), start * down, (stop - 1) * down + 1

    def forward(self, frame, training):
        down, across = pair(self.pool_size, len(frame.x))
        np.copyto(frame.y, frame.x[::down, ::across])

    def backward(self, frame):
        if frame.dx is not None:
            down, across = pair(self.pool_size, len(frame.x))
            frame.dx.fill(0)
            np.copyto(frame.dx[::down, ::across], frame.dy)
