"""MiniRocket's features as nodes, with the additions in the order of `skconv._features.minirocket`.

A feature is the share of values above a bias, and a bias may be a value of the training samples: only sums in the same
order fall on the same side.
"""

from __future__ import annotations

import numpy as np

from .._features.minirocket import KERNELS, SIDES

__all__ = ["features"]

_TAPS = 9


def features(rocket, graph, x) -> str:
    """Features (N, n_features) of series ``x`` (N, T, C) in the graph's dtype."""
    if rocket.channels > 1:
        x = graph.add("Transpose", x, perm=[0, 2, 1])
    negative = graph.add("Neg", graph.reshape(x, rocket.channels, rocket.length))
    stops = len(KERNELS) * np.cumsum(rocket.n_biases)
    parts = []
    for j, (k, stop) in enumerate(zip(rocket.n_biases.tolist(), stops.tolist(), strict=True)):
        biases = rocket.biases[stop - len(KERNELS) * k : stop].reshape(len(KERNELS), k)
        parts += _of_dilation(rocket, graph, negative, j, biases)
    return graph.add("Concat", *parts, axis=1)


def _of_dilation(rocket, graph, negative, j, biases):
    """Features (N, kernels * biases) of the kernels of each side at dilation ``j``."""
    dilation, kernel, parts = int(rocket.dilations[j]), 0, []
    for side, subsets, padded in zip(SIDES, rocket.subsets[j], rocket.padded[j], strict=True):
        kinds = sorted(set(subsets))
        rows = [
            (kinds.index(subset), first, second, third)
            for (first, second, ranges), subset in zip(side, subsets, strict=True)
            for bounds in ranges
            for third in range(*bounds)
        ]
        values = _values(rocket, graph, _summed(graph, negative, kinds), len(kinds), dilation, np.array(rows))
        if not padded:
            values = _cut(graph, values, 4 * dilation, rocket.length - 4 * dilation)
        parts.append(_shares(graph, values, biases[kernel : kernel + len(rows)]))
        kernel += len(rows)
    return parts


def _summed(graph, negative, kinds):
    """Minus the sum of the channels of each subset, (N, subsets, T)."""
    total = graph.add("Gather", negative, np.array([subset[0] for subset in kinds]), axis=1)
    and_none = graph.add("Pad", negative, np.array([0, 0, 0, 0, 1, 0], np.int64), graph.numbers(0))  # a channel of 0
    for i in range(1, max(map(len, kinds))):
        further = np.array([subset[i] if i < len(subset) else -1 for subset in kinds])
        total = graph.add("Add", total, graph.add("Gather", and_none, further, axis=1))
    return total


def _values(rocket, graph, negative, n, dilation, rows):
    """Values (N, kernels, T) of kernels with rows (subset, first, second and third tap of weight 2)."""
    border = np.array([0, 0, 4 * dilation, 0, 0, 4 * dilation], np.int64)
    series = graph.add("Pad", negative, border, graph.numbers(0))
    length = rocket.length
    twos = graph.add("Add", *_pair(graph, series, length + 7 * dilation, dilation))
    fours = graph.add("Add", *_pair(graph, twos, length + 5 * dilation, 2 * dilation))
    all_taps = graph.add("Add", *_pair(graph, fours, length, 4 * dilation))
    all_taps = graph.add("Add", all_taps, _cut(graph, series, 8 * dilation, 8 * dilation + length))
    triple = graph.add("Mul", series, graph.numbers(-3))
    windows = [_cut(graph, triple, tap * dilation, tap * dilation + length) for tap in range(_TAPS)]
    windows = graph.add("Concat", *windows, axis=1)  # (N, taps * subsets, T)
    subset, *threes = rows.T.astype(np.int64)
    values = graph.add("Gather", all_taps, subset, axis=1)
    for tap in threes:
        values = graph.add("Add", values, graph.add("Gather", windows, tap * n + subset, axis=1))
    return values


def _pair(graph, x, length, apart):
    """The first ``length`` steps, and as many that start ``apart`` steps later."""
    return _cut(graph, x, 0, length), _cut(graph, x, apart, apart + length)


def _cut(graph, x, start, stop):
    """Steps ``start`` to ``stop - 1`` of series (N, kernels, T)."""
    return graph.add("Slice", x, *(np.array([each], np.int64) for each in (start, stop, 2)))


def _shares(graph, values, biases):
    """Share (N, kernels * biases) of the values (N, kernels, T) above each bias (kernels, biases)."""
    each = graph.add("Unsqueeze", values, np.array([2], np.int64))
    above = graph.add("Greater", each, graph.numbers(biases[..., None]))
    return graph.reshape(graph.mean(graph.cast(above, graph.dtype), 3, keepdims=0), biases.size)
