"""Learning-rate schedules at points worked out by hand."""

from itertools import pairwise

import pytest

from skconv.schedules import SCHEDULES, constant, cosine, one_cycle, step


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (constant, {0: 1, 0.3: 1, 1: 1}),
        (cosine, {0: 1, 1 / 3: 0.75, 0.5: 0.5, 2 / 3: 0.25, 1: 0}),
        (step, {0: 1, 0.49: 1, 0.5: 0.1, 0.74: 0.1, 0.75: 0.01, 1: 0.01}),
        (one_cycle, {0: 0.04, 0.125: 0.52, 0.25: 1, 0.5: 0.75, 0.625: 0.5, 0.75: 0.25, 1: 0}),
    ],
)
def test_points(schedule, points):
    for done, factor in points.items():
        assert schedule(done) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_factors_lie_between_zero_and_one(name):
    factors = [SCHEDULES[name](i / 1000) for i in range(1001)]
    assert min(factors) >= 0
    assert max(factors) == pytest.approx(1)


def test_one_cycle_rises_then_falls_without_a_jump():
    factors = [one_cycle(i / 1000) for i in range(1001)]
    assert factors[:251] == sorted(factors[:251])
    assert factors[250:] == sorted(factors[250:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(factors)) < 0.01


def test_names():
    assert {"constant": constant, "cosine": cosine, "one_cycle": one_cycle, "step": step} == SCHEDULES
