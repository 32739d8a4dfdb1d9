"""Predictions block by block."""

import numpy as np
from networks import by_loops, initialized

from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.layers import Convolution, Dense, Flatten


def test_changed_parameters_are_prepared_anew():
    network = initialized([Convolution(8), Flatten(), Dense(3)], (6, 6, 8))
    X = np.random.default_rng(0).standard_normal((3, 288))
    with Team(1) as team:
        predict(network, X, team)
        network.parameters *= 2
        network.changed()
        actual = predict(network, X, team)
    np.testing.assert_allclose(actual, by_loops(network.layers, network, X), atol=1e-10)
