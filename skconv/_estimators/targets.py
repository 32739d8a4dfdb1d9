"""Base class of the kinds of targets, `Labels`, `LabelSets` and `Numbers`.

All that depends on the kind of targets is a method: encoding, weights of samples, loss, score and predictions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from .._input.constraints import check_arguments, fitting, one_of, shown
from ..training.losses import Loss

__all__ = ["LOSSES", "Targets", "losses_of"]


LOSSES = [fitting(lambda value: isinstance(value, Loss), "a loss of skconv.training")]


@dataclass(frozen=True, eq=False, kw_only=True)
class Targets:
    """Base class of the kinds of targets, with the properties that a fit has learned.

    Parameters
    ----------
    loss : Loss, default=None
        Loss of the training.
    """

    loss: Any = None

    numeric: ClassVar[bool] = False
    calibrates = False  # whether `calibrated` needs validation data
    losses: ClassVar[dict[str, type]] = {}  # classes of losses, by names for the parameter ``loss`` of an estimator
    named: ClassVar[str]  # value of `Loss.targets` for such targets
    check: ClassVar[Callable]  # ``check(y, name)`` returns targets as an array, or raises

    def loss_of(self, given, **parameters):
        """A copy of a given `Loss`, or the loss of a name with these parameters; raises where the loss does not fit."""
        if isinstance(given, str):
            kind = self.losses[given]
            return kind(**{name: parameters[name] for name in kind._get_param_names() if name in parameters})
        check_arguments(given)
        if given.targets != self.named:
            raise ValueError(f"loss={shown(given)} is for {given.targets}, but y has {self.named}")
        return clone(given)

    def check_stored(self):
        """Raise where the parts do not fit together."""
        if self.loss.targets != self.named:
            raise ValueError(f"the loss {shown(self.loss)} is for {self.loss.targets}, but the model has {self.named}")

    @property
    def attributes(self) -> dict:
        """Attributes of the estimator, by name."""
        raise NotImplementedError

    @property
    def n_outputs(self) -> int:
        """Units of the last layer."""
        raise NotImplementedError

    def measured(self, y, weight):
        """A copy with statistics of the targets ``y`` that are trained on."""
        return self

    def encode(self, y, name="y"):
        """Targets as an array for `Loss.encode`; raises, with ``name``, where they are of another kind."""
        raise NotImplementedError

    def strata(self, y):
        """Stratum of each sample, integers (n,) from 0; held-out samples keep the shares of the strata."""
        return np.zeros(y.shape[0], np.intp)

    def weigh(self, weight, encoded, name="y"):
        """Weights of the samples times those of their classes, if any; messages call the targets ``name``."""
        return weight

    def fewest_scored(self, scoring) -> int:
        """Least number of samples that ``scoring`` needs."""
        return 1

    def score(self, outputs, encoded, weight) -> float:
        """Default score of the network's outputs (n, outputs) for encoded targets."""
        raise NotImplementedError

    def calibrated(self, outputs, validation):
        """A copy that is calibrated on validation data; ``outputs()`` returns the network's outputs."""
        return self

    def warn_of_missed(self, outputs, train):
        """Warn of targets that the network never predicts; ``outputs(rows)`` returns outputs of training samples."""

    def predictions(self, outputs):
        """Predictions from the network's outputs (n, outputs)."""
        raise NotImplementedError


def losses_of(kind):
    """Constraints of the parameter ``loss`` of an estimator with targets of class ``kind``."""
    return [one_of(*kind.losses), *LOSSES]
