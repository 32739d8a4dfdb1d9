"""Activation functions: those that have a name, and objects with parameters of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr
from sklearn.base import BaseEstimator

from .._input.constraints import FACTORS, between, check_arguments, fitting, one_of, shown
from .._input.keywords import Hinted
from .._input.versions import Versioned

__all__ = ["ELU", "Clip", "LeakyReLU"]

_SQRT_2PI = np.sqrt(2 * np.pi)
_INF = float("inf")
_FINITE = between(None, None, "neither")


class Function(NamedTuple):
    """An activation function.

    Attributes
    ----------
    formula : str
        Formula for the documentation.
    forward : callable
        ``forward(x, out, work)`` writes the function of ``x`` into ``out``.
    backward : callable
        ``backward(dy, known, out, work)`` writes the gradient into ``out``; ``known`` is the function's value, or, if
        ``keeps_x``, a copy of its argument, which may be overwritten.
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


class ActivationFunction(Hinted, Versioned, BaseEstimator):
    """Base class of activation functions with parameters, which ``activation`` takes in place of a name."""

    _parameter_constraints: dict = {}
    _within_model = True
    _needs: str | None = "work"
    _forward: Callable
    _backward: Callable

    def check(self) -> None:
        """Raise ValueError where a parameter has a value that it may not have."""
        check_arguments(self)

    def function(self, formula="") -> Function:
        """The `Function` of these parameters."""
        return Function(formula, self._forward, self._backward, self._needs)


class LeakyReLU(ActivationFunction):
    """``max(x, slope x)``; "leaky_relu" is the function with the default slope.

    Parameters
    ----------
    slope : float, default=0.01
        Slope below zero, in [0, 1].

    Examples
    --------
    >>> from skconv.layers import Activation, LeakyReLU
    >>> Activation(LeakyReLU(0.2))
    Activation(activation=LeakyReLU(slope=0.2))
    """

    _parameter_constraints: dict = {"slope": [between(0, 1, closed="both")]}

    def __init__(self, slope=0.01):
        self.slope = slope

    def _forward(self, x, out, work):
        np.multiply(x, float(self.slope), out=work.a)
        np.maximum(x, work.a, out=out)

    def _backward(self, dy, y, out, work):
        slope = float(self.slope)
        np.greater(y, 0, out=work.mask)
        np.multiply(work.mask, 1 - slope, out=work.a)
        np.add(work.a, slope, out=work.a)
        np.multiply(dy, work.a, out=out)


class ELU(ActivationFunction):
    """``x``, or ``alpha (exp(x) - 1)`` below zero; "elu" is the function with the default ``alpha``.

    Clevert, Unterthiner and Hochreiter, arXiv 1511.07289.

    Parameters
    ----------
    alpha : float, default=1.0
        The function's limit far below zero is ``-alpha``; at least 0.

    Examples
    --------
    >>> from skconv.layers import ELU, Activation
    >>> Activation(ELU(0.5))
    Activation(activation=ELU(alpha=0.5))
    """

    _parameter_constraints: dict = {"alpha": [FACTORS]}

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def _forward(self, x, out, work):
        np.minimum(x, 0, out=work.a)
        np.expm1(work.a, out=work.a)
        if self.alpha != 1:
            np.multiply(work.a, float(self.alpha), out=work.a)
        np.maximum(x, 0, out=out)
        np.add(out, work.a, out=out)

    def _backward(self, dy, y, out, work):
        np.minimum(y, 0, out=work.a)
        np.add(work.a, float(self.alpha), out=work.a)
        if self.alpha != 1:  # with 1 this is the slope above zero too
            np.multiply(work.a, np.less_equal(y, 0, out=work.mask), out=work.a)
            np.add(work.a, np.greater(y, 0, out=work.mask), out=work.a)
        np.multiply(dy, work.a, out=out)


class Clip(ActivationFunction):
    """``max(lowest, min(x, highest))``; "relu6" is ``Clip(0, 6)``.

    Parameters
    ----------
    lowest, highest : float or None
        Limits of the values, of which None is no limit; ``lowest`` is below ``highest``.

    Notes
    -----
    The slope at the limits is 0.

    Examples
    --------
    >>> from skconv.layers import Activation, Clip
    >>> Activation(Clip(-1, 1))
    Activation(activation=Clip(highest=1, lowest=-1))
    """

    _parameter_constraints: dict = {"lowest": [_FINITE, None], "highest": [_FINITE, None]}
    _needs = None

    def __init__(self, lowest, highest):
        self.lowest = lowest
        self.highest = highest

    def check(self):
        """Raise ValueError where a limit is no number, where there is none, or where they leave nothing between."""
        super().check()
        lowest, highest = self._limits()
        if not lowest < highest:
            raise ValueError(f"Clip: lowest must be below highest={shown(self.highest)}, got {shown(self.lowest)}")

    def _limits(self):
        return -_INF if self.lowest is None else float(self.lowest), _INF if self.highest is None else float(
            self.highest
        )

    def _forward(self, x, out, work):
        # With numbers as limits `clip` takes 0.6 ns per element of float32, a maximum and a minimum with arrays of the
        # limits 1.2, with the numbers 3.
        np.clip(x, *self._limits(), out=out)

    def _backward(self, dy, y, out, work):
        lowest, highest = self._limits()
        np.multiply(dy, np.greater(y, lowest, out=work.mask), out=work.a)
        np.multiply(work.a, np.less(y, highest, out=work.mask), out=out)


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
