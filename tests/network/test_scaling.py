"""Level and spread of training samples against NumPy, and what a network does with them."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from helpers import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._network.scaling import Scaling, measured
from skconv._threads.team import Team
from skconv.layers import Convolution, Dense, Flatten

RNG = np.random.default_rng(0)


def moments(X, weight=None):
    """Of samples in one array, a few at once."""
    flat = X.reshape(len(X), -1)
    weight = np.ones(len(X)) if weight is None else weight

    def blocks(n):
        n = min(n, 7)
        for start in range(0, len(X), n):
            yield flat[start : start + n], weight[start : start + n]

    return measured(blocks, X.shape[1:])


@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
    n=st.integers(1, 20),
    offset=st.sampled_from([0, -3, 1e6]),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_moments_are_numpys(shape, n, offset, seed):
    rng = np.random.default_rng(seed)
    X, weight = rng.standard_normal((n, *shape)) + offset, rng.integers(1, 4, n)
    repeated, found = np.repeat(X, weight, axis=0), moments(X, weight.astype(float))
    at_border = np.full(shape[:2], shape[:2] == (1, 1))
    if shape[0] > 1:
        at_border[[0, -1]] = True
    if shape[1] > 1:
        at_border[:, [0, -1]] = True
    level = repeated[:, at_border].mean(axis=(0, 1))
    about = np.sqrt(np.square(repeated - level).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(found.of_channels(), [level, about], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.of_features(), [repeated.mean(axis=0), repeated.std(axis=0)], rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(found.deviations(), repeated.std(axis=(0, 1, 2)), rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("value", [0.1, 1e9, -7])
def test_what_is_constant_has_no_spread(value):
    X = np.full((30, 4, 4, 2), value)
    X[..., 1] = RNG.random((30, 4, 4))
    found = moments(X)
    assert found.of_channels()[0][0] == value
    assert found.of_channels()[1][0] == found.deviations()[0] == 0
    assert (found.of_features()[1][..., 0] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["uint8", "int16", "int64", "float32", "float64", "bool"])
def test_scaling_is_the_formula(kind, dtype):
    X = RNG.integers(0, 2 if kind == "bool" else 100, (5, 12)).astype(kind)
    level, spread = np.array([3.0, 50.0]), np.array([0.5, 20.0])
    out = np.empty((5, 12), dtype)
    Scaling((level, spread), (2, 3, 2), dtype)(X, out)
    expected = (X.reshape(5, 6, 2).astype(float) - level) / spread
    np.testing.assert_allclose(out.reshape(5, 6, 2), expected, rtol=4 * np.finfo(dtype).eps)


def test_scaling_of_constants_and_of_features():
    level, spread = np.arange(6.0).reshape(1, 2, 3), np.array([[[1.0, 0, 2], [1e-60, 4, 5]]])
    out = np.empty((2, 6))
    Scaling((level, spread), (1, 2, 3), np.float64)(np.full((2, 6), 3.0), out)
    np.testing.assert_allclose(out, [[3, 2, 0.5, 0, -0.25, -0.4]] * 2)


def test_digits_of_samples_are_kept_until_the_level_is_off():
    """Single precision has no digit left beside an offset of 1e9; and rounding noise is no spread."""
    X, out = RNG.random((5, 4)) + 1e9, np.empty((5, 4), np.float32)
    Scaling((np.array([1e9]), np.array([0.5])), (2, 2, 1), np.float32)(X, out)
    np.testing.assert_allclose(out, (X - 1e9) / 0.5, rtol=1e-6)
    Scaling((np.array([1e9]), np.array([1e-8])), (2, 2, 1), np.float32)(X, out)
    np.testing.assert_allclose(out, X - 1e9, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_scaling_at_the_ends_of_single_precision(kind, dtype):
    """Distances from one end to the other, and spreads, that float32 does not hold; 1e-40 as float32 has few digits."""
    X, out = np.array([[-3.4, 0, 3.4]], kind) * np.array(1e38, kind), np.empty((1, 3), dtype)
    Scaling((np.array([-3.4e38]), np.array([6.8e38])), (1, 3, 1), dtype)(X, out)
    np.testing.assert_allclose(out, [[0, 0.5, 1]], rtol=1e-6, atol=1e-6)
    for unit in (2.0**-140, 1e-40, 1e-100)[: None if kind == "float64" else 1]:
        X = np.array([[1, 2, 4]], kind) * np.array(unit, kind)
        Scaling((np.array([unit]), np.array([2 * unit])), (1, 3, 1), dtype)(X, out)
        np.testing.assert_allclose(out, [[0, 0.5, 1.5]], rtol=1e-6)


def network(dtype=np.float32, scaled=True):
    made = Network([Convolution(2), Flatten(), Dense(3)], (4, 4, 2), dtype)
    made.initialize(np.random.default_rng(1))
    if scaled:
        made.scale_by((np.array([3.0, -50.0]), np.array([0.5, 20.0])))
    return made


@pytest.mark.parametrize("n", [1, 2, 40])
def test_networks_predict_scaled_samples(n):
    X = RNG.random((n, 32), dtype=np.float32)
    apart = (X.reshape(n, 16, 2) - np.array([3.0, -50.0])).astype(np.float32)
    by_hand = (apart / np.array([0.5, 20], np.float32)).reshape(n, 32)
    with Team(1) as team:
        expected = predict(network(scaled=False), by_hand, team)
        assert same_bits(predict(network(), X, team), expected)
        changed = predict(network(), X, team, change=lambda samples: network().images(samples).reshape(-1, 32))
        assert same_bits(changed, expected)


def test_copies_have_the_scaling():
    X, scaled = RNG.random((20, 32)), network()
    with Team(1) as team:
        expected = predict(scaled, X, team)
        for copied in (deepcopy(scaled), pickle.loads(pickle.dumps(scaled))):
            assert same_bits(predict(copied, X, team), expected)
        np.testing.assert_allclose(predict(scaled.cast(np.float64), X, team), expected, atol=1e-5)
        other = network()
        other.scale_by((np.zeros(2), np.ones(2)))
        assert not np.allclose(predict(other, X, team), expected)
        other.fill(scaled.named_arrays())
        assert same_bits(predict(other, X, team), expected)


def test_networks_have_level_and_spread_of_their_own():
    first, second = network(), network(scaled=False)
    second.scale_by(first.moments)
    second.fill({"input.level": np.ones(2)})
    np.testing.assert_array_equal(first.named_arrays()["input.level"], [3, -50])


def test_spread_of_scaled_samples():
    deviations = np.array([1.0, 10.0])
    np.testing.assert_array_equal(network().scaled_spread(deviations), [2, 0.5])
    np.testing.assert_array_equal(network(scaled=False).scaled_spread(deviations), deviations)
    each = network()
    spread = np.full((4, 4, 2), 7.0)
    spread[0, :, 0] = spread[..., 1] = 0  # one of four rows, and all
    each.scale_by((np.zeros((4, 4, 2)), spread))
    np.testing.assert_array_equal(each.scaled_spread(deviations), [np.sqrt(0.75), 0])
