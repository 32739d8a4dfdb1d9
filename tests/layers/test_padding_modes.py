"""The objects that a padding_mode takes in place of a name."""

import pickle

import numpy as np
import pytest
from bordered import SHAPE, images, new_network, predict, train
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconv import ConvFeatures, ConvNetClassifier
from skconv.layers import (
    ConstantPadding,
    Convolution,
    DonorPadding,
    Flatten,
    LocallyConnected,
    NoisePadding,
    Pad,
    PaddingMode,
    PatternPadding,
    SeparableConvolution,
)
from skconv.layers.padding_modes import MODES, mode_of

MODE_OBJECTS = [ConstantPadding((0.5, -1)), PatternPadding([[1, 2]]), NoisePadding("uniform", scale=2), DonorPadding(3)]
X = np.random.default_rng(0).random((24, 6, 6, 2))
Y = np.arange(24) % 2
SMALL = {"hidden_layer_sizes": (), "max_iter": 2, "random_state": 0}


@pytest.mark.parametrize("mode", MODE_OBJECTS, ids=repr)
def test_modes_are_cloned_and_pickled(mode):
    for copy in (clone(mode), pickle.loads(pickle.dumps(mode))):
        assert repr(copy) == repr(mode)
        assert copy.get_params() == mode.get_params()


def test_a_name_is_the_mode_at_its_defaults():
    objects = {"constant": ConstantPadding(), "noise": NoisePadding(), "donor": DonorPadding()}
    assert {name: type(MODES[name]) for name in objects} == {name: type(mode) for name, mode in objects.items()}
    sample = images()
    for name, mode in objects.items():
        given = [train(new_network([Pad(2, padding)]), sample) for padding in (name, mode)]
        np.testing.assert_array_equal(*given)


def test_the_mode_of_a_parameter_is_held_against_the_images():
    assert mode_of("edge", SHAPE) is MODES["edge"]
    mode = ConstantPadding((1, 2))
    assert mode_of(mode, SHAPE) is mode
    with pytest.raises(ValueError, match=r"ConstantPadding: values has 2 numbers .* the images have 3 channels"):
        mode_of(mode, (4, 4, 3))


def test_fields():
    field = ConstantPadding((1, 2)).field((3, 4, 2), np.float32)
    assert field.dtype == np.float32
    np.testing.assert_array_equal(field, np.broadcast_to([1, 2], (3, 4, 2)))
    field = PatternPadding([[1, 2, 3]]).field((2, 4, 2), np.float64)
    np.testing.assert_array_equal(field, np.broadcast_to(np.array([1, 2, 3, 1])[None, :, None], (2, 4, 2)))


