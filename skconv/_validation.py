"""Every argument check and its message."""

from __future__ import annotations

import os
import re
import sys
from math import gcd
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import (  # private to scikit-learn: imported here only
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)

__all__ = [
    "InvalidParameterError",
    "at_least",
    "between",
    "check_bias",
    "check_channel_values",
    "check_counts",
    "check_finite_loss",
    "check_finite_parameters",
    "check_groups",
    "check_image_shape",
    "check_layers",
    "check_memory",
    "check_pad_width",
    "check_parameters",
    "check_pattern",
    "check_size",
    "check_window_fits",
    "one_of",
    "per_layer",
    "physical_memory",
    "plain_numbers",
    "shown",
    "with_methods",
]


def at_least(low, kind=Integral, closed="left"):
    """Constraint: a number from ``low`` up; with ``closed="neither"`` above it."""
    return Interval(kind, low, None, closed=closed)


def between(low, high, closed="left", kind=Real):
    """Constraint: a number between two others."""
    return Interval(kind, low, high, closed=closed)


def one_of(*names):
    """Constraint: one of these strings."""
    return StrOptions(set(names))


def with_methods(*names):
    """Constraint: an object with these methods."""
    return HasMethods(list(names))


def plain_numbers():
    """Context in which a repr has NumPy's numbers and strings as Python's: 5, not np.int64(5)."""
    return np.printoptions(legacy="1.25", threshold=8)


def shown(value, longest=160):
    """A value as messages show it: its repr on one line, with plain numbers, and not longer than a line or two."""
    if isinstance(value, np.ndarray) and (value.ndim > 1 or value.size > 8):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    try:
        with plain_numbers():
            text = re.sub(r"\n\s*", " ", repr(value))
    except Exception:  # an integer of thousands of digits, an object whose repr fails
        text = f"<{type(value).__name__}>"
    return text if len(text) <= longest else f"{text[: longest - 20]} ... {text[-15:]}"


def check_parameters(estimator):
    """Hold an estimator's parameters against its constraints."""
    with plain_numbers():
        validate_parameter_constraints(
            estimator._parameter_constraints, estimator.get_params(deep=False), caller_name=type(estimator).__name__
        )


def check_window_fits(name, value, window):
    """Raise where no window fits its input with its borders."""
    if window.fits:
        return
    rows, columns = window.rows, window.columns
    dilated = "" if rows.span == rows.kernel and columns.span == columns.kernel else " with its dilation"
    raise ValueError(
        f"{name}={shown(value)} does not fit{dilated}: a window of {rows.span}x{columns.span} in an input of "
        f"{rows.padded}x{columns.padded}"
    )


def check_bias(value):
    """A convolution's ``bias`` as "shared", "position" or None."""
    if isinstance(value, (bool, np.bool_)):
        return "shared" if value else None
    if value is None or (isinstance(value, str) and value in ("shared", "position")):
        return value
    raise ValueError(f"bias must be 'shared', 'position' or None, got {shown(value)}")


def check_groups(groups, channels, filters):
    """Raise where channels and filters do not go into that many groups."""
    fits = isinstance(groups, Integral) and not isinstance(groups, (bool, np.bool_)) and groups >= 1
    if not fits or channels % groups or filters % groups:
        common = gcd(channels, filters)
        fitting = ", ".join(str(n) for n in range(1, common + 1) if common % n == 0)
        raise ValueError(
            f"groups must be an integer that divides the {channels} channels of the input and filters={filters}: one "
            f"of {fitting}, got {shown(groups)}"
        )


def physical_memory() -> int:
    """Bytes of this machine's memory, or no limit where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize


def check_memory(what, needed, limit, name):
    """Raise before anything of that many bytes is allocated."""
    if needed > limit:
        raise ValueError(
            f"{what} would take {needed / 2**20:,.1f} MiB, more than the {limit / 2**20:,.1f} MiB of {name}"
        )


def per_layer(name, value, *lengths):
    """One value for each layer, from one value or a tuple with one per layer.

    Parameters
    ----------
    name : str
        The parameter's, for the message.
    value : object
        A number, a string, None or a bool is for all layers; a tuple or list has one per layer.
    *lengths : int
        Lengths that fit; one value is repeated to the largest.
    """
    if not isinstance(value, (tuple, list)):
        _check_layer_value(name, value, value)
        return [value] * max(lengths)
    lengths = [length for length in lengths if length] or [0]
    if len(value) not in lengths:
        allowed = " or ".join(str(length) for length in dict.fromkeys(lengths))
        raise InvalidParameterError(
            f"{name}={shown(value)} has {len(value)} entries, one per layer; there are {allowed} layers. One value is "
            f"for all layers; a pair (down, across) for a layer goes inside: {name}=({shown(value)},)"
        )
    for entry in value:
        _check_layer_value(name, entry, value)
    return list(value)


def check_counts(name, value):
    """One number of at least 1 per layer, from one number or a sequence."""
    counts = value if isinstance(value, (tuple, list)) else (value,)
    for count in counts:
        if not _is_size(count, 1) or isinstance(count, (tuple, list)):
            raise InvalidParameterError(f"{name} must be integers of at least 1, one per layer, got {shown(value)}")
    return tuple(int(count) for count in counts)


def check_size(name, value):
    """One number of at least 1 or two of them."""
    if not _is_size(value, 1):
        raise InvalidParameterError(f"{name} must be {_SIZES}, got {shown(value)}")


def check_pad_width(name, value):
    """A border's width: one number, two, or two pairs."""
    if isinstance(value, str) or not _is_padding(value):
        raise InvalidParameterError(
            f"{name} must be an integer of at least 0, two (down, across) or two pairs ((top, bottom), (left, right)), "
            f"got {shown(value)}"
        )


