"""One warning where samples look like another thing than they are taken for, none where they do not."""

import warnings

import numpy as np
import pytest
from doubtful_samples import first, flat, photographs, rectangles, said, textures, walks, waves, with_alpha
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_sample_images,
    load_wine,
)
from sklearn.preprocessing import StandardScaler

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages

DIGITS = load_digits().images


# What each doubtful layout is called, and what to write for it and for what was taken.


@pytest.mark.parametrize("images", [photographs(8), photographs(32), np.random.default_rng(0).random((20, 32, 32, 3))])
def test_images_with_their_channels_first(images):
    message = said(first(images))
    shape = first(images).shape[1:]
    assert f"took samples of shape {shape} as an image of 3x{shape[1]} with {shape[1]} channels" in message
    assert f"Write X.transpose(0, 2, 3, 1); image_shape={shape} where they are not" in message


@pytest.mark.parametrize("images", [photographs(32), with_alpha(photographs(16)), rectangles(24, 32)])
def test_a_given_shape_with_its_channels_first(images):
    shape = first(images).shape[1:]
    planes, (channels, height, width) = flat(first(images)), shape
    message = said(planes, shape)
    assert f"image_shape={shape} took rows of X of shape ({planes.shape[1]},) as an image of {channels}x" in message
    assert f"look like an image of {height}x{width} with {channels} channels, channels first. " in message
    write, confirm = f"X.reshape(-1, {channels}, {height}, {width}).transpose(0, 2, 3, 1)", write_rows(shape)
    assert f"Write {write}, and image_shape=None; {confirm} where they are not" in message
    np.testing.assert_array_equal(eval(write, {"X": planes}), images)
    assert not said(flat(images), images.shape[1:])
    with pytest.warns(UserWarning, match="channels first") as caught:
        StridedPooling(image_shape=shape).fit(planes)
    assert len(caught) == 1
    StridedPooling(image_shape=shape).fit(eval(confirm, {"X": planes}))
    StridedPooling(image_shape=images.shape[1:]).fit(flat(images))


def write_rows(shape):
    return f"X.reshape(-1, {', '.join(map(str, shape))})"


def test_a_given_shape_of_series_raises_no_doubt():
    for steps, channels in ((30, 20), (51, 24), (40, 36), (24, 24), (100, 3)):
        X = flat(walks(20, steps, channels))
        assert not said(X, (1, steps, channels))
        StridedPooling(image_shape=(1, steps, channels)).fit(X)


@pytest.mark.parametrize("images", [DIGITS, photographs(32).mean(axis=3), textures(20, 16, 28)])
def test_grey_images_with_their_channel_first(images):
    height, width = images.shape[1:]
    message = said(images[:, None])
    assert f"look like an image of {height}x{width}, channels first. Write X.transpose(0, 2, 3, 1); " in message


@pytest.mark.parametrize(("steps", "channels"), [(100, 3), (100, 6), (24, 3), (16, 2), (30, 1)])
@pytest.mark.parametrize("draw", [walks, lambda *shape: np.random.default_rng(0).random(shape)])
def test_windows_of_few_channels(draw, steps, channels):
    X = draw(20, steps, channels)
    series = f"a series of {steps} steps" + (f" with {channels} channels" if channels > 1 else "")
    message = said(X)
    assert f"took samples of shape ({steps}, {channels}) as an image of {steps}x{channels}, but they look" in message
    assert f"look like {series}. Write image_shape='series'; image_shape=({steps}, {channels}) where" in message
    assert f"look like {series}. Write image_shape=(1, {steps}, {channels}); " in said(X[..., None])
    assert f"look like {series}. Write image_shape=(1, {steps}, {channels}); " in said(X[:, :, None])
    if channels > 1:
        turned = X.transpose(0, 2, 1)
        assert f"look like {series}. Write X.transpose(0, 2, 1) and image_shape='series'; " in said(turned)
        assert "Write X[..., 0].transpose(0, 2, 1) and image_shape='series'; " in said(turned[..., None])


