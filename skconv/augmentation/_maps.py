"""Geometric augmentations: random maps from positions in the output to positions in the input.

A map is a matrix (2, 3): the output at ``(row, column)`` is the input at ``map @ (row, column, 1)``.  Maps of a sample
are multiplied, so that the sample is interpolated once.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np

from .._input.constraints import between, shown
from ._base import AMOUNTS, Augmentation, amounts

__all__ = ["Crop", "Flip", "Map", "Rotation", "Shear", "Shift", "TimeWarp", "Zoom"]

_KNOTS = 6  # moments of a time warp with a random speed, both ends included


class Map(Augmentation):
    """Base class of geometric augmentations, whose `draw` returns affine maps (n, 2, 3).

    The pixel at ``(row, column)`` of the result is the sample at ``map @ (row, column, 1)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.augmentation import Map, make_augmenter
    >>> class UpsideDown(Map):
    ...     whole = True  # nothing to interpolate
    ...
    ...     def draw(self, n, shape, rng):
    ...         turned = rng.random(n) < 0.5
    ...         last = shape[0] - 1
    ...         return np.where(turned[:, None, None], [[-1, 0, last], [0, 1, 0]], np.eye(2, 3))
    >>> augmenter = make_augmenter(UpsideDown(), (3, 1, 1))
    >>> images = np.arange(12.0).reshape(4, 3, 1, 1)
    >>> augmenter.apply(images, augmenter.draw(4, np.random.default_rng(0)))
    >>> images.reshape(4, 3)
    array([[ 0.,  1.,  2.],
           [ 5.,  4.,  3.],
           [ 8.,  7.,  6.],
           [11., 10.,  9.]])
    """


def _about_centre(matrices, shape):
    """Maps (n, 2, 3) of matrices (n, 2, 2), with the centre of the sample as fixed point."""
    centre = (np.array(shape[:2]) - 1) / 2
    return np.concatenate([matrices, (centre - matrices @ centre)[..., None]], axis=2)


def _diagonal(down, across):
    """Diagonal matrices (n, 2, 2)."""
    matrices = np.zeros((len(across), 2, 2))
    matrices[:, 0, 0], matrices[:, 1, 1] = down, across
    return matrices


def compose(first, then):
    """Maps (n, 2, 3) that change samples by ``first``, then by ``then``: positions go through ``then``, ``first``."""
    linear = first[:, :, :2] @ then[:, :, :2]
    offset = first[:, :, :2] @ then[:, :, 2:] + first[:, :, 2:]
    return np.concatenate([linear, offset], axis=2)


class Shift(Map):
    """Move a sample down or up and across; gaps repeat the edge.

    Parameters
    ----------
    size : int, float or two of them (down, across), default=1 / 14
        Largest shift.  An integer is in whole pixels, without interpolation; a float below 1 is a share of the side,
        with shifts by fractions of a pixel.  On a series one number is along time.

    Examples
    --------
    >>> from skconv.augmentation import Shift
    >>> Shift(2)
    Shift(size=2)
    """

    _parameter_constraints: dict = {"size": [AMOUNTS]}

    def __init__(self, size=1 / 14):
        self.size = size

    @property
    def whole(self):  # type: ignore[override]
        """Whether shifts are by whole pixels."""
        pair = self.size if isinstance(self.size, (tuple, list)) else (self.size,)
        return all(isinstance(size, Integral) for size in pair)

    def check(self, shape):
        """Raise ValueError where ``size`` does not fit."""
        super().check(shape)
        amounts(self, "size", shape)

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        maps = np.zeros((n, 2, 3))
        maps[:, 0, 0] = maps[:, 1, 1] = 1
        for axis, most in enumerate(amounts(self, "size", shape)):
            whole = isinstance(most, Integral)
            maps[:, axis, 2] = rng.integers(-most, most + 1, n) if whole else rng.uniform(-most, most, n)
        return maps


class Flip(Map):
    """Mirror half of the samples.

    Not for data in which left and right have a meaning, such as letters, digits and road signs.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether to exchange left and right; on a series this reverses time.
    vertical : bool, default=False
        Whether to exchange top and bottom.

    Examples
    --------
    >>> from skconv.augmentation import Flip
    >>> Flip(vertical=True).get_params()
    {'horizontal': True, 'vertical': True}
    """

    _parameter_constraints: dict = {"horizontal": ["boolean"], "vertical": ["boolean"]}
    whole = True

    def __init__(self, horizontal=True, vertical=False):
        self.horizontal = horizontal
        self.vertical = vertical

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        signs = 1 - 2 * rng.integers(0, 2, (n, 2))
        down, across = signs[:, 0] if self.vertical else 1, signs[:, 1] if self.horizontal else np.ones(n)
        return _about_centre(_diagonal(down, across), shape)


class Rotation(Map):
    """Turn images about their centre.

    Parameters
    ----------
    degrees : float, default=10
        Largest angle in either direction, from 0 to 180.

    Examples
    --------
    >>> from skconv.augmentation import Rotation
    >>> Rotation(15)
    Rotation(degrees=15)
    """

    _parameter_constraints: dict = {"degrees": [between(0, 180, closed="both")]}
    of_images = True

    def __init__(self, degrees=10):
        self.degrees = degrees

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        angle = np.deg2rad(rng.uniform(-self.degrees, self.degrees, n))
        matrices = _diagonal(np.cos(angle), np.cos(angle))
        matrices[:, 0, 1], matrices[:, 1, 0] = np.sin(angle), -np.sin(angle)
        return _about_centre(matrices, shape)


class Zoom(Map):
    """Scale samples about their centre; a series along time.

    Parameters
    ----------
    share : float, default=0.1
        Sizes are multiplied by a number between ``1 - share`` and ``1 + share``, the same down and across; in [0, 1).

    Examples
    --------
    >>> from skconv.augmentation import Zoom
    >>> Zoom(0.2)
    Zoom(share=0.2)
    """

    _parameter_constraints: dict = {"share": [between(0, 1)]}

    def __init__(self, share=0.1):
        self.share = share

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        factor = 1 / rng.uniform(1 - self.share, 1 + self.share, n)
        return _about_centre(_diagonal(factor, factor), shape)


class Shear(Map):
    """Slant images: rows move across, in proportion to their distance from the middle row.

    Parameters
    ----------
    degrees : float, default=10
        Largest angle of vertical lines in either direction, in [0, 90).

    Examples
    --------
    >>> from skconv.augmentation import Shear
    >>> Shear(20)
    Shear(degrees=20)
    """

    _parameter_constraints: dict = {"degrees": [between(0, 90)]}
    of_images = True

    def __init__(self, degrees=10):
        self.degrees = degrees

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        matrices = _diagonal(1, np.ones(n))
        matrices[:, 1, 0] = np.tan(np.deg2rad(rng.uniform(-self.degrees, self.degrees, n)))
        return _about_centre(matrices, shape)


class Crop(Map):
    """Cut out a random window and stretch it to the size of the sample.

    Parameters
    ----------
    share : float, default=0.9
        Smallest window, as a share of the side, in (0, 1]; sizes are uniform between this and the side.

    Examples
    --------
    >>> from skconv.augmentation import Crop
    >>> Crop(0.8)
    Crop(share=0.8)
    """

    _parameter_constraints: dict = {"share": [between(0, 1, closed="right")]}

    def __init__(self, share=0.9):
        self.share = share

    def draw(self, n, shape, rng):
        """Maps (n, 2, 3)."""
        share, start = rng.uniform(self.share, 1, n), rng.random((n, 2))
        # The window's first and last samples become the sample's first and last.
        offset = start * (1 - share)[:, None] * (np.array(shape[:2]) - 1)
        return np.concatenate([_diagonal(share, share), offset[..., None]], axis=2)


class TimeWarp(Augmentation):
    """Change the speed of time within a series, whose ends stay (after Um et al., arXiv 1706.00527).

    The logarithm of the speed is normal at six moments, the ends included; between them the speed changes linearly.
    With maps in the same list, time is warped last.

    Parameters
    ----------
    scale : float, default=0.2
        Standard deviation of the logarithm of the speed, 0 to 3.

    Examples
    --------
    >>> from skconv.augmentation import TimeWarp
    >>> TimeWarp(0.1)
    TimeWarp(scale=0.1)
    """

    _parameter_constraints: dict = {"scale": [between(0, 3, closed="both")]}

    def __init__(self, scale=0.2):
        self.scale = scale

    def check(self, shape):
        """Raise ValueError where ``scale`` does not fit or the samples are images."""
        super().check(shape)
        if shape[0] > 1:
            raise ValueError(f"{shown(self)} is for series, got images of shape {shape}; for images there is 'zoom'")

    def draw(self, n, shape, rng):
        """Logarithms of the speed at the knots, (n, knots)."""
        return self.scale * rng.standard_normal((n, _KNOTS))


def warped(log_speed, length):
    """Input positions (n, length) of each step of warped series, rising from 0 to ``length - 1``."""
    knots, time = np.linspace(0, length - 1, _KNOTS), np.arange(length)
    speed = np.ones((len(log_speed), length))
    for k, excess in enumerate(np.expm1(log_speed).T):
        speed += excess[:, None] * np.interp(time, knots, np.eye(_KNOTS)[k])
    positions = np.zeros_like(speed)
    np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, axis=1, out=positions[:, 1:])
    return positions * ((length - 1) / np.maximum(positions[:, -1:], np.finfo(float).tiny))
