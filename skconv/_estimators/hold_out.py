"""The samples that `early_stopping` holds out for validation."""

from __future__ import annotations

from hashlib import blake2b
from math import ceil

import numpy as np
from sklearn.utils import check_random_state

from .._input.constraints import shown
from .._input.memory import counted
from .._input.rows import LazyRows

__all__ = ["count_distinct", "held_out_rows", "hold_out"]

_READ = 4096  # rows hashed at a time


def hold_out(X, y, weight, targets, fraction, least, random_state):
    """Rows that are held out, ascending: a share of the samples with weight of each class; raises if there are few."""
    strata = targets.strata(y)
    weight = np.where(targets.weigh(weight, strata) > 0, weight, 0)
    n = int(np.count_nonzero(weight))
    if n > least and ceil(n * fraction) >= n:
        raise ValueError(
            f"validation_fraction={shown(fraction)} of {counted(n, 'sample')} leaves none to train on; change it, or "
            "set early_stopping=False"
        )
    seed = check_random_state(0 if random_state is None else random_state)
    rows = held_out_rows(X, strata, weight, fraction, least, seed) if n > least else ()
    if len(rows) < least:
        raise ValueError(
            f"early_stopping=True holds out {least} or more to score on and keeps one of every class to train on; "
            f"that takes more than {counted(n, 'sample')} with weight, copies counted once. Give more, give X_val, or "
            "set early_stopping=False"
        )
    return rows


def held_out_rows(X, strata, weight, fraction, least, random_state) -> np.ndarray:
    """Rows held out for validation, ascending; none where there are too few samples.

    Samples of weight zero are left out.  Copies of a sample are held out or trained on together, so that the model is
    not validated on training samples; a weight of two has the effect of two copies.  Each stratum gives its share,
    rounded up or down, and keeps at least one sample.  Samples heavier than all that is to be held out are trained on.

    Parameters
    ----------
    X : ndarray of shape (n, features) or LazyRows
        Samples; copies among samples in storage are not found.
    strata : ndarray of shape (n,) or None
        Classes, whose shares are kept.
    weight : ndarray of shape (n,)
        Weights of the samples.
    fraction : float
        Share of the whole weight to hold out, rounded up to a number of samples of mean weight.
    least : int
        Least number of samples to hold out.
    random_state : RandomState
    """
    rows = np.flatnonzero(weight)
    strata = np.zeros(len(rows), np.intp) if strata is None else strata[rows]
    sample = _distinct(X, rows)
    # One group for each distinct sample of a stratum, numbered by stratum, then by the sample's values.
    pairs, group = np.unique(np.column_stack([strata, sample]), axis=0, return_inverse=True)
    group, stratum = group.reshape(-1), pairs[:, 0]
    sums = np.bincount(group, weight[rows])
    count = max(ceil(len(pairs) * fraction), least)
    light = sums <= (1 + 1e-9) * max(fraction, count / len(pairs)) * sums.sum()
    order = random_state.permutation(len(pairs))
    order = order[np.argsort(stratum[order], kind="stable")]
    # Along the cumulative weights, stratum after stratum, groups that contain one of `count` equally spaced marks.
    ends = np.cumsum(np.where(light, sums, 0)[order])
    marks = np.floor(ends * (count / ends[-1]) + random_state.uniform())
    chosen = np.diff(marks, prepend=0.0) > 0
    stratum = stratum[order]
    first = np.flatnonzero(np.diff(stratum, prepend=-1))
    whole = np.logical_and.reduceat(chosen, first)
    chosen[first[whole]] = False
    # Several marks may lie in one heavy group, or in a stratum's only group: the lightest other groups replace them.
    left = np.flatnonzero(~chosen)
    spare = left[np.diff(stratum[left], prepend=-1) == 0]
    missing = max(least - np.count_nonzero(chosen), 0)
    chosen[spare[np.argsort(sums[order][spare], kind="stable")[:missing]]] = True
    held_out = np.zeros(len(pairs), bool)
    held_out[order[chosen]] = True
    return rows[held_out[group]]


def count_distinct(X, weight) -> int:
    """Number of samples with weight, copies counted once."""
    return len(np.unique(_distinct(X, np.flatnonzero(weight))))


def _distinct(X, rows) -> np.ndarray:
    """A number for each row, equal for equal samples, whose order depends on the samples' values alone."""
    if isinstance(X, LazyRows):
        return np.arange(len(rows))
    keys = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _READ):
        part = np.ascontiguousarray(X[rows[start : start + _READ]], np.float64) + 0.0  # -0.0 is 0.0
        for i, sample in enumerate(part, start):
            keys[i] = int.from_bytes(blake2b(sample, digest_size=8).digest())
    return np.unique(keys, return_inverse=True)[1].reshape(-1)