@pytest.mark.parametrize(("steps", "channels"), [(30, 20), (51, 24), (40, 36)])
def test_windows_of_many_channels_in_no_order(steps, channels):
    X = walks(20, steps, channels)
    assert f"look like a series of {steps} steps with {channels} channels. Write image_shape='series'" in said(X)
    message = said(X.transpose(0, 2, 1))
    assert "Write X.transpose(0, 2, 1) and image_shape='series'; " in message
    assert not said(X, "series")
    message = said(X.transpose(0, 2, 1), "series")
    assert (
        f"image_shape='series' took samples of shape ({channels}, {steps}) as a series of {channels} steps" in message
    )
    assert f"Write X.transpose(0, 2, 1); image_shape=(1, {channels}, {steps}) where they are not" in message


def test_one_series_with_its_channel_first():
    assert "look like a series of 40 steps. Write X.transpose(0, 2, 1); " in said(walks(20, 40)[:, None], "series")
    assert not said(walks(20, 40)[:, None])  # an image of one row is a series


# No doubt


def test_images_of_all_kinds_are_images():
    grey = [DIGITS, textures(20, 12, 12), textures(20, 28, 28, 3.0), *(photographs(k).mean(3) for k in (8, 16, 32, 64))]
    for images in [*grey, 255 - DIGITS, DIGITS[:3], DIGITS > 8]:
        assert not said(images)
        assert not said(images[..., None])
        assert not said(flat(images))
        assert not said(StandardScaler().fit_transform(flat(images)))
    for images in (
        photographs(8),
        photographs(32),
        with_alpha(photographs(32)),
        photographs(32)[:, ::2],
        textures(9, 48, 20),
    ):
        assert not said(images)


@pytest.mark.parametrize("steps", [24, 48, 75, 96, 99, 108, 150, 176, 192, 251, 300, 432, 768, 3072])
def test_series_of_other_numbers_of_steps_are_series(steps):
    for X in (waves(30, steps), walks(30, steps)):
        assert not said(X)
        assert not said(X[..., None], "series")


@pytest.mark.parametrize(
    "load", [load_iris, load_wine, load_breast_cancer, load_diabetes, load_linnerud], ids=lambda load: load.__name__
)
def test_tables_raise_no_doubt(load):
    X = load().data
    for table in (X, StandardScaler().fit_transform(X)):
        assert not said(table)
        assert not said(np.hstack([table] * 8)[:, : 5 * table.shape[1]])


@settings(max_examples=200, deadline=None)
@given(n=st.integers(1, 30), n_features=st.integers(1, 400), groups=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_noise_raises_no_doubt(n, n_features, groups, seed):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-10, 10, (groups, n_features))
    for X in (rng.random((n, n_features)), centres[rng.integers(0, groups, n)] + rng.standard_normal((n, n_features))):
        assert not said(X)


def test_samples_that_are_constant_raise_no_doubt():
    for shape in ((3, 10, 1), (10, 3), (12, 12), (6, 12), (100,), (192,)):
        assert not said(np.zeros((4, *shape)) + np.arange(4).reshape(4, *(1 for _ in shape)))


def test_digits_in_other_rows_raise_no_doubt():
    assert not said(DIGITS.reshape(-1, 16, 4))
    assert not said(DIGITS.reshape(-1, 4, 16))


@pytest.mark.parametrize("value", [0.0, 7.0, 1e308, -1e308])
def test_constant_and_extreme_numbers(value):
    for shape in ((5, 49), (5, 12, 12), (5, 32, 9, 1), (5, 3, 16, 16)):
        with np.errstate(all="raise"):
            said(np.full(shape, value))
            said(np.where(np.arange(np.prod(shape)).reshape(shape) % 2, value, -value))


# In the estimators


