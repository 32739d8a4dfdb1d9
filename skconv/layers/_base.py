"""The contract of a layer."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from sklearn.base import BaseEstimator

from .._input.versions import Versioned
from ._operation import Operation

__all__ = ["Layer"]


class Layer(Versioned, BaseEstimator, Operation):
    """What users build networks with: an operation with hyper-parameters, or what becomes several of them.

    A network copies the layers that it is given: one that stands twice in a list is two layers, each with weights of
    its own.  What their parameters may be, ``_parameter_constraints``, is checked before.

    A new layer is a subclass that overrides what differs from this class and from `Operation`, its file and one row in
    ``tests/layers/cases.py``.

    Attributes
    ----------
    summary_shows : str or None
        The hyper-parameter by which `summary` tells layers of the class apart.
    """

    _within_model = True
    _parameter_constraints: dict = {}  # what `own_layers` holds the parameters against
    summary_shows: str | None = None

    def copy(self) -> Layer:
        """A layer of its own, with Python's numbers in place of NumPy's, whose small integers overflow in sizes."""
        return type(self)(**{name: _plain(value) for name, value in self.get_params(deep=False).items()})

    def lower(self, shape: tuple[int, ...]) -> list[Operation]:
        """The operations that compute this layer for an input of this shape."""
        return [self]

    def named_steps(self, name: str, shape: tuple[int, ...]) -> list[tuple[str, Operation]]:
        """Those of `lower`, each with the layer's name."""
        return [(name, step) for step in self.lower(shape)]

    def parameter_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays that are trained, by name."""
        return {name: parameter.shape for name, parameter in self.parameters(shape).items()}

    def connections(self, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
        """Weights of a layer with windows: fully connected, with weights of each position's own, shared; else None."""
        return None

    def listed(self, shape: tuple[int, ...]):
        """``(name, layer, shape of its input)`` of the layers within that `summary` lists below this one."""
        return ()


def _plain(value):
    """A copy with Python's numbers and strings."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(map(_plain, value))
    return deepcopy(value)
