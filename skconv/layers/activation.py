"""Activation functions, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from .._input.constraints import one_of
from .._input.parameters import parameter, parametrized
from ._base import Layer
from ._frame import Plan

__all__ = ["Activation"]

_SLOPE = 0.01  # slope of leaky_relu below zero, as in PyTorch
_SQRT_2PI = np.sqrt(2 * np.pi)


class Function(NamedTuple):
    """An activation function.

    Attributes
    ----------
    formula : str
        Formula for the documentation.
    forward : callable
        ``forward(x, out, work)`` writes the function of ``x`` into ``out``.
    backward : callable
        ``backward(dy, known, out, work)`` writes the gradient into ``out``; ``known`` is the function's value, or its
        argument if ``keeps_x``.
    needs : {"work", "zero", None}, default="work"
        Scratch of the forward pass: ``work.a``, ``work.b`` and ``work.mask``, of the block's size, which the backward
        pass always has; ``work.zero``, zeros (C, N); none.
    increasing : bool, default=True
        Whether the function never falls, so that a maximum can be taken first.
    keeps_x : bool, default=False
        Whether the slope does not follow from the value, so that the backward pass needs the argument.
    """

    formula: str
    forward: Callable
    backward: Callable
    needs: str | None = "work"
    increasing: bool = True
    keeps_x: bool = False


def _relu(x, out, work):
    np.maximum(x, work.zero, out=out)


def _relu_backward(dy, y, out, work):
    np.greater(y, 0, out=work.mask)
    np.multiply(dy, work.mask, out=out)


def _leaky_relu(x, out, work):
    np.multiply(x, _SLOPE, out=work.a)
    np.maximum(x, work.a, out=out)


def _leaky_relu_backward(dy, y, out, work):
    np.greater(y, 0, out=work.mask)
    np.multiply(work.mask, 1 - _SLOPE, out=work.a)
    np.add(work.a, _SLOPE, out=work.a)
    np.multiply(dy, work.a, out=out)


def _elu(x, out, work):
    np.minimum(x, 0, out=work.a)
    np.expm1(work.a, out=work.a)
    np.maximum(x, 0, out=out)
    np.add(out, work.a, out=out)


def _elu_backward(dy, y, out, work):
    np.minimum(y, 0, out=work.a)
    np.add(work.a, 1, out=work.a)
    np.multiply(dy, work.a, out=out)


def _gelu(x, out, work):
    ndtr(x, out=work.a)
    np.multiply(x, work.a, out=out)


def _gelu_backward(dy, x, out, work):
    np.multiply(x, x, out=work.a)
    np.multiply(work.a, -0.5, out=work.a)
    np.exp(work.a, out=work.a)
    np.multiply(work.a, x, out=work.a)
    np.divide(work.a, _SQRT_2PI, out=work.a)
    ndtr(x, out=work.b)
    np.add(work.a, work.b, out=work.a)
    np.multiply(dy, work.a, out=out)


def _tanh(x, out, work):
    np.tanh(x, out=out)


def _tanh_backward(dy, y, out, work):
    np.multiply(y, y, out=work.a)
    np.subtract(1, work.a, out=work.a)
    np.multiply(dy, work.a, out=out)


def _logistic(x, out, work):
    np.negative(x, out=work.a)
    np.exp(work.a, out=work.a)  # where this is infinite, the quotient is zero, which is right
    np.add(work.a, 1, out=work.a)
    np.divide(1, work.a, out=out)


def _logistic_backward(dy, y, out, work):
    np.subtract(1, y, out=work.a)
    np.multiply(work.a, y, out=work.a)
    np.multiply(dy, work.a, out=out)


def _identity(x, out, work):
    if x is not out:
        np.copyto(out, x)


def _identity_backward(dy, y, out, work):
    _identity(dy, out, work)


FUNCTIONS = {
    # The maximum with an array of zeros takes 0.19 ns per element; with the number zero, for which NumPy has no vector
    # instructions, 0.48 ns.
    "relu": Function("``max(x, 0)``", _relu, _relu_backward, needs="zero"),
    "leaky_relu": Function("``max(x, 0.01 x)``", _leaky_relu, _leaky_relu_backward),
    "elu": Function("``x`` or ``exp(x) - 1`` below zero", _elu, _elu_backward),
    "gelu": Function(
        "``x`` times the normal distribution function of ``x``", _gelu, _gelu_backward, increasing=False, keeps_x=True
    ),
    "tanh": Function("the hyperbolic tangent", _tanh, _tanh_backward, needs=None),
    "logistic": Function("``1 / (1 + exp(-x))``", _logistic, _logistic_backward),
    "identity": Function("``x``", _identity, _identity_backward, needs=None),
}
ACTIVATIONS = one_of(*FUNCTIONS)


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
        [ACTIVATIONS],
        f"{ACTIVATIONS.listed}\n" + ";\n".join(f'"{name}" is {each.formula}' for name, each in FUNCTIONS.items()) + ".",
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
        return FUNCTIONS[self.activation]

    @property
    def increasing(self):
        """Whether the function never falls, so that a maximum can be taken first."""
        return self.function.increasing

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
