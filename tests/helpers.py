"""What several test files build or compare with, written once."""

import numpy as np
from scipy import signal

from skconv.augmentation import make_augmenter


def random_images(n=7, shape=(9, 12, 1), dtype=np.float64, seed=0):
    """Normal numbers ``(n, height, width, channels)``."""
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


def generator(seed=3):
    """Random numbers for the draws of augmentations."""
    return np.random.Generator(np.random.Philox(key=[seed, 5]))


def augmented(augment, X, seed=3, scale=1.0):
    """A copy of the images ``X`` after one draw of an augmentation, or of a list of them."""
    augmenter = make_augmenter(augment, X.shape[1:], scale)
    out = X.copy()
    augmenter.apply(out, augmenter.draw(len(X), generator(seed)))
    return out


def by_scipy(images, bank, mode, function=signal.correlate):
    """``(n, P, Q, F)``, the channels summed."""
    return np.stack(
        [
            np.stack(
                [
                    sum(function(x[..., c], kernel[..., c], mode=mode) for c in range(images.shape[3]))
                    for kernel in bank
                ],
                axis=-1,
            )
            for x in images
        ]
    )
