"""The classes and functions that model files may name, by their names: a closed list."""

from __future__ import annotations

from .. import augmentation, layers, training
from ..augmentation import Augmentation, Map
from ..layers import Layer, PaddingMode
from ..layers.activation_objects import ActivationFunction
from ..layers.padding_modes import RepeatedPadding
from ..training import Checkpoint, Loss, Optimizer, Schedule

__all__ = ["ESTIMATORS", "FUNCTIONS", "PARTS", "PICKLED", "pickled", "stored", "stored_estimator"]

# Classes that have no use of their own.
_BASES = (Layer, PaddingMode, ActivationFunction, Augmentation, Map, Loss, Optimizer, Schedule)
_PUBLIC = {name: getattr(package, name) for package in (augmentation, layers, training) for name in package.__all__}

# Objects that are all said by the parameters of their constructors.
PARTS: dict[str, type] = {
    name: kind
    for name, kind in {**_PUBLIC, "RepeatedPadding": RepeatedPadding}.items()
    if isinstance(kind, type) and issubclass(kind, (*_BASES, Checkpoint)) and kind not in _BASES
}
FUNCTIONS = {name: function for name, function in _PUBLIC.items() if name in layers.initializers.__all__}
ESTIMATORS: dict[str, type] = {}
PICKLED: list[type] = []  # classes that pickles and skops name, but no model file


def stored(kind):
    """Decorator that adds a class of the package to `PARTS`."""
    PARTS[kind.__name__.lstrip("_")] = kind
    return kind


def stored_estimator(kind):
    """Decorator that adds a class of the package to `ESTIMATORS`."""
    ESTIMATORS[kind.__name__] = kind
    return kind


def pickled(kind):
    """Decorator that adds a class of the package to `PICKLED`."""
    PICKLED.append(kind)
    return kind
