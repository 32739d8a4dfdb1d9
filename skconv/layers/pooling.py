"""Pooling: a summary of each window, or one sample of it."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .._input.checks import check_window_fits
from .._input.constraints import at_least, border_widths, shown, sizes
from .._input.overflow import average_in_range
from .._kernels.geometry import Window, make_window, pair
from .._kernels.padding import inside
from .._kernels.pooling import (
    MANY_TAPS,
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
from ._frame import Plan
from .activation import Activation
from .bias import Bias
from .convolution import Convolution

__all__ = ["LpPool", "MaxPool", "MeanPool", "StridePool"]


class WindowPool(Layer):
    """Base of the layers that summarise windows over the image, channel by channel; not for use."""

    _parameter_constraints: dict = {
        "pool_size": [sizes()],
        "stride": [sizes(), None],
        "padding": [border_widths()],
        "ceil_mode": ["boolean"],
    }
    takes = "image"
    summary_shows = "pool_size"
    by_rows = True
    _border = 0.0  # what a window reads outside the image
    _separable = True  # whether it is a summary down of summaries across

    def __init__(self, pool_size=2, *, stride=None, padding=0, ceil_mode=False):
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode

    def window(self, shape) -> Window:
        """Geometry of the windows over an input of this shape."""
        stride = self.pool_size if self.stride is None else self.stride
        window = make_window(
            shape[0], shape[1], self.pool_size, stride=stride, padding=self.padding, ceil_mode=self.ceil_mode
        )
        for axis in (window.rows, window.columns):
            if 2 * max(axis.before, axis.after) > axis.kernel:
                relation = f"padding={shown(self.padding)} is more than half of pool_size={shown(self.pool_size)}"
                raise ValueError(f"{relation}, so a window could lie outside the image; use at most half")
        check_window_fits("pool_size", self.pool_size, window)
        return window

    def lower(self, shape):
        """A large window is taken across, then down: a call for each row and column of it, not for each pixel."""
        window = self.window(shape)
        rows, columns = window.rows, window.columns
        if not self._separable or min(rows.kernel, columns.kernel) == 1 or rows.kernel * columns.kernel <= MANY_TAPS:
            return [self]
        across = {"pool_size": (1, columns.kernel), "stride": (1, columns.stride)}
        down = {"pool_size": (rows.kernel, 1), "stride": (rows.stride, 1)}
        return [
            self.copy().set_params(**across, padding=((0, 0), (columns.before, columns.after))),
            self.copy().set_params(**down, padding=((rows.before, rows.after), (0, 0))),
        ]

    def output_shape(self, shape):
        return (*self.window(shape).output, shape[2])

    def strip(self, shape, start, stop):
        rows, columns = self.window(shape).rows, self.window(shape).columns
        first, end, borders = rows.strip(start, stop)
        layer = self.copy().set_params(
            pool_size=(rows.kernel, columns.kernel),
            stride=(rows.stride, columns.stride),
            padding=(borders, (columns.before, columns.after)),
        )
        return (layer, first, end) if first < end else None

    def _padded(self, window, shape, width) -> tuple[int, int, int, int] | None:
        """Shape of a block of images within their borders, None where they have none."""
        size = (window.rows.padded, window.columns.padded)
        return None if size == shape[:2] else (*size, shape[2], width)

    def _bordered(self, frame, window, scratch):
        """The input within its borders, or itself."""
        if "x" not in scratch:
            return frame.x
        scratch.x.fill(self._border)
        np.copyto(inside(scratch.x, window), frame.x)
        return scratch.x


class _PlainPool(WindowPool):
    """Base of the maximum and the mean, which prediction takes with the convolution before them, or on a sample."""

    ends_band = True
    single_sample = "windows"

    def tile(self, shape):
        """Height of the windows where they lie side by side down the image."""
        rows = self.window(shape).rows
        return rows.kernel if (rows.stride, rows.padded) == (rows.kernel, rows.size) else 0


class MaxPool(_PlainPool):
    """Maximum of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Samples between windows; None means ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border that never is the maximum; at most half the window.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the border, where samples would be left over.  One that would start
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

    def commutes(self, before):
        increasing = isinstance(before, Activation) and before.increasing
        return increasing or (isinstance(before, Bias) and before.pointwise)

    def tiles(self, shape) -> bool:
        """Whether the windows are 2 x 2 tiles."""
        window = self.window(shape)
        return all((a.kernel, a.stride, a.padded) == (2, 2, a.size) for a in (window.rows, window.columns))

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape).trimmed()
        (P, Q), C = window.output, shape[2]
        pooled, boolean = (P, Q, C, width), np.dtype(bool)
        if self.tiles(shape):
            across = (shape[0], Q, C, width)
            masks = {"rows": across, "mask": (pooled, boolean), "mask2": (across, boolean)}
            if training:
                return Plan(buffers={"across": across}, scratch={"backward": masks})
            return Plan(scratch={"forward": {"across": across}})
        plan = Plan(kernel=window)
        padded = self._padded(window, shape, width)
        if padded:
            plan.scratch["forward"] = {"x": padded}
        if training:
            masks = {"part": pooled, "mask": (pooled, boolean), "left": (pooled, boolean), "y": pooled}
            plan.scratch["backward"] = {**masks, **({"x": padded, "dx": padded} if padded else {})}
        return plan

    def forward(self, frame, training):
        window = frame.plan.kernel
        if window is None:
            across = frame.buffers.across if training else frame.scratch.forward.across
            max_tiles(frame.x, across, frame.y)
        else:
            max_pool(self._bordered(frame, window, frame.scratch.get("forward", {})), window, frame.y)

    def backward(self, frame):
        if frame.dx is None:
            return
        window, work = frame.plan.kernel, frame.scratch.backward
        if window is None:
            max_tiles_gradient(frame.x, frame.buffers.across, frame.dy, work, frame.dx)
            return
        x = self._bordered(frame, window, work)
        max_pool(x, window, work.y)  # the output itself may have been overwritten by a layer in place
        dx = work.get("dx", frame.dx)
        max_pool_gradient(x, window, work.y, frame.dy, work, dx)
        if dx is not frame.dx:
            np.copyto(frame.dx, inside(dx, window))


