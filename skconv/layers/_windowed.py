"""Base classes of layers with weights on windows over the image, such as convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import SimpleNamespace

import numpy as np
from sklearn.base import clone

from .._input.checks import check_window_fits
from .._input.constraints import at_least, border_widths, one_of, sizes
from .._kernels.adjoint import PART_BYTES, Adjoint, count_parts
from .._kernels.algorithm import Correlation
from .._kernels.geometry import Axis, Window, make_window
from .._kernels.local import LocalAdjoint
from .._kernels.memory import Storage
from ._base import Layer
from ._borders import Border
from ._frame import Frame, Plan
from ._operation import Parameter
from .bias import BIAS, Bias, bias_parameters
from .initializers import INITIALIZER
from .padding_modes import PADDING_MODE, ConstantPadding, PatternPadding, mode_of

__all__ = ["Correlating", "Windowed", "WindowedPlan"]


@dataclass(kw_only=True)
class WindowedPlan(Plan):
    """Plan with the algorithm of the forward pass and, if the input has a gradient, its adjoint."""

    algorithm: Correlation
    adjoint: Adjoint | LocalAdjoint | None = None


class Windowed(Layer):
    """Base class of layers with ``filters`` outputs for each window: geometry, border and bias."""

    _parameter_constraints: dict = {
        "filters": [at_least(1)],
        "kernel_size": [sizes()],
        "stride": [sizes()],
        "dilation": [sizes()],
        "padding": [one_of("same", "valid"), border_widths()],
        "bias": BIAS,
        "initializer": INITIALIZER,
    }
    takes = "image"
    summary_shows = "kernel_size"
    sees_all = False  # whether each output has weights for the whole image, not for its window alone
    groups = 1
    padding_mode = "constant"

    def lower(self, shape):
        steps, border = [self], self.border(shape)
        if border is not None:
            steps = [border, self._over(self.window(shape), padding="valid", padding_mode="constant")]
        if self.bias:
            steps[-1:] = [clone(steps[-1]).set_params(bias=False), Bias(self.bias)]
        return steps

    def border(self, shape) -> Border | None:
        """The operation that makes the border; None without a border, or for zeros, which need no operation."""
        axes = self.window(shape).rows, self.window(shape).columns
        sides = tuple((axis.before, axis.after) for axis in axes)
        mode = mode_of(self.padding_mode, shape)
        border = mode._border(make_window(shape[0], shape[1], 1, padding=sides))
        empty = border.output_shape(shape) == tuple(shape)
        zeros = type(mode) in (ConstantPadding, PatternPadding) and not np.any(mode.values)
        return None if empty or zeros else border

    def _over(self, window, **changes):
        """A copy with the same windows in numbers down and across, and other changes; for images of another height."""
        rows, columns = window.rows, window.columns
        sizes = {"kernel_size": (rows.kernel, columns.kernel), "stride": (rows.stride, columns.stride)}
        return clone(self).set_params(**sizes, dilation=(rows.dilation, columns.dilation), **changes)

    def window(self, shape) -> Window:
        """The windows over an input of ``shape``."""
        options = {"stride": self.stride, "dilation": self.dilation, "padding": self.padding}
        window = make_window(shape[0], shape[1], self.kernel_size, **options)
        check_window_fits("kernel_size", self.kernel_size, window)
        return window

    def output_shape(self, shape):
        self.border(shape)
        return (*self.window(shape).output, self.filters)

    def weight_shape(self, shape) -> tuple[int, ...]:
        """Shape of the weight for an input of ``shape``; the last three axes are those of a filter."""
        raise NotImplementedError

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        """Bytes of the input's borders, and of the objects that bind the parts of dilations and strides."""
        axes = self.window(shape).rows, self.window(shape).columns
        borders = prod(axis.padded for axis in axes) - prod(axis.size for axis in axes)
        parts = self.groups * prod(min(axis.dilation, axis.output) for axis in axes)
        if input_gradient:
            parts += count_parts(axes)
        return borders * shape[2] * width * dtype.itemsize + PART_BYTES * parts

    def parameters(self, shape):
        weight = self.weight_shape(shape)
        # Muon takes kernels that are shared by all positions.
        kernels = Parameter(weight, decays=True, unit_axes=len(weight) - 3, matrix=len(weight) == 4)
        return {"weight": kernels, **bias_parameters(self.bias, self.output_shape(shape))}

    def state_shapes(self, shape):
        border = self.border(shape)
        return {} if border is None else border.state_shapes(shape)

    def multiply_adds(self, shape):
        return prod(self.weight_shape(shape))

    def connections(self, shape):
        window = self.window(shape)
        positions, taps = prod(window.output), window.rows.kernel * window.columns.kernel
        shared = self.filters * taps * (shape[2] // self.groups)
        return positions * self.filters * prod(shape), positions * shared, shared


class Correlating(Windowed):
    """Base class of layers with weights on the window alone, by an algorithm of `_kernels` and its adjoint."""

    _parameter_constraints: dict = {**Windowed._parameter_constraints, "padding_mode": PADDING_MODE}

    def _algorithm(self, window: Window, channels, width, dtype, *, alike) -> Correlation:
        """The algorithm for windows over images with their borders."""
        raise NotImplementedError

    def _adjoint(self, algorithm, window: Window, channels, width, dtype) -> Adjoint | LocalAdjoint:
        """The algorithm of the data gradient."""
        raise NotImplementedError

    def plan(self, shape, width, dtype, *, training, input_gradient) -> WindowedPlan:
        window, channels = self.window(shape), shape[2]
        axes = rows, columns = window.rows, window.columns
        stored = Window(*(Axis(axis.padded, axis.kernel, axis.stride, axis.dilation) for axis in axes))
        algorithm = self._algorithm(stored, channels, width, dtype, alike=not training)
        plan = WindowedPlan(algorithm=algorithm, temporary=algorithm.temporary)
        plan.x = Storage(algorithm.stored_rows, algorithm.stored_columns, rows.before, columns.before)
        plan.shared["weight"], plan.scratch["forward"] = algorithm.weight_shape, algorithm.scratch
        if training:
            plan.scratch["gradient"] = algorithm.gradient_scratch
        if training and input_gradient:
            plan.adjoint = adjoint = self._adjoint(algorithm, window, channels, width, dtype)
            plan.shared |= adjoint.shared
            plan.scratch |= adjoint.scratch
            plan.temporary = max(plan.temporary, adjoint.temporary)
            plan.dy, plan.aside = adjoint.storage, True
        return plan

    def prepare(self, parameters, state, plan: WindowedPlan, shared):
        plan.algorithm.prepare(parameters.weight, shared.weight)
        if plan.adjoint is not None:
            plan.adjoint.prepare(parameters.weight, shared)

    def bind(self, frame: Frame[WindowedPlan]):
        algorithm, adjoint, views = frame.plan.algorithm, frame.plan.adjoint, SimpleNamespace()
        if frame.y is not None:
            views.forward = algorithm.bind(frame.x_storage, frame.scratch.forward, frame.y)
        if frame.dy is not None:
            views.gradient = algorithm.bind_gradient(frame.x_storage, frame.dy, frame.scratch.gradient)
        if adjoint is not None:
            views.adjoint = adjoint.bind(frame.dy_storage, frame.scratch, frame.dx)
        return views

    def forward(self, frame: Frame[WindowedPlan], training):
        frame.plan.algorithm.run(frame.bound.forward, frame.shared.weight)

    def _weight_gradient(self, frame: Frame[WindowedPlan]):
        """Fill ``frame.gradients.weight``."""
        gradient, scratch = frame.bound.gradient, frame.scratch.gradient
        frame.plan.algorithm.run_gradient(gradient, scratch, frame.gradients.weight)

    def backward(self, frame: Frame[WindowedPlan]):
        frame.aside(self._weight_gradient, frame)
        if frame.plan.adjoint is not None:
            frame.plan.adjoint.run(frame.bound.adjoint, frame.shared, frame.dx)
