"""Parameters of objects in lists: found, set, cloned and searched by name."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.augmentation import Crop, Rotation, Shift, TimeWarp, names_of
from skconv.layers import Activation, Convolution, Dense, Flatten, MaxPool, Parallel, Residual

RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 6, 6)), np.arange(24) % 2


def model(**params):
    layers = [Convolution(2, 3), Activation(), Convolution(3, 3), Flatten()]
    return ConvNetClassifier(layers=layers, max_iter=1, random_state=0, **params)


def test_the_names_are_those_of_the_weights():
    found = model().get_params()
    assert found["layers__convolution2__filters"] == 3
    assert found["layers__activation1__activation"] == "relu"
    assert isinstance(found["layers__flatten1"], Flatten)
    arrays = {name.partition(".")[0] for name in model().fit(X, Y).weights_} - {
        "dense1",
        "input",
    }  # the output layer, no layer
    assert arrays <= {name.split("__")[1] for name in found if name.startswith("layers__")}
    assert not any("__" in name for name in model().get_params(deep=False))


def test_names_of_augmentations():
    augment = [Rotation(5), "flip", Rotation(10), Shift(1), TimeWarp()]
    assert names_of(augment) == ["rotation1", "flip", "rotation2", "shift", "time_warp"]
    found = model(augment=augment).get_params()
    assert found["augment__rotation2__degrees"] == 10
    assert found["augment__shift__size"] == 1
    assert found["augment__flip"] == "flip"
    assert model(augment=Rotation(5)).get_params()["augment__degrees"] == 5


@pytest.mark.parametrize("as_list", [list, tuple])
def test_nobody_s_objects_are_changed(as_list):
    shared = Convolution(2, 3)
    layers, augment = as_list([shared, shared, Flatten()]), as_list([Rotation(5)])
    own = ConvNetClassifier(layers=layers, augment=augment)
    assert own.set_params(layers__convolution2__filters=7, augment__rotation__degrees=9) is own
    assert [layer.filters for layer in own.layers[:2]] == [2, 7]
    assert own.augment[0].degrees == 9
    assert type(own.layers) is as_list
    assert (shared.filters, augment[0].degrees, layers[1]) == (2, 5, shared)


def test_a_clone_has_its_own():
    own = model(augment=[Rotation(5)])
    other = clone(own).set_params(layers__convolution1__filters=5, augment__rotation__degrees=1)
    assert (own.layers[0].filters, own.augment[0].degrees) == (2, 5)
    assert "Convolution(filters=5" in repr(other)
    assert clone(other).get_params()["layers__convolution1__filters"] == 5


def test_an_object_is_replaced_before_its_parameters_are_set():
    own = model().set_params(layers__convolution1__kernel_size=5, layers__convolution1=Convolution(9, 1), alpha=0.1)
    assert (own.layers[0].filters, own.layers[0].kernel_size, own.alpha) == (9, 5, 0.1)
    own.set_params(layers__dense1__units=4, layers=[Flatten(), Dense(3)])
    assert own.layers[1].units == 4


def test_layers_within_layers():
    shortcut = [Convolution(4, 1)]
    layers = [
        Residual([Convolution(4, 3), Activation()], shortcut=shortcut),
        Parallel([[MaxPool(3, stride=1, padding=1)], [Convolution(2, 3), Convolution(3, 5)]]),
        Flatten(),
    ]
    own = ConvNetRegressor(layers=layers, max_iter=1, random_state=0)
    found = own.get_params()
    assert found["layers__residual1__convolution1__kernel_size"] == 3
    assert found["layers__parallel1__branch2__convolution2__filters"] == 3
    other = clone(own).set_params(
        layers__residual1__convolution1__filters=5,
        layers__residual1__shortcut__convolution1__filters=5,
        layers__parallel1__branch2__convolution2__filters=6,
    )
    weights = other.fit(X, Y).weights_
    assert weights["residual1.convolution1.weight"].shape[0] == 5
    assert weights["residual1.shortcut.convolution1.weight"].shape[0] == 5
    assert weights["parallel1.branch2.convolution2.weight"].shape[0] == 6
    assert (shortcut[0].filters, layers[1].branches[1][1].filters) == (4, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "layers__convolution3__filters",
            r"Invalid parameter 'layers__convolution3__filters' for estimator ConvNetClassifier\(.*\. Valid parameters "
            r"are: \['layers__convolution1', 'layers__activation1', 'layers__convolution2', 'layers__flatten1'\]\.",
        ),
        ("layers__convolution1__stripe", r"Invalid parameter 'stripe' for estimator Convolution\("),
        ("augment__flip__size", r"Invalid parameter 'augment__flip__size' .*\['augment__flip'\]"),
        ("max_iter__size", r"Invalid parameter 'max_iter__size' .*\['max_iter'\]"),
        ("striding", r"Invalid parameter 'striding' for estimator"),
    ],
)
def test_a_name_that_is_none(name, message):
    with pytest.raises(ValueError, match=message):
        model(augment=["flip"]).set_params(**{name: 1})


def test_layers_that_are_no_list_have_no_names():
    with pytest.raises(ValueError, match=re.escape("Valid parameters are: ['layers'].")):
        ConvNetClassifier().set_params(layers__convolution1__filters=3)
    assert not any("__" in name for name in ConvNetClassifier(layers="lenet5", augment="auto").get_params())
    assert "layers" in Residual(None).get_params()


def test_a_search_over_layers_and_augmentations():
    own = model(augment=[Crop(0.9), Rotation(5)])
    grid = {"layers__convolution1__filters": [1, 4], "augment__rotation__degrees": [5, 10]}
    search = GridSearchCV(own, grid, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.layers[0].filters == search.best_params_["layers__convolution1__filters"]
    assert search.best_estimator_.weights_["convolution1.weight"].shape[0] in (1, 4)
    assert own.layers[0].filters == 2
