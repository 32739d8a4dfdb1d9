"""From the estimators' parameters to a list of layers, and lists that are given."""

from copy import deepcopy

import numpy as np
import pytest
from helpers import assert_rejected, quick_model, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._estimators.blocks import build_layers
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Dropout, Flatten, MaxPool
from skconv.layers.activation_functions import FUNCTIONS


def kernels(shape, **parameters):
    """Sizes of the kernels of a regressor's convolutions."""
    layers = build_layers(ConvNetRegressor(**parameters).get_params(deep=False), shape, 1)
    return [layer.kernel_size for layer in layers if type(layer).__name__ == "Convolution"]


@pytest.mark.parametrize(
    ("shape", "dilation", "expected"),
    [
        ((8, 8, 1), 1, [(3, 3), (3, 3)]),
        ((4, 4, 1), 1, [(3, 3), (2, 2)]),
        ((2, 2, 1), 1, [(2, 2), (1, 1)]),
        ((1, 1, 1), 1, [(1, 1), (1, 1)]),
        ((5, 3, 1), 2, [(3, 2), (1, 1)]),  # taps 0, 2, 4 down and 0, 2 across leave 1 x 1
        ((1, 12, 1), 1, [(1, 9), (1, 4)]),
    ],
)
def test_kernels_that_nobody_chose_fit_what_is_left(shape, dilation, expected):
    assert kernels(shape, padding="valid", dilation=dilation, pool=None, filters=(4, 4)) == expected


def test_kernels_that_somebody_chose_stay():
    with pytest.raises(ValueError, match=r"kernel_size=3 does not fit: a window of 3x3 in an input of 2x2"):
        kernels((4, 4, 1), padding="valid", kernel_size=3, filters=(4, 4))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["valid", "same", 0, 1]))
def test_the_defaults_fit_every_image(height, width, padding):
    X = np.arange(4.0)[:, None].repeat(height * width, axis=1)
    model = ConvNetRegressor(padding=padding, image_shape=(height, width), max_iter=1, random_state=0)
    model.fit(X, np.arange(4.0))
    assert model.predict(X).shape == (4,)


DIGITS = load_digits()
X = DIGITS.data[:300] / 16
Y = DIGITS.target[:300]
TEST = DIGITS.data[300:600] / 16, DIGITS.target[300:600]
quick = quick_model


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


@pytest.fixture(params=["unfitted", "fitted"])
def start(request, fitted):
    return quick() if request.param == "unfitted" else deepcopy(fitted)


def shapes_of(model):
    weights = model.weights_
    return weights["convolution1.weight"].shape, weights["convolution2.weight"].shape, weights["dense1.weight"].shape[1]


K1, K2 = (3, 3, 3, 1), (4, 3, 3, 3)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"kernel_size": 5}, ((3, 5, 5, 1), (4, 5, 5, 3), 256)),
        ({"kernel_size": (3, 5)}, ((3, 3, 3, 1), (4, 5, 5, 3), 256)),
        ({"kernel_size": [2, 4]}, ((3, 2, 2, 1), (4, 4, 4, 3), 256)),
        ({"kernel_size": ((3, 5), (1, 3))}, ((3, 3, 5, 1), (4, 1, 3, 3), 256)),
        ({"kernel_size": ((3, 5), 1)}, ((3, 3, 5, 1), (4, 1, 1, 3), 256)),
        ({"stride": 2}, (K1, K2, 16)),
        ({"stride": (2, 1)}, (K1, K2, 64)),
        ({"stride": ((2, 1), (1, 3))}, (K1, K2, 4 * 3 * 4)),
        ({"dilation": 2}, (K1, K2, 256)),
        ({"dilation": (1, 2), "padding": "valid"}, (K1, K2, 2 * 2 * 4)),
        ({"dilation": ((2, 1), (1, 1)), "padding": "valid"}, (K1, K2, 2 * 4 * 4)),
        ({"padding": "valid"}, (K1, K2, 64)),
        ({"padding": 0}, (K1, K2, 64)),
        ({"padding": 2}, (K1, K2, 12 * 12 * 4)),
        ({"padding": ("same", "valid")}, (K1, K2, 6 * 6 * 4)),
        ({"padding": (2, 0)}, (K1, K2, 256)),
        ({"padding": ((0, 1), (1, 0))}, (K1, K2, 6 * 6 * 4)),
        ({"padding": (((1, 0), (0, 1)), "same")}, (K1, K2, 7 * 7 * 4)),
        ({"pool": "max"}, (K1, K2, 16)),
        ({"pool": "mean"}, (K1, K2, 16)),
        ({"pool": "stride"}, (K1, K2, 16)),
        ({"pool": None}, (K1, K2, 256)),
        ({"pool": "auto"}, (K1, K2, 64)),
        ({"pool": ("max", None)}, (K1, K2, 64)),
        ({"pool": [None, "mean"]}, (K1, K2, 64)),
        ({"pool": ("auto", "stride")}, (K1, K2, 64)),
        ({"pool": "max", "pool_size": 3}, (K1, K2, 4)),  # 8 to 2, where a window of 3 is cut to 2
        ({"pool": "max", "pool_size": (2, 4)}, (K1, K2, 4)),
        ({"pool": "max", "pool_size": ((2, 1), (1, 4))}, (K1, K2, 4 * 2 * 4)),
        ({"pool": "mean", "pool_size": 4}, (K1, (4, 3, 3, 3), 4)),
    ],
    ids=str,
)
def test_layer_parameters(params, expected):
    model = quick(**{"pool": None, **params}).fit(X, Y)
    assert shapes_of(model) == expected
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.loss_ < model.loss_curve_[0]


