"""The contract of an augmentation."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import are_two, at_least, between, check_arguments, fitting, shown
from .._input.memory import counted
from .._input.versions import Versioned

__all__ = ["Augmentation"]


class Augmentation(Versioned, BaseEstimator):
    """A random change of training samples: hyper-parameters only.

    All random numbers of a batch are drawn at once, one row a sample, by `draw`; what is done with a row depends on
    nothing else.  So the result depends neither on threads nor on how a batch is cut.  An augmentation of one's own
    that changes values has `draw` and `change`; one that moves what a sample shows is a `Map`, and has `draw`.

    Attributes
    ----------
    averaged : bool
        Whether it takes part in the averaging at prediction: what adds noise or hides something does not.
    whole : bool
        Whether it is a map that shifts by whole pixels or mirrors, and no more: nothing is interpolated then.
    of_images : bool
        Whether it is for images alone.

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
        """Random numbers for ``n`` samples of ``shape``, one row each, always in the same order."""
        raise NotImplementedError

    def change(self, images, drawn, spread) -> None:
        """Change images in place by the random numbers drawn for them.

        Parameters
        ----------
        images : ndarray of shape (m, H, W, C), float32 or float64
        drawn : ndarray of shape (m, ...)
            Their rows of what `draw` gave.
        spread : ndarray of shape (C,)
            Standard deviation of each channel in the training data.
        """
        raise NotImplementedError


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
    """``(down, across)`` in pixels from a parameter: pixels or shares of the side, one or two; below the side.

    One number on a series speaks of time.  A whole number of pixels stays an integer.
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
