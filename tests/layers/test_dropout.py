"""What dropout keeps, and by what it scales that."""

import numpy as np
import pytest
from networks import Offset, load, run

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Dense, Dropout, Flatten, SpatialDropout


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_dropout_scales_what_it_keeps(dropout):
    network = Network([Flatten(), Offset(), Dropout(dropout)], (1, 500, 1), np.float64)
    X = np.random.default_rng(0).uniform(1, 2, (40, 500))
    R = np.random.default_rng(1).standard_normal((40, 500))
    y, gradient = run(network, X, R)
    kept = y != 0
    np.testing.assert_allclose(y[kept], X[kept] / (1 - dropout), rtol=1e-13)
    assert abs(kept.mean() - (1 - dropout)) < 4 * (dropout * (1 - dropout) / kept.size) ** 0.5
    np.testing.assert_allclose(gradient, np.where(kept, R / (1 - dropout), 0).sum(axis=0), atol=1e-12)


def test_dropout_draws_anew_for_each_pass_block_and_layer():
    layers = [Offset(), Dropout(0.5), Offset(), Flatten(), Dense(100, bias=False)]
    network = Network(layers, (1, 100, 1), np.float64)
    network.named_parameters()["dense1.weight"][...] = np.eye(100)
    X = np.ones((32, 100))
    with Team(1) as team:
        session = Session(network, 16, 2, training=True, team=team)
        first, second = load(session, X), load(session, X)
        again = load(Session(network, 16, 2, training=True, team=team), X)
        other = load(Session(network, 16, 2, training=True, team=team, seed=1), X)
    np.testing.assert_array_equal(first, again)
    for changed in (second, other, np.roll(first, 16, axis=0)):
        assert 0.4 < (first != changed).mean() < 0.6


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_spatial_dropout_drops_whole_channels(dropout):
    network = Network([SpatialDropout(dropout), Flatten()], (4, 5, 50), np.float64)
    X = np.random.default_rng(0).uniform(1, 2, (40, 1000))
    with Team(1) as team:
        y = load(Session(network, 40, 1, training=True, team=team), X).reshape(40, 20, 50)
    kept = y != 0
    assert (kept == kept[:, :1]).all()
    np.testing.assert_allclose(y[kept], X.reshape(y.shape)[kept] / (1 - dropout), rtol=1e-13)
    share = kept[:, 0].mean()
    assert abs(share - (1 - dropout)) < 4 * (dropout * (1 - dropout) / kept[:, 0].size) ** 0.5