@pytest.mark.parametrize(
    ("params", "in_words"),
    [
        ({"kernel_size": 3}, {"kernel_size": (3, 3)}),
        ({"kernel_size": 3}, {"kernel_size": ((3, 3), (3, 3))}),
        ({"kernel_size": 3}, {"kernel_size": np.int64(3)}),
        ({"stride": 2}, {"stride": [[2, 2], 2]}),
        ({"dilation": 2}, {"dilation": (2, (2, 2))}),
        ({"padding": "same"}, {"padding": (1, 1)}),
        ({"padding": "valid"}, {"padding": 0}),
        ({"padding": 1}, {"padding": (((1, 1), (1, 1)), (1, 1))}),
        ({"pool": "mean"}, {"pool": ("mean", "mean")}),
        ({"pool": "auto"}, {"pool": (None, "max")}),
        ({"pool_size": 2}, {"pool_size": (2, (2, 2))}),
        ({"batch_norm": False}, {"batch_norm": (False, False)}),
        ({"activation": "elu"}, {"activation": ("elu", "elu")}),
        ({"activation": "elu"}, {"activation": ["elu", "elu", "elu"]}),
        ({"activation": ("tanh", "elu")}, {"activation": ("tanh", "elu", "elu")}),
        ({"dropout": 0.25}, {"dropout": (0.25, 0.25)}),
        ({"dropout": (0.5, 0.25)}, {"dropout": (0.5, 0.25, 0.25)}),
        ({"filters": (3, 4)}, {"filters": [3, 4]}),
        ({"filters": 3}, {"filters": (3,)}),
        ({"hidden_layer_sizes": 5}, {"hidden_layer_sizes": [5]}),
    ],
    ids=str,
)
def test_one_value_is_for_all_layers(params, in_words):
    one, each = quick(**params).fit(X, Y), quick(**in_words).fit(X, Y)
    assert same_bits(one.predict_proba(X), each.predict_proba(X))
    assert not same_bits(one.predict_proba(X), quick(filters=(5, 6)).fit(X, Y).predict_proba(X))


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_every_activation_learns(activation):
    model = ConvNetClassifier((4, 8), hidden_layer_sizes=16, activation=activation, max_iter=20, random_state=0)
    assert model.fit(X, Y).score(*TEST) > 0.65


def test_activations_differ():
    mixed = [("relu", "tanh"), ("relu", "relu", "tanh"), ("tanh", "relu", "relu")]
    named = FUNCTIONS.keys() - {"relu6"}  # no sample gives a number above 6
    losses = {quick(activation=activation).fit(X, Y).loss_ for activation in [*named, *mixed]}
    assert len(losses) == len(named) + 3


def test_activation_and_dropout_of_hidden_layers():
    model = quick(hidden_layer_sizes=(5, 6), activation=("relu", "elu", "tanh", "gelu"), dropout=(0, 0.1, 0.2, 0.3))
    model.fit(X, Y)
    layers = model.network_.layers
    assert [layer.activation for layer in layers if isinstance(layer, Activation)] == ["relu", "elu", "tanh", "gelu"]
    assert [layer.dropout for layer in layers if isinstance(layer, Dropout)] == [0.1, 0.2, 0.3]
    assert isinstance(layers[-2], Dropout)
    model.set_params(activation=("relu", "elu"), dropout=(0.1, 0.4)).fit(X, Y)
    layers = model.network_.layers
    assert [layer.activation for layer in layers if isinstance(layer, Activation)] == ["relu", "elu", "elu", "elu"]
    assert [layer.dropout for layer in layers if isinstance(layer, Dropout)] == [0.1, 0.4, 0.4, 0.4]


