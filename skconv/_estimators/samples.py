"""Samples with what a fit knows about them: what a network is trained on, and what it is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._input.rows import epoch_pieces
from .hold_out import count_distinct

__all__ = ["Samples"]

_SPREAD_SAMPLES = 1000  # whose spread is known to 2 %


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples with their targets; those of weight zero are not there.

    Parameters
    ----------
    X : ndarray or LazyRows, of shape (n, features)
    encoded : ndarray of shape (n,) or (n, outputs)
        The targets, as the loss takes them.
    weight : ndarray of shape (n,)
        After that of the classes.
    y : ndarray or sparse matrix, of shape (n,) or (n, targets)
        The targets, as a scorer takes them.
    """

    X: Any
    encoded: np.ndarray
    weight: np.ndarray
    y: Any

    @property
    def arrays(self) -> tuple:
        """What training and validation losses depend on."""
        return self.X, self.encoded, self.weight

    @property
    def rows(self) -> np.ndarray:
        """Numbers of the samples that have weight."""
        return np.flatnonzero(self.weight)

    @property
    def n_distinct(self) -> int:
        """Number of the samples that have weight, copies counted once."""
        return count_distinct(self.X, self.weight)

    def pieces(self, shuffle):
        """What an epoch visits, by its random numbers: the rows with weight in a new order, or in the old one."""
        rows = self.rows

        def pieces(rng):
            for samples, numbers, order in epoch_pieces(self.X, rows, rng, shuffle):
                yield samples, self.encoded[numbers], self.weight[numbers], order

        return pieces

    def spread(self, n_channels) -> np.ndarray:
        """Standard deviation of each channel, over the samples with weight, or 1000 of them at random."""
        rows = self.rows
        if len(rows) > _SPREAD_SAMPLES:
            rows = np.sort(np.random.default_rng(0).choice(rows, _SPREAD_SAMPLES, replace=False))
        samples, weight = self.X[rows].reshape(len(rows), -1, n_channels).astype(np.float64), self.weight[rows]
        mean = np.average(samples.mean(axis=1), axis=0, weights=weight)
        return np.sqrt(np.average(np.square(samples - mean).mean(axis=1), axis=0, weights=weight))
