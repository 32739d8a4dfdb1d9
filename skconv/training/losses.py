"""Losses on the outputs of a network: value and gradient for a batch of samples as columns.

A loss encodes the targets as columns ``(outputs, n)``, so that mixup can mix the targets of two samples.
"""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import FACTORS, at_least, between
from .._input.keywords import Hinted
from .._input.versions import Versioned
from .._kernels.sums import dot
from ._probabilities import exp_of, label_log_probabilities, log_logistic, log_odds, log_softmax, unfocused, unsmoothed

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Focal",
    "Huber",
    "Loss",
    "Poisson",
    "SoftmaxCrossEntropy",
    "SquaredError",
]

_SMOOTHING = between(0, 1)
_GAMMA = FACTORS


class Loss(Hinted, Versioned, BaseEstimator):
    """Base class of losses: the value for a block of samples as columns, and its gradient by the outputs.

    A loss of your own is a subclass with ``targets`` and ``__call__``.

    Attributes
    ----------
    targets : {"classes", "label sets", "numbers"}
        Kind of targets: probabilities of classes, of which one is true; probabilities of labels, independent of each
        other; numbers.
    counts : bool
        Whether targets are counts and outputs the logarithms of their expectations.
    """

    _parameter_constraints: dict = {}
    _within_model = True
    targets = "numbers"
    counts = False

    def encode(self, y, out) -> None:
        """Fill ``out`` (outputs, n) from the targets ``y``, of shape (n,) or (n, outputs)."""
        np.copyto(out, y.reshape(len(y), -1).T)

    def logits(self, outputs):
        """Logits (n, outputs) of the probabilities for which ``outputs`` (n, outputs) minimise the expected loss.

        The softmax of the logits is the probability of a class, or their logistic that of each label.
        """
        return outputs

    def __call__(self, outputs, targets, weight, gradient=None) -> float:
        """Weighted sum of the losses.

        Parameters
        ----------
        outputs, targets : ndarray of shape (outputs, n)
        weight : ndarray of shape (n,)
            Weight of each column; a column of weight zero adds nothing for any finite outputs.
        gradient : ndarray of shape (outputs, n), default=None
            Array that the gradient of the returned value by the outputs is written into.

        Returns
        -------
        float
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs a method __call__(outputs, targets, weight, gradient=None)"
        )


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of softmax probabilities against probabilities ``t``: ``log(sum(exp(z))) - sum(t z)``.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target spread evenly over the classes, in [0, 1) (Szegedy et al., arXiv 1512.00567).
    """

    _parameter_constraints: dict = {"label_smoothing": [_SMOOTHING]}
    targets = "classes"

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def encode(self, y, out):
        """Fill ``out`` (classes, n) with probabilities, from the indices of the classes (n,)."""
        others = out.dtype.type(self.label_smoothing / len(out))
        out.fill(others)
        out[y, np.arange(len(y))] = others + out.dtype.type(1 - self.label_smoothing)

    def logits(self, outputs):
        """Logits of the probabilities without label smoothing; the outputs themselves if there was none."""
        return unsmoothed(log_softmax(outputs), self.label_smoothing) if self.label_smoothing else outputs

    def __call__(self, outputs, targets, weight, gradient=None):
        shifted = outputs - np.maximum.reduce(outputs)
        exponentials = np.exp(shifted)
        total = np.add.reduce(exponentials)
        losses = np.log(total) - np.add.reduce(np.multiply(targets, shifted, out=shifted))
        if gradient is not None:
            np.divide(exponentials, total, out=gradient)
            gradient -= targets
            gradient *= weight
        return dot(losses, weight)


class Focal(SoftmaxCrossEntropy):
    """Focal loss ``-sum(t (1 - p)^gamma log(p))`` of softmax probabilities ``p`` (Lin et al., arXiv 1708.02002).

    Samples with a high probability of their class count less, the more so the larger ``gamma`` is; 0 gives the
    cross-entropy.

    Parameters
    ----------
    gamma : float, default=2.0
        Exponent of ``1 - p``, from 0 to 1e30.
    label_smoothing : float, default=0.0
        Share of the target spread evenly over the classes, in [0, 1).
    """

    _parameter_constraints: dict = {"gamma": [_GAMMA], "label_smoothing": [_SMOOTHING]}

    def __init__(self, gamma=2.0, label_smoothing=0.0):
        super().__init__(label_smoothing)
        self.gamma = gamma

    def logits(self, outputs):
        """Logarithms of the probabilities, which are further from equal than the softmax of the outputs."""
        return unsmoothed(unfocused(log_softmax(outputs), self.gamma), self.label_smoothing)

    def __call__(self, outputs, targets, weight, gradient=None):
        shifted = outputs - outputs.max(axis=0)
        p = np.exp(shifted)
        total = p.sum(axis=0)
        log_p = np.subtract(shifted, np.log(total), out=shifted)
        p /= total
        value, slope = _focal(p, 1 - p, log_p, self.gamma)
        if gradient is not None:
            slope *= targets  # derivative of the loss by log(p)
            np.subtract(slope, p * slope.sum(axis=0), out=gradient)
            gradient *= weight
        value *= targets
        return dot(value.sum(axis=0), weight)


