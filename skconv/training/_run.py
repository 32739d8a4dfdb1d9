"""The training loop, from its start or from a checkpoint: epochs, validation, early stopping, the best weights."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import inf, isfinite

import numpy as np

from .._input.overflow import check_finite_training
from .._threads.interrupt import Interrupt, current

__all__ = ["History", "Run"]


@dataclass
class History:
    """Losses and scores of a fit by epoch; a larger score is better."""

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    learning_rate_init: float = float("nan")
    best: int = -1  # index of the score of the weights that are kept; -1 before the first
    cool: int = 0  # index of the first score in the last quarter of a schedule that falls to zero
    margin: float = 0.0  # an earlier score must be higher by more than this, times ``-score`` for scores below -1

    def add(self, loss, network):
        """Append the loss of an epoch; raise where the loss or a number of the network is not finite."""
        check_finite_training(loss, network, len(self.loss) + 1, self.learning_rate_init)
        self.loss.append(loss)

    def add_score(self, loss, score) -> bool:
        """Append loss and score of an epoch on the validation data; return whether the score is the best so far."""
        self.validation_loss.append(loss)
        self.scores.append(score)
        last = len(self.scores) - 1
        better = self.best < 0 or self._is_better(last, self.best)
        if better:
            self.best = last
        return better

    def _is_better(self, new, old) -> bool:
        """Whether the score of index ``new`` is better than the earlier one of ``old``; if equal, by their losses."""
        new_marks, old_marks = self._marks(new), self._marks(old)
        if old < self.cool <= new:
            return not old_marks[0] > new_marks[0] + self.margin * max(1.0, -old_marks[0])
        return new_marks > old_marks

    def _marks(self, i):
        """``(score, -validation_loss)`` of index ``i``, with -inf for NaN and infinity."""
        marks = self.scores[i], -self.validation_loss[i]
        return tuple(mark if isfinite(mark) else -inf for mark in marks)

    def stalled(self, tol, patience) -> bool:
        """Whether none of the last ``patience`` epochs has improved by more than ``tol`` on those before.

        What has to improve is the score, or the validation loss where the score equals the best; without validation
        data the training loss.
        """
        marks = [self._marks(i) for i in range(len(self.scores))] or [(-loss, 0.0) for loss in self.loss]
        best, last = (-inf, -inf), 0
        for epoch, (score, tie) in enumerate(marks):
            if score > best[0] + tol or (score == best[0] and tie > best[1] + tol):
                last = epoch
            best = max(best, (score, tie))
        return len(marks) - 1 - last >= patience


class Run:
    """The training loop.

    Parameters
    ----------
    trainer : Trainer
    history : History
    rng : numpy.random.Generator
        Generator of the order of the samples.
    n_epochs : int
        Number of epochs without early stopping.
    schedule : callable
        ``schedule(done)`` returns the learning rate at a share ``done`` of the training, from 0 to 1.
    pieces : callable
        ``pieces(rng)`` returns the pieces of an epoch, for `Trainer.epoch`.
    total : int
        Number of rows of an epoch.
    validate : callable or None
        ``validate()`` returns loss and score of the network on the validation data.
    plateau : Plateau or None
        Lowers the learning rate where the monitored loss stalls.
    stop : tuple or None
        ``(tol, patience)`` of `History.stalled`; None never stops early.
    cools : bool
        Whether the schedule falls to zero.  Weights are best where the rate is low: after a lack of progress training
        goes on in the schedule's last quarter, and an earlier score must be higher by `History.margin` to be the best.
    """

    def __init__(
        self, trainer, history, rng, *, n_epochs, schedule, pieces, total, validate=None, plateau=None, stop=None,
        cools=False,
    ):  # fmt: skip
        self.trainer, self.history, self.rng = trainer, history, rng
        self.planned, self.schedule, self.pieces, self.total = n_epochs, schedule, pieces, total
        self.validate, self.plateau, self.stop, self.cools = validate, plateau, stop, cools
        self.best = None  # (parameters, state) with the best score so far
        self.epoch, self.skipped, self.rate = 0, 0, 0.0
        self.stopped = self.asked = self.interrupted = False  # ended by a lack of progress, by `watch`, by Ctrl-C
        self.interrupt = current()

    @property
    def n_epochs(self) -> int:
        """Number of epochs unless the training is stopped."""
        return self.planned - self.skipped

    @property
    def cool(self) -> int:
        """Number of the first epoch of the schedule's last quarter."""
        return 3 * self.planned // 4

    @property
    def over(self) -> bool:
        """Whether the training has ended."""
        return self.epoch >= self.n_epochs or self.stopped or self.asked

    def go(self, watch, checkpoint=None):
        """Train to the end; after each epoch call ``watch(run)``, which returns whether to stop, and the checkpoint.

        A first Ctrl-C ends the training after the current update; a second one raises at once.
        """
        self.interrupt.patience = 1
        if self.asked:  # the resumed fit was stopped by `watch`, which may now answer otherwise
            self.ask(watch)
        while not (self.over or self.interrupted):
            self._epoch()
            if not self.interrupted:
                self.ask(watch)
            if checkpoint is not None and not self.interrupted:
                checkpoint(self)
            self.interrupted = self.interrupted or self.interrupt.pending

    def ask(self, watch):
        """Set ``asked`` to whether ``watch(run)`` wants to stop."""
        with self.averaged():
            self.asked = bool(self._call(Interrupt(theirs=True), watch, self))

    def _call(self, interrupt, function, *arguments):
        """Return ``function(*arguments)``; Ctrl-C during the call raises at once and ends the training."""
        try:
            with interrupt:
                return function(*arguments)
        except KeyboardInterrupt:
            self.interrupted = True

    def _rate(self, done):
        factor = 1.0 if self.plateau is None else self.plateau.value
        self.rate = self.schedule((self.epoch + self.skipped + done) / self.planned) * factor
        return self.rate

    def _epoch(self):
        trainer, history = self.trainer, self.history
        loss = trainer.epoch(self.pieces(self.rng), self.total, self._rate, lambda: self.interrupt.pending)
        history.add(loss, trainer.network)
        self.epoch += 1
        self.interrupted = self.interrupt.pending
        if self.validate is not None and not self.interrupted:
            self._validate()
        if self.interrupted:
            return
        if self.plateau is not None:
            self.plateau.observe(history.validation_loss[-1] if history.validation_loss else loss)
            self.stopped = self.plateau.exhausted and not history.scores
        if self.stop is not None and history.stalled(*self.stop):
            self.stopped = not self.cools
            self.skipped = max(self.skipped, self.cool - self.epoch) if self.cools else 0

    def _validate(self):
        history, network = self.history, self.trainer.network
        if self.cools and self.epoch + self.skipped <= self.cool:
            history.cool = len(history.scores) + 1
        with self.averaged():
            scored = self._call(Interrupt(), self.validate)
            if scored is not None and history.add_score(*scored):
                if self.best is None:
                    self.best = np.empty_like(network.parameters), np.empty_like(network.state)
                self.best[0][:], self.best[1][:] = network.parameters, network.state

    @contextmanager
    def averaged(self):
        """Context in which the network has the running mean of its weights, if there is one."""
        network, average = self.trainer.network, self.trainer.average
        last = network.parameters.copy()
        if average is not None:
            network.parameters[:] = self.trainer.averaged()
        network.changed()
        try:
            yield
        finally:
            network.parameters[:] = last
            network.changed()

    def finish(self):
        """Give the network the best weights, else their running mean if there is one."""
        network, average = self.trainer.network, self.trainer.average
        if self.best is not None and self.validate is not None:
            network.parameters[:], network.state[:] = self.best
        elif average is not None:
            network.parameters[:] = self.trainer.averaged()
        network.changed()

    def state(self):
        """``(arrays, values)`` between two epochs, from which `set_state` goes on; values fit in JSON."""
        trainer = self.trainer
        network = trainer.network
        arrays = {"parameters": network.parameters, "state": network.state}
        if self.best is not None:
            arrays["best_parameters"], arrays["best_state"] = self.best
        for prefix, part in trainer.parts().items():
            arrays |= {f"{prefix}.{name}": np.asarray(value) for name, value in part.state().items()}
        values = {
            "epoch": self.epoch,
            "skipped": self.skipped,
            "rate": self.rate,
            "stopped": self.stopped,
            "asked": self.asked,
            "updates": trainer.updates,
            "seed": trainer.seed,
            "history": asdict(self.history),
            "rng": self.rng.bit_generator.state,
            "plateau": None if self.plateau is None else self.plateau.state(),
        }
        return arrays, values

    def set_state(self, arrays, values):
        """Go on from ``(arrays, values)`` of `state`."""
        trainer = self.trainer
        trainer.network.parameters[:], trainer.network.state[:] = arrays["parameters"], arrays["state"]
        if "best_parameters" in arrays:
            self.best = arrays["best_parameters"].copy(), arrays["best_state"].copy()
        for prefix, part in trainer.parts().items():
            given = _part(arrays, prefix)
            if given:  # empty where the part is new, such as an l1 penalty since the last call of `partial_fit`
                part.set_state(given)
        self.epoch, self.skipped, self.rate = values["epoch"], values["skipped"], values["rate"]
        self.stopped, self.asked, trainer.updates = values["stopped"], values["asked"], values["updates"]
        if "history" in values:
            self.history = History(**values["history"])
        self.rng.bit_generator.state = values["rng"]
        if self.plateau is not None:
            self.plateau.set_state(values["plateau"])


def _part(arrays, prefix):
    """Arrays whose names start with ``prefix``, by the rest of the name; those of no dimension as numbers."""
    part = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}
    return {name: array.item() if array.ndim == 0 else array for name, array in part.items()}
