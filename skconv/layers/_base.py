"""Base class of layers."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from sklearn.base import BaseEstimator

from .._input.keywords import Hinted
from .._input.versions import Versioned
from ._operation import Operation

__all__ = ["Layer"]


class Layer(Hinted, Versioned, BaseEstimator, Operation):
    """Base class of layers, which users build networks with: an operation with hyper-parameters, or several operations.

    A network copies the layers that it is given: a layer that is in a list twice is two layers with separate weights.
    Parameters are checked by ``_parameter_constraints`` before.

    A new layer is a subclass that overrides what differs from this class and from `Operation`, and one row in
    ``tests/layers/cases``.

    Attributes
    ----------
    summary_shows : str or None
        Name of the hyper-parameter that `summary` shows.
    """

    _within_model = True
    _parameter_constraints: dict = {}  # by which `own_layers` checks the parameters
    summary_shows: str | None = None

    def copy(self) -> Layer:
        """A copy, with Python's numbers in place of NumPy's, whose small integers could overflow in sizes."""
        return type(self)(**{name: _plain(value) for name, value in self.get_params(deep=False).items()})

    def lower(self, shape: tuple[int, ...]) -> list[Operation]:
        """The operations that compute this layer for an input of ``shape``."""
        return [self]

    def named_steps(self, name: str, shape: tuple[int, ...]) -> list[tuple[str, Operation]]:
        """``(name, operation)`` of each operation of `lower`."""
        return [(name, step) for step in self.lower(shape)]

    def parameter_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays that are trained, by name."""
        return {name: parameter.shape for name, parameter in self.parameters(shape).items()}

    def connections(self, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
        """Numbers of weights of a layer with windows: fully connected, local, shared; None for other layers."""
        return None

    def listed(self, shape: tuple[int, ...]):
        """``(name, layer, input shape)`` of the layers within this layer, which `summary` lists below it."""
        return ()


def _plain(value):
    """A deep copy of ``value`` with Python's numbers and strings in place of NumPy's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(map(_plain, value))
    return deepcopy(value)
