"""Activations by name, and objects in place of names in networks, features and searches."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skconv import ConvFeatures, ConvNetClassifier
from skconv.layers import ELU, Activation, Clip, Flatten, LeakyReLU
from skconv.layers.activation_functions import ACTIVATION, FUNCTIONS, OBJECTS, name_of
from skconv.training._checkpoint import plain

X = np.random.default_rng(0).random((24, 6, 6, 2))
Y = np.arange(24) % 2
SMALL = {"hidden_layer_sizes": 3, "max_iter": 2, "random_state": 0}
EACH = [LeakyReLU(0.3), ELU(0.4), Clip(-1, 0.5), Clip(None, 2), Clip(0.1, None)]


def test_names_that_are_objects():
    assert {name: name_of(each) for name, each in OBJECTS.items()} == {name: name for name in OBJECTS}
    assert name_of(Clip(0.0, np.float32(6))) == "relu6"
    assert [name_of(each) for each in EACH] == [None] * len(EACH)
    assert OBJECTS.keys() < FUNCTIONS.keys()
    assert [plain(LeakyReLU()), plain(ELU(1))] == [plain("leaky_relu"), plain("elu")]
    assert plain(LeakyReLU(0.1)) not in (plain(LeakyReLU(0.2)), plain("leaky_relu"))
    assert all(ACTIVATION[1].is_satisfied_by(each) for each in EACH)


# Where they go


@pytest.mark.parametrize("name", OBJECTS)
def test_a_network_with_an_object_is_that_with_the_name(name):
    one, other = (
        ConvNetClassifier((2, 3), activation=each, **SMALL).fit(X, Y).predict_proba(X) for each in (name, OBJECTS[name])
    )
    np.testing.assert_array_equal(one, other)


def test_a_network_has_a_function_for_each_layer():
    functions = (LeakyReLU(0.3), "tanh", Clip(-1, 1))
    model = ConvNetClassifier((2, 3), activation=functions, **SMALL).fit(X, Y)
    layers = [layer for layer in model.network_.layers if isinstance(layer, Activation)]
    assert [repr(layer.activation) for layer in layers] == [repr(each) for each in functions]
    assert layers[0].activation is not functions[0]


def test_features_behind_an_object():
    features = ConvFeatures("sobel", activation=Clip(-0.5, 0.5), pool=None).fit_transform(X)
    plain_ones = ConvFeatures("sobel", activation="identity", pool=None).fit_transform(X)
    np.testing.assert_array_equal(features, plain_ones.clip(-0.5, 0.5))


def test_going_on_with_another_function():
    model = ConvNetClassifier(2, activation=ELU(0.5), warm_start=True, **SMALL).fit(X, Y)
    model.set_params(activation=ELU(0.5)).fit(X, Y)
    with pytest.raises(ValueError, match=r"is Activation\(activation=ELU\(alpha=0.5\)\), and would be"):
        model.set_params(activation__alpha=0.7).fit(X, Y)


# Names of their parameters


def test_parameters_are_found_and_set():
    model = ConvNetClassifier(activation=LeakyReLU(0.2), layers=[Activation(ELU(2)), Flatten()])
    found = model.get_params()
    assert found["activation__slope"] == 0.2
    assert found["layers__activation1__activation__alpha"] == 2
    model.set_params(activation__slope=0.3, layers__activation1__activation__alpha=3)
    assert model.activation.slope == 0.3
    assert model.layers[0].activation.alpha == 3


def test_parameters_in_a_tuple_are_found_and_set():
    model = ConvNetClassifier((2, 2, 2), activation=(LeakyReLU(0.2), "relu", ELU(0.5)), **SMALL)
    found = model.get_params()
    assert found["activation__leaky_relu__slope"] == 0.2
    assert found["activation__relu"] == "relu"
    first = model.activation[0]
    model.set_params(activation__leaky_relu__slope=0.4, activation__relu=Clip(0, 1))
    assert repr(model.activation) == "(LeakyReLU(slope=0.4), Clip(highest=1, lowest=0), ELU(alpha=0.5))"
    assert first.slope == 0.2


def test_parameters_are_searched():
    model = ConvNetClassifier(2, activation=LeakyReLU(), **SMALL)
    search = GridSearchCV(model, {"activation__slope": [0.0, 0.9]}, cv=2).fit(X, Y)
    assert {params["activation__slope"] for params in search.cv_results_["params"]} == {0.0, 0.9}
