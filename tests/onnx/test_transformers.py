"""Transformers in onnxruntime, held against their own transforms."""

import numpy as np
import pytest
from exported import assert_close, run
from helpers import first_digits, quick_model, random_images

from skconv import ConvFeatures, Flatten, ImagePadder, ImageResizer, StridedPooling, ToImages
from skconv._features.filters import CLASSICAL
from skconv.layers import ConstantPadding, PaddingMode, PatternPadding
from skconv.onnx import to_onnx

DIGITS = first_digits(30)[0].astype(np.float32)
COLOURS = random_images(6, (9, 12, 3), np.float32)
SERIES = random_images(6, (1, 40, 2), np.float32)[:, 0]
INPUTS = [DIGITS, DIGITS.reshape(-1, 8, 8), COLOURS, SERIES, COLOURS.astype(np.float64), (9 * DIGITS).astype(np.uint8)]


def check_transformer(transformer, X, within=1e-5):
    """The output of a fitted transformer, of one sample and of many, has shape, dtype and values of `transform`."""
    exported = to_onnx(transformer, X)
    for samples in (X, X[:1]):
        found, wanted = run(exported, samples)["variable"], transformer.transform(samples)
        assert found.dtype == wanted.dtype
        assert_close(found, wanted, within)


def shape_of(X):
    """The parameter ``image_shape`` that lets nothing be guessed."""
    return "series" if X is SERIES else None


every_input = pytest.mark.parametrize("X", INPUTS, ids=lambda X: f"{X.shape[1:]} {X.dtype}")


@every_input
@pytest.mark.parametrize("pool", ["stride", "max", "mean", "lp", "median"])
def test_pooling(pool, X):
    for options in ({}, {"stride": 3, "ceil_mode": True, "padding": 1}, {"pool_size": "global"}):
        if pool == "stride" and options.get("pool_size") == "global":
            continue
        check_transformer(StridedPooling(pool, **{"image_shape": shape_of(X), **options}).fit(X), X)
    check_transformer(StridedPooling("mean", 3, padding=1, count_include_pad=True, image_shape=shape_of(X)).fit(X), X)


@every_input
@pytest.mark.parametrize(
    "mode",
    [
        "constant",
        "edge",
        "reflect",
        "symmetric",
        "wrap",
        ConstantPadding(0.1),
        PatternPadding([[0.1, 2.0], [3.0, 4.0]]),
    ],
    ids=str,
)
def test_borders(mode, X):
    for padding in (1, ((0, 3), (2, 1)), (0, 30)):
        model = ImagePadder(padding, mode, image_shape=shape_of(X)).fit(X)
        found = run(to_onnx(model, X), X)["variable"]
        wanted = model.transform(X)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


class Zeros(PaddingMode):
    detached = True

    def fill(self, image, border):
        for strip in border:
            strip[...] = 0


@pytest.mark.parametrize("mode", ["noise", "donor"])
def test_borders_that_are_drawn(mode):
    with pytest.raises(ValueError, match=rf"padding_mode={mode.title()}Padding\(\) draws the border of each image"):
        to_onnx(ImagePadder(1, mode).fit(COLOURS))
    with pytest.raises(ValueError, match=r"padding_mode=Zeros\(\) is a mode of your own"):
        to_onnx(ImagePadder(1, Zeros()).fit(COLOURS))


@every_input
def test_shapes(X):
    for model in (ToImages(shape_of(X)), Flatten(shape_of(X))):
        for dtype in (X.dtype, np.int64, bool):
            samples = X.astype(dtype)
            fitted = model.fit(samples)
            found = run(to_onnx(fitted, samples), samples)["variable"]
            wanted = fitted.transform(samples)
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
    half = X.astype(np.float16)
    found = run(to_onnx(Flatten(shape_of(X)).fit(half), half), half)["variable"]
    np.testing.assert_array_equal(found, Flatten(shape_of(X)).fit_transform(half))


@every_input
@pytest.mark.parametrize("options", [{}, {"crop": True}], ids=str)
def test_resizing(options, X):
    for size in ((5, 7), (20, 3), X.shape[1:3]) if X.ndim > 2 and X is not SERIES else (6, (1, 30)):
        check_transformer(ImageResizer(size, **options, image_shape=shape_of(X)).fit(X), X)


def test_resizing_of_images_of_another_size():
    for images in (COLOURS, COLOURS[..., 0]):
        model = ImageResizer((6, 5)).fit(images[:, :7, :4])
        check_transformer(model, images)
        check_transformer(ImageResizer((6, 5)).fit([images[0], images[1, :3]]), images)
    with pytest.raises(ValueError, match="X has 3 channels, but ImageResizer gives 1, which ONNX does not convert"):
        to_onnx(ImageResizer(6).fit(list(COLOURS[..., 0])), COLOURS)


@pytest.mark.parametrize("filters", ["random", "orthonormal", "pca", *CLASSICAL])
def test_features_of_every_bank(filters):
    for X in INPUTS:
        options = {"image_shape": shape_of(X), "random_state": 0, "n_patches": 500}
        check_transformer(ConvFeatures(filters, 6, (1, 3), **options).fit(X), X)


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "tanh", "bias": True, "pool": "mean", "pool_size": 3},
        {"stride": 2, "dilation": 2, "padding_mode": "reflect", "flip_kernel": True},
        {"bias": "position", "padding": ((2, 0), (1, 3)), "pool": "stride", "pool_size": 2},
        {"bias": "random", "padding": "valid", "global_pool": ("mean", "max", "last")},
        {"global_pool": "ppv", "padding_mode": "edge", "activation": "identity"},
    ],
)
def test_options_of_features(options):
    model = ConvFeatures("random", 5, 3, random_state=0, **options).fit(COLOURS)
    check_transformer(model, COLOURS)
    check_transformer(model, COLOURS.reshape(len(COLOURS), -1))


def test_given_filters():
    bank = np.random.default_rng(0).standard_normal((3, 2, 3, 3))
    check_transformer(ConvFeatures(bank).fit(COLOURS), COLOURS)


@pytest.mark.parametrize("activation", ["auto", "identity"])
def test_features_by_kmeans(activation):
    """Distances come from squares that nearly cancel, in float32 here and there."""
    for X in (DIGITS, COLOURS, SERIES):
        model = ConvFeatures(
            "kmeans", 8, 3, n_patches=300, random_state=0, activation=activation, image_shape=shape_of(X)
        )
        check_transformer(model.fit(X), X)


@pytest.mark.parametrize("options", [{}, {"global_pool": "ppv"}, {"dilation": "random", "filters": "random"}])
def test_features_of_series(options):
    options = {"filters": "rocket", "n_filters": 100, "global_pool": ("ppv", "max", "mean"), **options}
    check_transformer(ConvFeatures(**options, image_shape="series", random_state=0).fit(SERIES), SERIES)


def test_features_of_a_fitted_network():
    model = quick_model(augment="shift", n_augmented=2).fit(DIGITS, first_digits(30)[1])
    for layer in ("convolution1", "batchnorm2", "flatten1", "dense1", None):
        features = ConvFeatures.from_network(model, layer)
        check_transformer(features.fit(DIGITS), DIGITS)
    check_transformer(ConvFeatures.from_network(model, "activation1", pool="max").fit(DIGITS), DIGITS.reshape(-1, 8, 8))


def test_data_frames_do_not_change_the_model():
    model = ToImages().set_output(transform="pandas").fit(DIGITS)
    assert run(to_onnx(model, DIGITS), DIGITS)["variable"].shape == model.transform(DIGITS).shape
