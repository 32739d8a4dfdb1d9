"""Augmentations that change values without moving them, and mixup."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .._input.constraints import FACTORS, at_least, between
from .._kernels.sums import sum_along
from ._base import AMOUNTS, Augmentation, amounts

__all__ = ["Brightness", "Cutout", "Jitter", "Mixup", "Noise", "Scaling"]


def _each(drawn, images):
    """Numbers (m,) as (m, 1, 1, 1), in the dtype of ``images`` (m, H, W, C)."""
    return drawn.astype(images.dtype)[:, None, None, None]


def _levels(images):
    """Mean of each channel of each image, (m, 1, 1, C); the bits of a mean do not depend on other images."""
    sums = sum_along(sum_along(images, 2), 1)
    return (sums / (images.shape[1] * images.shape[2])).astype(images.dtype)[:, None, None]


class Noise(Augmentation):
    """Add normal noise, independent from pixel to pixel.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation, as a share of each channel's standard deviation in the training data.

    Examples
    --------
    >>> from skconv.augmentation import Noise
    >>> Noise(0.2)
    Noise(scale=0.2)
    """

    _parameter_constraints: dict = {"scale": [FACTORS]}
    averaged = False

    def __init__(self, scale=0.1):
        self.scale = scale

    def draw(self, n, shape, rng):
        """Standard normal numbers (n, H, W, C), in float32 for data of either precision."""
        return rng.standard_normal((n, *shape), dtype=np.float32)

    def change(self, images, drawn, spread):
        """Add the noise."""
        np.add(images, drawn * (self.scale * spread).astype(images.dtype), out=images)


class Jitter(Noise):
    """Add normal noise to series, independent from step to step (Um et al., arXiv 1706.00527).

    Parameters
    ----------
    scale : float, default=0.03
        Standard deviation, as a share of each channel's standard deviation in the training data.

    Examples
    --------
    >>> from skconv.augmentation import Jitter
    >>> Jitter(0.1)
    Jitter(scale=0.1)
    """

    def __init__(self, scale=0.03):
        super().__init__(scale)


class Scaling(Augmentation):
    """Multiply the amplitude of a sample, its distance from its own mean (Um et al., arXiv 1706.00527).

    All channels have the same factor, so that their proportions stay, and each keeps its mean: a factor on values far
    from zero would change the mean and not the amplitude.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the factor's logarithm, 0 to 3.

    Examples
    --------
    >>> from skconv.augmentation import Scaling
    >>> Scaling(0.2)
    Scaling(scale=0.2)
    """

    _parameter_constraints: dict = {"scale": [between(0, 3, closed="both")]}

    def __init__(self, scale=0.1):
        self.scale = scale

    def draw(self, n, shape, rng):
        """Factors (n,)."""
        return np.exp(self.scale * rng.standard_normal(n))

    def change(self, images, drawn, spread):
        """Multiply the distances from the mean of each channel."""
        levels, factors = _levels(images), _each(drawn, images)
        np.multiply(images, factors, out=images)
        np.add(images, levels * (1 - factors), out=images)


class Brightness(Augmentation):
    """Make a sample lighter or darker: add one number to all values of a channel.

    Values may leave the range of the data.

    Parameters
    ----------
    share : float, default=0.2
        Largest change, as a share of each channel's standard deviation in the training data.

    Examples
    --------
    >>> from skconv.augmentation import Brightness
    >>> Brightness(0.5)
    Brightness(share=0.5)
    """

    _parameter_constraints: dict = {"share": [FACTORS]}

    def __init__(self, share=0.2):
        self.share = share

    def draw(self, n, shape, rng):
        """Numbers (n,) between -1 and 1."""
        return rng.uniform(-1, 1, n)

    def change(self, images, drawn, spread):
        """Add the drawn numbers times ``share`` and ``spread``."""
        np.add(images, _each(drawn, images) * (self.share * spread).astype(images.dtype), out=images)


class Cutout(Augmentation):
    """Hide a rectangle of each sample, or an interval of a series (DeVries and Taylor, arXiv 1708.04552).

    The centre of the rectangle is anywhere in the sample, so part of the rectangle may lie outside.  Hidden values are
    the mean of the sample's channel.

    Parameters
    ----------
    size : int, float or two of them (down, across), default=0.25
        Sides of the rectangle, in pixels or, below 1, as a share of the sample's sides.  On a series one number is
        along time.

    Examples
    --------
    >>> from skconv.augmentation import Cutout
    >>> Cutout(8)
    Cutout(size=8)
    """

    _parameter_constraints: dict = {"size": [AMOUNTS]}
    averaged = False

    def __init__(self, size=0.25):
        self.size = size

    def check(self, shape):
        """Raise ValueError where ``size`` does not fit."""
        super().check(shape)
        amounts(self, "size", shape)

    def draw(self, n, shape, rng):
        """Bounds of the rectangles, (n, 4): first row, row after the last, first column, column after the last."""
        height, width = (round(amount) for amount in amounts(self, "size", shape))
        height = 1 if shape[0] == 1 else height
        first = rng.integers(0, shape[:2], (n, 2)) - np.array([height // 2, width // 2])
        bounds = np.stack([first, first + np.array([height, width])], axis=2)
        return np.clip(bounds, 0, np.array(shape[:2])[:, None]).reshape(n, 4)

    def change(self, images, drawn, spread):
        """Fill the rectangles with the means of the channels."""
        levels = _levels(images)
        for image, level, (top, bottom, left, right) in zip(images, levels, drawn.tolist(), strict=True):
            image[top:bottom, left:right] = level


class Mixup(Augmentation):
    """Blend each sample, and its target, with another (Zhang et al., arXiv 1710.09412).

    A sample keeps a share from the beta distribution ``Beta(alpha, alpha)``; the rest is the next sample of the batch's
    block, a random one, since batches are random.

    Parameters
    ----------
    alpha : float, default=0.2
        Small values give shares near 0 and 1 (little blending), 1 gives uniform shares, 0 no blending.

    Examples
    --------
    >>> from skconv.augmentation import Mixup
    >>> Mixup(0.4)
    Mixup(alpha=0.4)
    """

    _parameter_constraints: dict = {"alpha": [at_least(0, Real)]}
    averaged = False

    def __init__(self, alpha=0.2):
        self.alpha = alpha

    def draw(self, n, shape, rng):
        """Shares (n,) that samples keep."""
        return rng.beta(self.alpha, self.alpha, n) if self.alpha > 0 else np.ones(n)


def mix(columns, kept, axis):
    """Blend samples along ``axis`` in place, each with the next, the last with the first; ``kept`` are their shares."""
    shape = [1] * columns.ndim
    shape[axis] = len(kept)
    others = np.roll(columns, -1, axis=axis)
    np.subtract(others, columns, out=others)
    np.multiply(others, (1 - kept).astype(columns.dtype).reshape(shape), out=others)
    np.add(columns, others, out=columns)
