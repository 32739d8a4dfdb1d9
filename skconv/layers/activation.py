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
    in_place = True
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
        shared = {"zero": repeated, "slope": repeated, "steep": ((1,), np.dtype(bool))}
        plan = Plan(shared=shared, scratch={"forward": {"sloped": whole}})
        if training:
            plan.shared["ones"] = (width, 1)
            plan.buffers["x"] = whole
            mask = {"mask": (whole, np.dtype(bool))}
            plan.scratch["backward"] = {"below": whole, "product": whole, "sums": (*shape, 1), **mask}
        return plan

    def prepare(self, parameters, state, plan, shared):
        np.copyto(shared.slope, parameters.slope[:, None])
        shared.steep[0] = parameters.slope.max() > 1
        if "ones" in shared:
            shared.ones.fill(1)

    def forward(self, frame, training):
        sloped, shared = frame.scratch.forward.sloped, frame.shared
        if training:
            np.copyto(frame.buffers.x, frame.x)
        if not shared.steep[0]:  # then the larger one is right, in half the time and with the same bits
            np.multiply(frame.x, shared.slope, out=sloped)
            np.maximum(frame.x, sloped, out=frame.y)
            return
        np.minimum(frame.x, shared.zero, out=sloped)
        np.multiply(sloped, shared.slope, out=sloped)
        np.maximum(frame.x, shared.zero, out=frame.y)
        np.add(frame.y, sloped, out=frame.y)

    def backward(self, frame):
        work, shared, x = frame.scratch.backward, frame.shared, frame.buffers.x
        np.multiply(frame.dy, np.less_equal(x, 0, out=work.mask), out=work.below)
        np.multiply(work.below, x, out=work.product)
        np.matmul(work.product, shared.ones, out=work.sums)
        fold(work.sums.reshape(-1, work.sums.shape[-2]), frame.gradients.slope)
        if frame.dx is not None:
            np.subtract(frame.dy, work.below, out=frame.dx)  # the gradient where x is above zero
            np.multiply(work.below, shared.slope, out=work.below)
            np.add(frame.dx, work.below, out=frame.dx)
