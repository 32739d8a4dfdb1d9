"""Sums of many numbers in their own precision, by halves: the error grows with the logarithm of their number.

Numbers added one after the other to what they sum up to are rounded to its last digit: a million times 0.1 is 100,986
in float32.  Here that is done with few numbers only, whose sums are then added in pairs.
"""

from __future__ import annotations

from math import ceil

import numpy as np

__all__ = ["FEW", "RUN", "SLICE", "add_positions", "add_rows", "dot", "fold", "partial_sums", "sum_along"]

FEW = 1024  # numbers that are added one after the other: to 2e-6 of the sum, 2e-5 where all are equal
RUN = 32  # of those that are more: to 5e-7 of the sum
SLICE = 2048  # in one product, in which kernels with four lanes add 512 numbers each; and no threads share it


def fold(parts, out, few=FEW):
    """Sum of ``parts`` (n, ...) over the first axis into ``out``; of more than ``few``, ``parts`` are overwritten."""
    n = len(parts)
    if n > few:
        while n > RUN:
            half = n // 2  # of an odd number the middle stays
            np.add(parts[:half], parts[n - half : n], out=parts[:half])
            n -= half
    np.add.reduce(parts[:n], axis=0, out=out)


def partial_sums(shape, name="parts") -> dict[str, tuple[int, ...]]:
    """A plan's entry for what `add_positions` needs for an array of this shape; empty where it needs nothing."""
    short, long = sorted(shape[:2])
    return {} if short * long <= FEW else {name: (short * ceil(long / RUN), *shape[2:])}


def add_positions(x, parts, out):
    """Sum of ``x`` (H, W, ...) over the first two axes into ``out``.

    Parameters
    ----------
    x : ndarray of shape (H, W, ...)
        With any strides.
    parts : ndarray or None
        Memory of `partial_sums`.
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
    """Sum of each row of ``x`` (H, W, ...) into ``out`` (H, ...), whatever rows there are beside it.

    ``parts`` are of shape (H, ceil(W / `RUN`), ...).
    """
    height, across, *rest = x.shape
    runs, whole = across // RUN, across // RUN * RUN
    if runs:
        np.add.reduce(x[:, :whole].reshape(height, runs, RUN, *rest, copy=False), axis=2, out=parts[:, :runs])
    if whole < across:
        np.add.reduce(x[:, whole:], axis=1, out=parts[:, runs])
    fold(parts.swapaxes(0, 1), out, RUN)


def sum_along(array, axis):
    """Sum along an axis; memory of half the array is taken where it is long."""
    moved = np.moveaxis(array, axis, 0)
    while len(moved) > FEW:
        n, half = len(moved), len(moved) // 2
        pairs = np.add(moved[:half], moved[n - half :])
        moved = np.concatenate([pairs, moved[half : n - half]]) if n % 2 else pairs
    return np.add.reduce(moved, axis=0)


def dot(a, b) -> float:
    """Scalar product of two vectors, slices of it added in double precision."""
    return sum(float(np.dot(a[i : i + SLICE], b[i : i + SLICE])) for i in range(0, len(a), SLICE))
