"""Training steps: batches, gradients and updates of an epoch, and L-BFGS on all data."""

from __future__ import annotations

from functools import partial
from math import ceil, prod

import numpy as np

from .._input.memory import counted
from .._input.own import in_place, number_from
from .._network.session import Session
from .._network.widths import training_width
from ._lbfgs import minimize
from ._update import Update, rate_factors
from .regularizers import ClipNorm, L1Penalty, L2Penalty, MaxNorm, WeightAverage

__all__ = ["Trainer", "weight_matrices"]

_LBFGS_VECTORS = 37  # float64 vectors of L-BFGS: ten steps and gradients, scipy's scratch, arrays of the objective


def _unit_rows(network):
    """``(start in the flat vector, Parameter, view (units, weights))`` of each trained array with units."""
    for start, parameter, view in network.trained():
        if parameter.unit_axes:
            yield start, parameter, view.reshape(prod(parameter.shape[: parameter.unit_axes]), -1, copy=False)


def weight_matrices(network):
    """``(start in the flat vector, (rows, columns))`` of the kernels, for Muon; on dense layers Adam is better."""
    return [
        (start, rows.shape) for start, parameter, rows in _unit_rows(network) if parameter.matrix and rows.shape[1] > 9
    ]


def _own_bytes(*parts) -> int:
    """Bytes of all arrays that are attributes of these objects."""
    arrays = {id(a): a.nbytes for part in parts for a in vars(part).values() if isinstance(a, np.ndarray)}
    return sum(arrays.values())


