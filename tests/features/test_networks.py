"""How `ConvFeatures` makes its networks: biases, dilations, learned filters, kernels of series, layers of a fit."""

import pickle

import numpy as np
import pytest
from helpers import by_scipy, first_digits
from scipy import signal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skconv import ConvFeatures, ConvNetClassifier
from skconv._features.minirocket import MiniRocket
from skconv._features.rocket import draw_rocket_kernels
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dropout, Flatten, MaxPool

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((5, 9, 11, 2))
BANK = RNG.standard_normal((4, 3, 4, 2))
PLAIN = {"activation": "identity", "pool": None}


@pytest.fixture(scope="module")
def digits():
    return first_digits(600)


def test_bias_takes_off_the_mean_response():
    response = ConvFeatures(BANK).fit_transform(IMAGES)
    shared = ConvFeatures(BANK, bias=True).fit_transform(IMAGES)
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
    model = ConvFeatures("random", 300, kernel_size=7, dilation="random", global_pool=("ppv", "max"), random_state=0)
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


def test_k_means_features_equal_loops(digits):
    images = digits[0].reshape(-1, 8, 8)[:40]
    model = ConvFeatures("kmeans", 12, 3, padding="valid", pool_size=3, random_state=0, n_patches=2000).fit(images)
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
    model = ConvFeatures(
        "kmeans", 5, 3, padding="valid", activation="identity", pool=None, random_state=0, n_patches=2000
    ).fit(images)
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
    assert ConvFeatures("rocket", 50, global_pool="last", random_state=0).fit(series).output_shape_ == (50,)


@pytest.fixture(scope="module")
def network(digits):
    X, y = digits
    plain = {"standardize": None, "label_smoothing": 0.0}
    return ConvNetClassifier((4, 6), max_iter=2, hidden_layer_sizes=8, **plain, random_state=0).fit(X, y)


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
    for options in ({"pool": "max"}, {"global_pool": "mean"}):
        with pytest.raises(ValueError, match=r"layer='dense1' gives a vector of 8 numbers, nothing to pool"):
            ConvFeatures(network, layer="dense1", **options).fit(X)
    flat = ConvNetClassifier((), max_iter=1).fit(X, digits[1][:30])
    with pytest.raises(ValueError, match="layer=None takes the last layer that gives an image, but none of"):
        ConvFeatures(flat).fit(X)


def test_layers_with_dropout_and_poolings(digits):
    X, y = digits
    layers = [Convolution(4), Activation("gelu"), Dropout(0.5), MaxPool(2), Flatten()]
    model = ConvNetClassifier(layers=layers, max_iter=1, standardize=None, random_state=0).fit(X, y)
    features = ConvFeatures(model, layer="maxpool1", pool="mean", pool_size=2).fit_transform(X[:20].reshape(-1, 8, 8))
    whole = ConvFeatures(model, layer="maxpool1").fit_transform(X[:20].reshape(-1, 8, 8))
    np.testing.assert_allclose(features, whole.reshape(20, 2, 2, 2, 2, 4).mean(axis=(2, 4)), atol=1e-12)


def test_k_means_of_single_numbers():
    with pytest.raises(ValueError, match="kernel_size=1: 'kmeans' needs patches of 2 numbers or more, got 1"):
        ConvFeatures("kmeans", kernel_size=1).fit(IMAGES[..., 0])


def test_series_errors():
    series = RNG.standard_normal((4, 11))
    with pytest.raises(ValueError, match=r"needs series .* and a global_pool, got images of 1x11 and global_pool=None"):
        ConvFeatures(dilation="random").fit(series)
    with pytest.raises(ValueError, match=r"filters='kmeans' has its own encoding.* dilation='random'"):
        ConvFeatures("kmeans", dilation="random", global_pool="max").fit(series)
    for name in ("rocket", "minirocket"):
        with pytest.raises(
            ValueError, match=r"n_filters=1,000,000,000,000 on 1 channel would take .* of this machine's memory"
        ):
            ConvFeatures(name, 10**12).fit(series)


def test_minirocket_has_its_own_summary():
    with pytest.raises(ValueError, match=r"global_pool must be None or 'ppv' for filters='minirocket', got 'max'"):
        ConvFeatures("minirocket", global_pool="max").fit(np.ones((3, 11)))
