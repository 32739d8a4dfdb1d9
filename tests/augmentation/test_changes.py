"""Augmentations that change the values of a sample, or blend it with another."""

import numpy as np
import pytest
from helpers import augmented, generator, random_images

from skconv.augmentation import Brightness, Cutout, Jitter, Mixup, Noise, Scaling, make_augmenter


@pytest.mark.parametrize("kind", [Noise, Jitter])
def test_noise_is_measured_by_the_spread(kind):
    X, scale = np.ones((400, 1, 50, 2)), np.array([1.0, 20.0])
    noise = augmented(kind(0.5), X, spread=scale) - X
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), 0.5 * scale, rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=(0, 1, 2)), 0, atol=0.2)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


def test_brightness_adds_one_number():
    X, scale = random_images(300, (4, 5, 2)), np.array([1.0, 3.0])
    change = augmented(Brightness(0.5), X, spread=scale) - X
    share = change[:, :1, :1] / scale
    np.testing.assert_allclose(change, np.broadcast_to(share[..., :1] * scale, change.shape), atol=1e-12)
    assert 0.45 < np.abs(share).max() <= 0.5
    assert abs(share.mean()) < 0.05


def test_scaling_multiplies_the_amplitude_and_keeps_the_mean():
    X = random_images(400, (1, 20, 2)) + [[[[100.0, -3.0]]]]
    out = augmented(Scaling(0.3), X)
    np.testing.assert_allclose(out.mean(axis=2), X.mean(axis=2))
    ratio = out.std(axis=2) / X.std(axis=2)
    np.testing.assert_allclose(ratio[..., 0], ratio[..., 1])
    assert abs(np.log(ratio).std() - 0.3) < 0.03
    assert abs(np.log(ratio).mean()) < 0.05


def test_cutout_hides_a_rectangle():
    X = random_images(300, (8, 10, 2))
    out = augmented(Cutout((3, 0.4)), X)
    hidden = (out != X).all(axis=3)
    sizes = set()
    for x, y, mask in zip(X, out, hidden, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask.sum() == len(rows) * len(columns)
        np.testing.assert_allclose(y[mask], np.broadcast_to(x.mean(axis=(0, 1)), y[mask].shape), atol=1e-12)
        np.testing.assert_array_equal(y[~mask], x[~mask])
        sizes.add((len(rows), len(columns)))
    assert max(sizes) == (3, 4)
    assert min(sizes) < (3, 4)  # partly outside
    assert hidden.any(axis=0).all()


def test_cutout_of_a_series_hides_time():
    X = random_images(40, (1, 20, 2))
    hidden = (augmented(Cutout(5), X) != X).all(axis=(1, 3)).sum(axis=1)
    assert set(hidden) <= set(range(2, 6))
    assert hidden.max() == 5


def test_mixup_blends_samples_and_targets_alike():
    X = random_images(9, (3, 4, 2), np.float32)
    targets = np.eye(3, dtype=np.float32)[np.arange(9) % 3].T.copy()
    augmenter = make_augmenter(Mixup(1.0), (3, 4, 2))
    parameters = augmenter.draw(9, generator())
    kept = generator().beta(1.0, 1.0, 9)
    out, mixed = X.copy(), targets.copy()
    augmenter.apply(out, parameters)
    np.testing.assert_array_equal(out, X)
    part = slice(2, 7)
    images, columns = out[part], mixed[:, part]
    augmenter.mix(images, columns, parameters, part)
    for k in range(5):
        share, partner = kept[2 + k], 2 + (k + 1) % 5
        np.testing.assert_allclose(images[k], share * X[2 + k] + (1 - share) * X[partner], rtol=1e-5, atol=1e-6)
        expected = share * targets[:, 2 + k] + (1 - share) * targets[:, partner]
        np.testing.assert_allclose(columns[:, k], expected, atol=1e-6)
    np.testing.assert_array_equal(out[[0, 1, 7, 8]], X[[0, 1, 7, 8]])
    np.testing.assert_allclose(mixed.sum(axis=0), 1, rtol=1e-6)
    assert augmenter.mixes
    assert not make_augmenter("shift", (3, 4, 2)).mixes


def test_mixup_of_one_sample_or_without_mixup_changes_nothing():
    X, targets = random_images(1), np.ones((2, 1))
    for augment in ("mixup", "shift"):
        augmenter = make_augmenter(augment, X.shape[1:])
        out, mixed = X.copy(), targets.copy()
        augmenter.mix(out, mixed, augmenter.draw(1, generator()))
        np.testing.assert_array_equal(out, X)
        np.testing.assert_array_equal(mixed, targets)


def test_mixup_of_targets_that_are_no_floats():
    X = random_images(3)
    augmenter = make_augmenter("mixup", X.shape[1:])
    with pytest.raises(ValueError, match="targets to blend must be floats, one column a sample, got int64"):
        augmenter.mix(X, np.ones((1, 3), np.int64), augmenter.draw(3, generator()))


def test_mixup_of_strength_zero_keeps_all():
    np.testing.assert_array_equal(Mixup(0).draw(4, (3, 3, 1), generator()), 1)
