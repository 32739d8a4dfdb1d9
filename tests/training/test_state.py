"""What is kept of a training between two updates."""

import numpy as np
import pytest

from skconv.training._state import Stateful
from skconv.training.optimizers import SGD, Adam, Muon, RMSProp

KINDS = {
    "adam": Adam().start,
    "nesterov": SGD().start,
    "momentum": SGD(nesterovs_momentum=False).start,
    "rmsprop": RMSProp().start,
    "muon": lambda n, dtype: Muon().start(n, dtype, [(3, (20, 30)), (700, (25, 9))]),
}


def move(optimizer, parameters, gradients):
    for gradient in gradients:
        optimizer.begin()
        optimizer.update(parameters, gradient.copy(), 0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_going_on_from_a_state_changes_no_bit(kind, dtype):
    rng = np.random.default_rng(0)
    whole, gradients = rng.standard_normal(1003).astype(dtype), rng.standard_normal((7, 1003)).astype(dtype)
    optimizer, other = KINDS[kind](1003, dtype), KINDS[kind](1003, dtype)
    move(optimizer, whole, gradients[:3])
    state = optimizer.state()
    resumed, kept = whole.copy(), {name: np.copy(value) for name, value in state.items()}
    move(other, resumed.copy(), gradients[5:])  # something to forget
    other.set_state(kept)
    move(optimizer, whole, gradients[3:])
    move(other, resumed, gradients[3:])
    np.testing.assert_array_equal(resumed, whole)
    for name, value in optimizer.state().items():
        np.testing.assert_array_equal(other.state()[name], value)
        assert type(other.state()[name]) is type(value)
        if np.ndim(value):
            assert value is state[name]  # not a copy
            assert not np.shares_memory(kept[name], other.state()[name])


def test_states_that_do_not_fit_change_nothing():
    adam = Adam().start(5, np.float32)
    adam.begin()
    with pytest.raises(
        ValueError, match=r"the state of Adam must have \['first', 'second', 'steps'\], got \['velocity'\]"
    ):
        adam.set_state(SGD().start(5, np.float32).state())
    with pytest.raises(
        ValueError, match=r"first in the state of Adam must have shape \(5,\) .*, got \(6,\) and float32"
    ):
        adam.set_state(Adam().start(6, np.float32).state())
    with pytest.raises(ValueError, match=r"must have shape .* and dtype float32, got .* and float64"):
        adam.set_state(Adam().start(5, np.float64).state())
    assert adam.steps == 1


class Counter(Stateful):
    kept = ("count", "sums")

    def __init__(self):
        self.count, self.sums, self.other = 3, np.arange(4.0), "kept apart"


def test_a_state_is_what_is_kept():
    counter, other = Counter(), Counter()
    state = counter.state()
    assert set(state) == {"count", "sums"}
    assert state["sums"] is counter.sums
    counter.count, counter.sums[0] = 5, 9
    own = other.sums
    other.set_state({"count": np.int64(5), "sums": counter.sums})
    assert other.sums is own  # views of it stay views
    np.testing.assert_array_equal(own, counter.sums)
    assert (other.count, type(other.count)) == (5, int)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"count": 1}, r"the state of Counter must have \['count', 'sums'\], got \['count'\]"),
        (
            {"count": 1, "sums": np.zeros(3)},
            r"sums in the state of Counter must have shape \(4,\) and dtype float64, got",
        ),
        ({"count": 1, "sums": np.zeros(4, np.float32)}, "and dtype float64, got .* and float32"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, message):
    counter = Counter()
    with pytest.raises(ValueError, match=message):
        counter.set_state(state)
    assert counter.count == 3
    np.testing.assert_array_equal(counter.sums, np.arange(4))
