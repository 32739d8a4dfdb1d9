"""Where a call of `partial_fit` leaves a training, for the next one to go on from."""

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
        What the optimiser's state depends on: with another key, nobody goes on from here.
    arrays, values : dict
        Of `Run.state`, without the history, which is in the estimator's attributes.
    """

    key: tuple
    arrays: dict
    values: dict

    @classmethod
    def of(cls, run, key):
        """The progress of a run; with arrays of its own."""
        arrays, values = run.state()
        del values["history"]
        return cls(key, {name: np.array(array) for name, array in arrays.items()}, values)

    def rng(self):
        """The random numbers that follow."""
        rng = np.random.default_rng(0)
        rng.bit_generator.state = self.values["rng"]
        return rng

    def resume(self, run):
        """Bring the run of the next chunk here, but for its random numbers."""
        run.set_state(self.arrays, {**self.values, "rng": run.rng.bit_generator.state})
        run.epoch, run.stopped, run.asked = 0, False, False


def best_weights(progress, network):
    """Copies of the parameters and the state that scored best before this chunk; the network's, if nobody kept any."""
    kept = {} if progress is None else progress.arrays
    best = kept.get("best_parameters", network.parameters), kept.get("best_state", network.state)
    return best[0].copy(), best[1].copy()
