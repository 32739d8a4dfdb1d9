"""What a network does to samples first: it subtracts a level, and divides by a spread, of those it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

__all__ = ["Moments", "Scaling", "measured"]

_BLOCK = 1 << 17  # numbers that are looked at together: 1 MiB in double precision


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of each feature, as distances to one sample: an offset costs no digits.

    Parameters
    ----------
    sample, mean, square : ndarray of float64, of shape (H, W, C)
        The sample, and the weighted means of the distances to it and of their squares.
    """

    sample: np.ndarray
    mean: np.ndarray
    square: np.ndarray

    def of_features(self):
        """Mean and standard deviation of each feature, (H, W, C)."""
        return self.sample + self.mean, np.sqrt(np.maximum(self.square - self.mean**2, 0))

    def of_channels(self):
        """Mean of each channel at the image's border, or a series' ends, and the root mean square about it, (C,).

        A convolution's border of zeros then goes on as the images do: black on black, whatever number black has.  Of
        2,000 samples of MNIST 0.9807 are right, with the mean over the image 0.9776, without scaling 0.9805.
        """
        mean, square = self._about_first_pixel()
        at_border = np.ones(mean.shape[:2], bool)
        if mean.shape[:2] != (1, 1):
            at_border[_inner(mean.shape[0]), _inner(mean.shape[1])] = False
        level = mean[at_border].mean(axis=0)
        spread = np.sqrt(np.maximum((square - 2 * level * mean + level**2).mean(axis=(0, 1)), 0))
        return self.sample[0, 0] + level, spread

    def deviations(self):
        """Standard deviation of each channel, (C,)."""
        mean, square = (values.mean(axis=(0, 1)) for values in self._about_first_pixel())
        return np.sqrt(np.maximum(square - mean**2, 0))

    def _about_first_pixel(self):
        """Moments of the distances to one number a channel, for all positions the same."""
        apart = self.sample - self.sample[0, 0]
        return self.mean + apart, self.square + 2 * apart * self.mean + apart**2


def _inner(size):
    """What is no border of so many rows; of one row all is inside, since its ends are elsewhere."""
    return slice(None) if size == 1 else slice(1, -1)


def measured(blocks, shape) -> Moments:
    """Moments of samples that come in blocks.

    Parameters
    ----------
    blocks : callable
        ``blocks(n)``: iterator over the samples, ``(m, H * W * C)`` of at most n, and their weights, ``(m,)``.
    shape : (int, int, int)
        Height, width and channels of a sample.

    Returns
    -------
    Moments
    """
    features = prod(shape)
    sample, total, sums, squares = np.empty(0), 0.0, np.zeros(features), np.zeros(features)
    for samples, weight in blocks(max(1, _BLOCK // features)):
        samples = samples.astype(np.float64)
        if not len(sample):
            sample = samples[0].copy()
        samples -= sample
        total += float(np.add.reduce(weight))
        sums += np.einsum("n,nf->f", weight, samples)
        np.square(samples, out=samples)
        squares += np.einsum("n,nf->f", weight, samples)
    return Moments(*(values.reshape(shape) for values in (sample, sums / total, squares / total)))


class Scaling:
    """Samples minus the level, over the spread, in the network's precision; without moments the samples as they are.

    A spread of zero, or one that rounding alone can make, is taken as 1: what is constant becomes zero, and stays near
    it where later samples differ.

    Parameters
    ----------
    moments : (ndarray, ndarray) or None
        Level and spread of each channel or each feature, of shape (C,) or (H, W, C).
    shape : (int, int, int)
    dtype : dtype
        float32 or float64.
    """

    def __init__(self, moments, shape, dtype):
        self._level: np.ndarray | None = None
        if moments is None:
            return
        level, spread = moments
        constant = spread <= np.maximum(np.finfo(np.float64).eps * np.abs(level), np.finfo(np.float32).tiny)
        level, spread = (
            np.ascontiguousarray(np.broadcast_to(values, shape)).reshape(-1)
            for values in (level, np.where(constant, 1.0, spread))
        )
        self._level, self._spread = level, spread.astype(dtype)

    def __call__(self, samples, out):
        """Fill ``out`` from samples of any number type; both are of shape (n, features)."""
        if self._level is None:
            np.copyto(out, samples, casting="unsafe")
            return
        # In double precision, whatever the samples are: an offset costs no digit, and equal numbers have equal bits.
        np.subtract(samples, self._level, out=out, dtype=np.float64, casting="unsafe")
        np.divide(out, self._spread, out=out)
