"""Base class of augmentations."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import are_two, at_least, between, check_arguments, fitting, shown
from .._input.keywords import Hinted
from .._input.memory import counted
from .._input.versions import Versioned

__all__ = ["Augmentation"]


class Augmentation(Hinted, Versioned, BaseEstimator):
    """Base class of augmentations, random changes of training samples; with hyper-parameters and no state.

    `draw` returns all random numbers of a batch, one row per sample, on which alone the change of a sample depends.  So
    the result depends neither on threads nor on blocks.  An augmentation of your own that changes values has `draw` and
    `change`; one that moves pixels is a `Map` with `draw`.

    Attributes
    ----------
    averaged : bool
        Whether the augmentation takes part in averaging at prediction, unlike noise and hidden parts.
    whole : bool
        Whether the augmentation only mirrors or shifts by whole pixels, without interpolation.
    of_images : bool
        Whether the augmentation is for images only, not for series.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.augmentation import Augmentation, make_augmenter
    >>> class Negative(Augmentation):
    ...     def draw(self, n, shape, rng):
    ...         return rng.random(n) < 0.5
    ...
    ...     def change(self, images, drawn, spread):
    ...         images[drawn] *= -1
    >>> augmenter = make_augmenter([Negative(), "shift"], (8, 8, 1))
    >>> images = np.ones((6, 8, 8, 1), np.float32)
    >>> augmenter.apply(images, augmenter.draw(6, np.random.default_rng(0)))
    >>> images[:, 4, 4, 0]
    array([ 1., -1., -1., -1.,  1.,  1.], dtype=float32)
    """

    _parameter_constraints: dict = {}
    _within_model = True
    averaged = True
    whole = False
    of_images = False

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError where the parameters do not fit samples of ``shape``, (height, width, channels)."""
        check_arguments(self)
        if self.of_images and shape[0] == 1:
            raise ValueError(
                f"{shown(self)} is for images, got series of shape {shape[1:]}; for series there are 'crop', "
                "'time_warp', 'shift', 'zoom', 'scaling', 'jitter', 'cutout' and 'mixup'"
            )

    def draw(self, n, shape, rng) -> np.ndarray:
        """Random numbers (n, ...) of ``n`` samples of ``shape``, drawn always in the same order."""
        raise NotImplementedError(f"{type(self).__name__} needs a method draw(n, shape, rng)")

    def change(self, images, drawn, spread) -> None:
        """Change images in place by the random numbers drawn for them.

        Parameters
        ----------
        images : ndarray of shape (m, H, W, C), float32 or float64
            Samples of the batch as the network takes them: scaled, unless its ``standardize`` is None; overwritten.
        drawn : ndarray of shape (m, ...)
            Rows of these samples in the result of `draw`.
        spread : ndarray of shape (C,)
            Standard deviation of each channel of such images in the training data.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method change(images, drawn, spread)")


_PIXELS, _SHARE = at_least(0), between(0, 1)


def _is_amount(value):
    return _PIXELS.is_satisfied_by(value) or _SHARE.is_satisfied_by(value)


AMOUNTS = fitting(
    lambda value: _is_amount(value) or are_two(value, _is_amount),
    f"{_PIXELS} of pixels",
    f"{_SHARE} of the side",
    "two of these (down, across)",
)


def amounts(augmentation, name, shape):
    """``(down, across)`` in pixels, from a parameter of one or two numbers, in pixels or shares of the side.

    Raises where pixels are not below the side.  One number on a series is along time.  Integers stay integers.
    """
    value, sides = getattr(augmentation, name), shape[:2]
    pair = tuple(value) if isinstance(value, (tuple, list)) else (0 if shape[0] == 1 else value, value)
    if any(amount >= side for amount, side in zip(pair, sides, strict=True) if isinstance(amount, Integral)):
        samples = f"{shape[0]} x {shape[1]} pixels" if shape[0] > 1 else f"{counted(shape[1], 'step')} of time"
        raise ValueError(
            f"{type(augmentation).__name__}: {name} in pixels must be below the side, got {shown(value)} for samples "
            f"of {samples}; a share of the side is a float below 1"
        )
    return tuple(a if isinstance(a, Integral) else a * side for a, side in zip(pair, sides, strict=True))
