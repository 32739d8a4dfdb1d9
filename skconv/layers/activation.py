"""Activations, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._input.constraints import between
from .._input.parameters import parameter, parametrized
from .._kernels.sums import fold
from ._base import Layer
from ._frame import Plan
from ._operation import Parameter
from .activation_functions import ACTIVATION, FUNCTIONS, NAMES

__all__ = ["Activation", "PReLU"]


@parametrized
class Activation(Layer):
    """Apply a function to every element.

    Parameters
    ----------
    {parameters}

    Examples
    --------
    >>> from skconv.layers import Activation
    >>> Activation("tanh").output_shape((8, 8, 16))
    (8, 8, 16)
    """

    activation: Any = parameter(
        "relu",
        ACTIVATION,
        f"{NAMES.listed}, LeakyReLU, ELU or Clip\n"
        + ";\n".join(f'"{name}" is {each.formula}' for name, each in FUNCTIONS.items())
        + ".  An object, such as ``LeakyReLU(0.2)``, has parameters of its own.",
        kw_only=False,
    )
    in_place = True
    reads_output = True
    summary_shows = "activation"
    pointwise = True
    single_sample = "elements"

    @property
    def function(self):
        """The `Function` of this layer."""
        return FUNCTIONS[self.activation] if isinstance(self.activation, str) else self.activation.function()

    @property
    def increasing(self):
        """Whether the function never falls, so that a maximum can be taken first."""
        return self.function.increasing

    def output_shape(self, shape):
        if not isinstance(self.activation, str):
            self.activation.check()
        return shape

    def plan(self, shape, width, dtype, *, training, input_gradient):
        array, function = (*shape, width), self.function
        plan = Plan(shared={"zero": (shape[-1], width)} if function.needs == "zero" else {})
        if training or function.needs == "work":
            plan.scratch = {"work": {"a": array, "b": array, "mask": (array, np.dtype(bool))}}
        if training and function.keeps_x:
            plan.buffers["x"] = array
        return plan

    def forward(self, frame, training):
        function = self.function
        if training and function.keeps_x:
            np.copyto(frame.buffers.x, frame.x)
        work = frame.shared if function.needs == "zero" else frame.scratch.get("work")
        function.forward(frame.x, frame.y, work)

    def backward(self, frame):
        function = self.function
        if frame.dx is not None:
            known = frame.buffers.x if function.keeps_x else frame.y
            function.backward(frame.dy, known, frame.dx, frame.scratch.work)


class PReLU(Layer):
    """``x``, or ``slope x`` below zero, with a trained slope per channel (He et al., arXiv 1502.01852).

    Parameters
    ----------
    slope : float, default=0.25
        First value of the slopes.

    Notes
    -----
    Penalties do not act on the slopes.

    Examples
    --------
    >>> from skconv.layers import PReLU
    >>> PReLU().parameter_shapes((8, 8, 16))
    {'slope': (16,)}
    """

    _parameter_constraints: dict = {"slope": [between(-1e30, 1e30, closed="both")]}
    pointwise = True
    single_sample = "elements"

    def __init__(self, slope=0.25):
        self.slope = slope

    def parameters(self, shape):
        return {"slope": Parameter((shape[-1],))}

    def initialize(self, parameters, state, shape, rng):
        parameters["slope"].fill(self.slope)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        whole, repeated = (*shape, width), (shape[-1], width)
        plan = Plan(shared={"zero": repeated, "slope": repeated}, scratch={"forward": {"below": whole}})
        if training:
            plan.shared["ones"] = (width, 1)
            plan.scratch["backward"] = {
                "below": whole,
                "mask": (whole, np.dtype(bool)),
                "sums": (*shape, 1),
            }
        return plan

    def prepare(self, parameters, state, plan, shared):
        np.copyto(shared.slope, parameters.slope[:, None])
        if "ones" in shared:
            shared.ones.fill(1)

    def forward(self, frame, training):
        below, shared = frame.scratch.forward.below, frame.shared
        np.minimum(frame.x, shared.zero, out=below)
        np.multiply(below, shared.slope, out=below)
        np.maximum(frame.x, shared.zero, out=frame.y)
        np.add(frame.y, below, out=frame.y)

    def backward(self, frame):
        work, shared = frame.scratch.backward, frame.shared
        np.minimum(frame.x, shared.zero, out=work.below)
        np.multiply(work.below, frame.dy, out=work.below)
        np.matmul(work.below, shared.ones, out=work.sums)
        fold(work.sums.reshape(-1, work.sums.shape[-2]), frame.gradients.slope)
        if frame.dx is not None:
            # dy (x > 0) + dy slope (x <= 0)
            np.multiply(frame.dy, shared.slope, out=work.below)
            np.multiply(work.below, np.less_equal(frame.x, 0, out=work.mask), out=work.below)
            np.multiply(frame.dy, np.greater(frame.x, 0, out=work.mask), out=frame.dx)
            np.add(frame.dx, work.below, out=frame.dx)
