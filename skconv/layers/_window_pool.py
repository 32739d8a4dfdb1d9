"""Base classes of pooling: a summary of each window over the image, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._input.checks import check_window_fits
from .._input.constraints import border_widths, shown, sizes
from .._kernels.geometry import Window, make_window
from .._kernels.memory import Shapes
from .._kernels.padding import inside
from .._kernels.pooling import MANY_TAPS
from ._base import Layer
from ._frame import Plan
from ._operation import Operation

__all__ = ["PoolingLayer", "WindowPlan", "WindowPool"]


@dataclass(kw_only=True)
class WindowPlan(Plan):
    """Plan with the windows, without taps that never lie on the image."""

    window: Window


class WindowPool(Operation):
    """Base class of operations that summarise each window over the image, channel by channel."""

    takes = "image"
    by_rows = True
    _border = 0.0  # value of the border

    def __init__(self, pool_size=2, *, stride=None, padding=0, ceil_mode=False):
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode

    def window(self, shape) -> Window:
        """The windows over an input of ``shape``."""
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

    def output_shape(self, shape):
        return (*self.window(shape).output, shape[2])

    def strip(self, shape, start, stop):
        rows, columns = self.window(shape).rows, self.window(shape).columns
        first, end, borders = rows.strip(start, stop)
        strip = self._like(
            pool_size=(rows.kernel, columns.kernel),
            stride=(rows.stride, columns.stride),
            padding=(borders, (columns.before, columns.after)),
        )
        return (strip, first, end) if first < end else None

    def _like(self, **changes):
        """A copy with other parameters."""
        return type(self)(**{**vars(self), **changes})

    def _padded(self, window, shape, width, *names) -> Shapes:
        """Shapes, by these names, of a block of images with their borders; empty without borders."""
        size = (window.rows.padded, window.columns.padded)
        return dict.fromkeys(() if size == shape[:2] else names, (*size, shape[2], width))

    def _bordered(self, frame, window, scratch):
        """The input with its borders; the input itself without borders."""
        if "x" not in scratch:
            return frame.x
        scratch.x.fill(self._border)
        np.copyto(inside(scratch.x, window), frame.x)
        return scratch.x


class PoolingLayer(WindowPool, Layer):
    """Base class of pooling layers whose summary of a window can be taken across, then down."""

    _parameter_constraints: dict = {
        "pool_size": [sizes()],
        "stride": [sizes(), None],
        "padding": [border_widths()],
        "ceil_mode": ["boolean"],
    }
    summary_shows = "pool_size"

    def lower(self, shape):
        """Pooling across, then down, for large windows: a call per row and column of a window, not per pixel."""
        rows, columns = self.window(shape).rows, self.window(shape).columns
        if min(rows.kernel, columns.kernel) == 1 or rows.kernel * columns.kernel <= MANY_TAPS:
            return [self]
        across, down = ((0, 0), (columns.before, columns.after)), ((rows.before, rows.after), (0, 0))
        return [
            self._like(pool_size=(1, columns.kernel), stride=(1, columns.stride), padding=across),
            self._like(pool_size=(rows.kernel, 1), stride=(rows.stride, 1), padding=down),
        ]
