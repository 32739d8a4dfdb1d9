"""Learning-rate schedules: a factor for each share of the training done, from 0 to 1."""

from __future__ import annotations

from functools import partial
from math import cos, inf, pi
from numbers import Real

from .._input.constraints import at_least, between, check_arguments

__all__ = ["Plateau", "constant", "cosine", "one_cycle", "step", "warm_up", "warmed"]


def constant(done: float) -> float:
    """Always 1."""
    return 1.0


def cosine(done: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, arXiv 1608.03983)."""
    return 0.5 * (1 + cos(pi * done))


def step(done: float) -> float:
    """1, then a tenth from half way, then a hundredth from three quarters (He et al., arXiv 1512.03385)."""
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


def one_cycle(done: float, warm_up: float = 0.25, start: float = 0.04) -> float:
    """Up by half a cosine from ``start`` to 1, then down to 0 (Smith and Topin, arXiv 1708.07120)."""
    if done < warm_up:
        return start + (1 - start) * 0.5 * (1 - cos(pi * done / warm_up))
    return cosine((done - warm_up) / (1 - warm_up))


SCHEDULES = {"constant": constant, "cosine": cosine, "one_cycle": one_cycle, "step": step}


def warm_up(done: float, schedule=constant, share: float = 0.05, start: float = 0.01) -> float:
    """Up in a straight line from ``start``, then the schedule over the rest (Goyal et al., arXiv 1706.02677).

    Parameters
    ----------
    done : float
        Share of the training done.
    schedule : callable, default=constant
        The line ends at its first factor.
    share : float, default=0.05
        Of the training, for the warm-up, in [0, 1).
    start : float, default=0.01
        Factor at the very start, times the schedule's first.

    Examples
    --------
    >>> from skconv.training.schedules import cosine, warm_up
    >>> [round(warm_up(done, cosine, share=0.2, start=0.1), 2) for done in (0, 0.1, 0.2, 0.6, 1)]
    [0.1, 0.55, 1.0, 0.5, 0.0]
    """
    if done < share:
        return (start + (1 - start) * done / share) * schedule(0.0)
    return schedule((done - share) / (1 - share))


def warmed(schedule, share: float = 0.05, start: float = 0.01):
    """A schedule with a `warm_up` of this share of the training before it; it pickles if the schedule does.

    Raises
    ------
    ValueError
        Where an argument does not fit.
    """
    check_arguments(warmed, locals())
    return partial(warm_up, schedule=schedule, share=share, start=start) if share else schedule


warmed._parameter_constraints = {  # type: ignore[attr-defined]
    "schedule": [callable],
    "share": [between(0, 1)],
    "start": [between(0, 1, closed="both")],
}


class Plateau:
    """A factor that falls where a loss stops falling, like scikit-learn's ``learning_rate="adaptive"``.

    It stands for a schedule: called with a share of the training, it returns the factor, whatever the share.

    Parameters
    ----------
    factor : float, default=0.2
        What the factor is multiplied by, in (0, 1); scikit-learn divides by 5 too.
    patience : int, default=5
        Epochs in a row without a loss lower than the lowest by more than ``tol`` before it falls.
    tol : float, default=1e-4
    min_factor : float, default=1e-3
        Lowest factor.

    Attributes
    ----------
    value : float
        The factor now.

    Examples
    --------
    >>> from skconv.training.schedules import Plateau
    >>> plateau = Plateau(factor=0.1, patience=2, min_factor=0.01)
    >>> [plateau.observe(loss) for loss in (3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0)]
    [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01]
    >>> plateau.exhausted
    False
    """

    _parameter_constraints: dict = {
        "factor": [between(0, 1, closed="neither")],
        "patience": [at_least(1)],
        "tol": [at_least(0, Real)],
        "min_factor": [between(0, 1, closed="both")],
    }

    def __init__(self, factor=0.2, patience=5, tol=1e-4, min_factor=1e-3):
        check_arguments(self, locals())
        self.factor, self.patience, self.tol, self.min_factor = factor, patience, tol, min_factor
        self.value, self.best, self.waited = 1.0, inf, 0

    def __call__(self, done: float) -> float:
        """The factor now."""
        return self.value

    def observe(self, loss) -> float:
        """Take an epoch's loss, lower is better; returns the factor for the next."""
        if loss < self.best - self.tol:
            self.best, self.waited = float(loss), 0
        else:
            self.waited += 1
        if self.waited >= self.patience and self.value > self.min_factor:
            lower = self.value * self.factor
            # 0.1 times 0.1 is a little above 0.01, which is then the lowest all the same.
            self.value = lower if lower > self.min_factor * (1 + 1e-9) else self.min_factor
            self.waited = 0
        return self.value

    @property
    def exhausted(self) -> bool:
        """Whether the loss has stalled at the lowest factor too: time to stop."""
        return self.waited >= self.patience and self.value <= self.min_factor

    def state(self) -> dict:
        """What is needed to go on: numbers by name."""
        return {"value": self.value, "best": self.best, "waited": self.waited}

    def set_state(self, state):
        """Go on from a `state`."""
        self.value, self.best, self.waited = float(state["value"]), float(state["best"]), int(state["waited"])