def test_batch_norm_of_each_layer():
    weights = quick(batch_norm=(True, False)).fit(X, Y).weights_
    assert "batchnorm1.scale" in weights
    assert "batchnorm2.scale" not in weights
    assert "convolution1.bias" not in weights  # the shift of the normalisation does its work
    assert weights["convolution2.bias"].shape == (4,)


def test_no_convolution_and_no_hidden_layer():
    assert list(quick(filters=()).fit(X, Y).weights_) == [
        "dense1.weight",
        "dense1.bias",
        "dense2.weight",
        "dense2.bias",
        "input.level",
        "input.spread",
    ]
    model = quick(filters=(), hidden_layer_sizes=(), max_iter=30).fit(X, Y)
    assert model.weights_["dense1.weight"].shape == (10, 64)
    assert model.score(X, Y) > 0.9
    assert quick(hidden_layer_sizes=()).fit(X, Y).weights_["dense1.weight"].shape == (10, 64)


def test_list_of_layers():
    layers = [Convolution(4, 3, bias=False), BatchNorm(), MaxPool(2), Activation("elu"), Flatten(), Dense(12)]
    model = quick(layers=layers, max_iter=20).fit(X, Y)
    assert {name: array.shape for name, array in model.weights_.items()} == {
        "input.level": (1,),
        "input.spread": (1,),
        "convolution1.weight": (4, 3, 3, 1),
        "batchnorm1.scale": (4,),
        "batchnorm1.shift": (4,),
        "batchnorm1.mean": (4,),
        "batchnorm1.variance": (4,),
        "batchnorm1.batches": (1,),
        "dense1.weight": (12, 64),
        "dense1.bias": (12,),
        "dense2.weight": (10, 12),
        "dense2.bias": (10,),
    }
    assert model.score(X, Y) > 0.8
    assert model.layers is layers
    assert len(layers) == 6  # the output layer is the network's
    copied = clone(model)
    assert copied.layers is not layers
    assert same_bits(copied.fit(X, Y).predict_proba(X), model.predict_proba(X))
    assert same_bits(quick(layers=tuple(layers), max_iter=20).fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_list_of_layers_equals_parameters():
    params = {"batch_norm": False, "pool": "mean", "hidden_layer_sizes": 5, "activation": ("tanh", "elu", "relu")}
    model = quick(**params).fit(X, Y)
    described = model.network_.layers[:-1]
    listed = quick(layers=described).fit(X, Y)
    assert same_bits(listed.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("layers", "match"),
    [
        ([], r"layers must end in a vector, got an image \(8, 8, 1\); put a Flatten or a global pooling at the end"),
        ([Convolution(4)], r"layers must end in a vector, got an image \(8, 8, 4\)"),
        ([Convolution(4), MaxPool(9), Flatten()], r"layers\[1\] \(MaxPool\): pool_size=9 does not fit: .*9x9 .* 8x8"),
        ([Activation("selu"), Flatten()], r"layers\[0\] \(Activation\): activation must be .*, got 'selu'"),
        (
            [Flatten(), Dropout(1.0)],
            r"layers\[1\] \(Dropout\): dropout must be a float in the range \[0.0, 1.0\), got 1.0",
        ),
        ([Convolution(4, 9, padding="valid"), Flatten()], r"layers\[0\] \(Convolution\): kernel_size=9 does not fit"),
        (
            [Flatten(), Dense(4, initializer="zeros")],
            r"layers\[1\] \(Dense\): initializer must be a str among .*, got 'zeros'",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_list_of_layers_that_does_not_fit(start, layers, match):
    start.set_params(layers=layers)
    assert_rejected(start, lambda model: model.fit(X, Y), match)


@pytest.mark.parametrize("layers", [[3], ["relu"], [Flatten(), None], [Flatten]], ids=str)
def test_list_of_what_is_not_a_layer(start, layers):
    start.set_params(layers=layers)
    assert_rejected(start, lambda model: model.fit(X, Y), "layer", (ValueError, TypeError))
