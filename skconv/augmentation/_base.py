"""The contract of an augmentation."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from .._constraints import check_parameters
from .._versions import Versioned

__all__ = ["Augmentation", "amounts"]


class Augmentation(Versioned, BaseEstimator):
    """A random change of training samples: hyper-parameters only.

    All random numbers of a batch are drawn at once, one row a sample, by `draw`; what is done with a row depends on
    nothing else.  So the result depends neither on threads nor on how a batch is cut.

    Attributes
    ----------
    averaged : bool
        Whether it takes part in the averaging at prediction: what adds noise or hides something does not.
    whole : bool
        Whether pixels land on pixels, so that nothing needs to be interpolated.
    of_images : bool
        Whether it is for images alone.
    """

    _parameter_constraints: dict = {}
    _within_model = True
    averaged = True
    whole = False
    of_images = False

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError where the parameters do not fit samples of ``shape``, (height, width, channels)."""
        check_parameters(self)
        if self.of_images and shape[0] == 1:
            raise ValueError(
                f"{self!r} is for images, got series of shape {shape[1:]}; for series there are 'crop', 'time_warp', "
                "'shift', 'zoom', 'scaling', 'jitter', 'cutout' and 'mixup'"
            )

    def draw(self, n, shape, rng) -> np.ndarray:
        """Random numbers for ``n`` samples of ``shape``, one row each, always in the same order."""
        raise NotImplementedError


def amounts(augmentation, name, shape):
    """``(down, across)`` in pixels from a parameter: pixels or shares of the side, one or two; checked.

    One number on a series speaks of time.  A whole number of pixels stays an integer.
    """
    value, sides = getattr(augmentation, name), shape[:2]
    pair = tuple(value) if isinstance(value, (tuple, list)) else (0 if shape[0] == 1 else value, value)
    if len(pair) != 2 or not all(_is_amount(amount, side) for amount, side in zip(pair, sides, strict=True)):
        samples = f"{shape[0]} x {shape[1]} pixels" if shape[0] > 1 else f"{shape[1]} steps of time"
        raise ValueError(
            f"{name} of {type(augmentation).__name__} must be an integer of pixels below the side, a share of the "
            f"side in [0, 1), or two of these (down, across), got {value!r} for samples of {samples}"
        )
    return tuple(a if isinstance(a, Integral) else a * side for a, side in zip(pair, sides, strict=True))


def _is_amount(amount, side):
    """A number of pixels below the side, or a share of it."""
    if isinstance(amount, (bool, np.bool_)) or not isinstance(amount, Real):
        return False
    return 0 <= amount < (side if isinstance(amount, Integral) else 1)
