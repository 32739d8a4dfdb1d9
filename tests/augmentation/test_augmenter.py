"""Augmentations against slices, loops and scipy.ndimage, and what they promise about seeds, parts and threads."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.base import clone

from skconv import augmentation
from skconv.augmentation import (
    Augmentation,
    Brightness,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Mixup,
    Noise,
    Rotation,
    Scaling,
    Shear,
    Shift,
    TimeWarp,
    Zoom,
    auto,
    make_augmenter,
)
from skconv.augmentation._augmenter import NAMES
from skconv.augmentation._maps import compose, warped
from skconv.augmentation._resample import resample, resample_whole

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)
ONLY_IMAGES = {"rotation", "shear"}
ONLY_SERIES = {"time_warp"}
SHAPES = {"image": (9, 12, 1), "colours": (10, 8, 3), "series": (1, 15, 1), "channels": (1, 15, 2)}
CASES = [
    (name, kind)
    for name in [*NAMES, "auto"]
    for kind, shape in SHAPES.items()
    if name not in (ONLY_IMAGES if shape[0] == 1 else ONLY_SERIES)
]


def samples(n=7, shape=(9, 12, 1), dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, *shape)).astype(dtype)


def generator(seed=3):
    return np.random.Generator(np.random.Philox(key=[seed, 5]))


def augmented(augment, X, seed=3, scale=1.0):
    """The samples after one draw; X stays."""
    augmenter = make_augmenter(augment, X.shape[1:], scale)
    out = X.copy()
    augmenter.apply(out, augmenter.draw(len(X), generator(seed)))
    return out


def looked_up(image, map_, positions=None):
    """One channel (H, W) at other positions: bilinear with repeated edges, pixel by pixel."""
    height, width = image.shape
    out = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            y, x = map_ @ [i, j if positions is None else positions[j], 1]
            y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = (1 - (x - left)) * image[top, left] + (x - left) * image[top, right]
            lower = (1 - (x - left)) * image[bottom, left] + (x - left) * image[bottom, right]
            out[i, j] = (1 - (y - top)) * upper + (y - top) * lower
    return out


# Looking up


@SETTINGS
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
def test_resample_equals_loops(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape).astype(dtype)
    maps = np.concatenate([rng.uniform(-1.5, 1.5, (shape[0], 2, 2)), rng.uniform(-3, 6, (shape[0], 2, 1))], axis=2)
    positions = rng.uniform(-1, shape[2], (shape[0], shape[2])) if shape[1] == 1 else None
    out = X.copy()
    resample(out, maps, positions)
    assert out.dtype == dtype
    for k in range(shape[0]):
        for c in range(shape[3]):
            expected = looked_up(X[k, ..., c], maps[k], None if positions is None else positions[k])
            np.testing.assert_allclose(out[k, ..., c], expected, atol=1e-12 if dtype == np.float64 else 1e-4)


def test_resample_equals_scipy():
    X, rng = samples(30, (28, 28, 3)), np.random.default_rng(1)
    maps = np.concatenate([np.eye(2) + rng.uniform(-0.3, 0.3, (30, 2, 2)), rng.uniform(-4, 4, (30, 2, 1))], axis=2)
    out = X.copy()
    resample(out, maps)
    for k in range(30):
        for c in range(3):
            expected = ndimage.affine_transform(X[k, ..., c], maps[k, :, :2], maps[k, :, 2], order=1, mode="nearest")
            np.testing.assert_allclose(out[k, ..., c], expected, atol=1e-12)


def test_images_of_more_pixels_than_a_chunk():
    X = samples(2, (150, 130, 1), np.float32)
    out, map_ = X.copy(), np.array([[1, 0.1, -2.0], [-0.1, 1, 3.5]])
    resample(out, np.stack([map_, map_]))
    expected = ndimage.affine_transform(X[1, ..., 0], map_[:, :2], map_[:, 2], order=1, mode="nearest")
    np.testing.assert_allclose(out[1, ..., 0], expected, atol=1e-3)


@SETTINGS
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7), st.integers(1, 3)),
    seed=st.integers(0, 1000),
)
def test_whole_pixels_need_no_interpolation(shape, seed):
    rng = np.random.default_rng(seed)
    X, (height, width) = rng.standard_normal(shape), shape[1:3]
    flips, moves = rng.integers(0, 2, (shape[0], 2)), rng.integers(-8, 9, (shape[0], 2))
    maps = np.zeros((shape[0], 2, 3))
    for k, (flip, move) in enumerate(zip(flips, moves, strict=True)):
        for axis, size in enumerate((height, width)):
            maps[k, axis, axis] = 1 - 2 * flip[axis]
            maps[k, axis, 2] = move[axis] + flip[axis] * (size - 1)
    gathered, interpolated = X.copy(), X.copy()
    resample_whole(gathered, maps)
    resample(interpolated, maps)
    np.testing.assert_array_equal(gathered, interpolated)
    for k, (flip, move) in enumerate(zip(flips, moves, strict=True)):
        padded = np.pad(X[k], ((8, 8), (8, 8), (0, 0)), "edge")
        padded = np.flip(padded, np.flatnonzero(flip))
        top, left = 8 + np.where(flip, -move, move)
        np.testing.assert_array_equal(gathered[k], padded[top : top + height, left : left + width])


def test_maps_compose_in_the_order_of_the_list():
    X, rng = samples(1, (20, 20, 1)), np.random.default_rng(4)
    X[:] = ndimage.gaussian_filter(X, (0, 3, 3, 0))  # smooth, so that interpolating twice costs little
    first, then = (np.concatenate([np.eye(2) + rng.uniform(-0.1, 0.1, (1, 2, 2)), [[[1.0], [0.5]]]], 2) for _ in "12")
    once, twice = X.copy(), X.copy()
    resample(once, compose(first, then))
    resample(twice, first)
    resample(twice, then)
    inner = np.s_[:, 5:-5, 5:-5]
    np.testing.assert_allclose(once[inner], twice[inner], atol=0.02 * np.ptp(X))


# What each does


def maps_of(augmentation_, n=2000, shape=(9, 13, 1)):
    return augmentation_.draw(n, shape, generator())


def test_shift_by_whole_pixels_is_a_slice():
    X = samples(200, (5, 6, 2), np.float32)
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
    X = samples(50, (1, 12, 1))
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
    X = samples(100, shape, np.float32)
    out = augmented(Flip(horizontal, vertical), X)
    options = {(), *([(1,)] if horizontal else []), *([(0,)] if vertical and shape[0] > 1 else [])}
    options |= {(0, 1)} if horizontal and vertical and shape[0] > 1 else set()
    counts = {axes: sum(np.array_equal(y, np.flip(x, axes)) for x, y in zip(X, out, strict=True)) for axes in options}
    assert sum(counts.values()) == 100
    assert min(counts.values()) > 100 / len(options) / 2


def test_rotation_is_scipys():
    X = samples(1, (15, 15, 1))
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
    X = samples(4, (1, 30, 2))
    out = augmented([TimeWarp(0.5), Shift(0.1)], X)
    rng = generator()
    positions = warped(TimeWarp(0.5).draw(4, (1, 30, 2), rng), 30)
    moves = Shift(0.1).draw(4, (1, 30, 2), rng)[:, 1, 2]
    for k in range(4):
        for c in range(2):
            expected = np.interp(positions[k] + moves[k], np.arange(30), X[k, 0, :, c])
            np.testing.assert_allclose(out[k, 0, :, c], expected, atol=1e-12)


@pytest.mark.parametrize("kind", [Noise, Jitter])
def test_noise_is_measured_by_the_spread(kind):
    X, scale = np.ones((400, 1, 50, 2)), np.array([1.0, 20.0])
    noise = augmented(kind(0.5), X, scale=scale) - X
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), 0.5 * scale, rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=(0, 1, 2)), 0, atol=0.2)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02


def test_brightness_adds_one_number():
    X, scale = samples(300, (4, 5, 2)), np.array([1.0, 3.0])
    change = augmented(Brightness(0.5), X, scale=scale) - X
    share = change[:, :1, :1] / scale
    np.testing.assert_allclose(change, np.broadcast_to(share[..., :1] * scale, change.shape), atol=1e-12)
    assert 0.45 < np.abs(share).max() <= 0.5
    assert abs(share.mean()) < 0.05


def test_scaling_multiplies_the_amplitude_and_keeps_the_mean():
    X = samples(400, (1, 20, 2)) + [[[[100.0, -3.0]]]]
    out = augmented(Scaling(0.3), X)
    np.testing.assert_allclose(out.mean(axis=2), X.mean(axis=2))
    ratio = out.std(axis=2) / X.std(axis=2)
    np.testing.assert_allclose(ratio[..., 0], ratio[..., 1])
    assert abs(np.log(ratio).std() - 0.3) < 0.03
    assert abs(np.log(ratio).mean()) < 0.05


def test_cutout_hides_a_rectangle():
    X = samples(300, (8, 10, 2))
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
    X = samples(40, (1, 20, 2))
    hidden = (augmented(Cutout(5), X) != X).all(axis=(1, 3)).sum(axis=1)
    assert set(hidden) <= set(range(2, 6))
    assert hidden.max() == 5


def test_mixup_blends_samples_and_targets_alike():
    X = samples(9, (3, 4, 2), np.float32)
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
    X, targets = samples(1), np.ones((2, 1))
    for augment in ("mixup", "shift"):
        augmenter = make_augmenter(augment, X.shape[1:])
        out, mixed = X.copy(), targets.copy()
        augmenter.mix(out, mixed, augmenter.draw(1, generator()))
        np.testing.assert_array_equal(out, X)
        np.testing.assert_array_equal(mixed, targets)


def test_mixup_of_targets_that_are_no_floats():
    X = samples(3)
    augmenter = make_augmenter("mixup", X.shape[1:])
    with pytest.raises(ValueError, match="targets to blend must be floats, one column a sample, got int64"):
        augmenter.mix(X, np.ones((1, 3), np.int64), augmenter.draw(3, generator()))


NOTHING = [
    (Shift(0), SHAPES["image"]),
    (Shift(0.0), SHAPES["colours"]),
    (Flip(horizontal=False), SHAPES["image"]),
    (Rotation(0), SHAPES["image"]),
    (Zoom(0), SHAPES["colours"]),
    (Shear(0), SHAPES["image"]),
    (Crop(1.0), SHAPES["series"]),
    (TimeWarp(0), SHAPES["channels"]),
    (Noise(0), SHAPES["image"]),
    (Jitter(0), SHAPES["series"]),
    (Scaling(0), SHAPES["channels"]),
    (Brightness(0), SHAPES["colours"]),
    (Cutout(0), SHAPES["image"]),
    (Cutout(0), SHAPES["series"]),
    ([Shift(0), Rotation(0), Zoom(0), Shear(0), Noise(0)], SHAPES["image"]),
]


@pytest.mark.parametrize(("augment", "shape"), NOTHING, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strength_zero_changes_nothing(augment, shape, dtype):
    X = samples(5, shape, dtype)
    np.testing.assert_array_equal(augmented(augment, X), X)


def test_mixup_of_strength_zero_keeps_all():
    np.testing.assert_array_equal(Mixup(0).draw(4, (3, 3, 1), generator()), 1)


# Seeds, parts, threads, dtypes


def arrays_of(draws):
    """All arrays of the parameters."""
    values = [getattr(draws, field.name) for field in fields(draws)]
    return [v for v in (*values[:2], values[3], *(drawn for _, drawn in draws.changes)) if v is not None]


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parts_change_no_bit(name, kind, dtype):
    X = samples(50, SHAPES[kind], dtype)
    augmenter = make_augmenter(name, X.shape[1:], np.full(X.shape[3], 0.5))
    parameters = augmenter.draw(50, generator())
    assert all(len(array) == 50 for array in arrays_of(parameters))
    whole = X.copy()
    augmenter.apply(whole, parameters)
    assert whole.dtype == dtype
    assert np.isfinite(whole).all()
    assert name == "mixup" or not np.array_equal(whole, X)
    for cuts in ([1, 2, 4, 30], range(1, 50)):
        out = X.copy()
        parts = [slice(a, b) for a, b in zip([0, *cuts], [*cuts, 50], strict=True)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part, out=out: augmenter.apply(out[part], parameters, part), parts))
        np.testing.assert_array_equal(out, whole)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_seed_decides(name, kind):
    X = samples(20, SHAPES[kind])
    augmenter = make_augmenter(name, X.shape[1:])
    first, again, other = (augmenter.draw(20, generator(seed)) for seed in (1, 1, 2))
    for a, b in zip(arrays_of(first), arrays_of(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(arrays_of(first), arrays_of(other), strict=True))
    np.testing.assert_array_equal(augmented(name, X, 1), augmented(name, X, 1))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_float32_is_float64_rounded(name, kind):
    X = samples(20, SHAPES[kind], np.float32)
    single, double = augmented(name, X), augmented(name, X.astype(np.float64))
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_draws_do_not_depend_on_the_dtype_or_the_data():
    augmenter = make_augmenter("auto", (12, 12, 1))
    rng = generator()
    augmenter.draw(10, rng)
    after = rng.random()
    rng = generator()
    augmenter.apply(samples(10, (12, 12, 1), np.float32), augmenter.draw(10, rng))
    assert rng.random() == after


def test_applying_allocates_no_more_than_a_chunk(allocated):
    X = samples(2000, (28, 28, 1), np.float32)
    augmenter = make_augmenter("auto", (28, 28, 1))
    parameters = augmenter.draw(2000, generator())
    assert allocated(lambda: augmenter.apply(X, parameters)) < 1 << 20 < X.nbytes


# Averaging at prediction


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_copies_do_the_same_to_every_sample(name, kind):
    X = samples(6, SHAPES[kind], np.float32)
    augmenter = make_augmenter(name, X.shape[1:])
    copies = list(augmenter.copies(4, 0))
    assert len(copies) == (4 if augmenter.averages else 0)
    for copy in copies:
        together = X.copy()
        augmenter.apply_to_all(together, copy)
        for k in range(6):
            alone = X[k : k + 1].copy()
            augmenter.apply_to_all(alone, copy)
            np.testing.assert_array_equal(alone[0], together[k])


def test_copies_leave_out_what_hides_or_adds_noise():
    augmenter = make_augmenter(["noise", "jitter", "cutout", "mixup"], (8, 8, 1))
    assert not augmenter.averages
    assert list(augmenter.copies(5, 0)) == []
    both = make_augmenter(["noise", "shift", "cutout", "brightness"], (8, 8, 1))
    assert [type(a) for a, _ in next(both.copies(1, 0)).changes] == [Brightness]
    assert next(both.copies(1, 0)).maps is not None


def test_more_copies_begin_with_those_of_fewer():
    augmenter = make_augmenter("auto", (12, 12, 1))
    for few, many in zip(augmenter.copies(3, 7), augmenter.copies(6, 7), strict=False):
        np.testing.assert_array_equal(few.maps, many.maps)


# From the parameter


def kinds(augmenter):
    return [type(augmentation_) for augmentation_ in augmenter.augmentations]


def test_what_stands_for_what():
    shape = (12, 12, 1)
    assert make_augmenter(None, shape) is None
    assert make_augmenter([], shape) is None
    assert kinds(make_augmenter(["shift", Rotation(3)], shape)) == [Shift, Rotation]
    assert kinds(make_augmenter(("auto", "mixup"), shape)) == [Shift, Rotation, Zoom, Mixup]
    for name, kind in NAMES.items():
        if name not in ONLY_SERIES:
            assert kinds(make_augmenter(name, shape)) == [kind]
            assert kind.__name__ in augmentation.__all__


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28, 1), [Shift, Rotation, Zoom]),
        ((28, 28, 4), [Shift, Rotation, Zoom]),
        ((32, 32, 3), [Flip, Shift]),
        ((1, 150, 3), [Crop, Scaling, Jitter]),
        ((1, 50, 1), [Crop, Scaling, Jitter]),
        ((1, 49, 1), [Scaling, Jitter]),
        ((6, 128, 3), [Shift]),
        ((128, 6, 1), [Shift]),
        ((4, 4, 3), []),
    ],
)
def test_auto_depends_on_the_shape(shape, expected):
    assert [type(a) for a in auto(shape)] == expected
    augmenter = make_augmenter("auto", shape)
    assert augmenter is None if not expected else kinds(augmenter) == expected


def test_auto_is_small():
    for shape in ((28, 28, 1), (8, 8, 1), (200, 100, 1)):
        rng, corners = generator(), np.array([[i, j, 1] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1)])
        maps = make_augmenter("auto", shape).draw(500, rng).maps
        moved = maps @ corners.T - corners.T[:2]
        assert np.abs(moved).max() < 0.35 * max(shape)
    assert auto((32, 48, 3))[1].size == (4, 6)
    assert [type(a) for a in auto((32, 32, 3), flips=False)] == [Shift]


def test_auto_moves_nothing_along_a_short_side():
    X = samples(20, (6, 40, 1))
    X[:] = np.arange(6)[:, None, None]
    np.testing.assert_array_equal(augmented("auto", X), X)
    np.testing.assert_array_equal(augmented("auto", X.transpose(0, 2, 1, 3).copy()), X.transpose(0, 2, 1, 3))


@pytest.mark.parametrize("value", ["shfit", 3, Shift, ["shift", "nothing"], [["shift"]], {"shift": 2}, True])
def test_what_is_no_augmentation(value):
    with pytest.raises(
        ValueError, match=r"augment(\[\d\])? must be a str among {'auto', 'brightness', .*, 'zoom'}(,| or) an object of"
    ):
        make_augmenter(value, (8, 8, 1))


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


def test_bad_arrays():
    with pytest.raises(ValueError, match=r"scale has 2 numbers .* but the images have 3 channels"):
        make_augmenter("noise", (9, 9, 3), [1.0, 2.0])
    augmenter = make_augmenter("shift", (9, 12, 1))
    parameters = augmenter.draw(7, generator())
    with pytest.raises(ValueError, match="images must be C-contiguous float32 or float64, got int64"):
        augmenter.apply(np.zeros((7, 9, 12, 1), np.int64), parameters)
    with pytest.raises(ValueError, match="images must be C-contiguous"):
        augmenter.apply(np.zeros((7, 9, 24, 1))[:, :, ::2], parameters)
    with pytest.raises(ValueError, match=r"images must have shape .*\(9, 12, 1\).* got \(7, 12, 9, 1\)"):
        augmenter.apply(np.zeros((7, 12, 9, 1)), parameters)


def test_the_base_says_what_is_missing():
    with pytest.raises(NotImplementedError):
        Augmentation().draw(1, (8, 8, 1), generator())


@pytest.mark.parametrize("kind", NAMES.values(), ids=list(NAMES))
def test_they_are_estimators(kind):
    name, value = next(iter(kind().get_params().items()))
    changed = kind(**{name: 0.5})
    for copy in (clone(changed), pickle.loads(pickle.dumps(changed)), kind().set_params(**{name: 0.5})):
        assert copy.get_params() == changed.get_params()
    assert value != 0.5
    assert repr(changed) == f"{kind.__name__}({name}=0.5)"
