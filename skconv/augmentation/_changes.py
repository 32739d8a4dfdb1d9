"""Augmentations that change values where they are, and the blending of pairs."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .._input.constraints import at_least, between
from .._kernels.sums import sum_along
from ._base import AMOUNTS, Augmentation, amounts

__all__ = ["Brightness", "Cutout", "Jitter", "Mixup", "Noise", "Scaling"]


def _each(drawn, images):
    """One number a sample, ready to go with the images."""
    return drawn.astype(images.dtype)[:, None, None, None]


def _levels(images):
    """Mean of each channel of each image, (m, 1, 1, C); sums without a buffer, so that an image's is its own."""
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

    _parameter_constraints: dict = {"scale": [at_least(0, Real)]}
    averaged = False

    def __init__(self, scale=0.1):
        self.scale = scale

    def draw(self, n, shape, rng):
        """Normal numbers (n, H, W, C), in single precision for data of either."""
        return rng.standard_normal((n, *shape), dtype=np.float32)

    def change(self, images, drawn, spread):
        """Add the noise."""
        np.add(images, drawn * (self.scale * spread).astype(images.dtype), out=images)


class Jitter(Noise):
    """Add normal noise to series, independent from moment to moment (Um et al., arXiv 1706.00527).

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
    """Multiply the amplitude of a sample, that is, its distance from its own mean (Um et al., arXiv 1706.00527).

    All channels take the same factor, so that they keep their proportions, and each keeps its mean: what a factor does
    to data that are far from zero would have nothing to do with their amplitude.

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
        """Multiply the distances from the mean."""
        levels, factors = _levels(images), _each(drawn, images)
        np.multiply(images, factors, out=images)
        np.add(images, levels * (1 - factors), out=images)


class Brightness(Augmentation):
    """Make a sample lighter or darker: add one number to all its values.

    Values may leave the range of the data, of which nothing is known.

    Parameters
    ----------
    share : float, default=0.2
        The largest change, as a share of each channel's standard deviation in the training data.

    Examples
    --------
    >>> from skconv.augmentation import Brightness
    >>> Brightness(0.5)
    Brightness(share=0.5)
    """

    _parameter_constraints: dict = {"share": [at_least(0, Real)]}

    def __init__(self, share=0.2):
        self.share = share

    def draw(self, n, shape, rng):
        """Numbers (n,) between -1 and 1."""
        return rng.uniform(-1, 1, n)

    def change(self, images, drawn, spread):
        """Add a share of the spread."""
        np.add(images, _each(drawn, images) * (self.share * spread).astype(images.dtype), out=images)


class Cutout(Augmentation):
    """Hide a rectangle of each sample, of a series a stretch of time (DeVries and Taylor, arXiv 1708.04552).

    Its centre is anywhere, so part of it may lie outside.  It is filled with the sample's own mean, channel by channel.

    Parameters
    ----------
    size : int, float or two of them (down, across), default=0.25
        Sides of the rectangle, in pixels or, below 1, as a share of the sample's sides.  On a series one number speaks
        of time.

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
        """First and last row, first and last column of the rectangles, (n, 4); the last is beyond."""
        height, width = (round(amount) for amount in amounts(self, "size", shape))
        height = 1 if shape[0] == 1 else height
        first = rng.integers(0, shape[:2], (n, 2)) - np.array([height // 2, width // 2])
        bounds = np.stack([first, first + np.array([height, width])], axis=2)
        return np.clip(bounds, 0, np.array(shape[:2])[:, None]).reshape(n, 4)

    def change(self, images, drawn, spread):
        """Fill the rectangles."""
        levels = _levels(images)
        for image, level, (top, bottom, left, right) in zip(images, levels, drawn.tolist(), strict=True):
            image[top:bottom, left:right] = level


class Mixup(Augmentation):
    """Blend each sample, and its target, with another (Zhang et al., arXiv 1710.09412).

    The sample keeps a share that is drawn from the beta distribution ``Beta(alpha, alpha)``.  Its partner is the next
    one of its block of the batch; batches are drawn at random, so that is any.

    Parameters
    ----------
    alpha : float, default=0.2
        Small values give shares near 0 and 1, that is little blending, 1 gives any share; 0 blends nothing.

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
    """Blend along an axis, in place: each with the next, the last with the first; ``kept`` goes along that axis."""
    shape = [1] * columns.ndim
    shape[axis] = len(kept)
    others = np.roll(columns, -1, axis=axis)
    np.subtract(others, columns, out=others)
    np.multiply(others, (1 - kept).astype(columns.dtype).reshape(shape), out=others)
    np.add(columns, others, out=columns)
