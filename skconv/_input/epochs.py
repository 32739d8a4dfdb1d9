"""The order of an epoch: pieces of the samples that memory allows, and rows within them."""

from __future__ import annotations

from math import ceil

import numpy as np

from .rows import LazyRows

__all__ = ["epoch_pieces"]


def epoch_pieces(X, rows, rng, shuffle=True):
    """Pieces of an epoch: every row once, in a random order that memory allows.

    Of an array in storage, random units are read together, up to its limit, and their rows are shuffled.  Rows of a
    unit are in one piece, but a piece has units from everywhere.  An ndarray is one piece, and so are rows that fit in
    the limit, with the same order as those of an ndarray.

    Parameters
    ----------
    X : ndarray or LazyRows, of shape (n, features)
        Samples.
    rows : ndarray of int
        The rows to visit, increasing.
    rng : numpy.random.Generator
        Generator of the order.
    shuffle : bool, default=True
        Whether the order is random.

    Yields
    ------
    samples : ndarray of shape (k, features)
        Samples of the piece; the next piece overwrites them.
    numbers : ndarray of int of shape (k,), or slice
        Increasing numbers of these rows of X; ``slice(None)`` where X is an ndarray.
    order : ndarray of int
        Order in which to visit the samples of the piece: ``samples[order]`` are ``X[numbers[order]]``.
    """
    if not isinstance(X, LazyRows):
        yield X, slice(None), rng.permutation(rows) if shuffle else rows
        return
    if len(rows) * X.row_bytes <= X.limit:
        order = rng.permutation(rows) if shuffle else rows
        yield X.take(rows), rows, np.searchsorted(rows, order)
        return
    bounds = X.bounds(rows)
    units = rng.permutation(len(bounds) - 1) if shuffle else np.arange(len(bounds) - 1)
    pieces = _even(units, np.diff(bounds), X.limit // X.row_bytes)
    members = [np.concatenate([rows[bounds[u] : bounds[u + 1]] for u in np.sort(piece)]) for piece in pieces]
    samples = np.empty((max(map(len, members)), X.shape[1]), X.dtype)
    for numbers in members:
        order = rng.permutation(len(numbers)) if shuffle else np.arange(len(numbers))
        yield X.take(numbers, samples[: len(numbers)]), numbers, order


def _even(units, sizes, most):
    """``units`` split, in this order, into the fewest groups of about equal sizes that fit in ``most`` rows.

    A group leaves room for three units: to exceed the mean size, to be read, and to be copied.
    """
    largest = int(sizes.max())
    groups = ceil(sizes.sum() / max(1, most - 3 * largest))
    before = np.cumsum(sizes[units]) - sizes[units]
    return np.split(units, np.flatnonzero(np.diff(before * groups // sizes.sum())) + 1)