class MeanPool(_PlainPool):
    """Mean of each window.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    stride : int or (int, int), default=None
        Samples between windows; None means ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border; at most half the window.
    ceil_mode : bool, default=False
        As in `MaxPool`.  What a window reads beyond the border never counts.
    count_include_pad : bool, default=False
        Whether the border counts, as zeros, or is left out of the mean.

    Examples
    --------
    >>> from skconv.layers import MeanPool
    >>> MeanPool((1, 4)).output_shape((1, 100, 8))
    (1, 25, 8)
    """

    _parameter_constraints: dict = {**WindowPool._parameter_constraints, "count_include_pad": ["boolean"]}

    def __init__(self, pool_size=2, *, stride=None, padding=0, ceil_mode=False, count_include_pad=False):
        super().__init__(pool_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
        self.count_include_pad = count_include_pad

    def commutes(self, before):
        return isinstance(before, Bias) and before.pointwise and not self.count_include_pad

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape).trimmed()
        share = _shares(self.window(shape), self.count_include_pad).astype(dtype)
        plan = Plan(kernel=(window, share[:, :, None, None]))
        padded = self._padded(window, shape, width)
        part = (*window.output, shape[2], width)
        plan.scratch["forward"] = {**({"x": padded} if padded else {}), **lost_digits(window, part)}
        if training:
            plan.scratch["backward"] = {"part": part, **({"dx": padded} if padded else {})}
        return plan

    def forward(self, frame, training):
        window, share = frame.plan.kernel
        work = frame.scratch.forward

        def average(x):
            add_taps(taps(x, window), work, frame.y)
            np.multiply(frame.y, share, out=frame.y)

        x = self._bordered(frame, window, work)
        if training:
            average(x)
        else:
            average_in_range(average, x, frame.y, window.rows.kernel * window.columns.kernel)

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
            np.copyto(frame.dx, inside(dx, window))


class LpPool(WindowPool):
    """Norm of each window: ``(sum |x|^p)^(1 / p)``, as in ONNX.

    Parameters
    ----------
    pool_size : int or (int, int), default=2
        Window down and across; on a series one number is the window along time.
    p : float, default=2
        At least 1: with 1 the sum of absolute values, with a large number nearly their maximum.
    stride : int or (int, int), default=None
        Samples between windows; None means ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border of zeros; at most half the window.
    ceil_mode : bool, default=False
        As in `MaxPool`.

    Notes
    -----
    Where a window is zero, its gradient is zero.  PyTorch's `LPPool2d` sums ``x^p`` with its sign, which is the same
    where p is even or x is not negative.

    Examples
    --------
    >>> from skconv.layers import LpPool
    >>> LpPool(2, p=3).output_shape((7, 7, 32))
    (3, 3, 32)
    """

    _parameter_constraints: dict = {**WindowPool._parameter_constraints, "p": [at_least(1, Real)]}

    def __init__(self, pool_size=2, p=2, *, stride=None, padding=0, ceil_mode=False):
        super().__init__(pool_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
        self.p = p

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape).trimmed()
        padded = self._padded(window, shape, width)
        pooled = (*window.output, shape[2], width)
        work = {"part": pooled, "largest": pooled, **({"x": padded} if padded else {}), **lost_digits(window, pooled)}
        plan = Plan(kernel=window, scratch={"forward": work})
        if training:
            plan.scratch["backward"] = {**work, "y": pooled, **({"dx": padded} if padded else {})}
        return plan

    def forward(self, frame, training):
        window, work = frame.plan.kernel, frame.scratch.forward
        lp_pool(self._bordered(frame, window, work), window, float(self.p), work, frame.y)

    def backward(self, frame):
        if frame.dx is None:
            return
        window, work = frame.plan.kernel, frame.scratch.backward
        x, dx = self._bordered(frame, window, work), work.get("dx", frame.dx)
        lp_pool(x, window, float(self.p), work, work.y)  # the output itself may have been overwritten
        lp_pool_gradient(x, window, float(self.p), work.y, frame.dy, work, dx)
        if dx is not frame.dx:
            np.copyto(frame.dx, inside(dx, window))


def sample_counts(window) -> np.ndarray:
    """How many samples of the image lie in each window, ``(P, Q)``."""
    return np.outer(_counts_along(window.rows, False), _counts_along(window.columns, False))


def _shares(window, borders) -> np.ndarray:
    """One over the number of samples of the image, or of it and its borders, in each window, ``(P, Q)``."""
    down, across = (_counts_along(axis, borders) for axis in (window.rows, window.columns))
    return np.array([[1 / (n * m) for m in across] for n in down])  # Python's integers: no product is too large


def _counts_along(axis, borders) -> list[int]:
    """How many samples of an axis, or of it and its borders, lie in each window."""
    first, stop = (0, axis.padded - axis.overhang) if borders else (axis.before, axis.before + axis.size)
    starts = range(0, axis.output * axis.stride, axis.stride)
    return [min(start + axis.kernel, stop) - max(start, first) for start in starts]


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
