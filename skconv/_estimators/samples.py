"""Samples with targets and weights, for training or validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._input.epochs import epoch_pieces
from .._network.scaling import measured
from .hold_out import count_distinct

__all__ = ["Samples"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples with targets and weights; samples of weight zero are ignored.

    Parameters
    ----------
    X : ndarray or LazyRows, of shape (n, features)
    encoded : ndarray of shape (n,) or (n, outputs)
        Targets, as `Targets.encode` returns them.
    weight : ndarray of shape (n,)
        Weights, multiplied by those of classes.
    y : ndarray or sparse matrix, of shape (n,) or (n, targets)
        Targets, as a scorer takes them.
    """

    X: Any
    encoded: np.ndarray
    weight: np.ndarray
    y: Any

    @property
    def arrays(self) -> tuple:
        """Arrays on which losses depend: X, encoded targets, weights."""
        return self.X, self.encoded, self.weight

    @property
    def rows(self) -> np.ndarray:
        """Indices of the samples with weight."""
        return np.flatnonzero(self.weight)

    @property
    def n_distinct(self) -> int:
        """Number of samples with weight, copies counted once."""
        return count_distinct(self.X, self.weight)

    def pieces(self, shuffle):
        """Function ``pieces(rng)`` that yields the pieces of an epoch: rows with weight, in random or given order."""
        rows = self.rows

        def pieces(rng):
            for samples, numbers, order in epoch_pieces(self.X, rows, rng, shuffle):
                yield samples, self.encoded[numbers], self.weight[numbers], order

        return pieces

    def moments(self, shape):
        """Weighted `Moments` of the samples, which have ``shape`` (H, W, C)."""

        def blocks(n):
            for samples, _, weight, order in self.pieces(shuffle=False)(None):
                for start in range(0, len(order), n):
                    rows = order[start : start + n]
                    yield samples[rows], weight[rows]

        return measured(blocks, shape)
