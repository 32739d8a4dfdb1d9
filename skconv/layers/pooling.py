"""Pooling: a summary of each window, or one sample of it."""

from __future__ import annotations

import numpy as np

from .._frame import Plan
from .._geometry import Window, make_window, pair
from .._kernels.pooling import max_pool, max_pool_gradient, max_tiles, max_tiles_gradient, taps
from .._validation import check_window_fits
from ._base import Layer
from .activation import Activation
from .bias import Bias

__all__ = ["GlobalMeanPool", "MaxPool", "MeanPool", "StridePool"]


class _Pool(Layer):
    """Windows over the image, channel by channel."""

    def __init__(self, pool_size=2, *, stride=None, padding=0):
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding

    def window(self, shape) -> Window:
        """Geometry of the windows over an input of this shape."""
        stride = self.pool_size if self.stride is None else self.stride
        window = make_window(shape[0], shape[1], self.pool_size, stride=stride, padding=self.padding)
        for axis in (window.rows, window.columns):
            if 2 * max(axis.before, axis.after) > axis.kernel:
                raise ValueError(
                    f"padding={self.padding!r} is more than half of pool_size={self.pool_size!r}, so a window could "
                    "lie outside the image; use at most half"
                )
        check_window_fits("pool_size", self.pool_size, window)
        return window

    def output_shape(self, shape):
        return (*self.window(shape).output, shape[2])

    def commutes(self, layer) -> bool:
        """Whether the layer before this one can just as well come after it."""
        return isinstance(layer, Bias) and layer.moves


class MaxPool(_Pool):
    """Maximum of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Samples between windows; None means ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border that never is the maximum; at most half the window.

    Notes
    -----
    The gradient goes to the first maximum in row-major order.

    Examples
    --------
    >>> from skconv.layers import MaxPool
    >>> MaxPool(2).output_shape((7, 7, 32))
    (3, 3, 32)
    """

    def commutes(self, layer):
        return super().commutes(layer) or (isinstance(layer, Activation) and layer.increasing)

    def tiles(self, shape) -> bool:
        """Whether the windows are 2 x 2 tiles."""
        window = self.window(shape)
        return all((a.kernel, a.stride, a.before, a.after) == (2, 2, 0, 0) for a in (window.rows, window.columns))

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape)
        (P, Q), C = window.output, shape[2]
        rows, columns = window.rows, window.columns
        pooled, boolean = (P, Q, C, width), np.dtype(bool)
        if self.tiles(shape):
            across = (shape[0], Q, C, width)
            masks = {"rows": across, "mask": (pooled, boolean), "mask2": (across, boolean)}
            if training:
                return Plan(buffers={"across": across}, scratch={"backward": masks})
            return Plan(scratch={"forward": {"across": across}})
        plan = Plan(kernel=window)
        padded = (rows.padded, columns.padded, C, width)
        bordered = rows.padded > shape[0] or columns.padded > shape[1]
        if bordered:
            plan.scratch["forward"] = {"x": padded}
        if training:
            masks = {"part": pooled, "mask": (pooled, boolean), "left": (pooled, boolean), "y": pooled}
            plan.scratch["backward"] = {**masks, **({"x": padded, "dx": padded} if bordered else {})}
        return plan

    def _bordered(self, frame, scratch):
        """The input with a border of minus infinity, or itself."""
        if "x" not in scratch:
            return frame.x
        window = frame.plan.kernel
        scratch.x.fill(-np.inf)
        np.copyto(_inside(scratch.x, window), frame.x)
        return scratch.x

    def forward(self, frame, training):
        window = frame.plan.kernel
        if window is None:
            across = frame.buffers.across if training else frame.scratch.forward.across
            max_tiles(frame.x, across, frame.y)
        else:
            max_pool(self._bordered(frame, frame.scratch.get("forward", {})), window, frame.y)

    def backward(self, frame):
        if frame.dx is None:
            return
        window, work = frame.plan.kernel, frame.scratch.backward
        if window is None:
            max_tiles_gradient(frame.x, frame.buffers.across, frame.dy, work, frame.dx)
            return
        x = self._bordered(frame, work)
        max_pool(x, window, work.y)  # the output itself may have been overwritten by a layer in place
        dx = work.dx if "dx" in work else frame.dx
        max_pool_gradient(x, window, work.y, frame.dy, work, dx)
        if dx is not frame.dx:
            np.copyto(frame.dx, _inside(dx, window))


