"""Samples with what a fit knows about them: what a network is trained on, and what it is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._input.rows import epoch_pieces
from .._network.scaling import measured
from .hold_out import count_distinct

__all__ = ["Samples"]


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

    def moments(self, shape):
        """`Moments` of the samples, by their weights, whose shape is (H, W, C)."""

        def blocks(n):
            for samples, _, weight, order in self.pieces(shuffle=False)(None):
                for start in range(0, len(order), n):
                    rows = order[start : start + n]
                    yield samples[rows], weight[rows]

        return measured(blocks, shape)
