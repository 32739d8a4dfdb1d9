"""What every estimator with an ``image_shape`` does to X: flat samples and images, before and after the fit."""

import numpy as np
import pytest
from sklearn.base import clone

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages
from skconv._input.images import _is_clean, output_dtype

RNG = np.random.default_rng(0)
X = RNG.random((20, 12, 12, 3))
Y = np.arange(20) % 2
SMALL = {"filters": 2, "hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
NETWORKS = [ConvNetClassifier(**SMALL), ConvNetRegressor(**SMALL)]
TRANSFORMERS = [
    ConvFeatures("mean", kernel_size=3),
    ConvFeatures("pca", n_filters=2, kernel_size=3, random_state=0),
    ImagePadder(1),
    StridedPooling(),
    ToImages(),
    Flatten(),
]
all_estimators = pytest.mark.parametrize("estimator", [*NETWORKS, *TRANSFORMERS], ids=lambda value: str(value)[:24])


def outputs(estimator, samples):
    return estimator.predict(samples) if hasattr(estimator, "predict") else estimator.transform(samples)


@all_estimators
def test_a_shape_set_after_the_fit_is_for_the_next_fit(estimator):
    model = clone(estimator).fit(X, Y)
    expected = outputs(model, X)
    model.set_params(image_shape=(36, 12))
    np.testing.assert_array_equal(outputs(model, X), expected)


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("image_shape", [None, "series", (1, 12, 3)])
def test_partial_fit_of_flat_samples_keeps_the_shape(kind, image_shape):
    samples = X if image_shape is None else X[:, 0]
    options = {"classes": [0, 1]} if kind is ConvNetClassifier else {}
    flat, images = (kind(**SMALL, image_shape=image_shape).partial_fit(samples, Y, **options) for _ in range(2))
    shape = flat.image_shape_
    flat.partial_fit(samples.reshape(20, -1), Y)
    images.partial_fit(samples, Y)
    assert flat.image_shape_ == images.image_shape_ == shape
    np.testing.assert_array_equal(flat.predict(samples), images.predict(samples))
    for name, weight in images.weights_.items():
        np.testing.assert_array_equal(flat.weights_[name], weight)
    with pytest.raises(ValueError, match=r"X has samples of shape .* was fitted on"):
        flat.partial_fit(samples.swapaxes(1, -1)[:, ::-1].reshape(20, -1, 4), Y)


def test_features_learn_more_from_flat_samples():
    features = ConvFeatures("pca", 2, 3, random_state=0).partial_fit(X)
    features.partial_fit(X.reshape(20, -1))
    assert features.image_shape_ == (12, 12, 3)
    assert features.transform(X).shape[0] == 20


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_a_warm_start_with_flat_samples_keeps_the_shape(kind):
    model = kind(**SMALL, warm_start=True).fit(X, Y).fit(X.reshape(20, -1), Y)
    again = kind(**SMALL, warm_start=True).fit(X, Y).fit(X, Y)
    assert model.image_shape_ == (12, 12, 3)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.parametrize(
    "model",
    [
        ConvNetClassifier(**SMALL).fit(X, Y),
        ConvNetRegressor(**SMALL).fit(X, Y),
        ConvFeatures("pca", 2, 3, random_state=0).fit(X),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("image_shape", ["series", (36, 12), (12, 36, 1)])
def test_partial_fit_with_another_shape_than_was_fitted(model, image_shape):
    model.set_params(image_shape=image_shape)
    try:
        match = r"goes on with samples of shape \(12, 12, 3\), but image_shape is now .*; set it back, or call fit"
        with pytest.raises(ValueError, match=match):
            model.partial_fit(X.reshape(20, -1), Y)
        model.set_params(image_shape=(12, 12, 3)).partial_fit(X.reshape(20, -1), Y)
    finally:
        model.set_params(image_shape=None)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float64, np.float64),
        (np.longdouble, np.float64),
        (np.float32, np.float32),
        (np.float16, np.float32),
        (np.uint8, np.float32),
        (np.int64, np.float32),
        (bool, np.float32),
    ],
)
def test_only_doubles_stay_doubles(dtype, expected):
    assert output_dtype(np.zeros(3, dtype)) == expected


def test_no_check_is_left_out_for_small_arrays():
    """What needs no other check is a small array of floats, all finite and in range."""
    clean = np.ones((3, 4))
    assert _is_clean(clean, None)
    assert _is_clean(clean.astype(np.float32), np.float32)
    for X in (
        clean.tolist(), clean.astype(int), clean.astype(np.float16), clean[:0], clean[0], np.ones((2, 1 << 16)),
        np.ma.array(clean), np.where(np.eye(3, 4), np.nan, 1), np.where(np.eye(3, 4), np.inf, 1),
    ):  # fmt: skip
        assert not _is_clean(X, None)
    assert _is_clean(1e300 * clean, None)
    assert not _is_clean(1e300 * clean, np.float32)
