"""Transposed convolution: each input adds a multiple of a kernel to the output."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from numbers import Integral
from types import SimpleNamespace

import numpy as np
from sklearn.base import clone

from .._input.constraints import shown, sizes
from .._kernels.adjoint import PART_BYTES, Adjoint, count_parts
from .._kernels.algorithm import Correlation
from .._kernels.geometry import make_window, pair
from ._base import Layer
from ._frame import Frame, Plan
from ._operation import Parameter
from ._windowed import Windowed
from .bias import Bias, bias_parameters
from .convolution import Convolution
from .initializers import initialize

__all__ = ["TransposedConvolution"]


@dataclass(kw_only=True)
class _TransposedPlan(Plan):
    """Plan with the adjoint of the forward pass and, in training, the algorithm of the backward pass."""

    adjoint: Adjoint
    algorithm: Correlation | None = None


class TransposedConvolution(Layer):
    """Transposed convolution, the adjoint of a convolution: enlarges an image by its stride.

    The forward pass is the data gradient of a convolution and the backward pass is its forward pass, by the same
    algorithms, which multiply none of the zeros between the inputs.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or (int, int), default=3
        Size of the kernels, down and across.  On a series (height 1) one number is the size along time.
    stride : int or (int, int), default=1
        Step in the output from the kernel of one input to the kernel of the next.
    dilation : int or (int, int), default=1
        Step in the output from one tap of a kernel to the next.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Rows and columns cut off the output, or ``((top, bottom), (left, right))``.  "same" gives ``size * stride``
        outputs, as the adjoint of a "same" convolution.  "valid" cuts off nothing.
    output_padding : int or (int, int), default=0
        Additional rows at the bottom and columns on the right, fewer than the stride; 0 with "same".
    bias : {True, "position", False}, default=True
        Bias: a number per filter for all positions, a number per filter and position, or none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Notes
    -----
    The output has ``(size - 1) * stride - before - after + (kernel - 1) * dilation + output_padding + 1`` rows and
    columns, as in PyTorch's ``ConvTranspose2d``.  The weight has shape ``(filters, rows, columns, channels)``;
    PyTorch's has the order (channels, filters, rows, columns).

    Examples
    --------
    >>> from skconv.layers import TransposedConvolution
    >>> TransposedConvolution(8, stride=2).output_shape((14, 14, 16))
    (28, 28, 8)
    >>> TransposedConvolution(8, 4, stride=3, padding=1).output_shape((5, 5, 16))
    (14, 14, 8)
    """

    _parameter_constraints: dict = {
        **Windowed._parameter_constraints,
        "output_padding": [sizes(0)],
    }
    takes = "image"
    summary_shows = "kernel_size"

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        padding="same",
        output_padding=0,
        bias=True,
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.output_padding = output_padding
        self.bias = bias
        self.initializer = initializer

    def _adjoint(self, shape):
        """The convolution whose data gradient this layer is, and the input shape of that convolution."""
        window = make_window(*shape[:2], self.kernel_size, dilation=self.dilation, padding=self.padding)
        axes, strides = (window.rows, window.columns), pair(self.stride, shape[0])
        outputs, sides = [], []
        extra = pair(self.output_padding, 0)
        extra = (0, extra[1]) if shape[0] == 1 and isinstance(self.output_padding, Integral) else extra
        for axis, stride, more in zip(axes, strides, extra, strict=True):
            whole = (axis.size - 1) * stride + axis.span
            same = self.padding == "same"
            if more >= (1 if same else stride):
                wanted = "0 with padding='same'" if same else f"below stride={shown(self.stride)}"
                raise ValueError(f"output_padding must be {wanted}, got {shown(self.output_padding)}")
            after = max(0, whole - axis.before - axis.size * stride) if same else axis.after
            outputs.append(axis.size * stride if same else whole - axis.before - after + more)
            sides.append((axis.before, after))
        if min(outputs) < 1:
            of = f"{outputs[0]}x{outputs[1]} of an input of {shape[0]}x{shape[1]}"
            raise ValueError(f"padding={shown(self.padding)} leaves no output: {of}")
        convolution = Convolution(
            shape[2],
            tuple(axis.kernel for axis in axes),
            stride=strides,
            dilation=tuple(axis.dilation for axis in axes),
            padding=tuple(sides),
            bias=False,
        )
        return convolution, (*outputs, self.filters)

    def lower(self, shape):
        return [clone(self).set_params(bias=False), Bias(self.bias)] if self.bias else [self]

    def output_shape(self, shape):
        return self._adjoint(shape)[1]

    def parameters(self, shape):
        convolution, inside = self._adjoint(shape)
        channels, rows, columns, filters = convolution.weight_shape(inside)
        bias = bias_parameters(self.bias, inside)
        return {"weight": Parameter((filters, rows, columns, channels), decays=True, unit_axes=1), **bias}

    def initialize(self, parameters, state, shape, rng):
        initialize(self.initializer, parameters["weight"], rng)

    def multiply_adds(self, shape):
        return prod(shape[:2]) * prod(self.parameter_shapes(shape)["weight"])

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        convolution, inside = self._adjoint(shape)
        window = convolution.window(inside)
        return PART_BYTES * count_parts((window.rows, window.columns))

    def plan(self, shape, width, dtype, *, training, input_gradient) -> _TransposedPlan:
        convolution, inside = self._adjoint(shape)
        adjoint = Adjoint(convolution.window(inside), inside[2], shape[2], 1, width, dtype, alike=not training)
        plan = _TransposedPlan(adjoint=adjoint, x=adjoint.storage, temporary=adjoint.temporary)
        plan.scratch |= adjoint.scratch
        plan.shared |= adjoint.shared
        if training:
            back = convolution.plan(inside, width, dtype, training=True, input_gradient=False)
            plan.algorithm, plan.dy = back.algorithm, back.x
            back.scratch["gradient"] = {**back.scratch["gradient"], "of_weight": convolution.weight_shape(inside)}
            plan.scratch |= back.scratch
            plan.shared |= back.shared
            plan.temporary = max(plan.temporary, back.temporary)
        return plan

    def prepare(self, parameters, state, plan: _TransposedPlan, shared):
        weight = parameters.weight.transpose(3, 1, 2, 0)
        if plan.algorithm is not None:
            plan.algorithm.prepare(weight, shared.weight)
        plan.adjoint.prepare(weight, shared)

    def bind(self, frame: Frame[_TransposedPlan]):
        algorithm, scratch = frame.plan.algorithm, frame.scratch
        views = SimpleNamespace(forward=frame.plan.adjoint.bind(frame.x_storage, scratch, frame.y))
        if algorithm is not None:
            views.gradient = algorithm.bind_gradient(frame.dy_storage, frame.x, scratch.gradient)
        if algorithm is not None and frame.dx is not None:
            views.backward = algorithm.bind(frame.dy_storage, scratch.forward, frame.dx)
        return views

    def forward(self, frame: Frame[_TransposedPlan], training):
        frame.plan.adjoint.run(frame.bound.forward, frame.shared, frame.y)

    def backward(self, frame):
        algorithm, scratch = frame.plan.algorithm, frame.scratch.gradient
        algorithm.run_gradient(frame.bound.gradient, scratch, scratch.of_weight)
        np.copyto(frame.gradients.weight, scratch.of_weight.transpose(3, 1, 2, 0))
        if frame.dx is not None:
            algorithm.run(frame.bound.backward, frame.shared.weight)
