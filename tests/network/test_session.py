"""A session holds the arrays of blocks and runs the steps on them."""

import numpy as np
import pytest
from networks import by_loops, initialized

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dense, Flatten, GlobalMeanPool, MaxPool


def test_loading_fills_the_rest_with_zeros():
    network = initialized([Convolution(2), Flatten(), Dense(3)], (2, 3, 2), np.float32)
    session = Session(network, 16, 2, training=False)
    full, few = np.random.default_rng(0).standard_normal((2, 16, 12))
    for k in (0, 1):
        session.load(k, full)
    session.load(1, few[:5])
    first, second = session.placed[0].frames[0].x, session.placed[0].frames[1].x
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first.reshape(12, 16), full.T.astype(np.float32))
    np.testing.assert_array_equal(second.reshape(12, 16)[:, :5], few[:5].T.astype(np.float32))
    np.testing.assert_array_equal(second[..., 5:], 0)
    session.load(1, few[:0])
    np.testing.assert_array_equal(second, 0)


@pytest.mark.parametrize("layers", [[Flatten()], [Convolution(2), GlobalMeanPool()]])
def test_output_of_blocks_without_a_head(layers):
    network = initialized(layers, (3, 3, 1))
    X = np.random.default_rng(0).standard_normal((32, 9))
    session = Session(network, 16, 2, training=False)
    out = session.forward(lambda k: session.load(k, X[16 * k : 16 * k + 16]))
    np.testing.assert_allclose(out.T, by_loops(layers, network, X), atol=1e-12)


def test_a_network_without_parameters_has_no_gradient():
    network = Network([MaxPool(), Flatten(), Activation("tanh")], (4, 4, 1), np.float64)
    X = np.random.default_rng(0).standard_normal((3, 16))
    with Team(1) as team:
        session = Session(network, 3, 1, training=True, team=team)
        out = session.forward(lambda k: session.load(k, X))
        assert session.backward().size == 0
    np.testing.assert_allclose(out.T, np.tanh(X.reshape(3, 2, 2, 2, 2).max(axis=(2, 4)).reshape(3, 4)), rtol=1e-14)
