"""A warning where samples do not look like the shape they were taken for.

Two criteria: *shapes*, since no image is 100 x 3, and none of 3 x 32 has 32 channels; and *neighbours*, which are more
alike along space or time than numbers further apart, but not along channels without an order.  `flat_doubts` has more
criteria for flat samples.

Thresholds for chance come from the size of one sample, for any number of samples, since all samples may be alike.
"""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from .constraints import shown
from .flat_doubts import flat_doubt, image, series
from .warnings import warn

__all__ = ["warn_of_doubts"]

_NUMBERS = 1 << 15  # numbers of X that are looked at
_CHANCE = 4  # standard errors beyond which a difference is no chance
_THIN, _LONG = 8, 16  # no image is so many times as long as wide and at least so many pixels long
_COLOURS = 4  # most channels of an image file
_LEAST = 8  # least pixels across an image file
_SEVERAL = 5  # least numbers along an axis for an order to be seen
_NOTHING = 1e-12  # largest squared distance that is rounding, for numbers up to 1
_ORDERED, _UNORDERED = 0.6, 0.9  # most `_disorder` along an axis with an order, least along one without
_ROWS = 0.4  # most `_disorder` of rows of an image: theirs is 0.02 to 0.25, that of eleven sets of series 0.7 to 1.3


