"""Training a network: batches, epochs, stopping, and L-BFGS on the whole data."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

import numpy as np
from scipy.optimize import minimize

from ._session import Session, training_width
from ._validation import check_finite_loss, check_finite_parameters

__all__ = ["History", "Trainer", "run_epochs"]

_PARTS = 4  # slices of the optimiser's vectors; fixed, so that no bit depends on the threads
_PART_SIZE = 1 << 16


@dataclass
class History:
    """What a fit tells about itself."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    learning_rate_init: float = float("nan")

    def add(self, loss, parameters):
        """An epoch's loss; raises where it, or a parameter after it, is no longer finite."""
        epoch = len(self.loss) + 1
        check_finite_loss(loss, epoch, self.learning_rate_init)
        check_finite_parameters(parameters, epoch, self.learning_rate_init)
        self.loss.append(loss)

    def stalled(self, tol, patience) -> bool:
        """Whether the last ``patience`` epochs brought less than ``tol``: of validation score, else of loss."""
        if self.validation:
            values, better = self.validation, 1
        else:
            values, better = self.loss, -1
        if len(values) <= patience:
            return False
        signed = [better * value for value in values]
        best = signed[0]
        last = 0
        for epoch, value in enumerate(signed):
            if value > best + tol:
                last = epoch
            best = max(best, value)
        return len(values) - 1 - last >= patience


class Trainer:
    """Steps of an optimiser on batches of a data set.

    Parameters
    ----------
    network : Network
    loss : SoftmaxCrossEntropy
    optimizer : Adam or SGD, or None for L-BFGS
    team : Team
    batch_size : int
        Largest batch; batches of an epoch have equal sizes, give or take one.
    alpha : float
        L2 penalty on weights, ``alpha / 2 * sum(w ** 2)``, per sample of mean loss.
    decoupled : bool
        Whether the penalty shrinks the weights directly (AdamW) and not by the gradient.
    seed : int
        Of dropout's random streams.
    """

    def __init__(self, network, loss, optimizer, team, *, batch_size, alpha=0.0, decoupled=False, seed=0):
        self.network, self.loss, self.optimizer, self.team = network, loss, optimizer, team
        self.batch_size, self.alpha, self.decoupled = batch_size, float(alpha), decoupled
        width = training_width(network, batch_size)
        blocks = ceil(batch_size / width)
        self.session = Session(network, width, blocks, training=True, team=team, seed=seed)
        self.decay = network.decayed() if alpha else None
        self._work = np.empty_like(network.parameters)
        columns = width * blocks
        self._targets, self._weight = np.zeros(columns, np.intp), np.zeros(columns, network.dtype)
        self._staging = np.empty((0, 0))

    def gradient(self, X, y, weight, rows, share=1.0) -> float:
        """Loss of some rows, times ``share``; the gradient goes to the session's."""
        session, n, width = self.session, len(rows), self.session.width
        total = float(weight[rows].sum())
        if total == 0:
            session.gradient.fill(0)
            return 0.0
        self._targets[:n], self._targets[n:] = y[rows], 0
        self._weight[n:] = 0
        np.divide(weight[rows], total, out=self._weight[:n])
        np.copyto(session.weight, self._weight)
        session.prepare()
        if self._staging.dtype != X.dtype or len(self._staging) == 0:
            self._staging = np.empty((len(self._targets), X.shape[1]), X.dtype)

        def load(k):
            part = rows[k * width : (k + 1) * width]
            samples = self._staging[k * width : k * width + len(part)]
            session.load(k, np.take(X, part, axis=0, out=samples, mode="clip"))

        def loss(k):
            columns = slice(k * width, (k + 1) * width)
            losses[k] = self.loss(
                session.output[:, columns],
                self._targets[columns],
                self._weight[columns] * share,
                session.output_gradient[:, columns],
            )

        losses = [0.0] * session.blocks
        session.forward_backward(load, loss)
        return sum(losses)

    def penalty(self, gradient) -> float:
        """Value of the L2 penalty; its gradient is added."""
        if self.decay is None:
            return 0.0
        np.multiply(self.network.parameters, self.decay, out=self._work)
        value = 0.5 * self.alpha * float(np.dot(self._work, self._work))
        np.multiply(self._work, self.alpha, out=self._work)
        np.add(gradient, self._work, out=gradient)
        return value

    def step(self, X, y, weight, rows, rate) -> float:
        """One update; returns the mean loss of the batch before it."""
        loss = self.gradient(X, y, weight, rows)
        parameters, gradient, optimizer = self.network.parameters, self.session.gradient, self.optimizer
        if self.decay is not None and self.decoupled:
            np.multiply(self.decay, -rate * self.alpha, out=self._work)
            np.multiply(self._work, parameters, out=self._work)
            np.add(parameters, self._work, out=parameters)
        else:
            self.penalty(gradient)
        optimizer.start()
        if len(parameters) < _PARTS * _PART_SIZE:
            optimizer.update(parameters, gradient, rate)
        else:
            size = ceil(len(parameters) / _PARTS)
            self.team.run(
                lambda i: optimizer.update(parameters, gradient, rate, slice(i * size, (i + 1) * size)), _PARTS
            )
        return loss

    def epoch(self, X, y, weight, order, rate) -> float:
        """One pass over the rows in ``order``; ``rate(i, n)`` is the learning rate of batch i of n."""
        n_batches = ceil(len(order) / self.batch_size)
        total = 0.0
        for i, rows in enumerate(np.array_split(order, n_batches)):
            total += self.step(X, y, weight, rows, rate(i, n_batches)) * float(weight[rows].sum())
        return total / float(weight.sum())

    def minimize(self, X, y, weight, *, max_iter, tol, report):
        """L-BFGS by scipy on the loss of all rows, in fixed batches; ``report(loss)`` after each iteration.

        Batch normalisation takes the statistics of each of the fixed batches; at the end its running statistics are
        measured anew at the minimum.
        """
        n_batches = ceil(len(X) / self.batch_size)
        batches = np.array_split(np.arange(len(X)), n_batches)
        shares = [float(weight[rows].sum()) for rows in batches]
        whole = sum(shares)
        parameters = self.network.parameters
        last = [0.0]

        def objective(vector):
            parameters[:] = vector
            gradient = np.zeros(len(vector))
            loss = 0.0
            for rows, share in zip(batches, shares, strict=True):
                loss += self.gradient(X, y, weight, rows, share / whole)
                gradient += self.session.gradient
            last[0] = loss + self.penalty(gradient)
            return last[0], gradient

        result = minimize(
            objective,
            parameters.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=lambda _: report(last[0]),
            options={"maxiter": max_iter, "maxfun": 15 * max_iter, "gtol": tol},
        )
        parameters[:] = result.x
        for state in self.session.state:
            if "batches" in state:
                state["batches"].fill(0)
        for rows in batches:
            self.gradient(X, y, weight, rows)
        return result


