"""Augmentations that move what a sample shows, each against slices, `scipy.ndimage`, `numpy.interp` or geometry."""

import numpy as np
import pytest
from helpers import augmented, generator, random_images
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skconv.augmentation import Crop, Flip, Rotation, Shear, Shift, TimeWarp, Zoom, make_augmenter
from skconv.augmentation._maps import compose, warped
from skconv.augmentation._resample import resample

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)


def test_maps_compose_in_the_order_of_the_list():
    X, rng = random_images(1, (20, 20, 1)), np.random.default_rng(4)
    X[:] = ndimage.gaussian_filter(X, (0, 3, 3, 0))  # smooth, so that interpolating twice costs little
    first, then = (np.concatenate([np.eye(2) + rng.uniform(-0.1, 0.1, (1, 2, 2)), [[[1.0], [0.5]]]], 2) for _ in "12")
    once, twice = X.copy(), X.copy()
    resample(once, compose(first, then))
    resample(twice, first)
    resample(twice, then)
    inner = np.s_[:, 5:-5, 5:-5]
    np.testing.assert_allclose(once[inner], twice[inner], atol=0.02 * np.ptp(X))


def maps_of(augmentation_, n=2000, shape=(9, 13, 1)):
    return augmentation_.draw(n, shape, generator())


def test_shift_by_whole_pixels_is_a_slice():
    X = random_images(200, (5, 6, 2), np.float32)
    out = augmented(Shift((1, 2)), X)
    padded = np.pad(X, ((0, 0), (1, 1), (2, 2), (0, 0)), "edge")
    moves = [(down, across) for down in range(3) for across in range(5)]
    seen = set()
    for k in range(len(X)):
        fits = [m for m in moves if np.array_equal(out[k], padded[k, m[0] : m[0] + 5, m[1] : m[1] + 6])]
        assert fits
        seen.update(fits if len(fits) == 1 else ())
    assert seen == set(moves)


def test_shift_on_a_series_rolls_time_alone():
    X = random_images(50, (1, 12, 1))
    out = augmented(Shift(3), X)
    for x, y in zip(X[:, 0, :, 0], out[:, 0, :, 0], strict=True):
        assert any(np.array_equal(np.roll(x, move)[3:-3], y[3:-3]) for move in range(-3, 4))


def test_a_shift_by_a_share_is_fractional_and_bounded():
    moves = maps_of(Shift(0.2), shape=(10, 20, 1))[:, :, 2]
    assert np.abs(moves[:, 0]).max() <= 2 < 1.02 * np.abs(moves[:, 0]).max()
    assert np.abs(moves[:, 1]).max() <= 4 < 1.02 * np.abs(moves[:, 1]).max()
    assert len(np.unique(moves)) == moves.size


@pytest.mark.parametrize(("horizontal", "vertical"), [(True, False), (False, True), (True, True), (False, False)])
@pytest.mark.parametrize("shape", [(4, 5, 3), (1, 6, 2)])
def test_flip(horizontal, vertical, shape):
    X = random_images(100, shape, np.float32)
    out = augmented(Flip(horizontal, vertical), X)
    options = {(), *([(1,)] if horizontal else []), *([(0,)] if vertical and shape[0] > 1 else [])}
    options |= {(0, 1)} if horizontal and vertical and shape[0] > 1 else set()
    counts = {axes: sum(np.array_equal(y, np.flip(x, axes)) for x, y in zip(X, out, strict=True)) for axes in options}
    assert sum(counts.values()) == 100
    assert min(counts.values()) > 100 / len(options) / 2


def test_rotation_is_scipys():
    X = random_images(1, (15, 15, 1))
    augmenter = make_augmenter(Rotation(30), (15, 15, 1))
    parameters = augmenter.draw(1, generator())
    angle = np.rad2deg(np.arctan2(parameters.maps[0, 0, 1], parameters.maps[0, 0, 0]))
    out = X.copy()
    augmenter.apply(out, parameters)
    expected = ndimage.rotate(X[0, ..., 0], angle, reshape=False, order=1, mode="nearest")
    assert abs(angle) > 1
    np.testing.assert_allclose(out[0, ..., 0], expected, atol=1e-10)


