"""What is the user's and what is the model's: neither changes with the other."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder
from skconv.augmentation import Jitter, Shift
from skconv.layers import (
    Activation,
    BatchNorm,
    ConstantPadding,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    NoisePadding,
    Pad,
    Parallel,
    PatternPadding,
    Residual,
)

X, Y = (part[:200] for part in load_digits(return_X_y=True))
X = X / 16
IMAGES = X.reshape(-1, 8, 8)


def mutable_layers():
    """Layers of every kind that holds something, some of them within others."""
    pattern, values = np.ones((2, 2)), np.array([0.5])
    inner = [Convolution(4, bias=False), BatchNorm(), Activation("tanh")]
    return [
        *(Pad(1, PatternPadding(pattern)), Pad(1, ConstantPadding(values))),
        *(Convolution(4, 3, padding_mode="donor"), BatchNorm(), Activation(), Dropout(0.1)),
        *(Residual(inner), Parallel([[Convolution(2)], [LayerNorm()]]), Flatten(), Dense(6), Activation("elu")),
    ]


def spoil(value):
    """Change an object and all that is in it, in place."""
    if isinstance(value, np.ndarray):
        value[...] = 7
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value.clear()
    elif isinstance(value, list):
        for each in value:
            spoil(each)
        value.clear()
    elif hasattr(value, "get_params"):
        for name, each in value.get_params(deep=False).items():
            spoil(each)
            setattr(value, name, None)


def kept(model, method):
    """What the model says now, and after a pickle."""
    return getattr(model, method)(X), getattr(pickle.loads(pickle.dumps(model)), method)(X)


def weights():
    return {"convolution1.weight": np.full((4, 3, 3, 1), 0.1), "dense1.bias": np.arange(5.0)}


def bank():
    return np.random.default_rng(0).standard_normal((3, 3, 3))


SMALL = {"max_iter": 2, "random_state": 0}
MODELS = {
    "layers": (ConvNetClassifier, "predict_proba", lambda: {"layers": mutable_layers()}),
    "augment": (
        ConvNetClassifier,
        "predict_proba",
        lambda: {"augment": [Shift([1, 2]), Jitter(0.1)], "n_augmented": 2, "filters": 4},
    ),
    "initial_weights": (
        ConvNetClassifier,
        "predict_proba",
        lambda: {"initial_weights": weights(), "filters": [4], "hidden_layer_sizes": [5]},
    ),
    "lists": (
        ConvNetRegressor,
        "predict",
        lambda: {"filters": [4, 4], "kernel_size": [3, [3, 5]], "image_shape": [8, 8], "freeze": ["convolution1"]},
    ),
    "class_weight": (ConvNetClassifier, "predict_proba", lambda: {"class_weight": {0: 2.0}, "filters": 4}),
    "filters": (ConvFeatures, "transform", lambda: {"filters": bank(), "padding_mode": "constant"}),
    "padding_mode": (
        ConvFeatures,
        "transform",
        lambda: {"filters": bank(), "padding_mode": PatternPadding(np.ones((2, 2))), "bias": np.ones(3)},
    ),
    "padding modes": (
        ConvNetClassifier,
        "predict_proba",
        lambda: {"filters": [4, 4], "padding_mode": ["edge", ConstantPadding(np.array([1.0, 0, 0, 0]))]},
    ),
    "pattern": (ImagePadder, "transform", lambda: {"padding_mode": PatternPadding(np.ones((2, 2)))}),
    "constant": (ImagePadder, "transform", lambda: {"padding_mode": ConstantPadding(np.array([0.5]))}),
    "noise": (
        ImagePadder,
        "transform",
        lambda: {"padding_mode": NoisePadding(mean=np.array([0.5]), scale=[0.1])},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_does_not_change_with_the_users_objects(name):
    kind, method, make = MODELS[name]
    given = make()
    params = {**SMALL, **given} if kind in (ConvNetClassifier, ConvNetRegressor) else given
    model = kind(**params).fit(X, Y)
    before = getattr(model, method)(X)
    for value in given.values():
        spoil(value)
    for after in kept(model, method):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_does_not_change_the_users_objects(name):
    kind, method, make = MODELS[name]
    given, untouched = make(), make()
    params = {**SMALL, **given} if kind in (ConvNetClassifier, ConvNetRegressor) else given
    data = {"X": X.copy(), "y": Y.copy()}
    if kind is ConvNetClassifier:
        data |= {"sample_weight": np.arange(1.0, 201), "X_val": X[:50].copy(), "y_val": Y[:50].copy()}
    fresh = copy.deepcopy(data)
    model = kind(**params).fit(**data)
    getattr(model, method)(data["X"])
    assert pickle.dumps((given, data)) == pickle.dumps((untouched, fresh))
    assert all(model.get_params(deep=False)[key] is value for key, value in given.items())


def test_a_layer_may_stand_in_several_models():
    norm = BatchNorm()
    layers = [Convolution(4), norm, Activation(), Flatten()]
    first = ConvNetClassifier(layers=layers, **SMALL).fit(X, Y)
    before = first.predict_proba(X)
    norm.set_params(epsilon=10.0)
    second = ConvNetClassifier(layers=layers, **SMALL).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), before)
    assert not np.allclose(second.predict_proba(X), before, atol=1e-3)


def test_features_keep_the_layers_that_they_took():
    model = ConvNetClassifier(layers=mutable_layers(), **SMALL).fit(X, Y)
    features = ConvFeatures.from_network(model, "activation2").fit(X)
    before = features.transform(X)
    for layer in model.network_.layers:
        spoil(layer)
    model.network_.parameters.fill(0)
    for after in kept(features, "transform"):
        np.testing.assert_array_equal(after, before)


def test_filters_of_the_features_are_their_own():
    given = np.random.default_rng(0).standard_normal((3, 3, 3, 1))
    features = ConvFeatures(given).fit(IMAGES)
    before = given.copy()
    given.fill(0)
    np.testing.assert_array_equal(features.filters_, before)


def test_named_architectures_are_not_shared():
    one, two = (ConvNetClassifier(layers="lenet5", **SMALL).fit(X, Y) for _ in range(2))
    before = two.predict_proba(X)
    for layer in one.network_.layers:
        spoil(layer)
    np.testing.assert_array_equal(kept(two, "predict_proba")[1], before)


def test_weights_cannot_be_written():
    model = ConvNetClassifier(filters=4, **SMALL).fit(X, Y)
    for name, array in model.weights_.items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        assert not array.flags.writeable, name
