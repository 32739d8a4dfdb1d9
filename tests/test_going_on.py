"""Going on with a fitted network: partial_fit, and fit with warm_start=True, by one rule."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.layers import (
    Activation,
    BatchNorm,
    ConstantPadding,
    Convolution,
    Dense,
    DonorPadding,
    Flatten,
    NoisePadding,
    Pad,
    PatternPadding,
)

X, Y = (part[:120] for part in load_digits(return_X_y=True))
X = X / 16
SMALL = {"filters": (4, 4), "hidden_layer_sizes": 8, "max_iter": 1, "batch_size": 30, "random_state": 0}
KINDS = [ConvNetClassifier, ConvNetRegressor]
METHODS = ["fit", "partial_fit"]
PATTERN = np.arange(900.0).reshape(30, 30)  # longer than its repr


def layers(value=1.0):
    pattern = PATTERN.copy()
    pattern[15, 15] = value
    return [Pad(1, PatternPadding(pattern)), Convolution(4), BatchNorm(), Activation(), Flatten(), Dense(5)]


def go_on(model, method, X=X, y=Y):
    return getattr(model.set_params(warm_start=True), method)(X, y)


def assert_same_error(model, match, X=X, y=Y):
    """Both raise it, and leave the model as it was."""
    before, attributes = model.predict(globals()["X"]), set(vars(model))
    messages = []
    for method in METHODS:
        with pytest.raises(ValueError, match=match) as caught:
            go_on(model, method, X, y)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert set(vars(model)) == attributes
    model.set_params(image_shape=None)
    np.testing.assert_array_equal(model.predict(globals()["X"]), before)


CHANGES = {
    "filters": ({"filters": (4, 6)}, "layer [0-9] is Convolution.*, and would be Convolution"),
    "more filters": ({"filters": (4, 4, 4)}, "layer"),
    "kernel_size": ({"kernel_size": 5}, "layer 1 is Convolution"),
    "hidden_layer_sizes": ({"hidden_layer_sizes": 9}, "is Dense.units=8., and would be Dense.units=9."),
    "activation": ({"activation": "tanh"}, r"is Activation\(\), and would be Activation\(activation='tanh'\)"),
    "pool": ({"pool": "mean"}, "and would be MeanPool"),
    "batch_norm": ({"batch_norm": False}, "layer 1 is Convolution"),
    "dropout": ({"dropout": 0.5}, r"is Flatten\(\), and would be Dropout|and would be Dropout"),
    "padding_mode": ({"padding_mode": "edge"}, "padding_mode='edge'"),
    "connectivity": ({"connectivity": "local"}, "and would be LocallyConnected"),
    "standardize": ({"standardize": "feature"}, "by standardize='channel', and would by standardize='feature'; set"),
    "no scaling": ({"standardize": None}, "by standardize='channel', and would by standardize=None; set"),
    "layers": ({"layers": [Flatten()]}, "and would be Flatten"),
    "name": ({"layers": "lenet5"}, "layer 1 is"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHANGES)
def test_parameters_that_describe_another_network(name, kind):
    changed, match = CHANGES[name]
    model = kind(**SMALL).fit(X, Y)
    match = f"go on with the fitted network, but the parameters now describe another one: .*{match}"
    assert_same_error(model.set_params(**changed), match)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_that_was_changed(kind):
    given = layers()
    model = kind(layers=given, max_iter=1, random_state=0).fit(X, Y)
    given[5].units = 7
    assert_same_error(model, r"layer 6 is Dense\(units=5\), and would be Dense\(units=7\)")
    given[5].units = 5
    for method in METHODS:
        go_on(model, method)
    model.set_params(layers=layers(2.0))  # another pattern, in a place that its repr leaves out
    assert_same_error(model, "layer 1 is Pad")


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_change(kind):
    for method in METHODS:
        model = kind(**SMALL).fit(X, Y)
        model.set_params(
            solver="sgd", learning_rate_init=1e-3, alpha=0.1, batch_size=20, augment="shift", freeze="dense1"
        )
        weight = model.weights_["convolution1.weight"].copy()
        assert (go_on(model, method).weights_["convolution1.weight"] != weight).any()


EQUAL = [
    ("constant", ConstantPadding()),
    (ConstantPadding([0.0]), "constant"),
    ("edge", "edge"),
    ("noise", NoisePadding()),
    ("donor", DonorPadding()),
]


@pytest.mark.parametrize(("first", "second"), EQUAL)
def test_a_mode_is_its_name(first, second):
    for method in METHODS:
        models = [ConvNetClassifier(**SMALL, padding_mode=first).fit(X, Y) for _ in range(2)]
        models[1].set_params(padding_mode=second)
        np.testing.assert_array_equal(*(go_on(model, method).weights_["convolution1.weight"] for model in models))
    for other in (ConstantPadding(1), NoisePadding("uniform"), NoisePadding(random_state=1), DonorPadding(7)):
        assert_same_error(models[0].set_params(padding_mode=other), "layer 1 is .*, and would be .*Padding")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 16), (1, 64, 1), "series", (4, 4, 4)])
def test_another_image_shape(kind, shape):
    """The model does not disagree with itself afterwards."""
    model = kind(**SMALL).fit(X, Y).set_params(image_shape=shape)
    assert_same_error(
        model, r"goes on with samples of shape \(8, 8, 1\), but image_shape is now .*; set it back, or call"
    )
    assert model.image_shape_ == model.network_.input_shape == (8, 8, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_other_samples(kind):
    model = kind(**SMALL).fit(X, Y)
    assert_same_error(model, "X has 63 features, but .* is expecting 64 features", X[:, :63])
    assert_same_error(
        model, r"X has samples of shape \(4, 16, 1\), but .* was fitted on \(8, 8, 1\)", X.reshape(-1, 4, 16)
    )
    for method in METHODS:
        go_on(model, method, X.reshape(-1, 8, 8))
        go_on(model, method, X)
    assert model.image_shape_ == (8, 8, 1)


def test_flat_rows_go_on_as_the_images_that_were_fitted():
    model = ConvNetClassifier(**{**SMALL, "filters": 4}, image_shape=None).fit(X.reshape(-1, 4, 16), Y)
    for method in METHODS:
        assert go_on(model, method).image_shape_ == (4, 16, 1)
    assert model.predict(X).shape == (120,)


def test_labels_of_another_kind():
    """Three labels a sample are no three classes, though both have three outputs."""
    bits = (Y[:, None] >> np.arange(3)) & 1
    several = ConvNetClassifier(**SMALL).fit(X, bits)
    assert_same_error(several, r"y must be an indicator matrix of 3 labels, 0 or 1, got shape \(120,\)", y=Y % 3)
    assert_same_error(
        several, r"y must be an indicator matrix of 3 labels, 0 or 1, got shape \(120, 2\)", y=bits[:, :2]
    )
    one = ConvNetClassifier(**SMALL).fit(X, Y % 3)
    assert_same_error(one, r"y should be a 1d array, or indicators 0 and 1, got an array of shape \(120, 3\)", y=bits)


def test_labels_that_are_not_known():
    model = ConvNetClassifier(**SMALL).fit(X, Y % 3)
    with pytest.raises(ValueError, match=r"y has labels \[3\] that are not in classes \[0, 1, 2\]"):
        go_on(model, "partial_fit", y=Y % 4)
    with pytest.raises(ValueError, match=r"needs the classes of the last fit, \[0, 1, 2\], got \[0, 1, 2, 3\]"):
        go_on(model, "fit", y=Y % 4)


def test_targets_of_another_number():
    model = ConvNetRegressor(**SMALL).fit(X, Y)
    assert_same_error(model, "y has 2 targets, but the model has 1", y=np.stack([Y, Y], axis=1))
    assert go_on(model, "fit", y=Y[:, None]).predict(X).shape == (120, 1)  # as y was
    assert go_on(model, "fit").predict(X).shape == (120,)


def test_counts_and_other_targets():
    assert_same_error(ConvNetRegressor(**SMALL).fit(X, Y).set_params(loss="poisson"), "loss='poisson' cannot go on")


def test_layers_frozen_later_stay():
    """Also where the optimiser had a momentum for them."""
    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, range(10)).partial_fit(X, Y)
    before = {name: array.copy() for name, array in model.weights_.items()}
    model.set_params(freeze=("dense1", "batchnorm1")).partial_fit(X, Y)
    for name, array in model.weights_.items():
        assert (array == before[name]).all() == name.startswith(("dense1.", "batchnorm1.", "input.")), name
