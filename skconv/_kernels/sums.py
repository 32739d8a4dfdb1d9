"""Pairwise sums in the precision of the terms: the error grows with the logarithm of the number of terms.

A running sum rounds to its own last digit with each term: in float32 a million times 0.1 is 100,986.  Here a running
sum has few terms only, and the sums are added in pairs.
"""

from __future__ import annotations

from math import ceil

import numpy as np

__all__ = ["FEW", "RUN", "SLICE", "add_positions", "add_rows", "dot", "fold", "partial_sums", "sum_along"]

FEW = 1024  # most terms of a sum that is a single running sum: relative error 2e-6, 2e-5 where all terms are equal
RUN = 32  # terms of each running sum where there are more than `FEW`: relative error 5e-7
SLICE = 2048  # terms of one call of BLAS: 512 per lane of a kernel with four, and too few for threads to share


def fold(parts, out, few=FEW):
    """Sum of ``parts`` (n, ...) over the first axis into ``out``; overwrites ``parts`` if ``n > few``."""
    n = len(parts)
    if n > few:
        while n > RUN:
            half = n // 2  # where n is odd, the middle element stays
            np.add(parts[:half], parts[n - half : n], out=parts[:half])
            n -= half
    np.add.reduce(parts[:n], axis=0, out=out)


def partial_sums(shape, name="parts") -> dict[str, tuple[int, ...]]:
    """Shape, by name, of ``parts`` of `add_positions` for an array of this shape; empty where ``parts`` is None."""
    short, long = sorted(shape[:2])
    return {} if short * long <= FEW else {name: (short * ceil(long / RUN), *shape[2:])}


def add_positions(x, parts, out):
    """Sum of ``x`` (H, W, ...) over the first two axes into ``out``.

    Parameters
    ----------
    x : ndarray of shape (H, W, ...)
        Input, of any strides.
    parts : ndarray or None
        Scratch, of the shape of `partial_sums`.
    out : ndarray
    """
    if parts is None:
        np.add.reduce(x, axis=(0, 1), out=out)
        return
    if len(x) > x.shape[1]:
        x = x.swapaxes(0, 1)
    short, long, *rest = x.shape
    runs, whole = long // RUN, long // RUN * RUN
    sums = parts.reshape(short, -1, *rest, copy=False)
    if runs:
        np.add.reduce(x[:, :whole].reshape(short, runs, RUN, *rest, copy=False), axis=2, out=sums[:, :runs])
    if whole < long:
        np.add.reduce(x[:, whole:], axis=1, out=sums[:, runs])
    fold(parts, out, RUN)


def add_rows(x, parts, out):
    """Sum of each row of ``x`` (H, W, ...) into ``out`` (H, ...), with bits that do not depend on the other rows.

    ``parts`` is scratch (H, ceil(W / `RUN`), ...).
    """
    height, across, *rest = x.shape
    runs, whole = across // RUN, across // RUN * RUN
    if runs:
        np.add.reduce(x[:, :whole].reshape(height, runs, RUN, *rest, copy=False), axis=2, out=parts[:, :runs])
    if whole < across:
        np.add.reduce(x[:, whole:], axis=1, out=parts[:, runs])
    fold(parts.swapaxes(0, 1), out, RUN)


def sum_along(array, axis):
    """Sum of ``array`` along an axis; allocates half the array's memory where the axis is longer than `FEW`."""
    moved = np.moveaxis(array, axis, 0)
    while len(moved) > FEW:
        n, half = len(moved), len(moved) // 2
        pairs = np.add(moved[:half], moved[n - half :])
        moved = np.concatenate([pairs, moved[half : n - half]]) if n % 2 else pairs
    return np.add.reduce(moved, axis=0)


def dot(a, b) -> float:
    """Scalar product of two vectors; products of slices are added in double precision."""
    return sum(float(np.dot(a[i : i + SLICE], b[i : i + SLICE])) for i in range(0, len(a), SLICE))
