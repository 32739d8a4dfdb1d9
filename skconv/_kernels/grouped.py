"""Correlation in groups of channels: a filter reads the channels of its own group alone.

The order is PyTorch's: of ``F`` filters and ``C`` channels in ``G`` groups, filter ``f`` belongs to group
``f // (F / G)``, channel ``c`` to group ``c // (C / G)``.

`Grouped`, for any stride, dilation and kernel, gathers windows by groups and takes a small product per position and
group.  `Split` copies one group at a time, and one of the interleaved images that a dilation leaves, for an algorithm
without groups that saves products.  `depthwise` has algorithms for groups of one channel.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Groups
from .geometry import Axis, Window
from .sums import fold

__all__ = ["Grouped", "Split"]


class Grouped(Groups):
    """Windows gathered by groups: ``out[p, q, g] = weight[g] @ window[p, g, q]``.

    The input rows of each output row are copied next to each other, group by group, so that windows across are views,
    as in `Gathered`.  Windows of one position, or of one row in groups of one channel, need no copy.

    Parameters as `Groups`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.across = self.columns.dilation == 1  # windows across are views, without a copy
        self.copies = not (self.R == 1 and (self.S == 1 or self.C == 1))
        lines = self.columns.size if self.across else self.Q * self.S
        if self.copies:
            per_row = lines * self.R * channels * width * self.dtype.itemsize
            self.band = self.rows_per_band = max(1, min(self.P, self.band_bytes // per_row))
            self.scratch = {"gathered": (self.band, groups, lines, self.R * self.C, width)}
        self.weight_shape = (groups, 1, self.F, self.K)
        self.gradient_scratch = {
            **self.scratch,
            "product": (groups, self.Q, self.F, self.K),
            "row": (groups, self.F, self.K),
            "total": (groups, self.F, self.K),
        }

    def prepare(self, weight, out):
        """Write a weight into ``out`` (G, 1, F // G, S * R * C // G), in the order of the rows of a window."""
        np.copyto(self._by_column(out[:, 0]), self.by_group(weight).swapaxes(2, 3))

    def _by_column(self, weight):
        """View ``(G, F // G, S, R, C // G)`` of a weight ``(G, F // G, S * R * C // G)``."""
        return weight.reshape(self.G, self.F, self.S, self.R, self.C, copy=False)

    def fit_bands(self, rows, multiple) -> int:
        super().fit_bands(rows, multiple)
        if self.copies:
            gathered = (self.band, *self.scratch["gathered"][1:])
            self.scratch["gathered"] = self.gradient_scratch["gathered"] = gathered
        return self.band

    def _bands(self, x, scratch):
        """Per band: its first output row, arguments of a copy (or None), windows ``(rows, G, Q, K, N)``."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        for start, count in self.starts():
            first, shape = x[start * rows.stride :], (count, self.G, self.Q, self.K, self.N)
            if not self.copies:
                tap_stride = c if self.S == 1 else w * columns.dilation
                strides = (h * rows.stride, c * self.C, w * columns.stride, tap_stride, n)
                yield start, None, as_strided(first, shape, strides)
                continue
            lines = scratch["gathered"][:count]
            if self.across:
                taps, steps, step = (columns.size,), (w,), columns.stride
            else:
                taps, steps, step = (self.Q, self.S), (w * columns.stride, w * columns.dilation), self.S
            inner, strides = (self.R, self.C, self.N), (h * rows.dilation, c, n)
            source = as_strided(first, (count, self.G, *taps, *inner), (h * rows.stride, c * self.C, *steps, *strides))
            lh, lg, lw, lc, ln = lines.strides
            yield start, (lines.reshape(source.shape), source), as_strided(lines, shape, (lh, lg, lw * step, lc, ln))

    def _by_position(self, rows):
        """View ``(rows, G, Q, F // G, N)`` of output rows ``(rows, Q, F, N)``."""
        h, w, f, n = rows.strides
        return as_strided(rows, (len(rows), self.G, self.Q, self.F, self.N), (h, f * self.F, w, f, n))

    def bind(self, x, scratch, out):
        return [
            (copy, windows, self._by_position(out[start : start + len(windows)]))
            for start, copy, windows in self._bands(x, scratch)
        ]

    def run(self, bound, weight):
        for copy, windows, out in bound:
            if copy is not None:
                np.copyto(*copy)
            self.product(weight, windows, out=out)

    def bind_gradient(self, x, dy, scratch):
        bound = []
        for start, copy, windows in self._bands(x, scratch):
            rows = self._by_position(dy[start : start + len(windows)])
            bound.append((copy, list(zip(rows, windows.swapaxes(3, 4), strict=True))))
        return bound

    def run_gradient(self, bound, scratch, out):
        total = scratch["total"]
        total.fill(0)
        for copy, rows in bound:
            if copy is not None:
                np.copyto(*copy)
            for dy, windows in rows:
                np.matmul(dy, windows, out=scratch["product"])
                fold(scratch["product"].swapaxes(0, 1), scratch["row"])
                np.add(total, scratch["row"], out=total)
        np.copyto(self.by_group(out), self._by_column(total).swapaxes(2, 3))


class Split(Groups):
    """A copy of one group and one interleaved image at a time, for an algorithm without groups and dilation.

    A dilation by ``d``, down or across, makes ``d`` interleaved images, which do not depend on each other.  The copies
    cost less than F(m, R) saves: all passes of 3 x 3 taps with dilation 2 and 32 to 64 channels of 16 x 16 take 0.6
    times the time.

    Parameters as `Groups`, and

    choose : callable
        ``choose(window, channels, filters, width, dtype, alike)`` gives the algorithm for one part.
    """

    def __init__(
        self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False, *, choose
    ):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.rows_apart, self.columns_apart = _interleaved(window.rows), _interleaved(window.columns)
        plain = Window(self.rows_apart[0].axis, self.columns_apart[0].axis)  # the first image is the largest
        self.kernel = kernel = choose(plain, self.C, self.F, width, dtype, alike)
        shape = kernel.weight_shape
        self.weight_shape = ((groups, *shape[0]), shape[1]) if isinstance(shape[0], tuple) else (groups, *shape)
        x_part = (kernel.stored_rows, kernel.stored_columns, self.C, width)
        copies = {"x_part": x_part, "y_part": (*plain.output, self.F, width)}
        weight = {"weight": (self.F, self.R, self.S, self.C)}
        self.scratch = {**copies, **kernel.scratch}
        self.gradient_scratch = {**copies, **weight, **kernel.gradient_scratch}
        self.temporary = kernel.temporary

    def prepare(self, weight, out):
        """Write the prepared weights of all groups into ``out``."""
        for each, into in zip(self.by_group(weight), out, strict=True):
            self.kernel.prepare(each, into)

    def fit_bands(self, rows, multiple) -> int:
        """Return ``P``: all output rows are one band."""
        return self.P

    def _parts(self, x, y, scratch):
        """Per group and image: the group; input copy, scratch beyond the input; output copy, scratch beyond the output.

        A copy is ``(scratch, array)``; ``y`` is the output or its gradient.
        """
        for down in self.rows_apart:
            for across in self.columns_apart:
                places = (slice(0, down.axis.size), slice(0, across.axis.size))
                x_beyond = [scratch["x_part"][down.axis.size :], scratch["x_part"][:, across.axis.size :]]
                y_beyond = [scratch["y_part"][down.axis.output :], scratch["y_part"][:, across.axis.output :]]
                outputs = scratch["y_part"][: down.axis.output, : across.axis.output]
                for g in range(self.G):
                    source = x[down.inputs, across.inputs, g * self.C : (g + 1) * self.C]
                    result = y[down.outputs, across.outputs, g * self.F : (g + 1) * self.F]
                    yield g, (scratch["x_part"][places], source), x_beyond, (outputs, result), y_beyond

    def bind(self, x, scratch, out):
        inside = self.kernel.bind(scratch["x_part"], scratch, scratch["y_part"])
        return [(list(self._parts(x, out[0 : self.P], scratch)), inside)]

    def run(self, bound, weight):
        for parts, inside in bound:
            for g, copy, beyond, (outputs, result), _ in parts:
                np.copyto(*copy)
                for rest in beyond:
                    rest.fill(0)
                self.kernel.run(inside, weight[g])
                np.copyto(result, outputs)

    def bind_gradient(self, x, dy, scratch):
        return list(self._parts(x, dy, scratch)), self.kernel.bind_gradient(
            scratch["x_part"], scratch["y_part"], scratch
        )

    def run_gradient(self, bound, scratch, out):
        parts, inside = bound
        out[...] = 0
        for g, copy, x_beyond, gradient, y_beyond in parts:
            np.copyto(*copy)
            np.copyto(*gradient)
            for rest in (*x_beyond, *y_beyond):
                rest.fill(0)
            self.kernel.run_gradient(inside, scratch, scratch["weight"])
            np.add(self.by_group(out)[g], scratch["weight"], out=self.by_group(out)[g])


class _Apart(NamedTuple):
    """One of the interleaved images along an axis."""

    axis: Axis  # without dilation
    inputs: slice
    outputs: slice


def _interleaved(axis: Axis) -> list[_Apart]:
    """The interleaved images along an axis: in each the outputs whose taps read the same inputs, without dilation."""
    shared = gcd(axis.stride, axis.dilation)
    step, stride = axis.dilation // shared, axis.stride // shared
    found = []
    for first in range(min(step, axis.output)):
        outputs = len(range(first, axis.output, step))
        plain = Axis((outputs - 1) * stride + axis.kernel, axis.kernel, stride)
        start = first * axis.stride
        stop = start + (plain.size - 1) * axis.dilation + 1
        found.append(_Apart(plain, slice(start, stop, axis.dilation), slice(first, None, step)))
    return found
