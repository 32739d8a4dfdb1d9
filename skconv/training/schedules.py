"""Learning-rate schedules: a factor of the learning rate by the share of the training that is done, from 0 to 1."""

from __future__ import annotations

from bisect import bisect_right
from functools import partial
from math import cos, inf, pi
from numbers import Real

from sklearn.base import BaseEstimator, clone

from .._input.constraints import at_least, between, check_arguments, fitting, shown
from .._input.keywords import Hinted
from .._input.versions import Versioned

__all__ = ["Constant", "Cosine", "OneCycle", "Plateau", "Schedule", "Step"]

_FACTOR = at_least(0, Real)
_SHARE = between(0, 1, closed="both")


def _are_rising(value) -> bool:
    """Whether ``value`` is a tuple or list of shares in rising order."""
    return isinstance(value, (tuple, list)) and all(map(_SHARE.is_satisfied_by, value)) and list(value) == sorted(value)


class Schedule(Hinted, Versioned, BaseEstimator):
    """Base class of schedules: a factor of the learning rate by the share of the training that is done.

    Any function of the share can be a schedule; a subclass also has parameters that can be searched.
    """

    _parameter_constraints: dict = {}
    _within_model = True

    def start(self):
        """Return a copy for one training; raise where a parameter does not fit."""
        check_arguments(self)
        return clone(self)

    def __call__(self, done: float) -> float:
        """The factor at a share ``done`` of the training, from 0 to 1."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __call__(done)")


class Constant(Schedule):
    """The factor is always 1."""

    def __call__(self, done: float) -> float:
        """The factor at a share ``done`` of the training."""
        return 1.0


class Cosine(Schedule):
    """The factor falls from 1 to 0 by half a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""

    def __call__(self, done: float) -> float:
        """The factor at a share ``done`` of the training."""
        return 0.5 * (1 + cos(pi * done))


class Step(Schedule):
    """The factor begins at 1 and falls at each milestone (He et al., arXiv 1512.03385).

    Parameters
    ----------
    milestones : tuple of float, default=(0.5, 0.75)
        Shares of the training at which the factor falls, in rising order.
    factor : float, default=0.1
        Number by which the factor is multiplied at each milestone, in (0, 1).

    Examples
    --------
    >>> from skconv.training import Step
    >>> schedule = Step(milestones=(0.3, 0.6, 0.9), factor=0.5)
    >>> [schedule(done) for done in (0.2, 0.5, 0.8, 1.0)]
    [1.0, 0.5, 0.25, 0.125]
    """

    _parameter_constraints: dict = {
        "milestones": [fitting(_are_rising, "a tuple of rising shares of the training, from 0 to 1")],
        "factor": [between(0, 1, closed="neither")],
    }

    def __init__(self, milestones=(0.5, 0.75), factor=0.1):
        self.milestones = milestones
        self.factor = factor

    def __call__(self, done: float) -> float:
        """The factor at a share ``done`` of the training."""
        # Of a tenth the powers of ten are exact: 0.1 times 0.1 is a little above 0.01.
        return 1.0 / (1.0 / self.factor) ** bisect_right(self.milestones, done)


class OneCycle(Schedule):
    """The factor rises from ``start_factor`` to 1 and falls to 0, by half cosines (Smith and Topin, arXiv 1708.07120).

    Parameters
    ----------
    warm_up : float, default=0.25
        Share of the training in which the factor rises, in [0, 1).
    start_factor : float, default=0.04
        Factor at the start of the training.

    Examples
    --------
    >>> from skconv.training import OneCycle
    >>> [round(OneCycle(warm_up=0.2)(done), 2) for done in (0, 0.1, 0.2, 0.6, 1)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """

    _parameter_constraints: dict = {"warm_up": [between(0, 1)], "start_factor": [between(0, 1, closed="both")]}

    def __init__(self, warm_up=0.25, start_factor=0.04):
        self.warm_up = warm_up
        self.start_factor = start_factor

    def __call__(self, done: float) -> float:
        """The factor at a share ``done`` of the training."""
        if done < self.warm_up:
            return self.start_factor + (1 - self.start_factor) * 0.5 * (1 - cos(pi * done / self.warm_up))
        return 0.5 * (1 + cos(pi * ((done - self.warm_up) / (1 - self.warm_up))))


