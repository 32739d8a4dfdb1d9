"""Features from the layers of a fitted network, against SciPy and products by hand."""

import pickle
from unittest import SkipTest

import numpy as np
import pytest
from helpers import every_check, first_digits
from scipy import signal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor
from skconv._network.network import Network, named
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool,
    GlobalMeanPool,
    LocallyConnected,
    MaxPool,
    Residual,
)

LAYERS = [Convolution(3), Activation(), MaxPool(2), Convolution(4), Activation("tanh"), GlobalMeanPool(), Dense(5)]


@pytest.fixture(scope="module")
def digits():
    return first_digits(400)


@pytest.fixture(scope="module")
def model(digits):
    return ConvNetClassifier(
        (4, 6), max_iter=2, hidden_layer_sizes=8, batch_norm=False, standardize=None, random_state=0
    ).fit(*digits)


@pytest.fixture(scope="module")
def sizeless(digits):
    """A classifier whose layers take images of any size."""
    return ConvNetClassifier(layers=LAYERS, max_iter=2, standardize=None, random_state=0).fit(*digits)


def correlated(images, weight, bias):
    """``(n, H, W, F)``: correlations with borders of zeros, the channels summed."""
    out = np.empty((*images.shape[:3], len(weight)))
    for n, image in enumerate(images):
        for f, kernel in enumerate(weight.astype(float)):
            parts = [signal.correlate(image[..., c], kernel[..., c], "same") for c in range(image.shape[2])]
            out[n, ..., f] = sum(parts) + bias[f]
    return out


def halved(images):
    """Maxima of 2 x 2 tiles."""
    n, height, width, channels = images.shape
    whole = images[:, : height // 2 * 2, : width // 2 * 2]
    return whole.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def by_hand(images, weights):
    """Outputs of `LAYERS` by name, with a network's weights."""
    out = {"convolution1": correlated(images, weights["convolution1.weight"], weights["convolution1.bias"])}
    out["activation1"] = np.maximum(out["convolution1"], 0)
    out["maxpool1"] = halved(out["activation1"])
    out["convolution2"] = correlated(out["maxpool1"], weights["convolution2.weight"], weights["convolution2.bias"])
    out["activation2"] = np.tanh(out["convolution2"])
    out["globalmeanpool1"] = out["activation2"].mean(axis=(1, 2))
    out["dense1"] = out["globalmeanpool1"] @ weights["dense1.weight"].T.astype(float) + weights["dense1.bias"]
    out["dense2"] = out["dense1"] @ weights["dense2.weight"].T.astype(float) + weights["dense2.bias"]
    return out


# What comes out


@pytest.mark.parametrize("size", [(8, 8), (11, 6), (20, 20)])
def test_every_layer_equals_loops_on_any_size(sizeless, size):
    images = np.random.default_rng(0).random((5, *size, 1))
    expected = by_hand(images, sizeless.weights_)
    for name, values in expected.items():
        features = ConvFeatures.from_network(sizeless, name)
        np.testing.assert_allclose(features.fit_transform(images), values, rtol=0, atol=1e-6)
        single = clone(features).fit_transform(images.astype(np.float32))
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, values, rtol=0, atol=1e-5)
        assert features.output_shape_ == values.shape[1:]
    assert list(expected) == [name for name, _ in named(sizeless.network_.layers)]


def test_flat_samples_give_flat_features(sizeless, digits):
    X = digits[0][:20]
    expected = by_hand(X.reshape(-1, 8, 8, 1), sizeless.weights_)
    for name in ("maxpool1", "globalmeanpool1"):
        features = ConvFeatures.from_network(sizeless, name).fit_transform(X)
        np.testing.assert_allclose(features, expected[name].reshape(20, -1), rtol=0, atol=1e-6)


