"""The shape of a sample, from ``image_shape`` and X."""

from __future__ import annotations

from math import isqrt, prod

import numpy as np

from .constraints import IMAGE_SHAPES, check_value, shown
from .memory import counted

__all__ = ["as_samples", "check_like_fitted", "describes", "may_lie_first", "resolve_image_shape", "same_numbers"]


def as_samples(X):
    """X as an object with a shape: lists and pictures of imaging libraries become arrays."""
    if X is not None and not hasattr(X, "shape"):
        try:
            X = np.asarray(X)
        except ValueError:
            _check_even(X)
            raise
        if X.ndim == 0 and X.dtype == object:
            kind = type(X.item()).__name__
            raise ValueError(
                f"X must be an array of samples, got an object of type {kind}; np.stack makes one of a list of samples"
            )
    if hasattr(X, "iloc") or (isinstance(X, np.ndarray) and X.ndim == 1):
        _check_holds_numbers(X)
    if isinstance(X, np.ndarray):
        _check_is_real(X)
        X = _as_numbers(X) if X.ndim > 2 and X.dtype == object else X
    if getattr(X, "ndim", 2) > 4:
        raise ValueError(
            f"Found array with dim {X.ndim}, shape {tuple(X.shape)}, where X has 2, (samples, features), or 3 or 4 for "
            "images and series. Make samples of what is more than (H, W, C), X.reshape(-1, *X.shape[-3:]), or channels"
        )
    return X


def _check_holds_numbers(X):
    """Raise where each sample of an array, or of a column of a data frame, is an array, a picture or a string."""
    rows = np.asarray(X.iloc[:1] if hasattr(X, "iloc") else X[:1])
    if rows.dtype.kind not in "OUT":
        return
    for i, value in enumerate(rows.ravel()):
        name = "X" if np.ndim(X) == 1 else f"X[{shown(X.columns[i])}]"
        if isinstance(value, str) and np.ndim(X) == 1:
            raise ValueError(
                f"X must hold numbers, got strings, such as {shown(value)}; files of pictures are read by "
                "np.stack([np.asarray(Image.open(name)) for name in X]) with Pillow's Image"
            )
        if not isinstance(value, str) and _shown_shape(value) != "()":
            samples = X if name == "X" else X.iloc[:, i]
            _check_even(samples)
            raise ValueError(
                f"{name} holds {_kind(samples)} objects of shape {_shown_shape(value)}, one a row, where X is one "
                f"array of all samples; write np.stack([np.asarray(sample) for sample in {name}])"
            )


def _kind(samples) -> str:
    """Name of the type of the first sample."""
    return type(next(iter(samples))).__name__


_INSTEAD = {
    "c": "; np.abs(X), or np.stack([X.real, X.imag], axis=-1) for channels, makes real ones",
    "M": "; write the time that has passed, (X - X.min()) / np.timedelta64(1, 's')",
    "m": "; write X / np.timedelta64(1, 's')",
    "U": "; write X.astype(float) where they are numbers",
    "S": "; write X.astype(float) where they are numbers",
    "T": "; write X.astype(float) where they are numbers",
    "V": "; of a structured array, np.lib.recfunctions.structured_to_unstructured(X) has the numbers",
}


def _check_is_real(X):
    """Raise where an array has anything but real numbers, or masked ones."""
    kind = X.dtype.kind
    if kind in _INSTEAD:
        what = "Complex data not supported: " if kind == "c" else ""
        raise ValueError(f"{what}X must hold real numbers, got dtype {X.dtype}{_INSTEAD[kind]}")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(
            f"X is a masked array that hides {np.ma.count_masked(X)} of {counted(X.size, 'number')}, and a network "
            "would see what is hidden; write X.filled(value) with the value to see in their place"
        )


def _as_numbers(X):
    """An array of objects as float64."""
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must hold real numbers, got an array of shape {X.shape} of objects: {error}") from error


def _check_even(X):
    """Raise where samples differ in shape."""
    shapes = sorted({_shown_shape(sample) for sample in X})
    if len(shapes) > 1 or shapes == ["uneven"]:
        raise ValueError(
            f"X must have samples of one shape, got inhomogeneous ones: {', '.join(shapes[:3])}"
            f"{', ...' if len(shapes) > 3 else ''}; cut, resize or fill them up to one, series for example by np.pad"
        )


def _shown_shape(sample) -> str:
    try:
        return str(np.shape(sample))
    except ValueError:
        return "uneven"


def same_numbers(shape, other) -> bool:
    """Whether two shapes are equal without their axes of length 1."""
    return [size for size in shape if size != 1] == [size for size in other if size != 1]


