"""Whether samples look like what their shape was taken for; one warning where they do not.

Two things tell.  *Shapes*: no image is 100 x 3, and none of 3 x 32 has 32 channels.  *Neighbours*: along space or time
they are more alike than numbers further apart; channels in no order are not.  And in an image that lies flat, what is
one row below is more alike than what is one row below and one pixel aside, whereas in a series one step more or less
makes no such difference.

Chance is held against the numbers of one sample, whatever the number of samples: these may all be much the same.
"""

from __future__ import annotations

from math import ceil, isqrt, prod

import numpy as np

from ._warnings import warn

__all__ = ["warn_of_doubts"]

_NUMBERS = 1 << 15  # looked at
_CHANCE = 4  # standard errors
_THIN, _LONG = 8, 16  # times as long as wide, and so many pixels long: no image
_COLOURS = 4  # channels of an image file, at most
_LEAST = 8  # pixels across an image file, at least
_SEVERAL = 5  # numbers along an axis, at least, of which an order can be seen
_NOTHING = 1e-12  # distance that is rounding, of numbers up to 1
_ORDERED, _UNORDERED = 0.6, 0.9  # distance of neighbours over that of others
_ROWS, _NO_ROWS = 0.85, 0.05  # distance straight down over that aside: at most; from 1, at most
_JUMP = 2.0  # distance across the ends of rows over that within