OPTIONS = [
    {"batch_norm": True, "dropout": 0.3},
    {"connectivity": "local", "bias": "position"},
    {"connectivity": "full"},
    {"padding_mode": "reflect", "activation": "gelu", "pool": "mean"},
    {"layers": [Convolution(4), Dropout(0.5), MaxPool(2), GlobalMaxPool()]},
    {"layers": [Flatten(), Dense(6), BatchNorm(), Activation()]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_the_output_layer_makes_the_networks_outputs_of_the_default(kind, options, digits):
    X, y = digits
    plain = {"label_smoothing": 0.0} if kind is ConvNetClassifier else {}  # the softmax of its outputs
    params = {"filters": (3, 4), "hidden_layer_sizes": 6, "max_iter": 2, "random_state": 0, **plain, **options}
    fitted = kind(**params).fit(X, y)
    features = ConvFeatures.from_network(fitted).fit_transform(X)
    last = max(name for name in fitted.weights_ if name.startswith("dense")).split(".")[0]
    outputs = features @ fitted.weights_[f"{last}.weight"].T + fitted.weights_[f"{last}.bias"]
    np.testing.assert_allclose(outputs, ConvFeatures.from_network(fitted, last).fit_transform(X), atol=1e-5)
    if kind is ConvNetClassifier:
        proba = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        np.testing.assert_allclose(proba / proba.sum(axis=1, keepdims=True), fitted.predict_proba(X), atol=1e-5)
    else:
        expected = outputs[:, 0] * fitted.target_scale_ + fitted.target_mean_
        np.testing.assert_allclose(expected, fitted.predict(X), rtol=1e-4, atol=1e-4)


def test_default_names_and_numbers(model):
    assert ConvFeatures.from_network(model).layer == "activation3"
    assert ConvFeatures.from_network(model, "dense2").layer == "dense2"
    assert ConvFeatures.from_network(model, -1).layer == "dense2"
    assert ConvFeatures.from_network(model, 0).layer == "convolution1"
    assert ConvFeatures.from_network(model, np.int64(1)).layer == "activation1"


def test_pooling_and_summary_of_an_image(sizeless, digits):
    images = digits[0][:9].reshape(-1, 8, 8, 1)
    values = by_hand(images, sizeless.weights_)["activation1"]
    pooled = ConvFeatures.from_network(sizeless, "activation1", pool="max", pool_size=2).fit_transform(images)
    np.testing.assert_allclose(pooled, halved(values), atol=1e-6)
    summary = ConvFeatures.from_network(sizeless, "activation1", global_pool=("mean", "max")).fit(images)
    expected = np.hstack([values.mean(axis=(1, 2)), values.max(axis=(1, 2))])
    np.testing.assert_allclose(summary.transform(images), expected, atol=1e-6)
    assert summary.get_feature_names_out().tolist()[2:4] == ["activation1_2_mean", "activation1_0_max"]


def test_names(model, digits):
    X = digits[0]
    vector = ConvFeatures.from_network(model, "dense1").fit(X)
    assert vector.get_feature_names_out().tolist() == [f"dense1_{i}" for i in range(8)]
    assert vector.filter_names_ == vector.get_feature_names_out().tolist()
    image = ConvFeatures.from_network(model, "activation1").fit(X)
    assert image.get_feature_names_out()[1 + 4 * (8 * 2 + 3)] == "activation1_1_row2_column3"


# Which images


def test_the_image_shape_is_the_models(digits):
    X, y = digits
    wide = ConvNetClassifier(
        2, hidden_layer_sizes=4, max_iter=1, image_shape=(4, 16), standardize=None, random_state=0
    ).fit(X, y)
    for source in (wide, FrozenEstimator(wide)):
        assert ConvFeatures.from_network(source).fit(X).image_shape_ == (4, 16, 1)
    assert ConvFeatures.from_network(wide, "activation1", image_shape=(16, 4)).fit(X).image_shape_ == (16, 4, 1)
    # Without a parameter that says so, flat samples of as many numbers have the shape that the network takes.
    assert ConvFeatures.from_network(wide.network_).fit(X).image_shape_ == (4, 16, 1)
    with pytest.raises(
        ValueError, match=r"takes images \(4, 16, 1\), got \(8, 8, 1\), which the weights of dense1 do not"
    ):
        ConvFeatures.from_network(wide.network_).fit(X.reshape(-1, 8, 8))


def test_series_of_another_length(digits):
    X, y = digits
    layers = [Convolution(3, 5), Activation(), GlobalMeanPool()]
    fitted = ConvNetClassifier(layers=layers, max_iter=1, image_shape="series", standardize=None, random_state=0).fit(
        X, y
    )
    series = np.random.default_rng(0).random((6, 30))
    kernels = fitted.weights_["convolution1.weight"][:, 0, :, 0].astype(float)
    response = np.array([[np.correlate(x, kernel, "same") for kernel in kernels] for x in series])
    expected = np.maximum(response + fitted.weights_["convolution1.bias"][:, None], 0)
    features = ConvFeatures.from_network(fitted).fit_transform(series)
    np.testing.assert_allclose(features, expected.mean(axis=2), atol=1e-6)
    steps = ConvFeatures.from_network(fitted, "activation1").fit_transform(series[..., None])
    np.testing.assert_allclose(steps, expected.transpose(0, 2, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "shape", "layer", "name"),
    [
        ([Convolution(2), Flatten()], (9, 9), "dense1", "dense1"),
        ([Flatten(), Dense(3)], (4, 16), "dense1", "dense1"),  # as many numbers, in other places
        ([Flatten(), BatchNorm()], (16, 4), "batchnorm1", "batchnorm1"),
        ([LocallyConnected(2), Flatten()], (9, 9), "flatten1", "locallyconnected1"),
        ([Convolution(2, bias="position"), Flatten()], (9, 9), "flatten1", "convolution1"),
        ([Convolution(2, padding_mode="donor"), Flatten()], (9, 9), "flatten1", "convolution1"),
        ([Residual([Convolution(1, bias="position")]), Flatten()], (9, 9), "residual1", "residual1"),
        ([Convolution(2), Flatten()], (8, 8, 3), "convolution1", "convolution1"),
        ([Convolution(2), Flatten()], (1, 64), "convolution1", "convolution1"),
    ],
)
def test_layers_that_do_not_fit_other_images(layers, shape, layer, name, digits):
    fitted = ConvNetClassifier(layers=layers, max_iter=1, standardize=None, random_state=0).fit(*digits)
    features = ConvFeatures.from_network(fitted, layer)
    wanted = f"the fitted network takes images (8, 8, 1), got {(*shape, 1)[:3]}, which the weights of {name} do not fit"
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared below
        features.fit(np.zeros((3, *shape)))
    assert wanted in str(error.value)
    assert not [each for each in vars(features) if each.endswith("_")]


def test_layers_made_of_layers(digits):
    layers = [Convolution(3), Residual([Convolution(3)]), GlobalMeanPool(), Dense(4)]
    fitted = ConvNetClassifier(layers=layers, max_iter=2, standardize=None, random_state=0).fit(*digits)
    images, weights = np.random.default_rng(0).random((4, 7, 10, 1)), fitted.weights_
    first = correlated(images, weights["convolution1.weight"], weights["convolution1.bias"])
    inner = correlated(first, weights["residual1.convolution1.weight"], weights["residual1.convolution1.bias"])
    features = ConvFeatures.from_network(fitted, "residual1").fit_transform(images)
    np.testing.assert_allclose(features, first + inner, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"layer must be one of .*, got 'residual1.convolution1'"):
        ConvFeatures.from_network(fitted, "residual1.convolution1")


def test_flattened_pixels_of_another_size_are_features(digits):
    layers = [MaxPool(2), Flatten()]
    fitted = ConvNetClassifier(layers=layers, max_iter=1, standardize=None, random_state=0).fit(*digits)
    images = np.random.default_rng(0).random((4, 6, 10, 1))
    features = ConvFeatures.from_network(fitted, "flatten1").fit_transform(images)
    np.testing.assert_array_equal(features, halved(images).reshape(4, -1))


def test_images_below_a_window():
    network = Network([Convolution(2, (1, 1)), MaxPool((2, 2)), Flatten()], (8, 8, 1), "float32")
    message = (
        r"filters: maxpool1 of the fitted network, on images \(1, 5, 1\): pool_size=.* does not fit: a window of 2x2"
    )
    with pytest.raises(ValueError, match=message):
        ConvFeatures.from_network(network).fit(np.zeros((3, 1, 5, 1)))


def test_images_beyond_memory_before_anything_is_allocated(model, machine_memory):
    machine_memory(1_000_000)
    with pytest.raises(ValueError, match=r"got \(2000, 2000, 1\), which the weights of dense1 do not fit"):
        ConvFeatures.from_network(model).fit(np.broadcast_to(np.zeros(1, np.uint8), (1, 2000, 2000)))


# What scikit-learn does with it


def test_the_model_and_its_clones_stay_as_they_are(model, digits):
    X, _ = digits
    features = ConvFeatures.from_network(model)
    expected = features.fit_transform(X)
    for source in (FrozenEstimator(model), model.network_):
        np.testing.assert_array_equal(ConvFeatures.from_network(source).fit_transform(X), expected)
    again = clone(clone(features))
    np.testing.assert_array_equal(again.fit_transform(X), expected)
    assert clone(features).get_params().keys() == features.get_params().keys()
    for each in (features, clone(features)):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(each)).fit_transform(X), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(features)).transform(X[3:5]), expected[3:5])