class MeanPool(_Pool):
    """Mean of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Samples between windows; None means ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border that is left out of the mean; at most half the window.

    Examples
    --------
    >>> from skconv.layers import MeanPool
    >>> MeanPool((1, 4)).output_shape((1, 100, 8))
    (1, 25, 8)
    """

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape)
        C = shape[2]
        rows, columns = window.rows, window.columns
        padded = (rows.padded, columns.padded, C, width)
        # Taps inside the image, a window: the divisor leaves the border out.
        inside = np.zeros((rows.padded, columns.padded), dtype)
        _inside(inside, window)[...] = 1
        counts = sum(taps(inside, window))
        plan = Plan(kernel=(window, (1 / counts).astype(dtype)[:, :, None, None]))
        bordered = rows.padded > shape[0] or columns.padded > shape[1]
        plan.scratch["forward"] = {"x": padded} if bordered else {}
        plan.scratch["backward"] = {"part": (*window.output, C, width), **({"dx": padded} if bordered else {})}
        return plan

    def forward(self, frame, training):
        window, share = frame.plan.kernel
        x = frame.x
        if "x" in frame.scratch.forward:
            x = frame.scratch.forward.x
            x.fill(0)
            np.copyto(_inside(x, window), frame.x)
        views = taps(x, window)
        np.copyto(frame.y, next(views))
        for view in views:
            np.add(frame.y, view, out=frame.y)
        np.multiply(frame.y, share, out=frame.y)

    def backward(self, frame):
        if frame.dx is None:
            return
        window, share = frame.plan.kernel
        part = frame.scratch.backward.part
        dx = frame.scratch.backward.get("dx", frame.dx)
        np.multiply(frame.dy, share, out=part)
        dx.fill(0)
        for view in taps(dx, window):
            np.add(view, part, out=view)
        if dx is not frame.dx:
            np.copyto(frame.dx, _inside(dx, window))


def _inside(padded, window):
    """The image within its borders."""
    rows, columns = window.rows, window.columns
    return padded[rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]


class StridePool(Layer):
    """Sub-sampling: every ``pool_size``-th sample from the top left, ``x[::s, ::s]``.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Step down and across; on a series one number is the step along time.

    Notes
    -----
    After a convolution the two become one strided convolution, which never computes what would be left out.

    Examples
    --------
    >>> from skconv.layers import StridePool
    >>> StridePool(2).output_shape((7, 7, 32))
    (4, 4, 32)
    """

    def __init__(self, pool_size=2):
        self.pool_size = pool_size

    def output_shape(self, shape):
        down, across = pair(self.pool_size, shape[0])
        return (-(-shape[0] // down), -(-shape[1] // across), shape[2])

    def commutes(self, layer) -> bool:
        """Whether the layer before this one can just as well come after it."""
        return isinstance(layer, Activation) or (isinstance(layer, Bias) and layer.moves)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        return Plan(kernel=pair(self.pool_size, shape[0]))

    def forward(self, frame, training):
        down, across = frame.plan.kernel
        np.copyto(frame.y, frame.x[::down, ::across])

    def backward(self, frame):
        if frame.dx is not None:
            down, across = frame.plan.kernel
            frame.dx.fill(0)
            np.copyto(frame.dx[::down, ::across], frame.dy)


class GlobalMeanPool(Layer):
    """Mean of each channel over the image: a vector with one number a channel.

    Examples
    --------
    >>> from skconv.layers import GlobalMeanPool
    >>> GlobalMeanPool().output_shape((7, 7, 32))
    (32,)
    """

    def output_shape(self, shape):
        return (shape[2],)

    def forward(self, frame, training):
        np.add.reduce(frame.x, axis=(0, 1), out=frame.y)
        np.divide(frame.y, frame.x.shape[0] * frame.x.shape[1], out=frame.y)

    def backward(self, frame):
        if frame.dx is not None:
            np.divide(frame.dy, frame.x.shape[0] * frame.x.shape[1], out=frame.dx)
