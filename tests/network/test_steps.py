"""Steps of a network: what moves and what merges as layers lower to them."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import by_loops, initialized, predicted, run

from skconv._network.steps import lower
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    MeanPool,
    StridePool,
)
from skconv.layers.activation_functions import FUNCTIONS


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
