"""What several test files build or compare with, written once."""

import pickle

import numpy as np
import pytest
import threadpoolctl
from scipy import signal
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from skconv import ConvNetClassifier
from skconv.augmentation import make_augmenter

LIBRARIES = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
QUICK = {"filters": (3, 4), "hidden_layer_sizes": (5,), "max_iter": 2, "random_state": 0}


def derived(kind):
    """All classes of the package that are derived from a class."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("skconv."):
            yield each
        yield from derived(each)


def random_images(n=7, shape=(9, 12, 1), dtype=np.float64, seed=0):
    """Normal numbers ``(n, height, width, channels)``."""
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


def generator(seed=3):
    """Random numbers for the draws of augmentations."""
    return np.random.Generator(np.random.Philox(key=[seed, 5]))


def augmented(augment, X, seed=3, spread=1.0):
    """A copy of the images ``X`` after one draw of an augmentation, or of a list of them."""
    augmenter = make_augmenter(augment, X.shape[1:], spread)
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


def assert_rejected(model, call, match, error=ValueError):
    """``call(model)`` raises, and neither an attribute nor anything inside one has changed."""
    before, content = dict(vars(model)), pickle.dumps(model)
    with pytest.raises(error, match=match):
        call(model)
    assert list(vars(model)) == list(before)
    assert all(vars(model)[name] is value for name, value in before.items())
    assert pickle.dumps(model) == content
    if "network_" not in before:
        with pytest.raises(NotFittedError):
            model.predict(np.zeros((1, 64)))


def every_check(estimators):
    """scikit-learn's checks of these estimators, but for that of the array API, which skips itself for each of them."""
    mark = parametrize_with_checks(estimators)
    names, checks = mark.args
    kept = [each for each in checks if each[1].func.__name__ != "check_array_api_input"]
    return pytest.mark.parametrize(names, kept, **mark.kwargs)
