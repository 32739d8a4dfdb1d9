"""Sessions that predictions keep, until the numbers change."""

import threading

import numpy as np
from networks import initialized

from skconv._network.predict import predict
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Convolution, Dense, Flatten


def test_sessions_are_kept_until_the_parameters_change():
    network = initialized([Flatten(), Dense(3)], (4, 4, 1))
    sessions = [Session(network, 16, 1, training=False) for _ in range(3)]
    for session in sessions:
        network.pool.give(session)
    assert len(network.pool.idle[16]) == 2
    assert network.pool.take(16) in sessions
    assert network.pool.take(32) is None
    network.changed()
    assert network.pool.take(16) is None


def test_what_another_thread_gives_back_late_is_not_kept():
    """A prediction began, the numbers changed, the prediction ends: what it prepared is of the old ones."""
    network = initialized([Convolution(2), Flatten(), Dense(3)], (4, 4, 1))
    X = np.random.default_rng(1).standard_normal((20, 16))
    within, changed = threading.Event(), threading.Event()

    def wait(samples):
        within.set()
        assert changed.wait(60)
        return samples

    def old():
        with Team(1) as team:
            predict(network, X, team, change=wait)

    thread = threading.Thread(target=old)
    thread.start()
    assert within.wait(60)
    network.parameters *= 2
    network.changed()
    changed.set()
    thread.join(60)
    assert not network.pool.idle
    with Team(1) as team:
        outputs = predict(network, X, team)
    twin = initialized([Convolution(2), Flatten(), Dense(3)], (4, 4, 1))
    twin.parameters[:] = network.parameters
    with Team(1) as team:
        np.testing.assert_array_equal(outputs, predict(twin, X, team))