def warn_of_doubts(X, sample_shape, image_shape):
    """Warn where samples X (n, features) do not look like what they were taken for.

    ``sample_shape`` is ``(features,)``, or the shape in which n-d samples came.  ``image_shape`` is the parameter:
    None, "series", or, of flat samples only, a shape.
    """
    rows = max(16, _NUMBERS // X.shape[1])
    with np.errstate(all="ignore"):
        some = X[:: ceil(len(X) / rows)] if isinstance(X, np.ndarray) else X.take(np.arange(min(rows, len(X))))
        samples = some.astype(np.float64)
        samples -= samples.mean()
        scale = abs(samples).max()
        if not 0 < scale < np.inf:
            return
        doubt = _doubt(samples / scale, sample_shape, image_shape)
        if image_shape is None and isinstance(X, np.ndarray) and _is_one_image(X, sample_shape):
            size = (len(X), *sample_shape)
            doubt = image(*sample_shape, 1), f"the rows of one image {size}", "X[None]", "image_shape='series'"
    if doubt is not None:
        taken, seen, write, confirm = doubt
        kind = "rows of X" if len(sample_shape) == 1 else "samples"
        warn(
            f"image_shape={shown(image_shape)} took {kind} of shape {sample_shape} as {taken}, but they look like "
            f"{seen}. Write {write}; {confirm} where they are not"
        )


def _doubt(samples, sample_shape, image_shape):
    """``(taken as, looks like, what to write for that, what to write to confirm)``, or None without a doubt."""
    if len(sample_shape) == 1:
        return flat_doubt(samples) if image_shape is None else _given_doubt(samples, image_shape)
    nd = samples.reshape(len(samples), *sample_shape)
    if image_shape is not None:
        return _series_doubt(nd) if len(sample_shape) == 2 else None
    if len(sample_shape) == 2 or sample_shape[2] == 1:
        return _thin_doubt(nd.reshape(nd.shape[:3]), sample_shape)
    return _channels_doubt(nd)


def _given_doubt(samples, shape):
    """The doubt of `_doubt` where flat samples with ``shape`` (C, H, W) look like images with channels first."""
    doubt = _channels_doubt(samples.reshape(len(samples), *shape))
    if doubt is None:
        return None
    rows = f"X.reshape(-1, {', '.join(map(str, shape))})"
    return *doubt[:2], f"{rows}.transpose(0, 2, 3, 1), and image_shape=None", rows


def _is_one_image(X, sample_shape):
    """Whether ``n`` samples of shape ``(W, C)`` are the rows of one colour image, each much like the next.

    Windows that slide along a series by some steps are excluded: shifted by these steps they are equal.
    """
    width, channels = sample_shape if len(sample_shape) == 2 else (0, 0)
    if channels not in (3, 4) or min(len(X), width) < _LEAST or max(len(X), width) > 2 * min(len(X), width):
        return False
    rows = np.asarray(X[: max(16, _NUMBERS // X.shape[1])], np.float64).reshape(-1, *sample_shape)
    slides = any(np.array_equal(rows[1:, :-step], rows[:-1, step:]) for step in range(1, width // 2))
    return not slides and _disorder(rows, 0) < _ROWS and _disorder(rows, 1) < _ROWS


def _series_doubt(nd):
    """The doubt of `_doubt` where series ``(n, T, C)`` look like ``(n, C, T)``."""
    _, steps, channels = nd.shape
    if _is_ordered(nd, 2) and (_is_thin(channels, steps) or _is_unordered(nd, 1)):
        return (
            series(steps, channels),
            series(channels, steps),
            "X.transpose(0, 2, 1)",
            f"image_shape=(1, {steps}, {channels})",
        )
    return None


def _thin_doubt(nd, sample_shape):
    """The doubt of `_doubt` where images ``(n, H, W)`` look like series, ``(n, T, C)`` or ``(n, C, T)``."""
    _, height, width = nd.shape
    if height == 1:
        return None
    down = _is_thin(height, width) or (_is_ordered(nd, 1) and _is_unordered(nd, 2))
    across = _is_thin(width, height) or (_is_ordered(nd, 2) and _is_unordered(nd, 1))
    if not (down or across):
        return None
    given = f"image_shape={sample_shape}"
    if down:
        flat = "image_shape='series'" if len(sample_shape) == 2 else f"image_shape=(1, {height}, {width})"
        return image(height, width, 1), series(height, width), flat, given
    turned = "X.transpose(0, 2, 1)" if len(sample_shape) == 2 else "X[..., 0].transpose(0, 2, 1)"
    return image(height, width, 1), series(width, height), f"{turned} and image_shape='series'", given


def _channels_doubt(nd):
    """The doubt of `_doubt` where images ``(n, H, W, C)`` look like ``(n, C, H, W)``, or like series along H."""
    _, height, width, channels = nd.shape
    given = f"image_shape={nd.shape[1:]}"
    taken = image(height, width, channels)
    if width == 1 and _is_thin(height, width):
        return taken, series(height, channels), f"image_shape=(1, {height}, {channels})", given
    if min(width, channels) < _LEAST or max(width, channels) > 2 * min(width, channels):
        return None
    across, inward = _disorder(nd, 2), _disorder(nd, 3)
    if height <= _COLOURS:
        first = not (inward > 0.8 and inward > 1.15 * across)
    else:
        first = _is_unordered(nd, 1) and _is_ordered(nd, 2) and _is_ordered(nd, 3)
    if not first:
        return None
    return taken, f"{image(width, channels, height)}, channels first", "X.transpose(0, 2, 3, 1)", given


def _is_thin(long, short) -> bool:
    return long >= max(_LONG, _THIN * short)


def _disorder(nd, axis):
    """Mean squared distance of neighbours along an axis over that of other pairs: 1 without order, NaN if all equal."""
    nd = np.moveaxis(nd, axis, 0)
    length = len(nd)
    near = np.square(nd[1:] - nd[:-1]).mean()
    all_pairs = 2 * length / (length - 1) * nd.var(axis=0).mean()  # mean squared distance
    far = (all_pairs * length - 2 * near) / (length - 2)
    return near / far if far > _NOTHING else np.nan


def _is_ordered(nd, axis) -> bool:
    chance = 1 - _CHANCE / prod(nd.shape[1:]) ** 0.5
    return nd.shape[axis] >= _SEVERAL and _disorder(nd, axis) < min(_ORDERED, chance)


def _is_unordered(nd, axis) -> bool:
    return nd.shape[axis] >= _SEVERAL and _disorder(nd, axis) > _UNORDERED
