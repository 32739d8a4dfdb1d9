"""What a wrong value may have been meant to be."""

import re

import numpy as np
import pytest

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, StridedPooling
from skconv._input.constraints import InvalidParameterError
from skconv._input.hints import name_meant, switch_meant
from skconv.augmentation import Shift
from skconv.layers import Activation, Convolution, Dense, Flatten, Pad  # fmt: skip

X = np.random.default_rng(0).random((8, 6, 6, 2), np.float32)
Y = np.arange(8) % 2


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ConvNetClassifier(layers=[Activation("Relu"), Flatten()]), "got 'Relu'; did you mean 'relu'?"),
        (ConvNetClassifier(layers=[Pad(1, "reflective"), Flatten()]), "got 'reflective'; did you mean 'reflect'?"),
        (ConvNetClassifier(layers="resnet18"), "got 'resnet18'; did you mean 'resnet'?"),
        (ConvNetClassifier(activation="leakyrelu"), "Got 'leakyrelu' instead; did you mean 'leaky_relu'?"),
        (
            ConvNetClassifier(activation=("relu", "leakyrelu")),
            "got 'leakyrelu' in activation=('relu', 'leakyrelu'); did",
        ),
        (ConvNetClassifier(augment=["flip", "shfit"]), "augment[1] must be a str among {'auto', 'brightness', "),
        (ConvNetClassifier(augment=["flip", "shfit"]), "got 'shfit'; did you mean 'shift'?"),
        (ConvNetClassifier(augment=Shift), "augment must be a str among {'auto', "),
        (ConvFeatures("sobell"), "Got 'sobell' instead; did you mean 'sobel'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_that_looks_like_another(estimator, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        estimator.fit(X, Y)


MEANT = {  # what other libraries call it, and what is said of it
    "learning_rate": {
        0.001: "did you mean learning_rate_init=0.001?",
        np.float32(0.5): "did you mean learning_rate_init=0.5?",
        "adaptive": "did you mean 'plateau'?",
        "ReduceLROnPlateau": "did you mean 'plateau'?",
        "CosineAnnealingLR": "did you mean 'cosine'?",
        "one-cycle": "did you mean 'one_cycle'?",
        "OneCycleLR": "did you mean 'one_cycle'?",
        "StepLR": "did you mean 'step'?",
        "adam": "did you mean solver='adam'?",
        -0.1: "instead.",
        "invscaling": "instead.",
    },
    "activation": {
        "sigmoid": "did you mean 'logistic'?",
        "linear": "did you mean 'identity'?",
        "none": "did you mean 'identity'?",
        None: "did you mean 'identity'?",
        "LeakyReLU": "did you mean 'leaky_relu'?",
        "HardSwish": "did you mean 'hard_swish'?",
        "SiLU": "did you mean 'swish'?",
        "selu": "'elu' comes closest",
        "softmax": "instead.",
    },
    "pool": {
        2: "did you mean pool_size=2?",
        "average": "did you mean 'mean'?",
        "none": "did you mean None?",
        False: "did you mean None?",
        True: "instead.",
        "same": "did you mean padding='same'?",
    },
    "global_pool": {"avg": "did you mean 'mean'?", False: "did you mean None?"},
    "padding": {"reflect": "did you mean padding_mode='reflect'?", "Same": "did you mean 'same'?"},
    "padding_mode": {
        "zeros": "did you mean 'constant'?",
        "replicate": "did you mean 'edge'?",
        "circular": "did you mean 'wrap'?",
        "mirror": "did you mean 'reflect'?",
        "valid": "did you mean padding='valid'?",
    },
    "bias": {
        "shared": "did you mean True?",
        "channel": "did you mean True?",
        None: "did you mean False?",
        "none": "did you mean False?",
        "positions": "did you mean 'position'?",
    },
    "batch_norm": {None: "did you mean False?", 1: "did you mean True?", "none": "did you mean False?"},
    "solver": {"L-BFGS-B": "did you mean 'lbfgs'?", "SGD": "did you mean 'sgd'?", "RMSProp": "did you mean 'rmsprop'?"},
    "early_stopping": {10: "did you mean n_iter_no_change=10?", 1: "did you mean True?"},
    "max_norm": {0: "did you mean None?"},
    "ema_decay": {False: "did you mean None?"},
    "clip_norm": {0.0: "did you mean None?", -1: "instead."},
    "scoring": {
        "mse": "did you mean 'neg_mean_squared_error'?",
        "auc": "did you mean 'roc_auc'?",
        "f1_score": "did you mean 'f1'?",
    },
    "loss": {"cross_entropy": "did you mean 'log_loss'?", "neg_log_loss": "did you mean 'log_loss'?"},
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MEANT.items() for value in values])
def test_what_other_libraries_call_it(name, value):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of ") as caught:
        ConvNetClassifier(**{name: value}).fit(X, Y)
    assert str(caught.value).endswith(MEANT[name][value])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ConvNetRegressor(loss="mse"), "did you mean 'squared_error'?"),
        (ConvNetRegressor(loss="MAE"), "did you mean 'absolute_error'?"),
        (StridedPooling("average"), "did you mean 'mean'?"),
        (StridedPooling(3), "did you mean pool_size=3?"),
        (ImagePadder(padding_mode="replicate"), "did you mean 'edge'?"),
        (ConvFeatures("dct", pool=2), "did you mean pool_size=2?"),
        (
            ConvNetClassifier(activation=("relu", "sigmoid")),
            "'sigmoid'); did you mean 'logistic'?",
        ),
        (ConvNetClassifier(layers=[Activation("sigmoid"), Flatten()]), "did you mean 'logistic'?"),
        (ConvNetClassifier(layers=[Convolution(2, padding="zeros"), Flatten()]), "got 'zeros'"),
        (ConvNetClassifier(layers=[Convolution(2, padding="wrap"), Flatten()]), "did you mean padding_mode='wrap'?"),
        (ConvNetClassifier(layers=[Flatten(), Dense(2, initializer="xavier")]), "did you mean 'glorot_uniform'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_other_libraries_call_it_elsewhere(estimator, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        estimator.fit(X, Y)


@pytest.mark.parametrize(
    ("value", "names", "expected"),
    [
        ("ReLU", ["relu", "tanh"], "relu"),
        ("leaky-relu", ["relu", "leaky_relu"], "leaky_relu"),
        ("xavier", ["he_normal", "glorot_uniform"], "glorot_uniform"),
        ("xavier", ["he_normal"], None),
        ("reluu", ["relu", "tanh"], "relu"),
        ("nothing", ["relu", "tanh"], None),
    ],
)
def test_the_name_that_is_meant(value, names, expected):
    assert name_meant(value, names) == expected


@pytest.mark.parametrize(
    ("value", "names", "takes", "expected"),
    [
        ("shared", ["position"], "boolean", [True]),
        ("shared", ["position"], "", []),
        (True, ["max"], "", []),
        (1, [], "boolean", [True]),
        (0, [], "boolean none", [False]),
        (None, [], "boolean", [False]),
        ("None", [], "none", [None]),
        (False, [], "none", [None]),
        (0, [], "none", []),
        (0, [], "none positive", [None]),
        (1, [], "none positive", []),
        (None, ["identity", "relu"], "none", ["identity"]),
        (None, ["relu"], "", []),
    ],
)
def test_the_switch_that_is_meant(value, names, takes, expected):
    options = {option: option in takes for option in ("boolean", "none", "positive")}
    assert switch_meant(value, names, **options) == expected
