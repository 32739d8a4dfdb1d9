"""What a training leaves in the estimator: the history of its epochs, and its state between calls of `partial_fit`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._input.constraints import shown
from .._input.warnings import warn
from .._saving.classes import pickled
from ..training._run import History

__all__ = ["Progress", "best_weights", "history_of", "set_curves", "set_history"]


@pickled
@dataclass(frozen=True, eq=False)
class Progress:
    """The state of a run after a chunk.

    Parameters
    ----------
    key : tuple
        Parameters on which the optimiser's state depends; with another key the state is not used.
    arrays, values : dict
        Result of `Run.state`, without the history, which is in the estimator's attributes.
    """

    key: tuple
    arrays: dict
    values: dict

    @classmethod
    def of(cls, run, key):
        """The progress of a run, with copies of its arrays."""
        arrays, values = run.state()
        del values["history"]
        return cls(key, {name: np.array(array) for name, array in arrays.items()}, values)

    def rng(self):
        """Random generator in the state after the chunk."""
        rng = np.random.default_rng(0)
        rng.bit_generator.state = self.values["rng"]
        return rng

    def resume(self, run):
        """Set the run of the next chunk to this state, except for its random generator."""
        run.set_state(self.arrays, {**self.values, "rng": run.rng.bit_generator.state})
        run.epoch, run.stopped, run.asked = 0, False, False


def best_weights(progress, network):
    """Copies of parameters and state with the best score before this chunk; those of the network if none are kept."""
    kept = {} if progress is None else progress.arrays
    best = kept.get("best_parameters", network.parameters), kept.get("best_state", network.state)
    return best[0].copy(), best[1].copy()


def set_history(estimator, run):
    """Set the fitted attributes that tell of the epochs of a run."""
    history = run.history
    set_curves(estimator, history)
    estimator.interrupted_ = run.interrupted
    estimator.stopped_early_ = run.stopped or run.asked or run.skipped > 0
    if history.scores and not np.isfinite(history.scores).any():
        warn(
            f"scoring={shown(estimator.scoring)} gave NaN or infinity in every epoch, so the model has the weights of "
            "the lowest validation loss; choose a score that is defined on the validation data, such as 'loss'"
        )


def set_curves(estimator, history):
    """Set the fitted attributes that follow from a `History`."""
    estimator.n_iter_ = len(history.loss)
    estimator.loss_curve_ = history.loss
    estimator.loss_ = history.loss[-1]
    estimator.best_loss_ = min(history.loss)
    estimator.validation_loss_curve_ = history.validation_loss or None
    estimator.validation_scores_ = history.scores or None
    estimator.best_validation_score_ = history.scores[history.best] if history.scores else None
    estimator._best = history.best


def history_of(estimator, comparable):
    """`History` of the epochs so far, from the attributes; with scores if new scores are ``comparable``."""
    history = History(list(getattr(estimator, "loss_curve_", ())), learning_rate_init=estimator.learning_rate_init)
    if comparable and getattr(estimator, "validation_scores_", None):
        history.scores, history.best = list(estimator.validation_scores_), estimator._best
        history.validation_loss = list(estimator.validation_loss_curve_)
    return history
