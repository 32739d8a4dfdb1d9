"""Samples of all kinds and layouts, and the warning that `_input/doubts.py` has for them."""

import warnings

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

from skconv._input.doubts import warn_of_doubts


def said(X, image_shape=None):
    """The warning for samples that were taken by ``image_shape``, or ""."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_doubts(X.reshape(len(X), -1), X.shape[1:], image_shape)
    assert len(caught) <= 1
    assert all(warning.category is UserWarning for warning in caught)
    return str(caught[0].message) if caught else ""


def photographs(side, n=60):
    """Square patches of two photographs, ``(n, side, side, 3)``, in a random order."""
    return rectangles(side, side, n)


def rectangles(height, width, n=60):
    """Patches of two photographs, ``(n, height, width, 3)``, in a random order."""
    patches = [
        image[row : row + height, column : column + width]
        for image in load_sample_images().images
        for row in range(0, image.shape[0] - height, height)
        for column in range(0, image.shape[1] - width, width)
    ]
    rows = np.random.default_rng(0).permutation(len(patches))[:n]
    return np.stack([patches[row] for row in rows])


def with_alpha(images):
    return np.concatenate([images, np.full_like(images[..., :1], 255)], axis=3)


def walks(n, *shape, seed=0):
    """Series that run on, ``(n, steps, channels)``."""
    return np.random.default_rng(seed).standard_normal((n, *shape)).cumsum(axis=1)


def waves(n, steps, seed=0):
    """Noisy waves of any phase, ``(n, steps)``."""
    rng = np.random.default_rng(seed)
    angles = np.arange(steps) / steps * rng.uniform(1, 6, (n, 1)) + rng.uniform(0, 1, (n, 1))
    return np.sin(2 * np.pi * angles) + 0.3 * rng.standard_normal((n, steps))


def textures(n, height, width, smooth=1.5, seed=0):
    """Smooth random images ``(n, height, width)``."""
    return gaussian_filter(np.random.default_rng(seed).standard_normal((n, height, width)), (0, smooth, smooth))


def first(images):
    return images.transpose(0, 3, 1, 2)


def flat(X):
    return X.reshape(len(X), -1)
