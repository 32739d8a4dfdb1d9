"""Samples of a fit: which count, in which order they are visited, and how far they spread."""

import numpy as np

from skconv._estimators.samples import Samples

RNG = np.random.default_rng(0)


def samples(X, weight):
    numbers = np.arange(len(X))
    return Samples(X, -numbers, weight, numbers)


def test_samples_of_weight_zero_are_not_there():
    train = samples(np.array([[1.0], [2], [1], [3]]), np.array([1.0, 0.5, 2, 0]))
    np.testing.assert_array_equal(train.rows, [0, 1, 2])
    assert train.n_distinct == 2
    assert train.arrays == (train.X, train.encoded, train.weight)


def test_an_epoch_visits_each_sample_with_weight_once():
    X, weight = RNG.random((50, 3)), RNG.integers(0, 3, 50) / 2
    train, visits = samples(X, weight), []
    for shuffle in (True, False):
        [(part, encoded, part_weight, order)] = train.pieces(shuffle)(np.random.default_rng(0))
        np.testing.assert_array_equal(part[order], X[-encoded[order]])
        np.testing.assert_array_equal(part_weight[order], weight[-encoded[order]])
        visits.append(-encoded[order])
        np.testing.assert_array_equal(np.sort(visits[-1]), np.flatnonzero(weight))
    assert (np.diff(visits[0]) < 0).any()
    assert (np.diff(visits[1]) > 0).all()


def test_the_spread_is_of_samples_with_weight():
    X = np.r_[RNG.normal(0, 0.1, (50, 12)), RNG.normal(0, 3, (50, 12))]
    expected = X[:50].reshape(-1, 3).std(axis=0)
    np.testing.assert_allclose(
        samples(X, np.repeat([1.0, 0.0], 50)).moments((2, 2, 3)).deviations(), expected, rtol=1e-12
    )
    repeats = RNG.integers(0, 4, 100)
    expected = np.repeat(X, repeats, axis=0).reshape(-1, 3).std(axis=0)
    np.testing.assert_allclose(samples(X, repeats / 3).moments((2, 2, 3)).deviations(), expected, rtol=1e-12)
