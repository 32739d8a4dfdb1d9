"""Features by a bank of filters, against scipy.signal and loops."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, ConvNetClassifier
from skconv._features.rocket import MiniRocket, draw_rocket_kernels
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dropout, Flatten, MaxPool

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((5, 9, 11, 2))
BANK = RNG.standard_normal((4, 3, 4, 2))
PLAIN = {"activation": None, "pool": None}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


def by_scipy(images, bank, mode, function=signal.correlate):
    """``(n, P, Q, F)``, the channels summed."""
    return np.stack(
        [
            np.stack(
                [
                    sum(function(x[..., c], kernel[..., c], mode=mode) for c in range(images.shape[3]))
                    for kernel in bank
                ],
                axis=-1,
            )
            for x in images
        ]
    )


# Correlation and convolution


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_without_a_border(flip):
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(BANK, padding="valid", flip_kernel=flip).fit(IMAGES).transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, BANK, "valid", function), rtol=0, atol=1e-10)


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_of_the_same_size(flip):
    bank = RNG.standard_normal((3, 5, 3, 2))
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(bank, flip_kernel=flip).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, bank, "same", function), rtol=0, atol=1e-10)


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_on_the_full_overlap(flip):
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(BANK, padding=(2, 3), flip_kernel=flip).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, BANK, "full", function), rtol=0, atol=1e-10)


def test_stride_is_the_sub_sampling_from_the_top_left():
    whole = ConvFeatures(BANK).fit_transform(IMAGES)
    strided = ConvFeatures(BANK, stride=(2, 3)).fit_transform(IMAGES)
    np.testing.assert_allclose(strided, whole[:, ::2, ::3], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ConvFeatures(BANK, pool="stride", pool_size=2).fit_transform(IMAGES), whole[:, ::2, ::2])


def test_dilation_spreads_the_taps():
    spread = np.zeros((4, 5, 10, 2))
    spread[:, ::2, ::3] = BANK
    features = ConvFeatures(BANK, padding="valid", dilation=(2, 3)).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, spread, "valid"), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("mode", "numpy_mode"), [("edge", "edge"), ("reflect", "reflect"), ("wrap", "wrap")])
def test_borders_equal_numpy(mode, numpy_mode):
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0)), mode=numpy_mode)
    features = ConvFeatures(BANK, padding_mode=mode).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(padded, BANK, "valid"), rtol=0, atol=1e-10)


def test_border_of_a_constant():
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0)), constant_values=0.7)
    features = ConvFeatures(BANK, padding_values=0.7).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(padded, BANK, "valid"), rtol=0, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_equals_windows_for_any_geometry(data):
    height, width, channels = [data.draw(st.integers(1, 9)) for _ in range(2)] + [data.draw(st.integers(1, 3))]
    size = [data.draw(st.integers(1, n)) for n in (height, width)]
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(2))
    borders = tuple(tuple(data.draw(st.integers(0, 3)) for _ in range(2)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    images, bank = rng.standard_normal((3, height, width, channels)), rng.standard_normal((2, *size, channels))
    padded = np.pad(images, ((0, 0), *borders, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    expected = np.einsum("npqcrs,frsc->npqf", windows, bank)
    features = ConvFeatures(bank, padding=borders, stride=stride).fit_transform(images)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-10)


def test_forms_of_given_filters():
    images = IMAGES[..., :1]
    expected = ConvFeatures(BANK[..., :1]).fit_transform(images)
    np.testing.assert_array_equal(ConvFeatures(BANK[..., 0].tolist()).fit_transform(images[..., 0]), expected)
    series = RNG.standard_normal((6, 20))
    kernels = RNG.standard_normal((3, 5))
    expected = np.stack([[np.correlate(x, k, "same") for k in kernels] for x in series]).transpose(0, 2, 1)
    for bank in (kernels, kernels[..., None], kernels[:, None, :, None]):
        np.testing.assert_allclose(ConvFeatures(bank).fit_transform(series), expected.reshape(6, -1), atol=1e-12)
        images = ConvFeatures(bank, image_shape="series").fit_transform(series[..., None])
        np.testing.assert_allclose(images, expected, atol=1e-12)


def test_a_long_kernel_equals_scipy():
    series, kernels = RNG.standard_normal((20, 1, 700, 2)), RNG.standard_normal((3, 1, 301, 2))
    features = ConvFeatures(kernels, padding="valid").fit_transform(series)
    expected = by_scipy(series[:, 0, :, None, :], kernels[:, 0, :, None, :], "valid")[:, None, :, 0]
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-10)


# What comes after the filters


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu"])
@pytest.mark.parametrize("pool", [None, "max", "mean"])
def test_activation_and_pooling(activation, pool):
    response = by_scipy(IMAGES, BANK, "valid")
    function = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "elu": lambda x: np.where(x > 0, x, np.expm1(x))}
    expected = function[activation](response)
    if pool:
        pieces = expected[:, :6, :8].reshape(5, 3, 2, 4, 2, 4)
        expected = getattr(np, pool)(pieces, axis=(2, 4))
    model = ConvFeatures(BANK, padding="valid", activation=activation, pool=pool, pool_size=2)
    np.testing.assert_allclose(model.fit_transform(IMAGES), expected, rtol=0, atol=1e-10)


def test_automatic_pooling_leaves_four_windows():
    model = ConvFeatures(BANK, pool="max").fit(IMAGES)
    assert model.output_shape_ == (3, 4, 4)  # windows of ceil(9 / 4) = 3 and ceil(11 / 4) = 3 over 9 x 11
    response = by_scipy(np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0))), BANK, "valid")
    np.testing.assert_allclose(model.transform(IMAGES)[:, 2, 3], response[:, 6:, 9:].max(axis=(1, 2)), atol=1e-12)
    assert ConvFeatures(BANK[:, :1, :, :1], pool="mean").fit(RNG.standard_normal((3, 30))).output_shape_ == (1, 4, 4)


def test_one_number_pools_no_axis_of_length_one():
    assert ConvFeatures("random", pool_size=2).fit(np.ones((3, 6, 1))).output_shape_ == (3, 1, 64)
    assert ConvFeatures("random", pool_size=2).fit(np.ones((3, 7))).output_shape_ == (1, 3, 64)


def test_summaries():
    kinds = ("last", "ppv", "mean", "max")
    model = ConvFeatures(BANK, padding="valid", summary=kinds).fit(IMAGES)
    response = by_scipy(IMAGES, BANK, "valid")
    expected = np.hstack(
        [response[:, -1, -1], (response > 0).mean(axis=(1, 2)), response.mean(axis=(1, 2)), response.max(axis=(1, 2))]
    )
    np.testing.assert_allclose(model.transform(IMAGES), expected, rtol=0, atol=1e-10)
    names = [f"filter{i}_{kind}" for kind in kinds for i in range(4)]
    assert model.get_feature_names_out().tolist() == names
    assert model.output_shape_ == (16,)
    one = ConvFeatures(BANK, padding="valid", summary="max").fit_transform(IMAGES)
    np.testing.assert_array_equal(one, model.transform(IMAGES)[:, 12:])


def test_bias_takes_off_the_mean_response():
    response = ConvFeatures(BANK).fit_transform(IMAGES)
    shared = ConvFeatures(BANK, bias="shared").fit_transform(IMAGES)
    np.testing.assert_allclose(shared, response - response.mean(axis=(0, 1, 2)), atol=1e-12)
    position = ConvFeatures(BANK, bias="position").fit_transform(IMAGES)
    np.testing.assert_allclose(position, response - response.mean(axis=0), atol=1e-12)


def test_given_bias():
    response = ConvFeatures(BANK).fit_transform(IMAGES)
    for bias in (RNG.standard_normal(4), RNG.standard_normal((9, 11, 4))):
        np.testing.assert_allclose(ConvFeatures(BANK, bias=bias).fit_transform(IMAGES), response + bias, atol=1e-12)


def test_random_bias_is_a_quantile_of_a_response():
    model = ConvFeatures(BANK, bias="random", random_state=3).fit(IMAGES)
    response = ConvFeatures(BANK).fit_transform(IMAGES)
    shift = model.transform(IMAGES) - response
    assert np.ptp(shift, axis=(0, 1, 2)).max() < 1e-12
    for f, b in enumerate(-shift[0, 0, 0]):
        assert any(each.min() <= b <= each.max() for each in response[..., f])
    other = ConvFeatures(BANK, bias="random", random_state=4).fit_transform(IMAGES) - response
    assert abs(shift - other).max() > 1e-3


def test_random_dilations_span_the_series():
    series = RNG.standard_normal((4, 90))
    model = ConvFeatures("random", 300, kernel_size=7, dilation="random", summary=("ppv", "max"), random_state=0)
    features = model.fit_transform(series)
    assert features.shape == (4, 600)
    dilations = [network.layers[0].dilation[1] for network in model.networks_]
    assert dilations == sorted(set(dilations))
    assert (min(dilations), max(dilations)) == (1, 14)  # (90 - 1) // (7 - 1) = 14
    order = {name: i for i, name in enumerate(f"random{i}" for i in range(300))}
    for name, column in list(zip(model.get_feature_names_out(), features.T, strict=True))[::37]:
        source, kind = name.split("_")
        taps = model.filters_[order[source], 0, :, 0]
        pairs = zip(model.networks_, groups(model), strict=True)
        dilation = next(network.layers[0].dilation[1] for network, each in pairs if source in each)
        spread = np.zeros((len(taps) - 1) * dilation + 1)
        spread[::dilation] = taps
        response = np.maximum([np.correlate(np.pad(x, len(spread) // 2), spread) for x in series], 0)
        expected = (response > 0).mean(axis=1) if kind == "ppv" else response.max(axis=1)
        np.testing.assert_allclose(column, expected, atol=1e-12)


def groups(model):
    """Names of the filters of each network."""
    names, start = [], 0
    for network in model.networks_:
        n = network.layers[0].filters
        names.append(set(model.filter_names_[start : start + n]))
        start += n
    return names


# Learned filters


def test_k_means_features_equal_loops(digits):
    images = digits[0].reshape(-1, 8, 8)[:40]
    model = ConvFeatures("kmeans", 12, 3, padding="valid", pool_size=3, random_state=0).fit(images)
    learner = model._learner
    basis, centres = learner.basis, learner.kmeans.cluster_centers_
    expected = np.zeros((40, 2, 2, 12))
    for i, image in enumerate(images):
        for p in range(6):
            for q in range(6):
                patch = image[p : p + 3, q : q + 3].ravel()
                normal = (patch - patch.mean()) / np.sqrt(patch.var() + learner.epsilon)
                w = learner.scale * (basis @ normal) - learner.shift
                distance = np.sqrt(((w - centres) ** 2).sum(axis=1))
                expected[i, p // 3, q // 3] += np.maximum(distance.mean() - distance, 0) / 9
    np.testing.assert_allclose(model.transform(images), expected, rtol=0, atol=1e-10)
    single = model.transform(images.astype(np.float32))
    np.testing.assert_allclose(single, expected, rtol=0, atol=2e-4)


def test_k_means_distances(digits):
    images = digits[0].reshape(-1, 8, 8)[:40]
    model = ConvFeatures("kmeans", 5, 3, padding="valid", activation=None, pool=None, random_state=0).fit(images)
    learner, patch = model._learner, images[7, 2:5, 1:4].ravel()
    normal = (patch - patch.mean()) / np.sqrt(patch.var() + learner.epsilon)
    w = learner.scale * (learner.basis @ normal) - learner.shift
    distance = np.linalg.norm(w - learner.kmeans.cluster_centers_, axis=1)
    np.testing.assert_allclose(model.transform(images)[7, 2, 1], distance, atol=1e-8)


@pytest.mark.parametrize("name", ["pca", "kmeans"])
def test_learned_filters_go_on_learning(name, digits):
    X, _ = digits
    model = ConvFeatures(name, 6, 3, random_state=0, n_patches=2000).fit(X[:300])
    before = model.transform(X[:50])
    once = clone(model).fit(X[:300]).partial_fit(X[300:])
    twice = clone(model).partial_fit(X[:300]).partial_fit(X[300:])
    np.testing.assert_array_equal(once.transform(X[:50]), twice.transform(X[:50]))
    assert abs(once.transform(X[:50]) - before).max() > 0
    np.testing.assert_array_equal(model.transform(X[:50]), before)


def test_bias_of_learned_filters_is_from_all_chunks(digits):
    X, _ = digits
    model = ConvFeatures("pca", 4, 3, bias="position", random_state=0, **PLAIN)
    model.partial_fit(X[:100]).partial_fit(X[100:])
    np.testing.assert_allclose(model.transform(X).mean(axis=0), 0, atol=1e-12)


def test_a_rejected_partial_fit_leaves_no_trace(digits):
    X, _ = digits
    model = ConvFeatures("kmeans", 6, 3, random_state=0, n_patches=2000).fit(X)
    untouched = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :50])
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.where(X > 0.9, np.nan, X))
    for each in (model, untouched):
        each.partial_fit(X[:100])
    np.testing.assert_array_equal(model.transform(X), untouched.transform(X))


def test_pca_filters_are_the_directions_of_patches(digits):
    X, _ = digits
    model = ConvFeatures("pca", 100, (3, 2), random_state=0, **PLAIN).fit(X)
    assert model.filters_.shape == (6, 3, 2, 1)
    flat = model.filters_.reshape(6, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(6), atol=1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(X.reshape(-1, 8, 8), (3, 2), axis=(1, 2)).reshape(-1, 6)
    variance = np.var(windows @ flat.T, axis=0)
    assert (np.diff(variance) < 0).all()
    np.testing.assert_allclose(variance, np.linalg.eigvalsh(np.cov(windows.T))[::-1], rtol=0.03)


# Series


def test_minirocket_is_its_kernels():
    series = RNG.standard_normal((6, 80, 2))
    model = ConvFeatures("minirocket", 500, image_shape="series", random_state=0).fit(series)
    assert model.output_shape_ == (420,)
    assert model.get_feature_names_out()[0] == "minirocket_015_dilation1_bias0_ppv"
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31))
    kernels = MiniRocket(80, 2, 500, rng)
    kernels.fit_biases(series, rng)
    expected = np.empty((6, 420))
    with Team(1) as team:
        kernels.transform(series, expected, team)
    np.testing.assert_array_equal(model.transform(series), expected)
    np.testing.assert_array_equal(clone(model).set_params(n_jobs=2).fit_transform(series), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(series[2:3]), expected[2:3])


def test_rocket_is_its_kernels():
    series = RNG.standard_normal((4, 60))
    model = ConvFeatures("rocket", 50, random_state=0).fit(series)
    assert model.output_shape_ == (100,)
    features = dict(zip(model.get_feature_names_out(), model.transform(series).T, strict=True))
    i = 0
    for dilation, weights, biases in draw_rocket_kernels(
        np.random.default_rng(np.random.RandomState(0).randint(2**31)), 60, 1, 50
    ):
        for weight, bias in zip(weights[:, 0, :, 0], biases, strict=True):
            spread = np.zeros(10 * dilation + 1)
            spread[::dilation] = weight
            values = np.array([signal.correlate(np.pad(x, 5 * dilation), spread, "valid") for x in series]) + bias
            np.testing.assert_allclose(features[f"rocket{i}_max"], values.max(axis=1), atol=1e-10)
            np.testing.assert_allclose(features[f"rocket{i}_ppv"], (values > 0).mean(axis=1), atol=1e-12)
            i += 1
    assert ConvFeatures("rocket", 50, summary="last", random_state=0).fit(series).output_shape_ == (50,)


# Layers of a fitted network


@pytest.fixture(scope="module")
def network(digits):
    X, y = digits
    return ConvNetClassifier((4, 6), max_iter=2, hidden_layer_sizes=8, random_state=0).fit(X, y)


def test_layers_of_a_fitted_network(network, digits):
    X = digits[0][:30]
    first = ConvFeatures(network, layer="convolution1").fit_transform(X.reshape(-1, 8, 8))
    weight = network.weights_["convolution1.weight"].astype(float)
    expected = by_scipy(X.reshape(-1, 8, 8, 1), weight, "same")
    np.testing.assert_allclose(first, expected, atol=1e-6)
    assert ConvFeatures(network, layer=0).fit(X).output_shape_ == (8, 8, 4)
    deep = ConvFeatures(network, random_state=0).fit(X)
    assert deep.output_shape_ == (4, 4, 6)
    assert deep.filter_names_[0] == "activation2_0"
    hidden = np.maximum(deep.transform(X) @ network.weights_["dense1.weight"].T + network.weights_["dense1.bias"], 0)
    logits = hidden @ network.weights_["dense2.weight"].T + network.weights_["dense2.bias"]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, network.predict_proba(X), atol=1e-5)


def test_a_network_survives_a_clone(network, digits):
    X = digits[0][:30]
    expected = ConvFeatures(network).fit_transform(X)
    for source in (FrozenEstimator(network), network.network_):
        np.testing.assert_array_equal(clone(ConvFeatures(source)).fit_transform(X), expected)
    with pytest.raises(NotFittedError, match=r"filters=ConvNetClassifier is not fitted.*FrozenEstimator"):
        clone(ConvFeatures(network)).fit(X)


def test_network_errors(network, digits):
    X = digits[0][:30]
    with pytest.raises(ValueError, match=r"layer must be one of \['convolution1', .*, got 'dense9'"):
        ConvFeatures(network, layer="dense9").fit(X)
    with pytest.raises(ValueError, match=r"or a number below \d+, got 99"):
        ConvFeatures(network, layer=99).fit(X)
    with pytest.raises(ValueError, match=r"the fitted network takes images \(8, 8, 1\), got \(1, 10, 1\)"):
        ConvFeatures(network).fit(X[:, :10])
    for options in ({"pool": "max"}, {"summary": "mean"}):
        with pytest.raises(ValueError, match=r"layer='dense1' gives a vector of 8 numbers, nothing to pool"):
            ConvFeatures(network, layer="dense1", **options).fit(X)
    flat = ConvNetClassifier((), max_iter=1).fit(X, digits[1][:30])
    with pytest.raises(ValueError, match="layer=None takes the last layer that gives an image, but none of"):
        ConvFeatures(flat).fit(X)


def test_layers_with_dropout_and_poolings(digits):
    X, y = digits
    layers = [Convolution(4), Activation("gelu"), Dropout(0.5), MaxPool(2), Flatten()]
    model = ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(X, y)
    features = ConvFeatures(model, layer="maxpool1", pool="mean", pool_size=2).fit_transform(X[:20].reshape(-1, 8, 8))
    whole = ConvFeatures(model, layer="maxpool1").fit_transform(X[:20].reshape(-1, 8, 8))
    np.testing.assert_allclose(features, whole.reshape(20, 2, 2, 2, 2, 4).mean(axis=(2, 4)), atol=1e-12)


# Trust


@pytest.mark.parametrize("name", ["random", "orthonormal", "pca", "kmeans", "gabor"])
def test_dtype_and_seed(name, digits):
    X, _ = digits
    model = ConvFeatures(name, 8, 3, random_state=0, n_patches=2000)
    double = model.fit(X).transform(X)
    single = model.transform(X.astype(np.float32))
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, atol=1e-4)
    assert model.fit_transform((X * 16).astype(np.uint8)).dtype == np.float32
    np.testing.assert_array_equal(clone(model).fit_transform(X), double)
    if name != "gabor":
        other = clone(model).set_params(random_state=1).fit_transform(X)
        assert other.shape == double.shape
        assert name == "pca" or abs(other - double).max() > 0.01


@pytest.mark.parametrize("name", ["random", "kmeans"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_threads_nor_neighbours_change_a_bit(name, dtype, digits):
    X = digits[0].astype(dtype)
    model = ConvFeatures(name, 20, 5, random_state=0, n_patches=2000, n_jobs=1).fit(X)
    whole = model.transform(X)
    np.testing.assert_array_equal(clone(model).set_params(n_jobs=2).fit(X).transform(X), whole)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(model.transform(X[order]), whole[order])
    np.testing.assert_array_equal(model.transform(X[17:18]), whole[17:18])
    np.testing.assert_array_equal(model.transform(X[:33]), whole[:33])


def test_memory_is_bounded_by_the_setting(digits):
    X = np.repeat(digits[0], 3, axis=0).astype(np.float32)
    model = ConvFeatures("random", 512, random_state=0, n_jobs=1).fit(X)
    expected = model.transform(X)
    with config_context(working_memory=8):
        np.testing.assert_array_equal(model.transform(X), expected)
    with (
        config_context(working_memory=1),
        pytest.raises(
            ValueError,
            match=r"a block of 16 samples \(.* for \w+, from .*\) would take .* MiB, more than the 1.0 MiB of",
        ),
    ):
        model.transform(X)


def test_pickle_holds_no_samples(digits):
    X, _ = digits
    model = ConvFeatures("random", 8, 3, random_state=0).fit(X)
    expected = model.transform(X)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), expected)
    assert len(pickle.dumps(model)) < 10_000


def test_search_over_filters_in_a_pipeline(digits):
    X, y = digits
    pipeline = make_pipeline(ConvFeatures(n_filters=8, random_state=0), RidgeClassifier())
    grid = {
        "convfeatures__filters": ["random", "dct", BANK[..., 0]],
        "convfeatures__padding": ["same", "valid"],
        "convfeatures__kernel_size": [3, (2, 5)],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.85


def test_names():
    model = ConvFeatures("sobel").fit(IMAGES)
    assert model.filter_names_[:2] == ["sobel_across_channel0", "sobel_across_channel1"]
    names = model.get_feature_names_out()
    assert len(names) == 9 * 11 * 4
    assert names[4 * (2 * 11 + 5) + 1] == "sobel_across_channel1_row2_column5"
    series = ConvFeatures("random", 3, pool=None).fit(RNG.standard_normal((2, 7)))
    assert series.get_feature_names_out()[4] == "random1_time1"


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames(container, digits):
    X, _ = digits
    model = ConvFeatures("random", 3, random_state=0).fit(X)
    frame = clone(model).set_output(transform=container).fit_transform(X)
    assert list(frame.columns) == model.get_feature_names_out().tolist()
    np.testing.assert_array_equal(np.asarray(frame), model.transform(X))


# Bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"filters": "sobell"}, "The 'filters' parameter of ConvFeatures must be"),
        ({"filters": 3.5}, "filters"),
        ({"filters": np.ones((2, 3, 3, 3))}, "filters have 3 channels, but the images have 2"),
        ({"filters": np.ones((2, 3, 3))}, "filters have 1 channels, but the images have 2"),
        ({"filters": np.ones((3, 3))}, r"filters must have the shape \(filters, rows, columns\).*got \(3, 3\)"),
        ({"filters": np.full((2, 3, 3, 2), np.nan)}, "filters contains NaN"),
        ({"filters": np.ones((2, 10, 3, 2)), "padding": "valid"}, "a window of 10x3 in an input of 9x11"),
        ({"n_filters": 0}, "The 'n_filters' parameter of ConvFeatures must be an int in the range"),
        ({"kernel_size": (3, 0)}, r"'kernel_size' parameter of ConvFeatures must be .* Got \(3, 0\)"),
        ({"stride": (1, 2, 3)}, r"'stride' parameter of ConvFeatures must be .* Got \(1, 2, 3\)"),
        ({"padding": "full"}, "padding"),
        ({"padding": -1}, "padding"),
        ({"padding_mode": "mirror"}, "'padding_mode' parameter of ConvFeatures must be .*Got 'mirror'"),
        (
            {"dilation": "random", "summary": "max"},
            r"dilation='random' needs series .* got images of 9x11 and summary='max'",
        ),
        (
            {"filters": LogisticRegression()},
            r"filters must be a name, an array or a fitted .*got LogisticRegression\(\)",
        ),
        ({"filters": MLPClassifier()}, r"filters must be a name, an array or a fitted .*got MLPClassifier\(\)"),
        ({"pool_size": (2, 0)}, r"'pool_size' parameter of ConvFeatures must be .* Got \(2, 0\)"),
        ({"bias": np.ones(3)}, r"bias must have the shape \(64,\) or \(9, 11, 64\), got \(3,\)"),
        ({"activation": "swish"}, "The 'activation' parameter of ConvFeatures must be .*Got 'swish'"),
        ({"pool_size": 10, "pool": "max"}, "pool_size=.* does not fit: a window of 10x10 in an input of 9x11"),
        ({"summary": ("max", "median")}, r"'summary' parameter of ConvFeatures must be .* Got \('max', 'median'\)"),
        ({"summary": ()}, r"'summary' parameter of ConvFeatures must be .* one or more .* Got \(\)"),
        ({"filters": "kmeans", "activation": "relu"}, "filters='kmeans' has its own encoding.*activation='relu'"),
        ({"filters": "kmeans", "bias": "shared"}, "filters='kmeans' has its own encoding.*bias='shared'"),
        (
            {"filters": "pca", "n_patches": 10**12},
            r"1,000,000,000,000 patches of 50 numbers, would take .*this machine's memory",
        ),
        ({"filters": "kmeans", "kernel_size": 12}, "kernel_size=12 does not fit.* of 12x12 in an input of 9x11"),
        ({"filters": "pca", "kernel_size": (3, 12)}, "does not fit.* a window of 3x12 in an input of 9x11"),
        ({"filters": "rocket"}, r"filters='rocket' is for series \(height 1\), got images of 9x11"),
        ({"filters": "minirocket"}, r"filters='minirocket' is for series \(height 1\), got images of 9x11"),
        ({"filters": "kmeans", "n_patches": 63}, "n_filters=64 is more than n_patches=63"),
    ],
)
def test_errors(parameters, message):
    model = ConvFeatures(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(IMAGES)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_k_means_of_single_numbers():
    with pytest.raises(ValueError, match="kernel_size=1: 'kmeans' needs patches of 2 numbers or more, got 1"):
        ConvFeatures("kmeans", kernel_size=1).fit(IMAGES[..., 0])


def test_series_errors():
    series = RNG.standard_normal((4, 11))
    with pytest.raises(ValueError, match=r"needs series .* and a summary, got images of 1x11 and summary=None"):
        ConvFeatures(dilation="random").fit(series)
    with pytest.raises(ValueError, match=r"filters='kmeans' has its own encoding.* dilation='random'"):
        ConvFeatures("kmeans", dilation="random", summary="max").fit(series)
    for name in ("rocket", "minirocket"):
        with pytest.raises(
            ValueError, match=r"n_filters=1,000,000,000,000 on 1 channel would take .* of this machine's memory"
        ):
            ConvFeatures(name, 10**12).fit(series)


def test_minirocket_has_its_own_summary():
    with pytest.raises(ValueError, match=r"summary must be None or 'ppv' for filters='minirocket', got 'max'"):
        ConvFeatures("minirocket", summary="max").fit(np.ones((3, 11)))


def test_partial_fit_needs_learned_filters():
    assert not hasattr(ConvFeatures(), "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as error:
        ConvFeatures().partial_fit(IMAGES)
    assert "partial_fit needs filters that are learned, 'pca' or 'kmeans', got 'random'" in str(error.value.__cause__)


def test_sizes_beyond_memory_before_anything_is_allocated():
    images = np.zeros((200, 300, 300), np.uint8)
    with pytest.raises(ValueError, match=r"1,000,000,000,000 of 25 numbers, would take .* of this machine's memory"):
        ConvFeatures(n_filters=10**12).fit(images)
    model = ConvFeatures(n_filters=10**4, kernel_size=1, pool=None).fit(images[:1])
    with pytest.raises(ValueError, match=r"an output of 200 x 300 x 300 x 10,000 numbers would take .*MiB"):
        model.transform(images)
