"""Features of MiniRocket against scipy."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

from skconv._features import minirocket
from skconv._features.minirocket import KERNELS, MiniRocket
from skconv._threads.team import Team


def fitted(X, n_features, seed=0):
    rng = np.random.default_rng(seed)
    model = MiniRocket(X.shape[1], X.shape[2], n_features, rng)
    model.fit_biases(X, rng)
    return model


def transform(model, X, threads=1):
    out = np.full((len(X), model.n_features), np.nan, X.dtype)
    with Team(threads) as team:
        model.transform(X, out, team)
    return out


def subset_of(model, j, taps):
    """Channels that a kernel sees at a dilation: those of the pair of taps it starts from."""
    for side, (pairs, subsets) in enumerate(zip(minirocket.SIDES, model.subsets[j], strict=True)):
        for (first, second, ranges), subset in zip(pairs, subsets, strict=True):
            for bounds in ranges:
                if any(sorted((first, second, third)) == list(taps) for third in range(*bounds)):
                    return side, subset
    raise AssertionError(taps)


def naive(model, X):
    """Proportions of values above the biases, kernel by kernel."""
    features, at = np.empty((len(X), model.n_features)), 0
    for j, dilation in enumerate(model.dilations.tolist()):
        for taps in KERNELS.tolist():
            side, subset = subset_of(model, j, taps)
            weight = np.zeros(8 * dilation + 1)
            weight[::dilation] = [2 if tap in taps else -1 for tap in range(9)]
            values = []
            for x in X[:, :, list(subset)].sum(axis=2).astype(float):
                border = 4 * dilation if model.padded[j, side] else 0
                values.append(correlate(np.pad(x, border), weight, "valid", method="direct"))
            for _ in range(model.n_biases[j]):
                features[:, at] = (np.array(values) > model.biases[at]).mean(axis=1)
                at += 1
    assert at == model.n_features
    return features


def test_the_kernels_are_all_triples_of_nine_taps():
    assert {tuple(taps) for taps in KERNELS.tolist()} == set(combinations(range(9), 3))
    assert len(KERNELS) == 84


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 400), st.integers(0, 9))
def test_equals_scipy(length, channels, n_features, seed):
    rng = np.random.default_rng(seed)
    train, X = rng.standard_normal((4, length, channels)), rng.standard_normal((3, length, channels))
    model = fitted(train, n_features, seed)
    np.testing.assert_allclose(transform(model, X), naive(model, X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 8, 9, 10, 255, 256, 700])
def test_lengths_around_every_limit(length):
    X = np.random.default_rng(0).standard_normal((3, length, 1))
    model = fitted(np.random.default_rng(1).standard_normal((5, length, 1)), 200)
    np.testing.assert_allclose(transform(model, X), naive(model, X), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("length", "n"), [(250, 10_000), (30, 500), (9, 84), (100, 1), (1, 300)])
def test_number_of_features(length, n):
    model = MiniRocket(length, 1, n, np.random.default_rng(0))
    assert model.n_features == max(84, n // 84 * 84)
    assert len(set(model.names())) == len(model.names()) == model.n_features
    assert model.dilations[0] == 1
    assert 8 * model.dilations[-1] <= max(8, length - 1)
    if length == 250:
        assert model.dilations[-1] == 31


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 7, 300])
def test_neither_neighbours_nor_threads_change_a_bit(dtype, n):
    X = np.random.default_rng(0).standard_normal((n, 120, 2)).astype(dtype)
    model = fitted(X, 1000)
    whole = transform(model, X)
    np.testing.assert_array_equal(transform(model, X, threads=2), whole)
    order = np.random.default_rng(1).permutation(n)
    np.testing.assert_array_equal(transform(model, X[order]), whole[order])
    np.testing.assert_array_equal(transform(model, X[n // 2 : n // 2 + 1]), whole[n // 2 : n // 2 + 1])
    assert whole.min() >= 0
    assert whole.max() <= 1


def test_biases_lie_among_the_values():
    X = np.random.default_rng(0).standard_normal((50, 200, 1))
    features = transform(fitted(X, 2000), X)
    assert abs(features.mean() - 0.5) < 0.02
    assert (features.std(axis=0) > 0).mean() > 0.99


def test_the_seed_decides():
    X = np.random.default_rng(0).standard_normal((6, 50, 3))
    one, same, other = fitted(X, 500, 1), fitted(X, 500, 1), fitted(X, 500, 2)
    np.testing.assert_array_equal(one.biases, same.biases)
    assert one.subsets == same.subsets != other.subsets
    assert (one.biases != other.biases).any()