def test_moments_that_are_given():
    mean, scale = NoisePadding(mean=2).moments(3)
    assert mean.tolist() == [2]
    assert scale is None
    assert NoisePadding(scale=(1, 2, 3)).moments(3)[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_noise_of_given_moments(distribution):
    mode = NoisePadding(distribution, mean=(5, -2), scale=(0.1, 3))
    border = np.pad(np.zeros(SHAPE[:2], bool), 60, constant_values=True)
    for padded in (train(new_network([Pad(60, mode)]), images()), predict(new_network([Pad(60, mode)]), images())):
        noise = padded[:, border]
        np.testing.assert_allclose(noise.std(axis=1), np.broadcast_to([0.1, 3], (6, 2)), rtol=0.05)
        np.testing.assert_allclose(noise.mean(axis=1), np.broadcast_to([5, -2], (6, 2)), atol=0.15)
        assert (abs(noise - [5, -2]).max() > 3 * 3) == (distribution == "normal")


# Where they go


def test_a_network_has_a_mode_for_each_layer():
    modes = (ConstantPadding((0.5, 1)), "wrap")
    model = ConvNetClassifier((2, 3), padding_mode=modes, **SMALL).fit(X, Y)
    layers = [layer for layer in model.network_.layers if isinstance(layer, Convolution)]
    assert [repr(layer.padding_mode) for layer in layers] == ["ConstantPadding(values=(0.5, 1))", "'wrap'"]
    assert layers[0].padding_mode is not modes[0]


@pytest.mark.parametrize("mode", MODE_OBJECTS, ids=repr)
@pytest.mark.parametrize("kind", [Convolution, LocallyConnected, SeparableConvolution])
def test_a_convolution_s_mode_is_that_of_a_border_before_it(kind, mode):
    inside, before = [kind(2, padding_mode=mode), Flatten()], [Pad(1, mode), kind(2, padding="valid"), Flatten()]
    options = {"max_iter": 2, "random_state": 0, "batch_size": 8}
    one, other = (ConvNetClassifier(layers=layers, **options).fit(X, Y) for layers in (inside, before))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("mode", MODE_OBJECTS, ids=repr)
def test_features_within_a_border(mode):
    features = ConvFeatures("sobel", padding_mode=mode, pool=None).fit_transform(X)
    padded = predict(new_network([Pad(1, mode)], X.shape[1:]), X[:16])
    inside = ConvFeatures("sobel", padding="valid", pool=None).fit_transform(padded)
    np.testing.assert_allclose(features[:16], inside, atol=1e-12)


# Names of their parameters


def test_parameters_are_found_and_set():
    model = ConvNetClassifier(padding_mode=ConstantPadding(2), layers=[Convolution(2, padding_mode=NoisePadding())])
    found = model.get_params()
    assert found["padding_mode__values"] == 2
    assert found["layers__convolution1__padding_mode__scale"] is None
    first = model.layers[0]
    model.set_params(padding_mode__values=3, layers__convolution1__padding_mode__scale=0.5)
    assert model.padding_mode.values == 3
    assert model.layers[0].padding_mode.scale == 0.5
    assert first.padding_mode.scale is None  # an object in a list is never changed
    with pytest.raises(ValueError, match=r"Invalid parameter 'padding_mode__values' for .* \['padding_mode'\]"):
        ConvNetClassifier().set_params(padding_mode__values=1)


def test_modes_of_a_tuple_are_found_and_set():
    modes = (ConstantPadding(2), "wrap", NoisePadding(), ConstantPadding(3))
    model = ConvNetClassifier((2, 2, 2, 2), padding_mode=modes, **SMALL)
    names = {name.split("__")[1] for name in model.get_params() if name.startswith("padding_mode__")}
    assert names == {"constant_padding1", "wrap", "noise_padding", "constant_padding2"}
    assert model.get_params()["padding_mode__constant_padding2__values"] == 3
    model.set_params(padding_mode__constant_padding2__values=5, padding_mode__wrap="edge")
    assert [repr(mode) for mode in model.padding_mode] == [
        "ConstantPadding(values=2)", "'edge'", "NoisePadding()", "ConstantPadding(values=5)"
    ]  # fmt: skip
    assert modes[3].values == 3
    search = GridSearchCV(model, {"padding_mode__noise_padding__scale": [0.5, 2.0]}, cv=2, error_score="raise")
    best = search.fit(X, Y).best_estimator_
    assert best.padding_mode[2].scale == search.best_params_["padding_mode__noise_padding__scale"]
    with pytest.raises(ValueError, match=r"Invalid parameter 'padding_mode__values' for .*'padding_mode__edge'"):
        model.set_params(padding_mode__values=1)


def test_wrong_values_are_named():
    for model in (
        ConvNetClassifier(2, padding_mode=NoisePadding(scale=-1)),
        ConvNetClassifier(layers=[Convolution(2, padding_mode=NoisePadding(scale=-1)), Flatten()]),
    ):
        with pytest.raises(
            ValueError, match=r"^layers\[0\] \(Convolution\): NoisePadding: scale must be at least 0, got -1$"
        ):
            model.fit(X, Y)
    message = r"'padding_mode' parameter of ConvFeatures must be .* or a padding mode of skconv\.layers\. Got the class"
    with pytest.raises(ValueError, match=message):
        ConvFeatures("sobel", padding_mode=NoisePadding).fit(X)


def test_a_mode_of_one_s_own_is_checked_by_its_constraints():
    class Least(PaddingMode):
        _parameter_constraints = {"times": [int]}

        def __init__(self, times=1):
            self.times = times

    with pytest.raises(ValueError, match="Least: times must be an instance of 'int', got 'many'"):
        mode_of(Least("many"), SHAPE)
