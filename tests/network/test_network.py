"""Networks: parameters, shapes, sessions and gradients through several layers."""

import pickle
import pickletools

import numpy as np
import pytest
from networks import by_loops, check_gradient, initialized, predicted

from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    MaxPool,
    MeanPool,
    Residual,
    StridePool,
)


def test_the_given_layers_are_not_changed():
    convolution = Convolution(2, stride=(1, 2))
    layers = [convolution, StridePool(2), Flatten(), Dense(3)]
    network = Network(layers, (6, 6, 1), np.float32)
    assert repr(network.layers) == repr(layers)
    assert not {*map(id, network.layers)} & {*map(id, layers)}
    assert convolution.stride == (1, 2)
    assert convolution.bias is True


# Through several layers: in-place layers in every order, poolings, borders wanted on both sides of an array.
STACKS = {
    "windows across": [Convolution(4, (1, 3)), Activation(), Convolution(3, (1, 4)), Bias(), Flatten(), Dense(3)],
    "1 x 1 with borders": [Convolution(4), Activation("tanh"), Convolution(3, 1, padding=(0, 1)), Flatten(), Dense(3)],
    "bias first": [Bias(), Activation("tanh"), Convolution(2), Flatten(), Dense(3)],
    "activation first": [Activation("tanh"), Dropout(0.2), Convolution(2), Flatten(), Dense(3)],
    "in place after in place": [
        Convolution(2),
        Activation("tanh"),
        Dropout(0.2),
        Bias(),
        Activation("elu"),
        Activation("gelu"),
        Bias(),
        Convolution(2, 2),
        Flatten(),
        Dense(3),
    ],
    "usual": [
        Convolution(8),
        MaxPool(),
        BatchNorm(),
        Activation(),
        Dropout(0.1),
        Convolution(9, (3, 2)),
        Activation("leaky_relu"),
        MaxPool(2),
        Flatten(),
        Dense(7),
        BatchNorm(),
        Activation("elu"),
        Dropout(0.3),
        Dense(3),
    ],
    "strides": [
        Convolution(3, stride=2),
        Activation("logistic"),
        Convolution(3, 2, stride=(1, 2), padding=((2, 3), (1, 4))),
        StridePool(2),
        Convolution(2, 2, dilation=2),
        GlobalMeanPool(),
        Activation("tanh"),
        Dense(3),
    ],
    "mean": [Convolution(3), MeanPool(3, stride=2, padding=1), BatchNorm(), MeanPool(2), GlobalMeanPool(), Dense(3)],
    "vector first": [Flatten(), Dense(5), Activation("gelu"), BatchNorm(), Dropout(0.4), Dense(3, bias=False)],
    "batch norm first": [BatchNorm(), MaxPool(), Bias(), StridePool(2), Flatten(), Dense(3)],
    "identity last": [Convolution(2), Flatten(), Dense(4), Bias(), Activation("tanh")],
}


@pytest.mark.parametrize("stack", STACKS)
def test_gradient_of_stacks_equals_finite_differences(stack):
    check_gradient(initialized(STACKS[stack], (8, 9, 2)))


@pytest.mark.parametrize("stack", [k for k, v in STACKS.items() if not any(isinstance(x, BatchNorm) for x in v)])
def test_prediction_equals_the_layers_in_their_order(stack):
    layers = STACKS[stack]
    network = initialized(layers, (8, 9, 2))
    X = np.random.default_rng(1).standard_normal((5, 144))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-11)


def test_parameter_names_and_shapes():
    layers = [Convolution(4, (3, 2)), Activation(), MaxPool(), Convolution(5, 1, bias=False), BatchNorm(), Flatten()]
    network = Network([*layers, Dense(6), Dense(3)], (4, 6, 2), np.float32)
    assert {name: view.shape for name, view in network.named_parameters().items()} == {
        "convolution1.weight": (4, 3, 2, 2),
        "convolution1.bias": (4,),
        "convolution2.weight": (5, 1, 1, 4),
        "batchnorm1.scale": (5,),
        "batchnorm1.shift": (5,),
        "dense1.weight": (6, 30),
        "dense1.bias": (6,),
        "dense2.weight": (3, 6),
        "dense2.bias": (3,),
    }
    assert network.shapes == [
        (4, 6, 2), (4, 6, 4), (4, 6, 4), (2, 3, 4), (2, 3, 5), (2, 3, 5), (30,), (6,), (3,)
    ]  # fmt: skip
    assert network.parameters.size == sum(view.size for view in network.named_parameters().values())
    assert network.state.size == 11
    assert network.multiply_adds == 24 * 4 * 12 + 6 * 5 * 4 + 6 * 30 + 3 * 6