def test_what_the_model_learns_later_does_not_change_them(digits):
    X, y = digits
    fitted = ConvNetClassifier(
        3, hidden_layer_sizes=4, max_iter=1, warm_start=True, standardize=None, random_state=0
    ).fit(X, y)
    features = ConvFeatures.from_network(fitted)
    expected = features.fit_transform(X)
    fitted.partial_fit(X, y).fit(X, y)
    np.testing.assert_array_equal(clone(features).fit_transform(X), expected)
    assert abs(ConvFeatures.from_network(fitted).fit_transform(X) - expected).max() > 1e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", ["activation2", "dense1", None])
def test_neither_threads_nor_neighbours_change_a_bit(layer, dtype, model, digits):
    X = digits[0].astype(dtype)
    features = ConvFeatures.from_network(model, layer, n_jobs=1).fit(X)
    whole = features.transform(X)
    assert whole.dtype == dtype
    np.testing.assert_array_equal(ConvFeatures.from_network(model, layer, n_jobs=2).fit(X[:7]).transform(X), whole)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(features.transform(X[order]), whole[order])
    for part in (slice(17, 18), slice(5, 8), slice(33)):
        np.testing.assert_array_equal(features.transform(X[part]), whole[part])


def test_memory_is_bounded_by_the_setting(sizeless):
    images = np.random.default_rng(0).random((40, 64, 64), np.float32)
    features = ConvFeatures.from_network(sizeless, n_jobs=1).fit(images)
    expected = features.transform(images)
    with config_context(working_memory=8):
        np.testing.assert_array_equal(features.transform(images), expected)
    with (
        config_context(working_memory=0.1),
        pytest.raises(
            ValueError,
            match=r"a block of 16 samples \(.* for \w+, from .*\) would take .* MiB, more than the 0.1 MiB of",
        ),
    ):
        features.transform(images)


