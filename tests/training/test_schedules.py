"""Learning-rate schedules at points worked out by hand, and against PyTorch's."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv.training.schedules import SCHEDULES, Constant, Cosine, OneCycle, Plateau, Step, falls, warm_up, warmed

NAMES = sorted(set(SCHEDULES) - {"plateau"})

# Factors from the first step to the last, by PyTorch 2.13.
PYTORCH = {
    # OneCycleLR(total_steps=9, pct_start=1 / 3, div_factor=25, final_div_factor=1e15)
    "one_cycle": (
        OneCycle(),
        [0.04, 0.52, 1.0, 0.9330127018922194, 0.75, 0.5, 0.25, 0.06698729810778069, 0.0],
    ),
    # CosineAnnealingLR(T_max=8)
    "cosine": (
        Cosine(),
        [
            1.0, 0.9619397662556434, 0.8535533905932737, 0.6913417161825449, 0.5, 0.30865828381745514,
            0.14644660940672627, 0.03806023374435664, 0.0,
        ],
    ),
    # MultiStepLR(milestones=[4, 6])
    "step": (Step(), [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01]),
    # LinearLR(start_factor=0.1, total_iters=4), then CosineAnnealingLR(T_max=6)
    "warmed cosine": (
        warmed(Cosine(), share=0.4, start_factor=0.1),
        [0.1, 0.325, 0.55, 0.775, 1.0, 0.9330127018922194, 0.75, 0.5, 0.25, 0.06698729810778065, 0.0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PYTORCH)
def test_factors_equal_pytorchs(name):
    schedule, factors = PYTORCH[name]
    last = len(factors) - 1
    assert [schedule(i / last) for i in range(last + 1)] == pytest.approx(factors, abs=1e-12)


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (Constant(), {0: 1, 0.3: 1, 1: 1}),
        (Cosine(), {0: 1, 1 / 3: 0.75, 0.5: 0.5, 2 / 3: 0.25, 1: 0}),
        (Step(), {0: 1, 0.49: 1, 0.5: 0.1, 0.74: 0.1, 0.75: 0.01, 1: 0.01}),
        (OneCycle(), {0: 0.04, 0.125: 0.52, 0.25: 1, 0.5: 0.75, 0.625: 0.5, 0.75: 0.25, 1: 0}),
    ],
)
def test_points(schedule, points):
    for done, factor in points.items():
        assert schedule(done) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_factors_lie_between_zero_and_one(name):
    factors = [SCHEDULES[name]()(i / 1000) for i in range(1001)]
    assert min(factors) >= 0
    assert max(factors) == pytest.approx(1)


def test_one_cycle_rises_then_falls_without_a_jump():
    factors = [OneCycle()(i / 1000) for i in range(1001)]
    assert factors[:251] == sorted(factors[:251])
    assert factors[250:] == sorted(factors[250:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(factors)) < 0.01


def test_which_fall():
    assert [name for name in NAMES if falls(SCHEDULES[name]())] == ["cosine", "one_cycle", "step"]
    assert not falls(warmed(Constant(), share=0.5))
    assert falls(lambda done: 1 - done)


def test_steps_and_cycles_of_one_s_own():
    steps = Step(milestones=(0.2, 0.4, 0.4), factor=0.25)
    assert [steps(done) for done in (0, 0.19, 0.2, 0.4, 1)] == [1, 1, 1 / 4, 1 / 64, 1 / 64]
    cycle = OneCycle(warm_up=0.5, start_factor=0.2)
    assert [cycle(done) for done in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0.2, 0.6, 1, 0.5, 0], abs=1e-12)
    assert OneCycle(warm_up=0)(0) == 1


def test_names():
    kinds = {"constant": Constant, "cosine": Cosine, "one_cycle": OneCycle, "step": Step, "plateau": Plateau}
    assert kinds == SCHEDULES


# Warm-up


@pytest.mark.parametrize("name", NAMES)
def test_warm_up_leads_to_the_schedule_without_a_jump(name):
    schedule = SCHEDULES[name]()
    factors = [warmed(schedule, share=0.2, start_factor=0.1)(i / 1000) for i in range(1001)]
    assert factors[0] == pytest.approx(0.1 * schedule(0.0))
    assert factors[100] == pytest.approx(0.55 * schedule(0.0))
    assert factors[200] == pytest.approx(schedule(0.0))
    assert factors[680] == pytest.approx(schedule(0.6))
    assert factors[1000] == pytest.approx(schedule(1.0))
    assert max(abs(a - b) for a, b in pairwise(factors[:201])) < 0.01


def test_no_warm_up_is_the_schedule_itself():
    schedule = Cosine()
    assert warmed(schedule, share=0) is schedule


def test_warm_up_alone():
    assert [warm_up(done) for done in (0, 0.025, 0.05, 0.7)] == pytest.approx([0.01, 0.505, 1, 1])


def test_a_warmed_schedule_pickles():
    schedule = warmed(Cosine(), share=0.3)
    again = pickle.loads(pickle.dumps(schedule))
    assert [again(i / 10) for i in range(11)] == [schedule(i / 10) for i in range(11)]


@pytest.mark.parametrize("share", [-0.1, 1, 1.5])
def test_shares_that_leave_nothing(share):
    with pytest.raises(ValueError, match=rf"warmed: share must be a float in the range \[0.0, 1.0\), got {share}"):
        warmed(Cosine(), share)


# Plateau

LOSSES = [3.0, 2.5, 2.5, 2.4999, 2.6, 2.2, 2.25, 2.1995, 2.3, 2.1995, 2.19] + [2.5] * 9


def test_plateau_equals_pytorch():
    """ReduceLROnPlateau(factor=0.2, patience=2, threshold=1e-3, threshold_mode="abs", min_lr=0.01).

    PyTorch waits for one epoch more than its patience.
    """
    plateau = Plateau(factor=0.2, patience=3, tol=1e-3, min_factor=0.01).start()
    factors = [1.0] * 4 + [0.2] * 4 + [0.04] * 5 + [0.01] * 7
    assert [plateau.observe(loss) for loss in LOSSES] == pytest.approx(factors)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(losses=st.lists(st.integers(-3, 3), max_size=15), patience=st.integers(1, 4), tol=st.sampled_from([0, 1]))
def test_plateau_by_a_look_back(losses, patience, tol):
    plateau = Plateau(factor=0.5, patience=patience, tol=tol, min_factor=0.25).start()
    value, since, best = 1.0, 0, float("inf")
    for epoch, loss in enumerate(losses, start=1):
        if loss < best - tol:
            best, since = loss, epoch
        stalled = epoch - since >= patience
        if stalled and value > 0.25:
            value, since, stalled = value / 2, epoch, False
        assert plateau.observe(loss) == value == plateau(epoch / 15)
        assert plateau.exhausted == stalled


def test_plateau_is_exhausted_when_the_lowest_factor_does_not_help():
    plateau = Plateau(factor=0.1, patience=2, min_factor=0.01).start()
    assert [(plateau.observe(1.0), plateau.exhausted)[1] for _ in range(8)] == [False] * 6 + [True] * 2
    plateau.observe(0.5)
    assert not plateau.exhausted


def test_losses_that_are_no_numbers_are_no_better():
    plateau = Plateau(factor=0.5, patience=1).start()
    assert [plateau.observe(loss) for loss in (1.0, float("nan"), 0.5)] == [1.0, 0.5, 0.5]
    assert plateau.best == 0.5


@pytest.mark.parametrize("cut", range(len(LOSSES)))
def test_plateau_goes_on_from_a_state(cut):
    whole, first, second = (Plateau(factor=0.2, patience=3, min_factor=0.01).start() for _ in range(3))
    factors = [whole.observe(loss) for loss in LOSSES]
    for loss in LOSSES[:cut]:
        first.observe(loss)
    second.set_state(first.state())
    assert [second.observe(loss) for loss in LOSSES[cut:]] == factors[cut:]
    assert second.state() == whole.state()


def test_plateau_with_a_warm_up():
    plateau = Plateau(factor=0.5, patience=1).start()
    schedule = warmed(plateau, share=0.2, start_factor=0.1)
    assert [schedule(done) for done in (0, 0.1, 0.2, 0.5)] == pytest.approx([0.1, 0.55, 1, 1])
    for loss in (1.0, 1.0):
        plateau.observe(loss)
    assert schedule(0.6) == 0.5
