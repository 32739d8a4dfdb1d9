"""What several test files build or compare with, written once."""

import numpy as np
import threadpoolctl
from scipy import signal
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier
from skconv.augmentation import make_augmenter

LIBRARIES = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
QUICK = {"filters": (3, 4), "hidden_layer_sizes": (5,), "max_iter": 2, "random_state": 0}


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


def limits():
    """The limit on the threads of each BLAS library."""
    return [library.num_threads for library in LIBRARIES]


def blas_threads():
    """The same, each number once."""
    return set(limits())


def same_bits(a, b):
    """Whether two arrays or numbers have the same type, shape and bits."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def quick_model(kind=ConvNetClassifier, **params):
    """An estimator that fits digits in a few hundredths of a second."""
    return kind(**{**QUICK, **params})


def first_digits(n, start=0):
    """Digits, between 0 and 1, and their labels: ``n`` from ``start`` on."""
    X, y = load_digits(return_X_y=True)
    return X[start : start + n] / 16, y[start : start + n]
