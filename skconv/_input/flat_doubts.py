"""Whether flat samples taken as series look like images, or a square number of features like a series.

In a flat image a pixel is more like the one straight below than like those beside that one.  In a series one step more
or less makes no such difference, unless the series is periodic; but then numbers two periods apart are as alike as
numbers one period apart, whereas pixels two rows apart are less alike than pixels one row apart.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np

__all__ = ["flat_doubt", "image", "series"]

# Distances are mean squared differences of features; "down" is to the pixel straight below.
_NUMBERS = 1 << 18  # numbers of X that are looked at, in two samples or more
_CHANCE = 4  # standard errors beyond which a difference is no chance
_LEAST, _LONGER = 8, 2  # of an image that is no square: least pixels across, most times as long as wide
_ROWS, _NO_ROWS = 0.85, 0.05  # distance down over that to the pixels beside: most in an image; most from 1 in a series
_ALIKE = 0.4  # most distance down over that of all pairs
_TWO_ROWS = 1.5  # least distance two rows down over that down
_PIXELS = 0.75  # most distance of one colour in neighbouring pixels over that of two colours
_JUMP = 2.0  # most distance across the ends of supposed rows over that within, in a series
_SEAMS = 4.0  # least distance across the ends of channels over that within, in an image with channels first


def flat_doubt(samples):
    """``(taken as, looks like, what to write for that, what to write to confirm)``, or None without a doubt."""
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
    """Order of the features of a flat image."""

    height: int
    width: int
    channels: int
    planes: bool = False  # whether channels come first

    @property
    def pixel(self):
        """Distance of neighbouring pixels of a row, in features."""
        return 1 if self.planes else self.channels

    @property
    def line(self):
        """Distance of neighbouring rows, in features."""
        return self.width * self.pixel

    @property
    def kind(self):
        """Name of the layout for messages."""
        return image(*self[:3]) + ", channels first" * self.planes

    @property
    def recipe(self):
        """Code for messages that makes images of this layout."""
        height, width, channels, planes = self
        if planes:
            return f"X.reshape(-1, {channels}, {height}, {width}).transpose(0, 2, 3, 1)"
        return f"image_shape={(height, width) if channels == 1 else (height, width, channels)}"


def _layouts(n_features):
    """Layouts of images of 1, 3 or 4 channels, not too thin, with ``n_features`` numbers."""
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
    """Mean squared distances of features in samples ``(n, features)``, by how far apart they lie."""

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
        """Distance ``line`` features apart over the mean of those ``line - pixel`` and ``line + pixel`` apart."""
        aside = (self.distance(line - pixel) + self.distance(line + pixel)) / 2
        return self.distance(line) / aside if aside > 0 else 1.0

    def _jump(self, line, step):
        """Distance of features ``step`` apart across the ends of lines over that within lines."""
        steps = np.square(self.samples[:, step:] - self.samples[:, :-step]).mean(axis=0)
        across = np.arange(len(steps)) % line >= line - step
        within = steps[~across].mean()
        return steps[across].mean() / within if within > 0 else np.inf

    def is_laid_out(self, layout) -> bool:
        """Whether the samples look like images of this layout."""
        line, pixel = layout.line, layout.pixel
        if not layout.planes:
            return self._has_rows(line, pixel) and (pixel == 1 or self._straight(pixel, 1) < _PIXELS)
        size = layout.height * layout.width
        if self._straight(line, 1) > 1 - _NO_ROWS or self._jump(size, line) < _SEAMS:
            return False
        return _FlatRow(self.samples.reshape(-1, size))._has_rows(line, 1)

    def _has_rows(self, line, pixel) -> bool:
        """Whether the samples look like images with rows ``line`` and pixels ``pixel`` features apart."""
        down = self.distance(line)
        if down > _ALIKE * self.others or self.distance(2 * line) < _TWO_ROWS * down or not self._is_smooth(pixel):
            return False
        return self._straight(line, pixel) < min(_ROWS, 1 - self.chance)

    def runs_on(self, line) -> bool:
        """Whether the samples look like series, without ends of rows every ``line`` features."""
        return self._is_smooth(1) and abs(self._straight(line, 1) - 1) <= _NO_ROWS and self._jump(line, 1) < _JUMP


def image(height, width, channels):
    return f"an image of {height}x{width}" + (f" with {channels} channels" if channels > 1 else "")


def series(steps, channels):
    return f"a series of {steps} steps" + (f" with {channels} channels" if channels > 1 else "")