def check_channel_values(name, values, channels) -> np.ndarray:
    """One number per channel, from one number or one per channel."""
    array = _finite_numbers(name, values)
    if array.ndim > 1 or array.size not in (1, channels):
        raise ValueError(
            f"{name} has {array.size} numbers in an array of shape {array.shape}, but the images have {channels} "
            "channels; give one number, or one per channel"
        )
    return np.broadcast_to(array.reshape(-1), (channels,))


def check_pattern(name, pattern, channels) -> np.ndarray:
    """A pattern of shape ``(h, w, channels)``, from one of shape (h, w) or (h, w, channels)."""
    array = _finite_numbers(name, pattern)
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"{name} must be an array of shape (h, w) or (h, w, channels), got shape {array.shape}")
    if array.ndim == 2:
        return np.broadcast_to(array[..., None], (*array.shape, channels))
    if array.shape[2] != channels:
        raise ValueError(f"{name} has {array.shape[2]} channels, but the images have {channels}")
    return array


def _finite_numbers(name, values) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = None
    if array is None or values is None:
        raise ValueError(f"{name} must be numbers, got {shown(values)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {shown(values)}")
    return array


def check_image_shape(image_shape):
    """``(T,)``, ``(H, W)`` or ``(H, W, C)`` as a tuple."""
    shape = image_shape if isinstance(image_shape, (tuple, list)) else (image_shape,)
    if not 1 <= len(shape) <= 3 or not all(_is_size(size, 1) and not isinstance(size, (tuple, list)) for size in shape):
        raise InvalidParameterError(
            "image_shape must be None, 'series', (T,), (H, W) or (H, W, C) with integers of at least 1, "
            f"got {shown(image_shape)}"
        )
    return tuple(int(size) for size in shape)


def check_layers(layers, kind, name="layers"):
    """Every entry an instance of ``kind``."""
    for i, layer in enumerate(layers):
        if not isinstance(layer, kind):
            raise InvalidParameterError(f"{name}[{i}] must be a layer from skconv.layers, got {shown(layer)}")


def _is_size(value, low):
    """An integer of at least ``low``, or two of them."""
    if isinstance(value, (tuple, list)):
        return len(value) == 2 and all(_is_size(v, low) and not isinstance(v, (tuple, list)) for v in value)
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)) and value >= low


def _is_padding(value):
    if isinstance(value, str):
        return value in ("same", "valid")
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return all(_is_size(v, 0) for v in value)
    return _is_size(value, 0)


def _is_share(value):
    return isinstance(value, (int, float, np.number)) and value is not True and 0 <= value < 1


def _is_name(*names):
    return lambda value: (value is None and None in names) or (isinstance(value, str) and value in names)


_SIZES = "an integer of at least 1, or two (down, across)"
_LAYER_VALUES = {
    "kernel_size": (lambda v: _is_size(v, 1), _SIZES),
    "stride": (lambda v: _is_size(v, 1), _SIZES),
    "dilation": (lambda v: _is_size(v, 1), _SIZES),
    "pool_size": (lambda v: _is_size(v, 1), _SIZES),
    "padding": (_is_padding, "'same', 'valid', an integer of at least 0, two, or two pairs"),
    "padding_mode": (
        _is_name("constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"),
        "'constant', 'edge', 'reflect', 'symmetric', 'wrap', 'noise' or 'donor'",
    ),
    "connectivity": (_is_name("shared", "local", "full"), "'shared', 'local' or 'full'"),
    "bias": (_is_name("shared", "position", None), "'shared', 'position' or None"),
    "pool": (_is_name("auto", "max", "mean", "stride", None), "'auto', 'max', 'mean', 'stride' or None"),
    "batch_norm": (lambda v: isinstance(v, (bool, np.bool_)), "True or False"),
    "dropout": (_is_share, "a number in [0, 1)"),
    "activation": (
        _is_name("relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity"),
        "'relu', 'leaky_relu', 'elu', 'gelu', 'tanh', 'logistic' or 'identity'",
    ),
}


def _check_layer_value(name, entry, value):
    fits, wanted = _LAYER_VALUES[name]
    if not fits(entry):
        where = "" if entry is value else f" in {name}={shown(value)}"
        raise InvalidParameterError(f"{name} of a layer must be {wanted}, got {shown(entry)}{where}")


def check_finite_parameters(parameters, epoch, learning_rate_init):
    """Raise where the last update has diverged."""
    if not np.isfinite(parameters).all():
        check_finite_loss(float("nan"), epoch, learning_rate_init)


def check_finite_loss(loss, epoch, learning_rate_init):
    """Raise where training has diverged."""
    if not np.isfinite(loss):
        raise ValueError(
            f"the loss became {loss} in epoch {epoch}: the training diverged. Lower learning_rate_init "
            f"(now {shown(learning_rate_init)}), or scale X, for example by MinMaxScaler or StandardScaler"
        )