class Trainer:
    """Training steps on batches of a data set.

    Parameters
    ----------
    network : Network
    loss : Loss
    optimizer : Optimizer or None
        An optimiser that is started; None for L-BFGS.
    team : Team
    batch_size : int
        Largest batch; the sizes of the batches of an epoch differ by at most one.
    alpha, l1_ratio : float
        Strength of the penalty on weights, beside the mean loss, and its l1 share; see `regularizers`.
    decoupled : bool
        Whether the penalty acts on the weights directly (AdamW) and not through the optimiser.
    rate_decay : float
        Factor of the learning rate from one layer with weights to the one before it; see `rate_factors`.
    clip, max_norm, ema_decay : float or None
        Largest norm of the gradient, of a unit's weights; decay of the weights' running mean.
    augmenter : Augmenter or None
        Augmentation of the samples of a step.
    seed : int
        Seed of the random streams of dropout and augmentation.
    beside : int
        Bytes that the caller will allocate, as for validation, counted in checks of memory.

    Attributes
    ----------
    chain : list of callables
        Functions ``(parameters, gradient, rate)`` that a step calls, in this order, once it has the gradient.
    """

    def __init__(
        self, network, loss, optimizer, team, *, batch_size, alpha=0.0, l1_ratio=0.0, decoupled=False,
        rate_decay=1.0, clip=None, max_norm=None, ema_decay=None, augmenter=None, seed=0, beside=0,
    ):  # fmt: skip
        self.network, self.loss, self.optimizer, self.team = network, loss, optimizer, team
        self.batch_size, self.augmenter, self.seed = batch_size, augmenter, seed
        mask, factors = network.decayed(), rate_factors(network, rate_decay)
        slowed = mask if factors is None else mask * factors  # for penalties that move the weights themselves
        l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
        lengths = None if decoupled or optimizer is None else partial(in_place, optimizer, "lengths")
        self.l1 = L1Penalty(l1, slowed, network.dtype, lengths) if l1 else None
        self.l2 = L2Penalty(l2, slowed if decoupled else mask, network.dtype) if l2 else None
        self.update = Update(optimizer, team, factors)
        self.average = None if ema_decay is None else WeightAverage(network.parameters, ema_decay)
        changes = (
            self.l2.shrink if self.l2 is not None and decoupled else self.l2,
            None if clip is None else ClipNorm(clip),
            self.update,
            self.l1,
            None if max_norm is None else MaxNorm([rows for _, _, rows in _unit_rows(network)], max_norm),
            self.average,
        )
        self.chain = [change for change in changes if change is not None]
        self.updates = 0
        self.batch_weight = 0.0  # sum of the weights of the last batch
        width = training_width(network, batch_size)
        blocks = ceil(batch_size / width)
        beside += self._bytes_beside(width * blocks)
        self.session = Session(network, width, blocks, training=True, team=team, seed=seed, beside=beside)
        self._targets = np.zeros((*network.shapes[-1], width * blocks), network.dtype)
        self._weight = np.zeros(width * blocks, network.dtype)
        self._staging = np.empty((0, 0))

    def _bytes_beside(self, columns) -> int:
        """Bytes of a training without its session: vectors of the parameters' size, and the data of a batch."""
        network = self.network
        vectors = 2  # the parameters, and a copy after an epoch
        if self.optimizer is None:
            vectors += _LBFGS_VECTORS * 8 // network.dtype.itemsize
        numbers = vectors * len(network.parameters) + columns * (network.shapes[-1][0] + 1 + prod(network.input_shape))
        own = (self, self.l2, self.update, *self.parts().values())
        return numbers * network.dtype.itemsize + _own_bytes(*(part for part in own if part is not None))

    def parts(self):
        """Objects of the training with a state of their own, by name."""
        parts = {"optimizer": self.optimizer, "average": self.average, "l1": self.l1}
        return {name: part for name, part in parts.items() if part is not None}

    def gradient(self, X, y, weight, rows, share=1.0, augmenter=None) -> float:
        """Mean loss of ``rows``, times ``share``; the gradient is written into the session's."""
        session, n, width = self.session, len(rows), self.session.width
        weight = weight[rows]
        total = self.batch_weight = float(np.add.reduce(weight))
        if total == 0:
            session.gradient.fill(0)
            return 0.0
        self._targets[:, n:] = 0
        in_place(self.loss, "encode", y[rows], self._targets[:, :n])
        self._weight[n:] = 0
        np.divide(weight, total, out=self._weight[:n])
        np.copyto(session.weight, self._weight)
        session.prepare()
        if self._staging.dtype != X.dtype or len(self._staging) == 0:
            self._staging = np.empty((len(self._weight), X.shape[1]), X.dtype)
        changes = None if augmenter is None else augmenter.draw(n, self._stream())

        def load(k):
            part = slice(k * width, min((k + 1) * width, n))
            samples = self._staging[part.start : max(part.start, part.stop)]
            np.take(X, rows[part], axis=0, out=samples, mode="clip")
            augmented = changes is not None and len(samples) > 0
            if augmented:
                samples = self._augmented(samples, augmenter, changes, part)
            session.load(k, samples, scaled=augmented)

        def loss(k):
            losses[k] = self._loss(slice(k * width, (k + 1) * width), share)

        losses = [0.0] * session.blocks
        session.forward_backward(load, loss)
        return sum(losses)

    def _loss(self, columns, share):
        """Loss of a block's columns, whose gradient is written; before the first update raises where it is not."""
        outputs, gradient = self.session.output[:, columns], self.session.output_gradient[:, columns]
        if self.updates == 0:
            gradient.fill(np.nan)
        weight = self._weight[columns] * share
        value = number_from(self.loss, "__call__", outputs, self._targets[:, columns], weight, gradient)
        if self.updates == 0 and np.isnan(gradient).any() and np.isfinite(outputs).all() and np.isfinite(value):
            raise TypeError(
                f"{type(self.loss).__name__}.__call__ must write into the array gradient, which is NaN before, got "
                f"{counted(int(np.isnan(gradient).sum()), 'number')} of {gradient.size} that are NaN"
            )
        return value

    def _stream(self):
        """Random generator of the next update, which depends on the seed and the number of updates alone."""
        return np.random.Generator(np.random.Philox(key=[self.seed, self.updates]))

    def _augmented(self, samples, augmenter, changes, part):
        """Scaled, augmented copies (n, features) of a block's samples; mixup changes their targets in place."""
        images = self.network.images(samples)
        augmenter.apply(images, changes, part)
        if augmenter.mixes:
            augmenter.mix(images, self._targets[:, part], changes, part)
        return images.reshape(len(images), -1)

    def step(self, X, y, weight, rows, rate) -> float:
        """Do one update; return the mean loss of the batch before the update."""
        loss = self.gradient(X, y, weight, rows, augmenter=self.augmenter)
        for change in self.chain:
            change(self.network.parameters, self.session.gradient, rate)
        self.updates += 1
        return loss

    def averaged(self):
        """The running mean of the parameters, with zeros where the l1 penalty has brought a parameter to zero."""
        values = self.average.values
        return values if self.l1 is None else np.where(self.network.parameters == 0, 0, values)

    def epoch(self, pieces, total, rate, interrupted=None) -> float:
        """One pass over the pieces of a data set, in batches of equal size.

        Parameters
        ----------
        pieces : iterable of (X, y, weight, rows)
            Arrays in memory and the rows to visit, in that order.
        total : int
            Number of rows of all pieces.
        rate : callable
            ``rate(done)`` returns the learning rate at a share ``done`` of the pass.
        interrupted : callable, default=None
            ``interrupted()`` is called after each update and returns whether to end the pass.

        Returns
        -------
        float
            Weighted mean of the losses.
        """
        loss, share, done = 0.0, 0.0, 0
        for X, y, weight, order in pieces:
            for rows in self._batches(order):
                loss += self.step(X, y, weight, rows, rate(done / total)) * self.batch_weight
                share += self.batch_weight
                done += len(rows)
                if interrupted is not None and interrupted():
                    return loss / share
        return loss / share

    def _batches(self, order):
        """Rows in batches whose sizes differ by at most one; raises where batch normalisation would have one number.

        A single number is its own mean, so the layer's output would be zero for any input, and the layers before it
        would learn nothing.
        """
        count = ceil(len(order) / self.batch_size)
        if len(order) // count == 1:
            for placed in self.session.placed:
                step = placed.step
                if placed.training and step.operation.least_samples(step.shape) > 1:
                    raise ValueError(
                        f"{step.name} normalises each channel over the batch and needs two samples in each, but "
                        f"{counted(len(order), 'sample')} in batches of batch_size={self.batch_size} would leave "
                        "one alone; use another batch_size or more samples, LayerNorm in its place, or batch_norm=False"
                    )
        return np.array_split(order, count)

    def minimize(self, X, y, weight, *, max_iter, tol, report):
        """L-BFGS by scipy on the loss of all rows, in fixed batches; calls ``report(loss)`` after each iteration.

        Batch normalisation takes the statistics of each batch; its running statistics are computed at the minimum.
        """
        order = np.flatnonzero(weight)
        batches = self._batches(order)
        shares = [float(weight[rows].sum()) for rows in batches]
        whole = sum(shares)
        parameters = self.network.parameters
        l1 = np.zeros(len(parameters)) if self.l1 is None else self.l1.alpha * self.l1.mask.astype(np.float64)

        def objective(vector):
            parameters[:] = vector
            gradient = np.zeros(len(vector))
            loss = 0.0
            for rows, share in zip(batches, shares, strict=True):
                loss += self.gradient(X, y, weight, rows, share / whole)
                gradient += self.session.gradient
            if self.l2 is not None:
                loss += self.l2.value(parameters)
                self.l2(parameters, gradient)
            return loss, gradient

        def accepted(vector, value):
            parameters[:] = vector
            report(value)

        result = minimize(objective, parameters, l1, max_iter=max_iter, tol=tol, report=accepted)
        parameters[:] = result.x
        for placed in self.session.placed:
            if "batches" in placed.state:
                placed.state["batches"].fill(0)
        for rows in batches:
            self.gradient(X, y, weight, rows)
        return result
