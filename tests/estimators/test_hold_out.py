"""Which samples early stopping holds out."""

from math import ceil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skconv._estimators.hold_out import count_distinct, held_out_rows


def held_out(X, strata=None, weight=None, fraction=0.1, least=1, seed=0):
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, float)
    return held_out_rows(X, strata, weight, fraction, least, np.random.RandomState(seed))


def samples(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3))


@pytest.mark.parametrize("n", [2, 10, 11, 99, 1000])
@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
def test_as_many_as_the_fraction_says_rounded_up(n, fraction):
    rows = held_out(samples(n), fraction=fraction)
    assert len(rows) == ceil(n * fraction)
    assert (np.diff(rows) > 0).all()


def test_another_seed_holds_out_others():
    X = samples(100)
    assert set(held_out(X, seed=0)) != set(held_out(X, seed=1))


def test_every_sample_is_held_out_as_often():
    X = samples(20)
    counts = sum(np.bincount(held_out(X, fraction=0.25, seed=seed), minlength=20) for seed in range(400))
    assert counts.sum() == 400 * 5
    assert abs(counts - 100).max() < 40  # four standard deviations of a binomial are 35


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.floats(0.01, 0.6), st.integers(0, 5))
def test_each_class_gives_its_share_and_keeps_a_sample(sizes, fraction, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    rows = held_out(samples(len(strata)), strata, fraction=fraction, seed=seed)
    given_away = np.bincount(strata[rows], minlength=len(sizes))
    share = np.array(sizes) * ceil(len(strata) * fraction) / len(strata)
    assert (given_away <= np.maximum(np.array(sizes) - 1, 0)).all()
    assert (given_away <= np.ceil(share)).all()
    assert (given_away >= np.minimum(np.floor(share), np.array(sizes) - 1)).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=40), st.booleans(), st.integers(0, 5))
def test_a_weight_of_two_does_what_two_copies_do_in_any_order(weights, classes, seed):
    n, weight = len(weights), np.array(weights)
    X = samples(n)
    strata = np.arange(n) % 2 if classes else None
    if not weight.any():
        return
    once = held_out(X, strata, weight / weight.max(), 0.3, seed=seed)
    order = np.random.default_rng(seed).permutation(weight.sum())
    copies = np.repeat(np.arange(n), weight)[order]
    again = held_out(X[copies], None if strata is None else strata[copies], fraction=0.3, seed=seed)
    assert set(copies[again]) == set(once)
    assert (np.bincount(copies[again], minlength=n) == np.where(np.isin(np.arange(n), once), weight, 0)).all()


def test_negative_zero_is_zero():
    X = samples(10)
    X[0] = 0.0
    X[5] = -0.0
    for seed in range(20):
        assert np.isin([0, 5], held_out(X, fraction=0.3, seed=seed)).sum() in (0, 2)


def test_single_precision_holds_out_the_samples_that_double_does():
    X = samples(50).astype(np.float32)
    assert (held_out(X) == held_out(X.astype(float))).all()


def test_one_sample_is_never_held_out():
    assert len(held_out(samples(1))) == 0
    assert len(held_out(samples(5), weight=[0, 0, 1, 0, 0])) == 0


def test_a_sample_that_outweighs_what_is_to_be_held_out_is_trained_on():
    X = samples(21)
    for seed in range(20):
        assert 20 not in held_out(X, weight=[1.0] * 20 + [1000.0], seed=seed)
        assert 20 not in held_out(X[[*range(21), *[20] * 50]], seed=seed)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8),
    st.integers(1, 2),
    st.integers(0, 9),
)
def test_few_samples_of_any_weight_are_enough_where_every_class_can_keep_one(samples_, least, seed):
    weight, strata = np.array(samples_).T
    assume(weight.any())
    strata = strata if least == 1 else np.zeros(len(weight), int)
    sizes = np.bincount(strata[weight > 0], minlength=3)
    rows = held_out(samples(len(weight)), strata, weight, least=least, seed=seed)
    if (sizes - 1).clip(0).sum() >= least:
        assert len(rows) >= least
    assert weight[rows].all()
    assert (np.bincount(strata[rows], minlength=3) <= (sizes - 1).clip(0)).all()


def test_copies_count_once():
    X = samples(5)
    assert count_distinct(X[[0, 0, 1, 2, 2, 4]], np.array([1.0, 1, 1, 0, 1, 0])) == 3
