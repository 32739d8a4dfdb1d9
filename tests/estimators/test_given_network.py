"""Networks in place of layers, which a fit goes on from."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor
from skconv._estimators.given_network import kept_layers
from skconv._network.network import Network
from skconv.layers import Activation, Convolution, Dense, Flatten, GlobalMeanPool

X, Y = load_digits(return_X_y=True)
KNOWN = Y < 5
MODEL = ConvNetClassifier(filters=8, max_iter=5, random_state=0).fit(X[KNOWN], Y[KNOWN])
NETWORK = MODEL.network_
FEW = np.flatnonzero(~KNOWN)[:40]


def model(**options):
    return ConvNetClassifier(layers=NETWORK, max_iter=2, random_state=0, **options)


def names(layers):
    return [type(layer).__name__ for layer in layers]


def test_the_output_layer_is_new():
    fitted = model(freeze=("convolution1", "batchnorm1", "dense1"), learning_rate_init=1e-3).fit(X[FEW], Y[FEW])
    assert names(fitted.network_.layers) == names(NETWORK.layers)
    assert fitted.classes_.tolist() == [5, 6, 7, 8, 9]
    for name, array in fitted.weights_.items():
        same = name in NETWORK.named_arrays() and np.array_equal(array, NETWORK.named_arrays()[name])
        assert same == (not name.startswith("dense2")), name
    assert fitted.weights_["dense2.weight"].shape[0] == 5


def test_all_layers_are_trained_unless_they_are_frozen():
    before = {name: array.copy() for name, array in NETWORK.named_arrays().items()}
    fitted = model().fit(X[FEW], Y[FEW])
    assert not np.array_equal(fitted.weights_["convolution1.weight"], before["convolution1.weight"])
    for name, array in NETWORK.named_arrays().items():
        np.testing.assert_array_equal(array, before[name])  # the given network is as it was


@pytest.mark.parametrize("standardize", ["channel", "feature", None])
def test_samples_are_scaled_as_the_network_scales_them(standardize):
    fitted = model(standardize=standardize).fit(X[FEW], Y[FEW])
    np.testing.assert_array_equal(fitted.network_.moments, NETWORK.moments)
    fitted.partial_fit(X[FEW], Y[FEW])
    fitted.set_params(warm_start=True).fit(X[FEW], Y[FEW])
    np.testing.assert_array_equal(fitted.network_.moments, NETWORK.moments)


def test_a_few_samples_are_enough():
    wanted = ConvNetClassifier(filters=8, max_iter=30, random_state=0).fit(X[FEW], Y[FEW])
    found = ConvNetClassifier(layers=NETWORK, max_iter=30, learning_rate_init=3e-3, random_state=0).fit(X[FEW], Y[FEW])
    rest = np.setdiff1d(np.flatnonzero(~KNOWN), FEW)
    assert found.score(X[rest], Y[rest]) > wanted.score(X[rest], Y[rest])


def test_clones_and_pickles():
    for twin in (clone(model()), pickle.loads(pickle.dumps(model()))):
        np.testing.assert_array_equal(
            twin.fit(X[FEW], Y[FEW]).predict_proba(X), model().fit(X[FEW], Y[FEW]).predict_proba(X)
        )
    assert model().get_params()["layers"] is NETWORK
    assert "<Network of " in repr(model())


def test_first_weights_of_ones_own_come_last():
    weight = np.ones_like(NETWORK.named_arrays()["convolution1.weight"])
    fitted = model(initial_weights={"convolution1.weight": weight}, freeze="convolution1").fit(X[FEW], Y[FEW])
    np.testing.assert_array_equal(fitted.weights_["convolution1.weight"], weight)


def test_regression():
    fitted = ConvNetRegressor(layers=NETWORK, max_iter=1, random_state=0).fit(X[FEW], Y[FEW])
    assert fitted.weights_["dense2.weight"].shape[0] == 1


def test_images_of_another_size():
    layers = [Convolution(4, 3), Activation(), GlobalMeanPool(), Dense(3)]
    network = Network(layers, (8, 8, 1), np.float32)
    network.initialize(np.random.default_rng(0))
    images = np.random.default_rng(0).standard_normal((20, 12, 9))
    fitted = ConvNetClassifier(layers=network, freeze="convolution1", max_iter=1).fit(images, np.arange(20) % 2)
    assert fitted.image_shape_ == (12, 9, 1)
    np.testing.assert_array_equal(fitted.weights_["convolution1.weight"], network.named_arrays()["convolution1.weight"])
    with pytest.raises(ValueError, match=r"layers: the given network takes images \(8, 8, 1\), got \(12, 9, 1\)"):
        model().fit(images, np.arange(20) % 2)


def test_layers_that_do_not_fit():
    network = Network([Convolution(4, 7, padding="valid"), Flatten(), Dense(3)], (8, 8, 1), np.float32)
    with pytest.raises(ValueError, match=r"layers\[0\] \(Convolution\): kernel_size=7 does not fit"):
        ConvNetClassifier(layers=network).fit(np.zeros((4, 5, 5)), [0, 1, 0, 1])


def test_kept_layers():
    layers = [Convolution(4), Flatten(), Dense(5), Activation(), Dense(3), Activation("logistic")]
    assert names(kept_layers(Network(layers, (4, 4, 1), np.float32))) == names(layers[:4])
    assert names(kept_layers(Network(layers[:2], (4, 4, 1), np.float32))) == ["Convolution", "Flatten"]


def test_features_and_training_have_the_same_first_layers():
    features = ConvFeatures.from_network(NETWORK).fit_transform(X[FEW])
    assert features.shape == (40, NETWORK.shapes[-2][0])
