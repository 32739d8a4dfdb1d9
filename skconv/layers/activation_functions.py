"""Activation functions by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from .._input.constraints import fitting, one_of
from .activation_objects import ELU, ActivationFunction, Clip, Function, LeakyReLU

__all__ = ["ACTIVATION", "FUNCTIONS", "NAMES", "OBJECTS", "name_of"]

_INF = float("inf")
_SQRT_2PI = np.sqrt(2 * np.pi)


def _relu(x, out, work):
    np.maximum(x, work.zero, out=out)


def _relu_backward(dy, y, out, work):
    np.greater(y, 0, out=work.mask)
    np.multiply(dy, work.mask, out=out)


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


def _exp_up_to(x, highest, out):
    """``exp(min(x, highest))``: beyond ``highest`` the ratio that is made of it is 1 to the last digit."""
    np.clip(x, -_INF, highest, out=out)
    np.exp(out, out=out)


def _swish(x, out, work):
    _exp_up_to(x, 80.0, work.a)
    np.add(work.a, 1, out=work.b)
    np.divide(work.a, work.b, out=work.a)
    np.multiply(x, work.a, out=out)


def _swish_backward(dy, x, out, work):
    """The slope is ``s + x s (1 - s)``, with ``s`` the logistic function and ``1 - s`` as ``1 / (1 + exp(x))``."""
    _exp_up_to(x, 80.0, work.a)
    np.add(work.a, 1, out=work.b)
    np.divide(work.a, work.b, out=work.a)
    np.divide(x, work.b, out=work.b)
    np.add(work.b, 1, out=work.b)
    np.multiply(work.a, work.b, out=work.a)
    np.multiply(dy, work.a, out=out)


def _mish(x, out, work):
    """With ``t = e (e + 2)`` and ``e = exp(x)``, the hyperbolic tangent of softplus is ``t / (t + 2)``."""
    _exp_up_to(x, 30.0, work.a)
    np.add(work.a, 2, out=work.b)
    np.multiply(work.a, work.b, out=work.a)
    np.add(work.a, 2, out=work.b)
    np.divide(work.a, work.b, out=work.a)
    np.multiply(x, work.a, out=out)


def _mish_backward(dy, x, out, work):
    """The slope is ``(t + 4 x e (e + 1) / (t + 2)) / (t + 2)``."""
    _exp_up_to(x, 30.0, work.a)
    np.add(work.a, 1, out=work.b)
    np.multiply(work.a, work.b, out=work.b)
    np.add(work.a, work.b, out=work.a)  # t = e (e + 1) + e
    np.multiply(x, work.b, out=x)
    np.multiply(x, 4, out=x)
    np.add(work.a, 2, out=work.b)
    np.divide(x, work.b, out=x)
    np.add(work.a, x, out=work.a)
    np.divide(work.a, work.b, out=work.a)
    np.multiply(dy, work.a, out=out)


def _softplus(x, out, work):
    np.absolute(x, out=work.a)
    np.negative(work.a, out=work.a)
    np.exp(work.a, out=work.a)
    np.log1p(work.a, out=work.a)
    np.clip(x, 0.0, _INF, out=out)
    np.add(out, work.a, out=out)


def _softplus_backward(dy, y, out, work):
    """The slope is the logistic function, ``1 - exp(-y)``."""
    np.negative(y, out=work.a)
    np.expm1(work.a, out=work.a)
    np.negative(work.a, out=work.a)
    np.multiply(dy, work.a, out=out)


def _hard_sigmoid(x, out, work):
    np.multiply(x, 1 / 6, out=out)
    np.add(out, 0.5, out=out)
    np.clip(out, 0.0, 1.0, out=out)


def _hard_sigmoid_backward(dy, y, out, work):
    np.multiply(dy, np.greater(y, 0, out=work.mask), out=work.a)
    np.multiply(work.a, np.less(y, 1, out=work.mask), out=work.a)
    np.multiply(work.a, 1 / 6, out=out)


def _hard_swish(x, out, work):
    _hard_sigmoid(x, work.a, work)
    np.multiply(x, work.a, out=out)


def _hard_swish_backward(dy, x, out, work):
    """The slope is ``h + x / 6`` where ``h``, the hard sigmoid, is between 0 and 1, else ``h``."""
    _hard_sigmoid(x, work.a, work)
    np.absolute(x, out=work.b)
    np.less(work.b, 3, out=work.mask)
    np.multiply(x, 1 / 6, out=work.b)
    np.multiply(work.b, work.mask, out=work.b)
    np.add(work.a, work.b, out=work.a)
    np.multiply(dy, work.a, out=out)


def _identity(x, out, work):
    if x is not out:
        np.copyto(out, x)


def _identity_backward(dy, y, out, work):
    _identity(dy, out, work)


OBJECTS = {"leaky_relu": LeakyReLU(), "elu": ELU(), "relu6": Clip(0, 6)}  # what names of these stand for
_ARGUMENT: dict[str, Any] = {"increasing": False, "keeps_x": True}
FUNCTIONS = {
    # The maximum with an array of zeros takes 0.19 ns per element; with the number zero, for which NumPy has no vector
    # instructions, 0.48 ns.
    "relu": Function("``max(x, 0)``", _relu, _relu_backward, needs="zero"),
    "leaky_relu": OBJECTS["leaky_relu"].function("``max(x, 0.01 x)``"),
    "elu": OBJECTS["elu"].function("``x`` or ``exp(x) - 1`` below zero"),
    "gelu": Function("``x`` times the normal distribution function of ``x``", _gelu, _gelu_backward, **_ARGUMENT),
    "tanh": Function("the hyperbolic tangent", _tanh, _tanh_backward, needs=None),
    "logistic": Function("``1 / (1 + exp(-x))``", _logistic, _logistic_backward),
    "relu6": OBJECTS["relu6"].function("``max(0, min(x, 6))``"),
    "swish": Function("``x / (1 + exp(-x))``", _swish, _swish_backward, **_ARGUMENT),
    "hard_swish": Function("``x max(0, min(x / 6 + 1/2, 1))``", _hard_swish, _hard_swish_backward, **_ARGUMENT),
    "hard_sigmoid": Function("``max(0, min(x / 6 + 1/2, 1))``", _hard_sigmoid, _hard_sigmoid_backward, needs=None),
    "softplus": Function("``log(1 + exp(x))``", _softplus, _softplus_backward),
    "mish": Function("``x`` times the hyperbolic tangent of softplus", _mish, _mish_backward, **_ARGUMENT),
    "identity": Function("``x``", _identity, _identity_backward, needs=None),
}
NAMES = one_of(*FUNCTIONS)
ACTIVATION = [  # constraints of the parameter ``activation``
    NAMES,
    fitting(lambda value: isinstance(value, ActivationFunction), "an activation function of skconv.layers"),
]


def name_of(activation) -> str | None:
    """The name that an activation function with parameters stands for; None where there is none."""
    for name, known in OBJECTS.items():
        if type(known) is type(activation) and known.get_params() == activation.get_params():
            return name
    return None
