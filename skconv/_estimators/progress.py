"""State of a training between two calls of `partial_fit`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Progress", "best_weights"]


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