_CONSTANT = Constant()


def warm_up(done: float, schedule=_CONSTANT, share: float = 0.05, start_factor: float = 0.01) -> float:
    """Factor of a linear rise from ``start_factor``, and of the schedule after it (Goyal et al., arXiv 1706.02677).

    Parameters
    ----------
    done : float
        Share of the training that is done.
    schedule : callable, default=Constant()
        Schedule after the rise, which ends at the schedule's first factor.
    share : float, default=0.05
        Share of the training for the rise, in [0, 1).
    start_factor : float, default=0.01
        Factor at the start, as a share of the schedule's first factor.

    Examples
    --------
    >>> from skconv.training.schedules import Cosine, warm_up
    >>> [round(warm_up(done, Cosine(), share=0.2, start_factor=0.1), 2) for done in (0, 0.1, 0.2, 0.6, 1)]
    [0.1, 0.55, 1.0, 0.5, 0.0]
    """
    if done < share:
        return (start_factor + (1 - start_factor) * done / share) * schedule(0.0)
    return schedule((done - share) / (1 - share))


def warmed(schedule, share: float = 0.05, start_factor: float = 0.01):
    """The schedule after a `warm_up` of ``share`` of the training; pickles if ``schedule`` does.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    check_arguments(warmed, locals())
    return partial(warm_up, schedule=schedule, share=share, start_factor=start_factor) if share else schedule


warmed._parameter_constraints = {  # type: ignore[attr-defined]
    "schedule": [callable],
    "share": [between(0, 1)],
    "start_factor": [between(0, 1, closed="both")],
}


class Plateau(Schedule):
    """A factor that falls where a loss stops falling, like scikit-learn's ``learning_rate="adaptive"``.

    After `start` a call returns the current factor, whatever the share of the training.

    Parameters
    ----------
    factor : float, default=0.2
        Multiplier of the factor where the loss has stalled, in (0, 1); scikit-learn's is 0.2 too.
    patience : int, default=5
        Number of epochs in a row without a loss below the lowest by more than ``tol`` after which the factor falls.
    tol : float, default=1e-4
        Least decrease of the lowest loss that counts.
    min_factor : float, default=1e-3
        Lowest factor.

    Attributes
    ----------
    value : float
        The current factor.

    Examples
    --------
    >>> from skconv.training import Plateau
    >>> plateau = Plateau(factor=0.1, patience=2, min_factor=0.01).start()
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

    value, best, waited = 1.0, inf, 0  # at the start of a training

    def __init__(self, factor=0.2, patience=5, tol=1e-4, min_factor=1e-3):
        self.factor = factor
        self.patience = patience
        self.tol = tol
        self.min_factor = min_factor

    def __call__(self, done: float) -> float:
        """The current factor."""
        return self.value

    def observe(self, loss) -> float:
        """Record the loss of an epoch; return the factor for the next epoch."""
        if loss < self.best - self.tol:
            self.best, self.waited = float(loss), 0
        else:
            self.waited += 1
        if self.waited >= self.patience and self.value > self.min_factor:
            lower = self.value * self.factor
            # In floating point 0.1 * 0.1 is a little above 0.01 and must still count as the lowest factor.
            self.value = lower if lower > self.min_factor * (1 + 1e-9) else self.min_factor
            self.waited = 0
        return self.value

    @property
    def exhausted(self) -> bool:
        """Whether the loss has stalled at the lowest factor."""
        return self.waited >= self.patience and self.value <= self.min_factor

    def state(self) -> dict:
        """Numbers of the state by name."""
        return {"value": self.value, "best": self.best, "waited": self.waited}

    def set_state(self, state):
        """Set the state to a result of `state`."""
        self.value, self.best, self.waited = float(state["value"]), float(state["best"]), int(state["waited"])


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "step": Step,
    "plateau": Plateau,
}


def falls(schedule) -> bool:
    """Whether the last factor is below half of the largest; raises where one is no finite number of at least 0."""
    factors = [schedule(i / 100) for i in range(101)]
    for i, factor in enumerate(factors):
        if not _FACTOR.is_satisfied_by(factor):
            raise ValueError(
                f"learning_rate must give {_FACTOR}, got {shown(factor)} where {i} % of the training are done, from "
                f"{shown(schedule)}"
            )
    return factors[-1] < 0.5 * max(factors)
