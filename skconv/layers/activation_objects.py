"""Activation functions with parameters of their own, as objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import FACTORS, between, check_arguments, shown
from .._input.keywords import Hinted
from .._input.versions import Versioned

__all__ = ["ELU", "Clip", "LeakyReLU"]

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
