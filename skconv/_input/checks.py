"""Checks of arguments against each other and against the data's shape."""

from __future__ import annotations

from math import gcd

import numpy as np

from .constraints import InvalidParameterError, at_least, check_value, mismatch, names_in, shown
from .memory import counted
from .overflow import check_finite_array

__all__ = [
    "check_channel_values",
    "check_counts",
    "check_groups",
    "check_input",
    "check_layers",
    "check_pattern",
    "check_window_fits",
    "per_layer",
]


def check_window_fits(name, value, window):
    """Raise where no window fits the input with its borders."""
    if window.fits:
        return
    rows, columns = window.rows, window.columns
    dilated = "" if rows.span == rows.kernel and columns.span == columns.kernel else " with its dilation"
    raise ValueError(
        f"{name}={shown(value)} does not fit{dilated}: a window of {counted(rows.span)}x{counted(columns.span)} "
        f"in an input of {counted(rows.padded)}x{counted(columns.padded)}"
    )


def check_groups(groups, channels, filters):
    """Raise where ``groups`` does not divide ``channels`` and ``filters``."""
    if channels % groups or filters % groups:
        common = gcd(channels, filters)
        fit = ", ".join(str(n) for n in range(1, common + 1) if common % n == 0)
        raise ValueError(
            f"groups must divide the {counted(channels, 'channel')} of the input and filters={filters}: one of "
            f"{fit}, got {groups}"
        )


def per_layer(name, value, constraints, *lengths):
    """List of one value per layer, from one value or a tuple with one per layer.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    value : object
        A number, a string, None or a bool for all layers; a tuple or list with one per layer.
    constraints : list
        Constraints of the value of one layer.
    *lengths : int
        Lengths that a tuple may have; one value is repeated to the largest.
    """
    if not isinstance(value, (tuple, list)):
        check_value(f"{name} of a layer", value, constraints)
        return [value] * max(lengths)
    lengths = [length for length in lengths if length] or [0]
    if len(value) not in lengths:
        *others, most = sorted(set(lengths))
        allowed = " or ".join([*map(str, others), counted(most, "layer")])
        raise InvalidParameterError(
            f"{name}={shown(value)} has {counted(len(value), 'entry', 'entries')}, one per layer, for {allowed}. "
            f"{_per_layer_advice(name, value, constraints, lengths[0])}"
        )
    for entry in value:
        check_value(f"{name} of a layer", entry, constraints, f" in {name}={shown(value)}")
    return list(value)


def _per_layer_advice(name, value, constraints, n_layers):
    """Advice, for a message, on a tuple whose length fits no number of layers."""
    whole = mismatch(constraints, value) is None  # whether the tuple is a valid value of one layer
    same = len({shown(entry) for entry in value}) == 1
    if whole or (same and isinstance(value[0], (tuple, list))):
        every = (value if whole else value[0],) * n_layers
        return f"What is for one layer goes inside: {name}={shown(every)}"
    if same:
        return f"One value is for all layers: {name}={shown(value[0])}"
    return "Give one for each of them, or one value for all"


def check_counts(name, value):
    """Tuple of one integer of at least 1 per layer, from one number or a sequence."""
    counts = value if isinstance(value, (tuple, list)) else (value,)
    if any(mismatch([at_least(1)], count) for count in counts):
        raise InvalidParameterError(f"{name} must be integers of at least 1, one per layer, got {shown(value)}")
    return tuple(int(count) for count in counts)


def check_channel_values(name, values, channels, dtype=np.float64) -> np.ndarray:
    """Numbers, finite in ``dtype``, as a float64 array of shape (1,) or (channels,)."""
    array = np.asarray(values, np.float64)
    if array.ndim > 1 or array.size not in (1, channels):
        raise ValueError(
            f"{name} has {counted(array.size, 'number')} in an array of shape {array.shape}, but the images have "
            f"{counted(channels, 'channel')}; give one number, or one per channel"
        )
    check_finite_array(name, array, dtype)
    return array.reshape(-1)


def check_pattern(name, pattern, channels, dtype=np.float64) -> np.ndarray:
    """Pattern (h, w, channels) of float64, from numbers, finite in ``dtype``, of shape (h, w) or (h, w, channels)."""
    array = np.asarray(pattern, np.float64)
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"{name} must be an array of shape (h, w) or (h, w, channels), got shape {array.shape}")
    check_finite_array(name, array, dtype)
    if array.ndim == 2:
        return np.broadcast_to(array[..., None], (*array.shape, channels))
    if array.shape[2] != channels:
        raise ValueError(f"{name} has {counted(array.shape[2], 'channel')}, but the images have {channels}")
    return array


def check_layers(layers, kind, name="layers"):
    """Raise where an entry is no instance of a subclass of ``kind``."""
    for i, layer in enumerate(layers):
        if not isinstance(layer, kind) or type(layer) is kind:
            raise InvalidParameterError(
                f"{name}[{i}] must be a layer from skconv.layers, got {shown(layer)}{_layer_meant(layer, kind)}"
            )


def check_input(takes, shape, before=()):
    """Raise where a layer ``takes`` "image" or "vector" and its input is the other.

    ``before`` are the layers before this one; the message names the last, which made the input.
    """
    if takes == "image" and len(shape) != 3:
        made = f"; put it before the {type(before[-1]).__name__}" if before else ""
        raise ValueError(f"takes an image (H, W, C), got a vector of {counted(shape[0], 'number')}{made}")
    if takes == "vector" and len(shape) != 1:
        raise ValueError(f"takes a vector, got an image {shape}; put a Flatten or a global pooling before it")


def _layer_meant(value, kind) -> str:
    """End of a message: what to write in place of a value that is no layer."""
    if isinstance(value, type) and issubclass(value, kind):
        return f"; write {value.__name__}(...)"
    if isinstance(value, str):
        takers = [layer.__name__ for layer in _subclasses(kind) if value in _first_names(layer)]
        return f"; write {takers[0]}({shown(value)})" if len(takers) == 1 else ""
    if hasattr(value, "transform"):
        names = [layer.__name__ for layer in _subclasses(kind)]
        name = type(value).__name__
        same = f"the layer is skconv.layers.{name}" if name in names else "put it before the network in a pipeline"
        return f", a transformer; {same}"
    module = type(value).__module__
    if module in ("builtins", "numpy"):
        return ""
    return _taken_by(value, kind) if hasattr(value, "get_params") else f" of {module}"


def _taken_by(value, kind) -> str:
    """End of a message: how a layer takes an object as a parameter; the object's module where none does."""
    takers = [
        (layer.__name__, name)
        for layer in _subclasses(kind)
        for name, constraints in layer._parameter_constraints.items()
        if mismatch(constraints, value) is None
    ]
    names = {name for _, name in takers}
    if len(names) != 1:
        return f" of {type(value).__module__}"
    layer, name = takers[0]
    return f"; write {layer}({name}={shown(value)})" if len(takers) == 1 else f"; give it to a layer as {name}"


def _first_names(layer):
    """Strings that a layer class takes as its first argument."""
    first = next(iter(layer._parameter_constraints.values()), ())
    return names_in(first)


def _subclasses(kind):
    """All subclasses of ``kind``, direct and indirect."""
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