def test_views_share_memory():
    network = Network([Convolution(2), Flatten(), Dense(3)], (3, 3, 1), np.float64)
    for number, view in enumerate(network.named_parameters().values()):
        view[...] = number
    np.testing.assert_array_equal(network.parameters, np.repeat([0, 1, 2, 3], [18, 2, 54, 3]))
    other = np.zeros(77)
    network.views(other)[0][0]["weight"][...] = 7
    np.testing.assert_array_equal(other, np.repeat([7, 0], [18, 59]))


def test_initialize_sets_everything():
    network = Network([Convolution(2), BatchNorm(), Flatten(), Dense(3)], (3, 3, 1), np.float64)
    network.parameters[:] = network.state[:] = np.nan
    network.initialize(np.random.default_rng(0))
    views = network.named_parameters()
    np.testing.assert_array_equal(views["convolution1.bias"], 0)
    np.testing.assert_array_equal(views["batchnorm1.scale"], 1)
    np.testing.assert_array_equal(views["batchnorm1.shift"], 0)
    np.testing.assert_array_equal(network.state, [0, 0, 1, 1, 0])  # mean, variance, batches
    assert (views["dense1.weight"] != 0).all()
    other = Network(network.layers, (3, 3, 1), np.float64)
    other.initialize(np.random.default_rng(0))
    np.testing.assert_array_equal(other.parameters, network.parameters)


def test_penalties_act_on_weights_alone():
    network = Network([Convolution(2), BatchNorm(), Bias(), Flatten(), Dense(3)], (3, 3, 1), np.float32)
    decayed = {}
    for step, views in zip(network.steps, network.views(network.decayed())[0], strict=True):
        decayed.update({f"{step.name}.{name}": set(view.ravel().tolist()) for name, view in views.items()})
    assert decayed == {name: {1.0 if name.endswith("weight") else 0.0} for name in network.named_parameters()}


def test_pickling_drops_sessions():
    network = initialized([Convolution(2), Flatten(), Dense(3)], (4, 4, 1), np.float32)
    X = np.random.default_rng(0).standard_normal((20, 16)).astype(np.float32)
    with Team(1) as team:
        expected = predict(network, X, team)
        assert network.pool.idle
        copy = pickle.loads(pickle.dumps(network))
        assert not copy.pool.idle
        np.testing.assert_array_equal(predict(copy, X, team), expected)
    assert not np.shares_memory(copy.parameters, network.parameters)
    np.testing.assert_array_equal(copy.parameters, network.parameters)


def test_pickling_names_layers_and_no_steps():
    """What steps they become is made anew, so that a pickle outlives the way that layers are computed."""
    layers = [Convolution(2, padding_mode="wrap"), MaxPool(), Residual([Convolution(2)]), Flatten(), Dense(3)]
    network, X = initialized(layers, (12, 12, 1), np.float32), np.ones((2, 144), np.float32)
    with Team(1) as team:
        expected = predict(network, X, team)
        data = pickle.dumps(network)
        names = {text for _, text, _ in pickletools.genops(data) if isinstance(text, str)}
        lowered = {type(step.operation).__name__ for step in network.steps}
        assert lowered == {"RepeatedBorder", "Convolution", "MaxPool", "Bias", "Fork", "Merge", "Flatten", "Dense"}
        assert lowered & names == {"Convolution", "MaxPool", "Flatten", "Dense"}
        assert not any(name in text for text in names for name in ("session", "pool.Pool", "_branching"))
        copy = pickle.loads(data)
        np.testing.assert_array_equal(predict(copy, X, team), expected)
    assert copy.named_arrays().keys() == network.named_arrays().keys()
    for name in ("shapes", "multiply_adds", "activation_bytes"):
        assert getattr(copy, name) == getattr(network, name)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Convolution(2), MaxPool(9)], r"^layers\[1\] \(MaxPool\): pool_size=9 does not fit"),
        ([Dense(2)], r"^layers\[0\] \(Dense\): takes a vector, got an image \(4, 4, 1\)"),
        ([Convolution(2)], r"^layers must end in a vector, got an image \(4, 4, 2\); put a Flatten"),
        ([], r"^layers must end in a vector, got an image \(4, 4, 1\); put a Flatten"),
    ],
)
def test_errors_name_the_layer(layers, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, (4, 4, 1), np.float32)


def test_an_estimator_with_a_network_prints_the_same_in_every_process():
    network = Network([Flatten(), Dense(3)], (4, 4, 1), np.float32)
    assert repr(network) == "<Network of 2 layers from (4, 4, 1) to (3,)>"