def resolve_image_shape(image_shape, sample_shape) -> tuple[int, int, int]:
    """``(height, width, channels)`` of samples whose arrays have ``sample_shape``.

    Parameters
    ----------
    image_shape : None, "series", (T,), (H, W) or (H, W, C)
        None keeps the shape of n-d samples and takes a square number of features as a square image, any other as a
        series.
    sample_shape : tuple of int
        ``(features,)``, ``(H, W)`` or ``(H, W, C)``.
    """
    n_features = prod(sample_shape)
    if isinstance(image_shape, str):
        return _series_shape(sample_shape)
    if image_shape is not None:
        shape = _full_shape(image_shape)
    elif len(sample_shape) == 1:
        side = isqrt(n_features)
        return (side, side, 1) if side * side == n_features else (1, n_features, 1)
    else:
        return (*sample_shape, 1)[:3]
    if prod(shape) != n_features:
        raise ValueError(
            f"image_shape={shown(image_shape)} has {counted(prod(shape), 'number')}, but X has "
            f"{counted(n_features, 'feature')} a sample{'' if len(sample_shape) == 1 else f' (shape {sample_shape})'}"
        )
    if len(sample_shape) > 1 and not same_numbers(shape, sample_shape):
        raise ValueError(
            f"image_shape={shown(image_shape)} contradicts X, whose samples have the shape {sample_shape}; "
            f"{_turned(sample_shape, shape) or f'write image_shape={sample_shape}, or reshape X'}"
        )
    return shape


def _full_shape(image_shape):
    """``(height, width, channels)`` of T, (T,), (H, W) or (H, W, C)."""
    check_value("image_shape", image_shape, IMAGE_SHAPES)
    given = tuple(int(size) for size in (image_shape if isinstance(image_shape, (tuple, list)) else (image_shape,)))
    return {1: (1, *given, 1), 2: (*given, 1), 3: given}[len(given)]


def _series_shape(sample_shape):
    """``(1, T, C)`` of samples (T,), (T, C) or (1, T, C)."""
    if len(sample_shape) == 3 and sample_shape[0] == 1:
        return sample_shape
    if len(sample_shape) > 2:
        raise ValueError(f"image_shape='series' takes samples (T,) or (T, C), got samples of shape {sample_shape}")
    return (1, *sample_shape, 1)[:3]


def _turned(sample_shape, shape) -> str:
    """Advice, for a message, where samples have their channels first; else ""."""
    channels, size = shape[2], shape[:2]
    if channels > 1 and same_numbers(sample_shape, (channels, *size)):
        axes = (0, 2, 3, 1) if len(sample_shape) == 3 else (0, 2, 1)
        return f"channels come last: X.transpose{axes}"
    return ""


def describes(image_shape, shape) -> bool:
    """Whether ``image_shape`` fits samples of ``shape`` (height, width, channels)."""
    if image_shape is None:
        return True
    return shape[0] == 1 if isinstance(image_shape, str) else _full_shape(image_shape) == shape


def may_lie_first(image_shape) -> bool:
    """Whether ``image_shape`` has three sizes, of which the first, 1, 3 or 4, may be channels."""
    return isinstance(image_shape, (tuple, list)) and len(image_shape) == 3 and image_shape[0] in (1, 3, 4)


def check_like_fitted(X, sample_shape, fitted, estimator_name):
    """Raise where samples, flat or of ``sample_shape``, do not have the shape of the fit.

    A wrong number of features of flat samples is left to scikit-learn's check, unless X is one sample.
    """
    shape = np.shape(X) if sample_shape is None else (len(X), *sample_shape)
    n_features = prod(shape[1:])
    if n_features == prod(fitted) and (sample_shape is None or same_numbers(sample_shape, fitted)):
        return
    if len(shape) > 1 and same_numbers(shape, fitted):
        raise ValueError(
            f"X is one sample of shape {shape}, {estimator_name} takes an array of them: write X[None], or "
            "np.asarray(X)[None] of a list or a picture"
        )
    if sample_shape is None and shape == tuple(fitted[:2]) and fitted[0] > 1:
        raise ValueError(
            f"X is one sample of shape {shape} without channels, {estimator_name} was fitted on {fitted}: write "
            f"np.repeat(np.asarray(X)[None, :, :, None], {fitted[2]}, axis=3) for {fitted[2]} channels that are alike"
        )
    if sample_shape is None or not n_features:
        return
    given = (1, *sample_shape) if fitted[0] == 1 and len(sample_shape) == 2 else (*sample_shape, 1)[:3]
    what = f"X has samples of shape {given}, but {estimator_name} was fitted on {fitted}"
    if n_features != prod(fitted):
        n_fitted = f"{estimator_name} is expecting {prod(fitted)} features as input"
        what = f"X has {n_features} features, but {n_fitted}: {what}"
    hint = _turned(sample_shape, fitted)
    raise ValueError(f"{what}{hint and '; '}{hint}")
