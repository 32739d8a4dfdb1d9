"""Looking up images at other positions, against slices, loops and `scipy.ndimage`."""

import numpy as np
from helpers import random_images
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skconv.augmentation._resample import resample, resample_whole

SETTINGS = settings(deadline=None, max_examples=60, derandomize=True)


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
    X, rng = random_images(30, (28, 28, 3)), np.random.default_rng(1)
    maps = np.concatenate([np.eye(2) + rng.uniform(-0.3, 0.3, (30, 2, 2)), rng.uniform(-4, 4, (30, 2, 1))], axis=2)
    out = X.copy()
    resample(out, maps)
    for k in range(30):
        for c in range(3):
            expected = ndimage.affine_transform(X[k, ..., c], maps[k, :, :2], maps[k, :, 2], order=1, mode="nearest")
            np.testing.assert_allclose(out[k, ..., c], expected, atol=1e-12)


def test_images_of_more_pixels_than_a_chunk():
    X = random_images(2, (150, 130, 1), np.float32)
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
