"""Flat samples that look like images in rows, and a square number of features that looks like a series."""

import numpy as np
import pytest
from doubtful_samples import first, flat, photographs, rectangles, said, textures, walks, waves, with_alpha
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_colour_photographs_that_lie_flat(side):
    k = side
    message = said(flat(photographs(k)))
    assert f"as a series of {3 * k * k} steps, but they look like an image of {k}x{k} with 3 channels." in message
    assert f"Write image_shape=({k}, {k}, 3); image_shape='series' where they are not" in message
    message = said(flat(with_alpha(photographs(k))))
    assert f"as an image of {2 * k}x{2 * k}, but they look like an image of {k}x{k} with 4 channels." in message
    assert f"Write image_shape=({k}, {k}, 4); image_shape=({2 * k}, {2 * k}) where they are not" in message


@pytest.mark.parametrize("side", [16, 32, 64])
def test_colour_photographs_channel_by_channel(side):
    planes = flat(first(photographs(side)))
    message = said(planes)
    write = f"X.reshape(-1, 3, {side}, {side}).transpose(0, 2, 3, 1)"
    assert f"{side}x{side} with 3 channels, channels first. Write {write}; image_shape='series'" in message
    np.testing.assert_array_equal(eval(write, {"X": planes}), photographs(side))
    assert "with 4 channels, channels first" in said(flat(first(with_alpha(photographs(side)))))


FLAT_SHAPES = [(48, 64), (64, 48), (24, 32), (62, 47), (28, 20), (14, 20)]


@pytest.mark.parametrize("shape", FLAT_SHAPES)
def test_images_that_are_no_squares_and_lie_flat(shape):
    """48 x 64 x 3 has as many numbers as 48 x 48 x 4, also in a row, and as many as 96 x 96."""
    height, width = shape
    colour = rectangles(*shape)
    scaled = StandardScaler().fit_transform(flat(colour))
    for images, channels in ((colour, 3), (scaled, 3), (with_alpha(colour), 4)):
        message = said(flat(images))
        assert f"look like an image of {height}x{width} with {channels} channels. " in message
        assert f"Write image_shape=({height}, {width}, {channels}); " in message
    grey = flat(colour.mean(axis=3))
    for images in (grey, grey / 255, StandardScaler().fit_transform(grey)):
        message = said(images)
        assert f"as a series of {height * width} steps, but they look like an image of {height}x{width}. " in message
        assert f"Write image_shape=({height}, {width}); image_shape='series' where they are not" in message
    planes = flat(first(colour))
    message = said(planes)
    assert f"look like an image of {height}x{width} with 3 channels, channels first. Write X.reshape" in message
    recipe = message.partition("Write ")[2].partition("; ")[0]
    np.testing.assert_array_equal(eval(recipe, {"X": planes}), colour)


def test_smooth_textures_that_are_no_squares_and_lie_flat():
    for height, width in ((24, 32), (32, 24), (40, 28)):
        assert f"Write image_shape=({height}, {width}); " in said(flat(textures(20, height, width)))


@pytest.mark.parametrize("scaler", [MinMaxScaler(), StandardScaler()])
def test_colour_photographs_after_a_scaler(scaler):
    assert "image_shape=(32, 32, 3)" in said(scaler.fit_transform(flat(photographs(32))))


@pytest.mark.parametrize("steps", [49, 64, 81, 100, 144, 256, 400])
@pytest.mark.parametrize("series", [waves, walks])
def test_series_of_a_square_number_of_steps(series, steps):
    side = round(steps**0.5)
    message = said(series(40, steps))
    assert f"as an image of {side}x{side}, but they look like a series of {steps} steps." in message
    assert f"Write image_shape='series'; image_shape=({side}, {side}) where they are not" in message


@pytest.mark.parametrize(("period", "periods"), [(24, 30), (24, 14), (48, 30), (12, 10), (20, 28)])
@pytest.mark.parametrize("noise", [0.05, 0.3, 1.0])
def test_series_that_repeat_themselves_are_series(period, periods, noise):
    """Steps that are two periods apart are as alike as those that are one period apart."""
    rng = np.random.default_rng(0)
    cycle = rng.standard_normal(period).cumsum()
    for size in (rng.uniform(0.5, 2, (30, 1, 1)), rng.uniform(0.5, 2, (30, periods, 1))):  # of a sample, of a period
        X = flat(size * cycle * np.ones((1, periods, 1))) + noise * rng.standard_normal((30, period * periods))
        assert "image_shape=(" not in said(X).replace("where they are not", "").partition("Write ")[2].partition(";")[0]


def test_windows_of_several_channels_that_lie_flat_are_no_images():
    for channels in (3, 4, 6, 12):
        for X in (walks(30, 96, channels), walks(30, 96, channels).transpose(0, 2, 1)):
            assert "an image of" not in said(flat(X)).partition("look like")[2]


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(8, 40),  # of five series of 64 steps 2 in 100 raise no doubt; of eight none of 400
    side=st.integers(8, 24),
    smooth=st.floats(0.7, 2.5),
    scale=st.sampled_from([1e-30, 1.0, 1e30]),
    seed=st.integers(0, 2**32 - 1),
)
def test_images_and_series_of_a_square_number(n, side, smooth, scale, seed):
    assert not said(flat(textures(n, side, side, smooth, seed)) * scale + 3 * scale)
    assert "Write image_shape='series'" in said(waves(n, side * side, seed) * scale)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_any_type_of_number_says_the_same(dtype):
    images = flat(photographs(16)).astype(dtype)
    assert said(images) == said(images.astype(np.float64) / 255)


def test_the_same_samples_say_the_same():
    X = flat(photographs(32))
    assert said(X) == said(X.copy()) == said(X[:, ::-1][:, ::-1])
    before = X.copy()
    said(X)
    assert np.array_equal(X, before)
