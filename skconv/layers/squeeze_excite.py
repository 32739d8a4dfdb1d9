"""Squeeze and excitation: a gate on channels."""

from __future__ import annotations

import numpy as np

from .._input.constraints import at_least
from .._kernels.products import product
from .._kernels.sums import add_positions, partial_sums
from ._base import Layer
from ._frame import Plan
from ._operation import Parameter
from .activation_functions import FUNCTIONS
from .initializers import INITIALIZER, initialize

__all__ = ["SqueezeExcite"]


class SqueezeExcite(Layer):
    """Scale each channel by a number in (0, 1) from a small network on the means of all channels.

    Hu et al., arXiv 1709.01507: ``y = x * logistic(B relu(A mean(x) + a) + b)``.

    Parameters
    ----------
    ratio : int, default=4
        Number of channels per unit of the small network's hidden layer, which has at least one unit.
    initializer : {"fan_in_uniform", "he_normal", "glorot_uniform"} or callable, default="fan_in_uniform"
        Initial values of the weights: a name, or a function ``(weight, rng)`` that fills an array in place.

    Examples
    --------
    >>> from skconv.layers import SqueezeExcite
    >>> SqueezeExcite().parameter_shapes((8, 8, 16))["squeeze_weight"]
    (4, 16)
    """

    _parameter_constraints: dict = {"ratio": [at_least(1)], "initializer": INITIALIZER}
    takes = "image"

    def __init__(self, ratio=4, *, initializer="fan_in_uniform"):
        self.ratio = ratio
        self.initializer = initializer

    def _hidden(self, shape):
        return max(1, shape[2] // self.ratio)

    def parameters(self, shape):
        hidden, channels = self._hidden(shape), shape[2]
        return {
            "squeeze_weight": Parameter((hidden, channels), decays=True, unit_axes=1),
            "squeeze_bias": Parameter((hidden,)),
            "excite_weight": Parameter((channels, hidden), decays=True, unit_axes=1),
            "excite_bias": Parameter((channels,)),
        }

    def initialize(self, parameters, state, shape, rng):
        initialize(self.initializer, parameters["squeeze_weight"], rng)
        initialize(self.initializer, parameters["excite_weight"], rng)

    def multiply_adds(self, shape):
        return 2 * self._hidden(shape) * shape[2]

    def plan(self, shape, width, dtype, *, training, input_gradient):
        hidden, channels = (self._hidden(shape), width), (shape[2], width)
        small = {"mean": channels, "hidden": hidden, "gate": channels}
        plan = Plan(scratch={"forward": {"a": channels, **partial_sums((*shape, width))}})
        if not training:
            plan.scratch["forward"].update(small)
            return plan
        plan.buffers = small
        backward = {"x": (*shape, width), "a": channels, "gate": channels, "hidden": hidden}
        plan.scratch["backward"] = {**backward, **partial_sums((*shape, width))}
        return plan

    def forward(self, frame, training):
        multiply = np.matmul if training else product
        own = frame.buffers if training else frame.scratch.forward
        parameters = frame.parameters
        add_positions(frame.x, frame.scratch.forward.get("parts"), own.mean)
        np.divide(own.mean, frame.x.shape[0] * frame.x.shape[1], out=own.mean)
        multiply(parameters.squeeze_weight, own.mean, out=own.hidden)
        np.add(own.hidden, parameters.squeeze_bias[:, None], out=own.hidden)
        np.maximum(own.hidden, 0, out=own.hidden)
        multiply(parameters.excite_weight, own.hidden, out=own.gate)
        np.add(own.gate, parameters.excite_bias[:, None], out=own.gate)
        FUNCTIONS["logistic"].forward(own.gate, own.gate, frame.scratch.forward)
        np.multiply(frame.x, own.gate, out=frame.y)

    def backward(self, frame):
        work, own = frame.scratch.backward, frame.buffers
        parameters, gradients = frame.parameters, frame.gradients
        np.multiply(frame.dy, frame.x, out=work.x)
        add_positions(work.x, work.get("parts"), work.gate)
        FUNCTIONS["logistic"].backward(work.gate, own.gate, work.gate, work)
        np.matmul(work.gate, own.hidden.T, out=gradients.excite_weight)
        np.add.reduce(work.gate, axis=1, out=gradients.excite_bias)
        np.matmul(parameters.excite_weight.T, work.gate, out=work.hidden)
        work.hidden[own.hidden <= 0] = 0
        np.matmul(work.hidden, own.mean.T, out=gradients.squeeze_weight)
        np.add.reduce(work.hidden, axis=1, out=gradients.squeeze_bias)
        if frame.dx is None:
            return
        np.matmul(parameters.squeeze_weight.T, work.hidden, out=work.a)
        np.divide(work.a, frame.x.shape[0] * frame.x.shape[1], out=work.a)
        np.multiply(frame.dy, own.gate, out=frame.dx)
        np.add(frame.dx, work.a, out=frame.dx)
