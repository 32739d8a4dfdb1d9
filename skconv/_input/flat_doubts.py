"""Whether flat samples look like images in rows, or a square number of features like a series.

In an image that lies flat, what is one row below is more alike than what is one row below and one pixel aside; in a
series one step more or less makes no such difference, unless it repeats itself.  What repeats itself is as alike after
two periods as after one, whereas two rows down an image is less so.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np

__all__ = ["flat_doubt", "image", "series"]

_NUMBERS = 1 << 18  # looked at, where they are several samples
_CHANCE = 4  # standard errors
_LEAST, _LONGER = 8, 2  # pixels across an image that is no square, at least; times as long as wide, at most
_ROWS, _NO_ROWS = 0.85, 0.05  # distance straight down over that aside: at most; from 1, at most
_ALIKE = 0.4  # distance straight down over that of others, at most
_TWO_ROWS = 1.5  # distance two rows down over that straight down, at least
_PIXELS = 0.75  # distance of a colour in the next pixel over that of other colours, at most
_JUMP = 2.0  # distance across the ends of rows over that within, of a series at most
_SEAMS = 4.0  # the same of rows across the ends of channels that lie one after the other, at least


def flat_doubt(samples):
    """What was taken, what it looks like, what to write for that and what to write where it is not; or None."""
    n_features = samples.shape[1]
    row = _FlatRow(samples[: max(2, _NUMBERS // n_features)])
    side = isqrt(n_features)
    square = side * side == n_features
    taken = image(side, side, 1) if square else series(n_features, 1)
    given = f"image_shape={(side, side)}" if square else "image_shape='series'"
    found = [layout for layout in _layouts(n_features) if row.is_laid_out(layout)]
    if found:
        seen = min(found, key=lambda layout: (row.distance(layout.line), not layout.planes))
        if not square or row.distance(seen.line) < row.distance(side):
            return taken, seen.kind, seen.recipe, given
    if square and side > 2 and row.runs_on(side):
        return taken, series(n_features, 1), "image_shape='series'", given
    return None


class _Layout(NamedTuple):
    """How an image lies flat."""

    height: int
    width: int
    channels: int
    planes: bool = False  # whether channel by channel

    @property
    def pixel(self):
        """Features of a pixel that lie together."""
        return 1 if self.planes else self.channels

    @property
    def line(self):
        """Features of a row that lie together."""
        return self.width * self.pixel

    @property
    def kind(self):
        """What it is."""
        return image(*self[:3]) + ", channels first" * self.planes

    @property
    def recipe(self):
        """What to write."""
        height, width, channels, planes = self
        if planes:
            return f"X.reshape(-1, {channels}, {height}, {width}).transpose(0, 2, 3, 1)"
        return f"image_shape={(height, width) if channels == 1 else (height, width, channels)}"


def _layouts(n_features):
    """Images with so many numbers that are not too thin, in one channel or in colour."""
    for channels in (1, 3, 4):
        if n_features % channels:
            continue
        pixels = n_features // channels
        for width in range(isqrt(max(0, pixels - 1) // _LONGER) + 1, isqrt(pixels * _LONGER) + 1):
            height = pixels // width
            if height * width == pixels and min(height, width) >= (3 if height == width else _LEAST):
                yield _Layout(height, width, channels)
                if channels > 1:
                    yield _Layout(height, width, channels, planes=True)


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

    def _jump(self, line, step):
        """Distance of features a step apart across the ends of lines over that within."""
        steps = np.square(self.samples[:, step:] - self.samples[:, :-step]).mean(axis=0)
        across = np.arange(len(steps)) % line >= line - step
        within = steps[~across].mean()
        return steps[across].mean() / within if within > 0 else np.inf

    def is_laid_out(self, layout) -> bool:
        """Whether these are images that lie so."""
        line, pixel = layout.line, layout.pixel
        if not layout.planes:
            return self._has_rows(line, pixel) and (pixel == 1 or self._straight(pixel, 1) < _PIXELS)
        size = layout.height * layout.width
        if self._straight(line, 1) > 1 - _NO_ROWS or self._jump(size, line) < _SEAMS:
            return False
        return _FlatRow(self.samples.reshape(-1, size))._has_rows(line, 1)

    def _has_rows(self, line, pixel) -> bool:
        """Whether rows of an image have so many features, and pixels so many."""
        down = self.distance(line)
        if down > _ALIKE * self.others or self.distance(2 * line) < _TWO_ROWS * down or not self._is_smooth(pixel):
            return False
        return self._straight(line, pixel) < min(_ROWS, 1 - self.chance)

    def runs_on(self, line) -> bool:
        """Whether these are series, and no rows of so many features end anywhere."""
        return self._is_smooth(1) and abs(self._straight(line, 1) - 1) <= _NO_ROWS and self._jump(line, 1) < _JUMP


def image(height, width, channels):
    return f"an image of {height}x{width}" + (f" with {channels} channels" if channels > 1 else "")


def series(steps, channels):
    return f"a series of {steps} steps" + (f" with {channels} channels" if channels > 1 else "")
