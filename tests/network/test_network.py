"""Networks: lowering, parameters, shapes, sessions and gradients through several layers."""

import pickle
import pickletools
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import by_loops, check_gradient, initialized, predicted, run

from skconv._network.network import Network, lower
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
from skconv.layers.activation import FUNCTIONS


def names(layers):
    return [(name, type(layer).__name__) for name, layer in lower(layers, (24, 24, 1))]


def kinds(layers):
    return [kind for _, kind in names(layers)]


@pytest.mark.parametrize("pool", [MaxPool(2), MaxPool(3, stride=1, padding=1)])
@pytest.mark.parametrize("activation", [name for name in FUNCTIONS if FUNCTIONS[name].increasing])
def test_bias_and_increasing_activations_move_behind_max_pooling(activation, pool):
    layers = [Convolution(3), Activation(activation), pool]
    assert kinds(layers) == ["Convolution", "MaxPool", "Bias", "Activation"]
    layers += [Flatten(), Dense(2)]
    X = np.random.default_rng(1).standard_normal((3, 24))
    network = initialized(layers, (4, 6, 1))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


def test_gelu_stays_before_max_pooling():
    layers = [Convolution(3), Activation("gelu"), MaxPool()]
    assert kinds(layers) == ["Convolution", "Bias", "Activation", "MaxPool"]
    layers += [Flatten(), Dense(2)]
    X = np.random.default_rng(1).standard_normal((3, 24))
    network = initialized(layers, (4, 6, 1))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


def test_only_bias_moves_behind_mean_pooling():
    assert kinds([Convolution(3), MeanPool()]) == ["Convolution", "MeanPool", "Bias"]
    assert kinds([Convolution(3), Activation(), MeanPool()]) == ["Convolution", "Bias", "Activation", "MeanPool"]
    layers = [Convolution(3), MeanPool(3, padding=1), Flatten(), Dense(2)]
    X = np.random.default_rng(1).standard_normal((3, 24))
    network = initialized(layers, (4, 6, 1))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", [BatchNorm(), Dropout(), Convolution(2, bias=False)])
def test_nothing_moves_past_other_layers(layer):
    assert kinds([Bias(), Activation(), layer, MaxPool()]) == ["Bias", "Activation", type(layer).__name__, "MaxPool"]


def test_two_poolings_keep_their_order():
    assert names([Convolution(3), Activation(), MaxPool(3), MaxPool(2)]) == [
        ("convolution1", "Convolution"),
        ("maxpool1", "MaxPool"),
        ("maxpool2", "MaxPool"),
        ("convolution1", "Bias"),
        ("activation1", "Activation"),
    ]


STRIDED = {
    "same": ([Convolution(2), StridePool(2)], (5, 6, 2), (2, 2)),
    "same, even kernel": ([Convolution(2, 4), StridePool(3)], (7, 8, 1), (3, 3)),
    "valid": ([Convolution(2, padding="valid"), StridePool((1, 2))], (5, 6, 2), (1, 2)),
    "padding": ([Convolution(2, (2, 3), padding=((0, 1), (2, 0))), StridePool((2, 3))], (5, 6, 2), (2, 3)),
    "stride on stride": ([Convolution(2, stride=(1, 2)), StridePool(2)], (7, 9, 2), (2, 4)),
    "one stride on stride": ([Convolution(2, 2, stride=2), StridePool(2)], (9, 9, 1), (4, 4)),
    "dilation": ([Convolution(2, dilation=2), StridePool(2)], (7, 6, 1), (2, 2)),
    "no bias": ([Convolution(2, bias=False), StridePool(2)], (5, 6, 1), (2, 2)),
    "activation": ([Convolution(2), Activation("gelu"), StridePool(2)], (5, 6, 1), (2, 2)),
    "twice": ([Convolution(2), StridePool(2), Activation("tanh"), StridePool(2)], (9, 10, 1), (4, 4)),
    "series": ([Convolution(2, 5), Activation(), StridePool(3)], (1, 11, 2), None),
    "series, stride on stride": ([Convolution(2, 3, stride=2), StridePool(2)], (1, 13, 2), None),
}


@pytest.mark.parametrize("case", STRIDED)
def test_stride_pooling_is_merged_into_the_convolution(case):
    layers, shape, stride = STRIDED[case]
    steps = lower(layers, shape)
    assert not any(isinstance(layer, StridePool) for _, layer in steps)
    if stride is not None:
        assert steps[0][1].stride == stride
    layers = [*layers, Flatten(), Dense(3)]
    network = initialized(layers, shape)
    X = np.random.default_rng(1).standard_normal((4, prod(shape)))
    for training in (False, True):
        actual = run(network, X, np.zeros((len(X), *network.shapes[-1])))[0] if training else predicted(network, X)
        np.testing.assert_allclose(actual, by_loops(layers, network, X), rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    size=st.tuples(st.integers(2, 8), st.integers(2, 8)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    step=st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
)
def test_merging_equals_sub_sampling_at_any_geometry(size, kernel, stride, dilation, step):
    layers = [Convolution(1, kernel, stride=stride, dilation=dilation), StridePool(step), Flatten(), Dense(2)]
    network = initialized(layers, (*size, 1))
    X = np.random.default_rng(1).standard_normal((2, prod(size)))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


def test_merging_on_a_series_that_becomes_an_image():
    """The stride of the convolution speaks of time alone, that of the pooling of both axes."""
    layers = [Convolution(2, (1, 3), stride=2, padding=(1, 1)), StridePool(2), Flatten(), Dense(3)]
    network = initialized(layers, (1, 9, 1))
    assert network.steps[-2].out == network.shapes[-2]
    X = np.random.default_rng(1).standard_normal((4, 9))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


def test_merging_on_an_image_that_becomes_a_series():
    """The stride of the convolution speaks of both axes, that of the pooling of time alone."""
    layers = [Convolution(2, 3, stride=2, padding=((0, 0), (1, 1))), StridePool(2), Flatten(), Dense(3)]
    network = initialized(layers, (3, 9, 1))
    X = np.random.default_rng(1).standard_normal((4, 27))
    np.testing.assert_allclose(predicted(network, X), by_loops(layers, network, X), rtol=0, atol=1e-12)


def test_stride_pooling_stays_behind_other_layers():
    assert kinds([BatchNorm(), Activation(), StridePool()]) == ["BatchNorm", "StridePool", "Activation"]
    assert kinds([Convolution(2), BatchNorm(), StridePool()]) == ["Convolution", "Bias", "BatchNorm", "StridePool"]


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