def run_epochs(trainer, X, y, weight, history, *, n_epochs, rate, rng, shuffle, score, stop, report):
    """Train for up to ``n_epochs``; with a score, the network ends with the parameters that scored best.

    Parameters
    ----------
    trainer : Trainer
    X, y, weight : ndarray
        Samples, targets and weights; those of weight zero are left out.
    history : History
        Where losses and scores go.
    rate : callable
        Learning rate by the share of the training that is done.
    rng : numpy.random.Generator
        Of the order of the samples, if ``shuffle``.
    score : callable or None
        Validation score of the network.
    stop : tuple or None
        ``(tol, patience)`` of `History.stalled`; None never stops early.
    report : callable
        Called with the history after each epoch.
    """
    network, order, best = trainer.network, np.flatnonzero(weight), None
    for epoch in range(n_epochs):
        if shuffle:
            order = rng.permutation(order)
        loss = trainer.epoch(X, y, weight, order, lambda i, n, epoch=epoch: rate((epoch + i / n) / n_epochs))
        history.add(loss, network.parameters)
        if score is not None:
            network.changed()
            history.validation.append(score(network))
            if best is None or history.validation[-1] > max(history.validation[:-1]):
                best = network.parameters.copy(), network.state.copy()
        report(history)
        if stop is not None and history.stalled(*stop):
            break
    if best is not None:
        network.parameters[:], network.state[:] = best
    network.changed()
