"""Windows over the image with weights: what convolutions and locally connected layers share."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import SimpleNamespace

import numpy as np
from sklearn.base import clone

from .._input.checks import check_window_fits
from .._input.constraints import at_least, border_widths, one_of, sizes
from .._kernels.adjoint import PART_BYTES, count_parts
from .._kernels.algorithm import Correlation
from .._kernels.geometry import Window, make_window
from ._base import Layer
from ._frame import Frame, Plan
from ._operation import Parameter
from .bias import BIAS, Bias, bias_parameters
from .initializers import INITIALIZER
from .pad import Pad

__all__ = ["Windowed", "WindowedPlan"]


@dataclass(kw_only=True)
class WindowedPlan(Plan):
    """With the algorithm that correlates the windows with the weight."""

    algorithm: Correlation


class Windowed(Layer):
    """Windows over the image, ``filters`` numbers each: geometry, border and bias of a convolution."""

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
    sees_all = False  # whether each output has a weight for the whole image, not for its window alone
    groups = 1
    padding_mode = "constant"
    padding_values = 0

    def lower(self, shape):
        steps, border = [self], self.border(shape)
        if border is not None:
            steps = [border, self._without_border(shape)]
        if self.bias:
            steps[-1:] = [clone(steps[-1]).set_params(bias=False), Bias(self.bias)]
        return steps

    def border(self, shape) -> Pad | None:
        """The layer that makes the border; None where there is none, or one of zeros, which takes no layer."""
        axes = self.window(shape).rows, self.window(shape).columns
        pad = Pad(tuple((axis.before, axis.after) for axis in axes), self.padding_mode, self.padding_values)
        pad.check_values(shape[2])
        empty = pad.output_shape(shape) == tuple(shape)
        zeros = self.padding_mode == "constant" and not np.any(self.padding_values)
        return None if empty or zeros else pad

    def _without_border(self, shape):
        """The same windows over an image with its border; its height says no more whether it was a series."""
        rows, columns = self.window(shape).rows, self.window(shape).columns
        return clone(self).set_params(
            kernel_size=(rows.kernel, columns.kernel),
            stride=(rows.stride, columns.stride),
            dilation=(rows.dilation, columns.dilation),
            padding="valid",
            padding_mode="constant",
            padding_values=0,
        )

    def window(self, shape) -> Window:
        """Geometry of the windows over an input of this shape."""
        window = make_window(
            shape[0],
            shape[1],
            self.kernel_size,
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
        )
        check_window_fits("kernel_size", self.kernel_size, window)
        return window

    def output_shape(self, shape):
        self.border(shape)
        return (*self.window(shape).output, self.filters)

    def weight_shape(self, shape) -> tuple[int, ...]:
        """Shape of the weight for an input of this shape: a filter's is its last three axes."""
        raise NotImplementedError

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        """The borders of the input, and what binds the parts of dilations and strides."""
        axes = self.window(shape).rows, self.window(shape).columns
        borders = prod(axis.padded for axis in axes) - prod(axis.size for axis in axes)
        parts = self.groups * prod(min(axis.dilation, axis.output) for axis in axes)
        if input_gradient:
            parts += count_parts(axes)
        return borders * shape[2] * width * dtype.itemsize + PART_BYTES * parts

    def parameters(self, shape):
        weight = self.weight_shape(shape)
        # Muon takes kernels that all positions share.
        kernels = Parameter(weight, decays=True, unit_axes=len(weight) - 3, matrix=len(weight) == 4)
        return {"weight": kernels, **bias_parameters(self.bias, self.output_shape(shape))}

    def multiply_adds(self, shape):
        return prod(self.weight_shape(shape))

    def connections(self, shape):
        window = self.window(shape)
        positions, taps = prod(window.output), window.rows.kernel * window.columns.kernel
        shared = self.filters * taps * (shape[2] // self.groups)
        return positions * self.filters * prod(shape), positions * shared, shared

    # For those whose plan has an algorithm.

    def bind(self, frame: Frame[WindowedPlan]):
        algorithm, views = frame.plan.algorithm, SimpleNamespace()
        if frame.y is not None:
            views.forward = algorithm.bind(frame.x_storage, frame.scratch.forward, frame.y)
        if frame.dy is not None:
            views.gradient = algorithm.bind_gradient(frame.x_storage, frame.dy, frame.scratch.gradient)
        if frame.dx is not None:
            views.adjoint = self.bind_adjoint(frame)
        return views

    def bind_adjoint(self, frame):
        """What the data gradient does on the frame's arrays."""
        raise NotImplementedError

    def forward(self, frame: Frame[WindowedPlan], training):
        frame.plan.algorithm.run(frame.bound.forward, frame.shared.weight)

    def weight_gradient(self, frame: Frame[WindowedPlan]):
        """Fill the gradient of the weight."""
        gradient, scratch = frame.bound.gradient, frame.scratch.gradient
        frame.plan.algorithm.run_gradient(gradient, scratch, frame.gradients.weight)
