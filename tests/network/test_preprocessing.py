"""What pretrained networks expect of images: conventions, their order with what a network does itself, and ranges."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skconv import ConvFeatures, ConvNetClassifier
from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._network.preprocessing import CONVENTIONS, preprocess, warn_of_range
from skconv._network.pretrained import PretrainedNetwork
from skconv._threads.team import Team
from skconv.layers import Convolution, Dense, Flatten, GlobalMeanPool

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (5, 6, 6, 3), dtype=np.uint8)


def pretrained(layers=None, shape=(6, 6, 3), moments=None):
    network = Network(layers or [Convolution(4, 3), GlobalMeanPool(), Dense(3)], shape, "float32")
    network.initialize(np.random.default_rng(0))
    network.scale_by(moments)
    return PretrainedNetwork.of(network, input_name="x", output_name="y", removed=None)


def outputs(network, X):
    with Team(1) as team:
        return predict(network, np.asarray(X, np.float32).reshape(len(X), -1), team)


# In the words of the libraries that have these conventions.
BY_HAND = {
    "imagenet": lambda X: (X / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "tensorflow": lambda X: X / 127.5 - 1,
    "efficientnet_lite": lambda X: (X - 127) / 128,
    "unit": lambda X: X / 255,
    "caffe": lambda X: X[..., ::-1] - [103.939, 116.779, 123.68],
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions(name):
    network, X = pretrained(), BYTES.astype(float)
    wanted = outputs(network, BY_HAND[name](X))
    preprocess(network, name)
    assert_allclose(outputs(network, X), wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("by_feature", [False, True])
def test_what_a_network_does_itself_comes_after(name, by_feature):
    shape = (6, 6, 3) if by_feature else (3,)
    moments = RNG.random(shape), 0.5 + RNG.random(shape)
    network, X = pretrained(moments=moments), BYTES.astype(float)
    wanted = outputs(network, BY_HAND[name](X))
    preprocess(network, name)
    assert_allclose(outputs(network, X), wanted, atol=1e-4 * np.abs(wanted).max())


def test_numbers_and_none():
    network, other = pretrained(), pretrained()
    preprocess(network, (100, [1.0, 2.0, 4.0]))
    assert_array_equal(network.moments, ([100.0] * 3, [1.0, 2.0, 4.0]))
    preprocess(other, None)
    assert other.moments is None


def test_a_spread_of_zero_is_one():
    network = pretrained(moments=(np.zeros(3), np.array([0.0, 1.0, 2.0])))
    preprocess(network, (0, 2))
    assert_array_equal(network.moments[1], [2.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("preprocessing", "match"),
    [
        ((0, 0), "preprocessing=.*: scale must be above 0, got 0"),
        (([1, 2], 1), "mean has 2 numbers in an array of shape .* but the images have 3 channels"),
        ((0, [1, np.nan, 1]), "scale must hold finite numbers"),
    ],
)
def test_numbers_that_do_not_fit(preprocessing, match):
    with pytest.raises(ValueError, match=match):
        preprocess(pretrained(), preprocessing)


@pytest.mark.parametrize("layers", [[Flatten(), Dense(3)], [Flatten()]])
def test_blue_first_needs_a_convolution(layers):
    with pytest.raises(ValueError, match="blue comes first, which needs a network whose first weights are"):
        preprocess(pretrained(layers), "caffe")


@pytest.mark.parametrize("value", ["torch", (1,), 3])
def test_no_preprocessing(value):
    with pytest.raises(ValueError, match=r"preprocessing must be .*'imagenet'"):
        ConvFeatures.from_network(pretrained(), preprocessing=value)


def test_samples_of_another_range():
    network, unit = pretrained(), pretrained()
    preprocess(network, "imagenet")
    preprocess(unit, (0.5, 0.25))
    for X in (BYTES, BYTES[:1].astype(float)):
        warn_of_range(network, X)
        warn_of_range(pretrained(), X)
        warn_of_range(unit, X / 255)
    with pytest.warns(UserWarning, match=r"X goes up to 1, .* as for numbers up to 255. Write 255 \* X, or .*0.485"):
        warn_of_range(network, BYTES / BYTES.max())
    with pytest.warns(UserWarning, match=r"as for numbers up to 1. Write X / 255, or preprocessing=\(\(127.5, "):
        warn_of_range(unit, BYTES)


def test_estimators_warn():
    network = pretrained()
    preprocess(network, "unit")
    y = [0, 1, 0, 1, 1]
    for model in (ConvFeatures.from_network(network), ConvNetClassifier(layers=network, max_iter=1)):
        model.fit(BYTES, y)
        with pytest.warns(UserWarning, match="as for numbers up to 255"):
            model.fit(BYTES / 255, y)
