"""The contract of an augmentation: its parameters, what it must have, and that it is an estimator."""

import pickle

import numpy as np
import pytest
from helpers import generator, random_images
from sklearn.base import clone

from skconv import ConvNetClassifier
from skconv.augmentation import (
    Augmentation,
    Brightness,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Map,
    Mixup,
    Noise,
    Rotation,
    Scaling,
    Shear,
    Shift,
    TimeWarp,
    Zoom,
    make_augmenter,
)
from skconv.augmentation._augmenter import NAMES
from skconv.augmentation._base import amounts


@pytest.mark.parametrize(
    ("bad", "shape", "message"),
    [
        (Shift(28), (28, 28, 1), r"Shift: size in pixels must be below the side, got 28 for samples of 28 x 28 pixels"),
        (Shift(1.5), (28, 28, 1), r"Shift: size must be .* got 1\.5"),
        (Shift(-1), (28, 28, 1), r"Shift: size must be .* got -1"),
        (Shift(True), (28, 28, 1), r"Shift: size must be .* got True"),
        (Shift("2"), (28, 28, 1), r"Shift: size must be .* got '2'"),
        (Shift(()), (28, 28, 1), r"Shift: size must be .* got \(\)"),
        (Shift((1, 2, 3)), (28, 28, 1), r"Shift: size must be .* got \(1, 2, 3\)"),
        (Shift((1, 2)), (1, 28, 1), r"Shift: size in pixels must be .* got \(1, 2\) for samples of 28 steps of time"),
        (Shift(float("nan")), (28, 28, 1), r"Shift: size must be .* got nan"),
        (Cutout((2, 9)), (9, 9, 1), r"Cutout: size in pixels must be .* got \(2, 9\) for samples of 9 x 9 pix"),
        (Cutout(None), (9, 9, 1), r"Cutout: size must be .* got None"),
        (Flip("yes"), (9, 9, 1), r"Flip: horizontal must be .*, got 'yes'$"),
        (Rotation(181), (9, 9, 1), r"Rotation: degrees must be .* \[0.*, 180.*\], got 181$"),
        (Rotation(), (1, 9, 2), r"Rotation\(\) is for images, got series of shape \(9, 2\); for series there are"),
        (Shear(90), (9, 9, 1), r"Shear: degrees must be .*, got 90$"),
        (Shear(), (1, 9, 1), r"Shear\(\) is for images, got series of shape \(9, 1\)"),
        (Zoom(1.0), (9, 9, 1), r"Zoom: share must be .*, got 1\.0$"),
        (Crop(0.0), (9, 9, 1), r"Crop: share must be .*, got 0\.0$"),
        (TimeWarp(-1), (1, 9, 1), r"TimeWarp: scale must be .*, got -1$"),
        (TimeWarp(), (9, 9, 1), r"TimeWarp\(\) is for series, got images of shape \(9, 9, 1\)"),
        (Noise(-0.1), (9, 9, 1), r"Noise: scale must be .*, got -0\.1$"),
        (Jitter("a"), (1, 9, 1), r"Jitter: scale must be .*, got 'a'$"),
        (Scaling(4), (1, 9, 1), r"Scaling: scale must be .*, got 4$"),
        (Brightness(-1), (9, 9, 1), r"Brightness: share must be .*, got -1$"),
        (Mixup(-1), (9, 9, 1), r"Mixup: alpha must be .*, got -1$"),
    ],
    ids=str,
)
def test_bad_parameters(bad, shape, message):
    with pytest.raises(ValueError, match=message):
        make_augmenter([bad], shape)


def test_the_base_says_what_is_missing():
    with pytest.raises(NotImplementedError, match=r"Augmentation needs a method draw\(n, shape, rng\)"):
        Augmentation().draw(1, (8, 8, 1), generator())
    with pytest.raises(NotImplementedError, match=r"Augmentation needs a method change\(images, drawn, spread\)"):
        Augmentation().change(np.zeros((1, 8, 8, 1)), np.zeros(1), np.ones(1))


class Fade(Augmentation):
    """Divide by a number from 1 to ``most``."""

    def __init__(self, most=2.0):
        self.most = most

    def draw(self, n, shape, rng):
        return rng.uniform(1, self.most, n)

    def change(self, images, drawn, spread):
        images /= drawn.astype(images.dtype)[:, None, None, None]


class Transpose(Map):
    """Rows are columns."""

    def draw(self, n, shape, rng):
        return np.tile([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], (n, 1, 1))


def test_a_change_of_ones_own_counts_in_what_moves_and_blends():
    class Turned(Transpose):
        def change(self, images, drawn, spread):
            images += drawn[:, 0, 1, None, None, None]

    class Blended(Mixup):
        def change(self, images, drawn, spread):
            images *= 2

    images = random_images(5, (4, 4, 1))
    expected = (images.transpose(0, 2, 1, 3) + 1) * 2
    augmenter = make_augmenter([Turned(), Blended(0)], (4, 4, 1))
    augmenter.apply(images, augmenter.draw(5, generator()))
    np.testing.assert_allclose(images, expected)


def test_augmentations_of_ones_own():
    X = np.random.default_rng(0).random((60, 36))
    augmenter = make_augmenter([Fade(3.0), Transpose()], (6, 6, 1))
    images = X.reshape(60, 6, 6, 1).copy()
    augmenter.apply(images, augmenter.draw(60, np.random.default_rng(5)))
    factors = np.random.default_rng(5).uniform(1, 3, 60)
    expected = X.reshape(60, 6, 6, 1).transpose(0, 2, 1, 3) / factors[:, None, None, None]
    np.testing.assert_allclose(images, expected, rtol=1e-6)
    small = {"filters": 2, "hidden_layer_sizes": (), "image_shape": (6, 6), "max_iter": 2, "random_state": 0}
    models = [
        ConvNetClassifier(**small, augment=augment, n_augmented=3, n_jobs=jobs).fit(X, np.arange(60) % 2)
        for augment, jobs in (([Fade(3.0), Transpose()], 1), ([Fade(3.0), Transpose()], 2), (None, 1))
    ]
    one, two, none = (model.network_.parameters for model in models)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, none)


@pytest.mark.parametrize("kind", NAMES.values(), ids=list(NAMES))
def test_they_are_estimators(kind):
    name, value = next(iter(kind().get_params().items()))
    changed = kind(**{name: 0.5})
    for copy in (clone(changed), pickle.loads(pickle.dumps(changed)), kind().set_params(**{name: 0.5})):
        assert copy.get_params() == changed.get_params()
    assert value != 0.5
    assert repr(changed) == f"{kind.__name__}({name}=0.5)"


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        (2, (9, 12, 1), (2, 2)),
        (0.25, (8, 12, 1), (2.0, 3.0)),
        ((3, 0.5), (9, 12, 1), (3, 6.0)),
        (2, (1, 12, 1), (0, 2)),  # of a series, along time alone
        (0.5, (1, 12, 1), (0, 6.0)),
    ],
)
def test_amounts_are_pixels_or_shares_of_the_side(size, shape, expected):
    found = amounts(Shift(size), "size", shape)
    assert found == expected
    assert [type(a) for a in found] == [type(a) for a in expected]