def test_pipelines_and_searches(model, digits):
    X, y = digits
    pipeline = make_pipeline(ConvFeatures.from_network(model), StandardScaler(), RidgeClassifier())
    grid = {
        "convfeatures__layer": ["activation1", "activation2", "dense1", "activation3"],
        "ridgeclassifier__alpha": [1, 10],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.85
    assert len(set(search.cv_results_["mean_test_score"])) > 2
    scores = cross_val_score(make_pipeline(ConvFeatures.from_network(model), LogisticRegression()), X, y, n_jobs=2)
    assert scores.min() > 0.3


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames(container, model, digits):
    X = digits[0]
    for layer in ("activation1", "dense1"):
        features = ConvFeatures.from_network(model, layer)
        expected = features.fit_transform(X)
        frame = clone(features).set_output(transform=container).fit_transform(X)
        assert list(frame.columns) == features.get_feature_names_out().tolist()
        np.testing.assert_array_equal(np.asarray(frame), expected)


def any_length():
    """A network for series of any length, as scikit-learn's checks have them."""
    layers = [Convolution(3), Activation(), GlobalMeanPool(), Dense(2), Dense(2)]
    network = Network(layers, (1, 12, 1), "float64")
    network.initialize(np.random.default_rng(0))
    return network


CHECKED = [
    ConvFeatures.from_network(any_length(), layer, image_shape="series")
    for layer in (None, "activation1", "globalmeanpool1")
]


@every_check(CHECKED)
def test_check_estimator(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"skipped: {reason}")


@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@pytest.mark.parametrize("estimator", CHECKED, ids=lambda estimator: estimator.layer)
@pytest.mark.parametrize(
    "name",
    [
        "check_param_validation",
        "check_dataframe_column_names_consistency",
        "check_set_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_get_feature_names_out_error",
    ],
)
def test_check_outside_check_estimator(estimator, name):
    getattr(estimator_checks, name)("ConvFeatures", estimator)


# Bad input


def test_a_model_that_is_not_fitted():
    for kind in (ConvNetClassifier, ConvNetRegressor):
        with pytest.raises(NotFittedError, match=rf"model={kind.__name__} is not fitted. Fit it first"):
            ConvFeatures.from_network(kind())
    with pytest.raises(NotFittedError, match="model=ConvNetClassifier is not fitted"):
        ConvFeatures.from_network(FrozenEstimator(ConvNetClassifier()))


@pytest.mark.parametrize("layer", ["dense9", "", 99, -99, 1.5, ("dense1",)])
def test_a_layer_that_is_not_there(layer, model):
    with pytest.raises(
        ValueError, match=r"layer must be one of \['convolution1', .*'dense2'\] or a number below \d+, got"
    ):
        ConvFeatures.from_network(model, layer)


@pytest.mark.parametrize("source", [MLPClassifier(), GridSearchCV(ConvNetClassifier(), {}), "random", None, np.ones(3)])
def test_another_kind_of_model(source):
    with pytest.raises(ValueError, match=r"model must be a fitted ConvNetClassifier or ConvNetRegressor, its netw"):
        ConvFeatures.from_network(source)


def test_nothing_before_the_output_layer():
    network = Network([Flatten()], (2, 2, 1), "float32")
    with pytest.raises(ValueError, match=r"last layer before the output layer, but there is only \['flatten1'\]"):
        ConvFeatures.from_network(network)
