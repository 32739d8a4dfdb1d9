"""What the targets of a network are, as a fit has learned them: the contract of `Labels`, `LabelSets` and `Numbers`.

An estimator says which kind it takes.  The fit asks it for all that depends on the targets: how they are encoded, what
each sample weighs, which loss compares them with the outputs, what the outputs are worth and what they predict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from .._input.constraints import check_arguments, fitting, one_of, shown
from ..training.losses import Loss

__all__ = ["Targets", "losses_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Targets:
    """Base of the kinds of targets.

    Parameters
    ----------
    loss : Loss, default=None
        One of `losses`.
    """

    loss: Any = None

    numeric: ClassVar[bool] = False
    calibrates = False  # whether predictions learn from validation data, which are needed then
    losses: ClassVar[dict[str, type]] = {}  # the classes of losses by the names that the estimator's ``loss`` has
    named: ClassVar[str]  # what losses call such targets
    check: ClassVar[Callable]  # ``check(y, name)``: targets as an array; raises where one is missing or of another kind

    def loss_of(self, given, **parameters):
        """The loss that is given, or that of a name with these parameters; raises where it does not fit."""
        if isinstance(given, str):
            kind = self.losses[given]
            return kind(**{name: parameters[name] for name in kind._get_param_names() if name in parameters})
        check_arguments(given)
        if given.targets != self.named:
            raise ValueError(f"loss={shown(given)} is for {given.targets}, but y has {self.named}")
        return clone(given)

    @property
    def attributes(self) -> dict:
        """What the estimator shows of them."""
        raise NotImplementedError

    @property
    def n_outputs(self) -> int:
        """Units of the last layer."""
        raise NotImplementedError

    def measured(self, y, weight):
        """The targets with what they learn from the samples that are trained on."""
        return self

    def encode(self, y, name="y"):
        """Targets, as the loss takes them; raises by their ``name`` where they are no such targets."""
        raise NotImplementedError

    def strata(self, y):
        """An integer from 0 up for each sample; held-out samples have the same shares of each."""
        return np.zeros(y.shape[0], np.intp)

    def weigh(self, weight, encoded, name="y"):
        """Weights of the samples after those of their classes, if any; ``name`` is what the classes are of."""
        return weight

    def fewest_scored(self, scoring) -> int:
        """Samples that a score needs."""
        return 1

    def score(self, outputs, encoded, weight) -> float:
        """Worth of the network's outputs where no other score is asked for."""
        raise NotImplementedError

    def calibrated(self, outputs, validation):
        """The targets with what predictions learn from validation data; ``outputs()`` are the network's."""
        return self

    def warn_of_missed(self, outputs, train):
        """Warn of what the fitted network never predicts; ``outputs(rows)`` are its outputs of training samples."""

    def predictions(self, outputs):
        """What the network's outputs predict."""
        raise NotImplementedError


def losses_of(kind):
    """What an estimator's ``loss`` may be, whose targets are of this kind."""
    return [one_of(*kind.losses), fitting(lambda value: isinstance(value, Loss), "a loss of skconv.training")]