def warn_of_doubts(X, sample_shape, image_shape):
    """Warn where flat samples X, or n-d ones that came with ``sample_shape``, look like another thing than was taken.

    ``image_shape`` is what the user said: None, or "series"; a shape leaves no doubt.
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
    if doubt is not None:
        taken, seen, write, confirm = doubt
        given = None if image_shape is None else "'series'"
        kind = "rows of X" if len(sample_shape) == 1 else "samples"
        warn(
            f"image_shape={given} took {kind} of shape {sample_shape} as {taken}, but they look like {seen}. "
            f"Write {write}; {confirm} where they are not"
        )


def _doubt(samples, sample_shape, image_shape):
    """What was taken, what it looks like, what to write for that and what to write where it is not; or None."""
    if len(sample_shape) == 1:
        return _flat_doubt(samples) if image_shape is None else None
    nd = samples.reshape(len(samples), *sample_shape)
    if image_shape is not None:
        return _series_doubt(nd) if len(sample_shape) == 2 else None
    if len(sample_shape) == 2 or sample_shape[2] == 1:
        return _thin_doubt(nd.reshape(nd.shape[:3]), sample_shape)
    return _channels_doubt(nd)


# Samples that came with a shape


def _series_doubt(nd):
    """Whether series ``(n, T, C)`` look like ``(n, C, T)``."""
    _, steps, channels = nd.shape
    if _is_ordered(nd, 2) and (_is_thin(channels, steps) or _is_unordered(nd, 1)):
        return (
            _series(steps, channels),
            _series(channels, steps),
            "X.transpose(0, 2, 1)",
            f"image_shape=(1, {steps}, {channels})",
        )
    return None


def _thin_doubt(nd, sample_shape):
    """Whether images ``(n, H, W)`` look like series, ``(n, T, C)`` or ``(n, C, T)``."""
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
        return _image(height, width, 1), _series(height, width), flat, given
    turned = "X.transpose(0, 2, 1)" if len(sample_shape) == 2 else "X[..., 0].transpose(0, 2, 1)"
    return _image(height, width, 1), _series(width, height), f"{turned} and image_shape='series'", given


def _channels_doubt(nd):
    """Whether images ``(n, H, W, C)`` look like ``(n, C, H, W)``, or like series that go down."""
    _, height, width, channels = nd.shape
    given = f"image_shape={nd.shape[1:]}"
    taken = _image(height, width, channels)
    if width == 1 and _is_thin(height, width):
        return taken, _series(height, channels), f"image_shape=(1, {height}, {channels})", given
    if min(width, channels) < _LEAST or max(width, channels) > 2 * min(width, channels):
        return None
    across, inward = _disorder(nd, 2), _disorder(nd, 3)
    if height <= _COLOURS:
        first = not (inward > 0.8 and inward > 1.15 * across)
    else:
        first = _is_unordered(nd, 1) and _is_ordered(nd, 2) and _is_ordered(nd, 3)
    if not first:
        return None
    return taken, f"{_image(width, channels, height)}, channels first", "X.transpose(0, 2, 3, 1)", given


def _is_thin(long, short) -> bool:
    return long >= max(_LONG, _THIN * short)


def _disorder(nd, axis):
    """Mean squared distance of neighbours along an axis over that of others: 1 without order, NaN if all are alike."""
    nd = np.moveaxis(nd, axis, 0)
    length = len(nd)
    near = np.square(nd[1:] - nd[:-1]).mean()
    every = 2 * length / (length - 1) * nd.var(axis=0).mean()  # of all pairs
    far = (every * length - 2 * near) / (length - 2)
    return near / far if far > _NOTHING else np.nan


def _is_ordered(nd, axis) -> bool:
    chance = 1 - _CHANCE / prod(nd.shape[1:]) ** 0.5
    return nd.shape[axis] >= _SEVERAL and _disorder(nd, axis) < min(_ORDERED, chance)


def _is_unordered(nd, axis) -> bool:
    return nd.shape[axis] >= _SEVERAL and _disorder(nd, axis) > _UNORDERED


# Samples that came flat


def _flat_doubt(samples):
    """Whether flat samples look like images in colour, or a square number of features like a series."""
    n_features = samples.shape[1]
    row = _FlatRow(samples)
    side = isqrt(n_features)
    square = side * side == n_features
    taken = _image(side, side, 1) if square else _series(n_features, 1)
    given = f"image_shape={(side, side)}" if square else "image_shape='series'"
    found = [seen for seen in _colours(n_features) if row.has_rows(*seen[:2]) and not row.has_other_pixels(seen[1])]
    if found:
        line, _, seen, write = min(found, key=lambda seen: row.distance(seen[0]))
        if not square or row.distance(line) < row.distance(side):
            return taken, seen, write, given
    if square and side > 2 and row.runs_on(side):
        return taken, _series(n_features, 1), "image_shape='series'", given
    return None


def _colours(n_features):
    """Square images in colour with so many numbers: features of a row, of a pixel, their kind and what to write."""
    for channels in (3, 4):
        side = isqrt(n_features // channels)
        if side > 2 and side * side * channels == n_features:
            image = _image(side, side, channels)
            yield channels * side, channels, image, f"image_shape={(side, side, channels)}"
            planes = f"X.reshape(-1, {channels}, {side}, {side}).transpose(0, 2, 3, 1)"
            yield side, 1, f"{image}, channels first", planes


class _FlatRow:
    """Mean squared distances of features by how far apart they lie."""

    def __init__(self, samples):
        self.samples = samples
        self.chance = _CHANCE / samples.shape[1] ** 0.5
        self.others = 2 * samples.var()
        self._known = {}

    def distance(self, lag):
        if lag not in self._known:
            self._known[lag] = float(np.square(self.samples[:, lag:] - self.samples[:, :-lag]).mean())
        return self._known[lag]

    def _is_smooth(self, lag):
        return 1 - self.distance(lag) / self.others > self.chance

    def _straight(self, line, pixel):
        """Distance straight down over that aside."""
        aside = (self.distance(line - pixel) + self.distance(line + pixel)) / 2
        return self.distance(line) / aside if aside > 0 else 1.0

    def has_rows(self, line, pixel) -> bool:
        """Whether these are images with so many features in a row and in a pixel."""
        return self._is_smooth(pixel) and self._straight(line, pixel) < min(_ROWS, 1 - self.chance)

    def has_other_pixels(self, pixel) -> bool:
        """Whether pixels of 3 or 4 numbers fit better than these."""
        return min(self.distance(other) for other in (3, 4) if other != pixel) < self.distance(pixel)

    def runs_on(self, line) -> bool:
        """Whether these are series, and no rows of so many features end anywhere."""
        if not self._is_smooth(1) or abs(self._straight(line, 1) - 1) > _NO_ROWS:
            return False
        steps = np.square(np.diff(self.samples, axis=1)).mean(axis=0)
        ends = steps[line - 1 :: line].mean()
        return ends < _JUMP * steps.mean()


def _image(height, width, channels):
    return f"an image of {height}x{width}" + (f" with {channels} channels" if channels > 1 else "")


def _series(steps, channels):
    return f"a series of {steps} steps" + (f" with {channels} channels" if channels > 1 else "")
