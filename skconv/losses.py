"""Losses on logits: value and gradient for a batch of columns."""

from __future__ import annotations

import numpy as np

__all__ = ["SoftmaxCrossEntropy", "softmax"]


def softmax(logits, out=None):
    """Softmax over the first axis of ``(classes, n)``, finite for any finite logits."""
    out = np.subtract(logits, logits.max(axis=0), out=out)
    np.exp(out, out=out)
    np.divide(out, out.sum(axis=0), out=out)
    return out


class SoftmaxCrossEntropy:
    """Cross-entropy of softmax probabilities against classes.

    For one sample with class ``k``: ``log(sum(exp(z))) - (1 - s) z_k - s mean(z)`` with label smoothing ``s``
    (Szegedy et al., arXiv 1512.00567).

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target spread evenly over the classes, in [0, 1).
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def __call__(self, logits, targets, weight, gradient=None) -> float:
        """Weighted sum of the losses.

        Parameters
        ----------
        logits : ndarray of shape (classes, n)
        targets : ndarray of shape (n,), integers
        weight : ndarray of shape (n,)
            Share of each column; a column of weight zero adds nothing, whatever finite logits it has.
        gradient : ndarray of shape (classes, n), default=None
            Where to put the gradient of the returned value by the logits.

        Returns
        -------
        float
        """
        classes, n = logits.shape
        columns = np.arange(n)
        shifted = logits - logits.max(axis=0)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=0)
        smooth = self.label_smoothing
        losses = np.log(total) - (1 - smooth) * shifted[targets, columns]
        if smooth:
            losses -= smooth / classes * shifted.sum(axis=0)
        if gradient is not None:
            np.divide(exponentials, total, out=gradient)
            gradient[targets, columns] -= 1 - smooth
            if smooth:
                gradient -= smooth / classes
            gradient *= weight
        return float(np.dot(losses, weight))
