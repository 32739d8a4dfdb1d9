"""Fully connected layers and the flattening of images."""

from __future__ import annotations

from math import prod

import numpy as np

from .._input.constraints import at_least
from .._kernels.products import product
from ._base import Layer
from ._operation import Parameter
from .bias import BIAS, bias_parameters
from .initializers import INITIALIZER, initialize

__all__ = ["Dense", "Flatten"]


class Flatten(Layer):
    """Flatten the image to a vector, channels last, the layout of scikit-learn's design matrix.

    Examples
    --------
    >>> from skconv.layers import Flatten
    >>> Flatten().output_shape((7, 7, 64))
    (3136,)
    """

    reshapes = True

    def output_shape(self, shape):
        return (prod(shape),)

    def forward(self, frame, training):
        np.copyto(frame.y.reshape(frame.x.shape, copy=False), frame.x)

    def backward(self, frame):
        if frame.dx is not None:
            np.copyto(frame.dx, frame.dy.reshape(frame.dx.shape, copy=False))


class Dense(Layer):
    """Fully connected layer: ``weight @ x + bias``.

    Parameters
    ----------
    units : int
        Number of outputs.
    bias : {True, "position", False}, default=True
        Bias: a number per unit, with True and with "position", or none.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Notes
    -----
    The weight has shape ``(units, inputs)``.

    Examples
    --------
    >>> from skconv.layers import Dense
    >>> Dense(64).parameter_shapes((128,))
    {'weight': (64, 128), 'bias': (64,)}
    """

    _parameter_constraints: dict = {
        "units": [at_least(1)],
        "bias": BIAS,
        "initializer": INITIALIZER,
    }
    takes = "vector"
    late = True

    def __init__(self, units, *, bias=True, initializer="fan_in_uniform"):
        self.units = units
        self.bias = bias
        self.initializer = initializer

    def output_shape(self, shape):
        return (self.units,)

    def parameters(self, shape):
        weight = Parameter((self.units, shape[0]), decays=True, unit_axes=1)
        return {"weight": weight, **bias_parameters(self.bias, (self.units,))}

    def initialize(self, parameters, state, shape, rng):
        initialize(self.initializer, parameters["weight"], rng)

    def multiply_adds(self, shape):
        return self.units * shape[0]

    def forward(self, frame, training):
        (frame.matmul if training else product)(frame.parameters.weight, frame.x, out=frame.y)
        if self.bias:
            np.add(frame.y, frame.parameters.bias[:, None], out=frame.y)

    def backward(self, frame):
        if frame.dx is not None:
            frame.matmul(frame.parameters.weight.T, frame.dy, out=frame.dx)

    def late_gradient(self, frame):
        frame.matmul(frame.dy, frame.x.T, out=frame.gradients.weight)
        if self.bias:
            np.add.reduce(frame.dy, axis=1, out=frame.gradients.bias)