ESTIMATORS = [
    ConvNetClassifier(filters=2, hidden_layer_sizes=2, max_iter=1, random_state=0),
    ConvNetRegressor(filters=2, hidden_layer_sizes=2, max_iter=1, random_state=0),
    ConvFeatures("mean", kernel_size=1),
    ImagePadder(1),
    StridedPooling("max", 1),
    ToImages(),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_every_estimator_warns_at_fit_and_only_there(estimator):
    X, y = walks(20, 100), np.arange(20) % 2
    with pytest.warns(UserWarning, match=r"image_shape=None took rows of X of shape \(100,\) as an image") as caught:
        estimator.fit(X, y)
    assert len(caught) == 1
    (estimator.predict if hasattr(estimator, "predict") else estimator.transform)(X)  # a warning is an error here
    for image_shape in ("series", (10, 10)):
        estimator.set_params(image_shape=image_shape).fit(X, y)
    estimator.set_params(image_shape=None)


@pytest.mark.parametrize("model", ESTIMATORS[:2], ids=lambda estimator: type(estimator).__name__)
def test_partial_fit_warns_at_its_first_call(model):
    X, y = walks(20, 30, 3), np.arange(20) % 2
    model = type(model)(**model.get_params())
    options = {"classes": [0, 1]} if isinstance(model, ConvNetClassifier) else {}
    with pytest.warns(UserWarning, match="a series of 30 steps with 3 channels") as caught:
        model.partial_fit(X, y, **options)
    assert len(caught) == 1
    model.partial_fit(X, y)


def test_learned_features_warn_at_their_first_call():
    features = ConvFeatures("pca", 2, 3, random_state=0, n_patches=2000)
    with pytest.warns(UserWarning, match="Write X.transpose"):
        features.partial_fit(first(photographs(8)))
    features.partial_fit(first(photographs(8)))


def test_validation_data_are_not_looked_at():
    X, y = walks(20, 100), np.arange(20) % 2
    ESTIMATORS[0].set_params(image_shape="series").fit(X, y, X_val=X, y_val=y)
    ESTIMATORS[0].set_params(image_shape=None)


def test_flatten_only_names():
    assert Flatten().fit_transform(walks(20, 30, 3)).shape == (20, 90)


def test_a_network_says_the_shape_of_its_features():
    X = photographs(8)
    model = ConvNetClassifier(filters=2, hidden_layer_sizes=2, max_iter=1, random_state=0).fit(X, np.arange(60) % 2)
    features = ConvFeatures(model, pool=None).fit(flat(X))
    np.testing.assert_array_equal(features.transform(flat(X)), flat(features.transform(X)))


def test_samples_in_storage_are_looked_at():
    class Stored:
        """An array that has to be read."""

        def __init__(self, X):
            self.X, self.shape, self.dtype = X, X.shape, X.dtype

        def __getitem__(self, rows):
            return self.X[rows]

    with pytest.warns(UserWarning, match=r"image_shape=\(32, 32, 3\)"):
        ToImages().fit(flat(photographs(32)))
    for memory in (1024, 1):  # MiB; read whole, or row by row
        with config_context(working_memory=memory), pytest.warns(UserWarning, match=r"image_shape=\(32, 32, 3\)"):
            ESTIMATORS[0].fit(Stored(flat(photographs(32, 150)).astype(np.float32)), np.arange(150) % 2)


# One image in place of several


@pytest.mark.parametrize("step", [1, 4, 10])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_one_image_is_no_samples(step, kind):
    for whole in load_sample_images().images:
        for picture in (whole[::step, ::step], with_alpha(whole[None, ::step, ::step])[0], whole[:200, 100:300]):
            message = said(picture.astype(kind))
            assert f"they look like the rows of one image {picture.shape}. Write X[None]" in message


@pytest.mark.parametrize("transformer", [StridedPooling(), ConvFeatures("sobel"), ImagePadder()], ids=str)
def test_one_image_in_fit(transformer):
    picture = load_sample_images().images[0][::8, ::8] / 255
    with pytest.warns(UserWarning, match=r"the rows of one image \(54, 80, 3\). Write X\[None\]"):
        transformer.fit(picture)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transformer.fit(picture[None])


def test_samples_of_three_channels_are_several():
    series = walks(40, 50, 3)
    assert "one image" not in said(series)
    assert "one image" not in said(series[np.argsort(series[:, -1, 0])])  # in an order
    one = walks(1, 90, 3)[0]
    slides = np.stack([one[start : start + 50] for start in range(40)])
    assert "one image" not in said(slides)
    assert "one image" not in said(np.stack([one[2 * start : 2 * start + 10] for start in range(15)]))