def test_rotations_are_within_their_degrees():
    maps = maps_of(Rotation(20))
    angles = np.rad2deg(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    assert 19.5 < angles.max() <= 20
    assert -20 <= angles.min() < -19.5
    np.testing.assert_allclose(np.linalg.det(maps[:, :, :2]), 1)


@pytest.mark.parametrize("augmentation_", [Rotation(20), Zoom(0.3), Shear(30), Flip(vertical=True)])
def test_the_centre_stays(augmentation_):
    np.testing.assert_allclose(maps_of(augmentation_) @ [4, 6, 1], [[4, 6]] * 2000, atol=1e-12)


def test_zoom_makes_a_disc_larger_or_smaller():
    distance = np.hypot(*(np.indices((41, 41)) - 20))
    X = np.repeat((distance <= 10).astype(float)[None, ..., None], 40, axis=0)
    factors = 1 / maps_of(Zoom(0.4), 40, (41, 41, 1))[:, 0, 0]
    assert 0.6 <= factors.min() < 0.7 < 1.3 < factors.max() <= 1.4
    areas = augmented(Zoom(0.4), X).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(areas, np.pi * 100 * factors**2, rtol=0.05)


def test_shear_slants_a_bar():
    X = np.zeros((20, 21, 41, 1))
    X[:, :, 20] = 1
    out = augmented(Shear(25), X)[..., 0]
    slopes = maps_of(Shear(25), 20, (21, 41, 1))[:, 1, 0]
    assert np.abs(slopes).max() <= np.tan(np.deg2rad(25))
    middles = (out * np.arange(41)).sum(axis=2) / out.sum(axis=2)
    np.testing.assert_allclose(middles, 20 - slopes[:, None] * (np.arange(21) - 10), atol=1e-9)


def test_a_crop_is_a_window_stretched_to_the_whole():
    X = np.repeat(np.arange(101.0)[None, None, :, None], 200, axis=0)
    out = augmented(Crop(0.8), X)[:, 0, :, 0]
    lengths = out[:, -1] - out[:, 0]
    assert 80 <= lengths.min() < 82 < 98 < lengths.max() <= 100
    assert 0 <= out.min() < 1 < 99 < out.max() <= 100
    np.testing.assert_allclose(out, out[:, :1] + lengths[:, None] * np.arange(101) / 100, atol=1e-9)


@SETTINGS
@given(length=st.integers(1, 60), scale=st.floats(0, 3), seed=st.integers(0, 100))
def test_warped_time_rises_from_end_to_end(length, scale, seed):
    log_speed = TimeWarp(scale).draw(5, (1, length, 1), np.random.default_rng(seed))
    positions = warped(log_speed, length)
    assert positions.shape == (5, length)
    np.testing.assert_array_equal(positions[:, 0], 0)
    np.testing.assert_allclose(positions[:, -1], length - 1)
    assert (np.diff(positions) > 0).all()


def test_warped_time_is_the_integral_of_the_speed():
    log_speed = TimeWarp(0.5).draw(1, (1, 401, 1), generator())
    time = np.linspace(0, 5, 40001)
    speed = np.interp(time, range(6), np.exp(log_speed[0]))
    integral = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    expected = 400 * np.interp(np.linspace(0, 5, 401), time, integral / integral[-1])
    np.testing.assert_allclose(warped(log_speed, 401)[0], expected, atol=1e-3)


def test_time_warp_looks_up_the_warped_positions():
    X = random_images(4, (1, 30, 2))
    out = augmented([TimeWarp(0.5), Shift(0.1)], X)
    rng = generator()
    positions = warped(TimeWarp(0.5).draw(4, (1, 30, 2), rng), 30)
    moves = Shift(0.1).draw(4, (1, 30, 2), rng)[:, 1, 2]
    for k in range(4):
        for c in range(2):
            expected = np.interp(positions[k] + moves[k], np.arange(30), X[k, 0, :, c])
            np.testing.assert_allclose(out[k, 0, :, c], expected, atol=1e-12)