def _focal(p, q, log_p, gamma):
    """``-q^gamma log(p)`` with ``q = 1 - p``, and its derivative by ``log(p)``."""
    q = np.maximum(q, np.finfo(q.dtype).tiny)
    factor = q**gamma
    value = -factor * log_p
    return value, -factor - gamma * p * value / q


class BinaryCrossEntropy(Loss):
    """Mean over the outputs of the cross-entropy of logistic probabilities, for several labels per sample.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share s of each target that is moved to one half, ``t (1 - s) + s / 2``, in [0, 1).
    """

    _parameter_constraints: dict = {"label_smoothing": [_SMOOTHING]}
    targets = "label sets"

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def encode(self, y, out):
        super().encode(y, out)
        out *= 1 - self.label_smoothing
        out += self.label_smoothing / 2

    def logits(self, outputs):
        """Logits of the labels' probabilities without label smoothing."""
        return (
            log_odds(unsmoothed(label_log_probabilities(outputs), self.label_smoothing))
            if self.label_smoothing
            else outputs
        )

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        tail = np.log1p(np.exp(-np.abs(outputs)))  # added last: the whole loss where a sure prediction is right
        losses = np.maximum(outputs, 0) - targets * outputs + tail
        if gradient is not None:
            np.exp(np.minimum(outputs, 0) - tail, out=gradient)
            gradient -= targets
            gradient *= share
        return dot(losses.sum(axis=0), share)


class BinaryFocal(BinaryCrossEntropy):
    """Mean over the outputs of the focal loss of logistic probabilities.

    Parameters
    ----------
    gamma : float, default=2.0
        Exponent of one minus the probability of the true value, from 0 to 1e30.
    label_smoothing : float, default=0.0
        Share s of each target that is moved to one half, ``t (1 - s) + s / 2``, in [0, 1).
    """

    _parameter_constraints: dict = {"gamma": [_GAMMA], "label_smoothing": [_SMOOTHING]}

    def __init__(self, gamma=2.0, label_smoothing=0.0):
        super().__init__(label_smoothing)
        self.gamma = gamma

    def logits(self, outputs):
        """Logits of the labels' probabilities, which are further from one half than the logistic of the outputs."""
        return log_odds(unsmoothed(unfocused(label_log_probabilities(outputs), self.gamma), self.label_smoothing))

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        log_p, log_q = log_logistic(outputs), log_logistic(-outputs)
        p, q = np.exp(log_p), np.exp(log_q)
        ones, ones_slope = _focal(p, q, log_p, self.gamma)
        zeros, zeros_slope = _focal(q, p, log_q, self.gamma)
        losses = targets * ones + (1 - targets) * zeros
        if gradient is not None:
            np.multiply(targets * ones_slope, q, out=gradient)  # d log(p) / dz = q
            gradient -= (1 - targets) * zeros_slope * p
            gradient *= share
        return dot(losses.sum(axis=0), share)


class SquaredError(Loss):
    """Mean over the outputs of ``(z - t)^2 / 2``."""

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        residual = outputs - targets
        slope = np.multiply(residual, share, out=gradient)  # before the square, which could overflow without the share
        np.multiply(residual, slope, out=residual)
        return 0.5 * float(residual.sum())


class AbsoluteError(Loss):
    """Mean over the outputs of ``|z - t|``."""

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        residual = outputs - targets
        if gradient is not None:
            np.sign(residual, out=gradient)
            gradient *= share
        return dot(np.abs(residual, out=residual).sum(axis=0), share)


class Huber(Loss):
    """Mean over the outputs of Huber's loss: squared up to ``delta``, linear beyond (Huber, 1964).

    Parameters
    ----------
    delta : float, default=1.0
        Residual up to which the loss is squared, above 0, in standard deviations of a regressor's targets.
    """

    _parameter_constraints: dict = {"delta": [at_least(0, Real, closed="neither")]}

    def __init__(self, delta=1.0):
        self.delta = delta

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        residual = outputs - targets
        clipped = np.clip(residual, -self.delta, self.delta)
        if gradient is not None:
            np.multiply(clipped, share, out=gradient)
        residual -= 0.5 * clipped
        residual *= clipped
        return dot(residual.sum(axis=0), share)


class Poisson(Loss):
    """Mean over the outputs of ``exp(z) - t z``, for counts ``t`` of expectation ``exp(z)``, limited by `exp_of`."""

    counts = True

    def __call__(self, outputs, targets, weight, gradient=None):
        share = weight / len(outputs)
        expected = exp_of(outputs)
        losses = expected - targets * outputs
        if gradient is not None:
            np.subtract(expected, targets, out=gradient)
            gradient *= share
        return dot(losses.sum(axis=0), share)
