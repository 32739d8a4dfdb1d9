"""Fully connected layer whose output has the shape of a convolution's."""

from __future__ import annotations

from math import prod
from types import SimpleNamespace

import numpy as np

from .._kernels.products import product
from ._frame import Plan
from ._windowed import Windowed
from .initializers import initialize

__all__ = ["FullyConnected"]


class FullyConnected(Windowed):
    """As many neurons as a convolution of these parameters has outputs, each with a weight for every input.

    For comparison with `LocallyConnected` and `Convolution`, which have fewer weights.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or (int, int), default=3
        Kernel size of the convolution whose output shape this layer has; without effect on the weights.
    stride : int or (int, int), default=1
        Stride of this convolution.
    dilation : int or (int, int), default=1
        Dilation of this convolution.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Padding of this convolution.
    bias : {True, "position", False}, default=True
        Bias: a number per filter for all positions, a number per filter and position (per neuron), or none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Notes
    -----
    The weight has shape ``(P, Q, filters, height, width, channels)`` for an output of P by Q: that of a `Dense` layer
    between the flattened images.

    Examples
    --------
    >>> from skconv.layers import FullyConnected
    >>> layer = FullyConnected(16, stride=2)
    >>> layer.output_shape((28, 28, 1))
    (14, 14, 16)
    >>> layer.parameter_shapes((28, 28, 1))["weight"]
    (14, 14, 16, 28, 28, 1)
    """

    sees_all = True

    def __init__(
        self,
        filters,
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        padding="same",
        bias=True,
        initializer="fan_in_uniform",
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.bias = bias
        self.initializer = initializer

    def weight_shape(self, shape):
        return (*self.window(shape).output, self.filters, *shape)

    def initialize(self, parameters, state, shape, rng):
        initialize(self.initializer, parameters["weight"].reshape(-1, prod(shape)), rng)

    def least_bytes(self, shape, width, dtype, *, training, input_gradient):
        return 0  # there is no border

    def plan(self, shape, width, dtype, *, training, input_gradient):
        out = self.output_shape(shape)
        # Scratch for outputs and gradients within borders, since a product writes into a contiguous matrix.
        plan = Plan(scratch={"forward": {"y": (*out, width)}})
        if training and input_gradient:
            plan.scratch["backward"] = {"dx": (*shape, width)}
        return plan

    def bind(self, frame):
        y = frame.y if frame.y.flags.c_contiguous else frame.scratch.forward.y
        weight = _matrix(frame.parameters.weight, frame.x.ndim - 1)
        views = SimpleNamespace(forward=(weight, _columns(frame.x), y, _columns(y)))
        if frame.dy is not None:
            views.backward = self._bind_backward(frame)
        return views

    def forward(self, frame, training):
        weight, x, y, out = frame.bound.forward
        (np.matmul if training else product)(weight, x, out=out)
        if y is not frame.y:
            np.copyto(frame.y, y)

    def backward(self, frame):
        dy, x, gradient, weight, dx, out = frame.bound.backward
        np.matmul(dy, x, out=gradient)
        if dx is None:
            return
        np.matmul(weight, dy, out=out)
        if dx is not frame.dx:
            np.copyto(frame.dx, dx)

    def _bind_backward(self, frame):
        """Matrices of ``dy``, ``x`` (transposed), weight gradient and weight (transposed); ``dx`` and its matrix."""
        axes = frame.x.ndim - 1
        gradient, weight = _matrix(frame.gradients.weight, axes), _matrix(frame.parameters.weight, axes)
        dx = frame.dx
        if dx is not None and not dx.flags.c_contiguous:
            dx = frame.scratch.backward.dx
        return _columns(frame.dy), _columns(frame.x).T, gradient, weight.T, dx, None if dx is None else _columns(dx)


def _columns(a):
    """View of a contiguous array ``(..., N)`` as a matrix with N columns."""
    return a.reshape(-1, a.shape[-1], copy=False)


def _matrix(weight, axes):
    """View of the weight as a matrix, whose columns are the last ``axes`` axes."""
    return weight.reshape(prod(weight.shape[:-axes]), -1, copy=False)
