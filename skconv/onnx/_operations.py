"""Rows of the operations that are no layers: medians, and what `ConvFeatures` has behind its filters."""

from __future__ import annotations

import numpy as np

from .._features.encoding import Summary, Triangle, Whitening
from ..pooling import _MedianPool
from ._elements import by_channel
from ._rows import row
from ._windows import taps

__all__ = []


@row.register(_MedianPool)
def _median_pool(layer, graph, x, shape, arrays):
    """The mean of the two middle values, or twice the middle one, of each window's samples in rising order."""
    window = layer.window(shape).trimmed()
    read = taps(graph, x, window, shape[2], np.inf)
    n_taps = window.rows.kernel * window.columns.kernel
    ordered, _ = graph.add("TopK", read, np.array([n_taps], np.int64), outputs=2, largest=0)
    whole = layer.window(shape)
    counts = np.outer(whole.rows.counts(), whole.columns.counts()).ravel()
    ordered, starts = graph.reshape(ordered, shape[2], len(counts) * n_taps), np.arange(len(counts)) * n_taps
    middle = [graph.add("Gather", ordered, starts + at, axis=2) for at in ((counts - 1) // 2, counts // 2)]
    halves = [graph.add("Mul", each, graph.numbers(0.5)) for each in middle]
    return graph.reshape(graph.add("Add", *halves), shape[2], *window.output)


@row.register(Whitening)
def _whitening(layer, graph, x, shape, arrays):
    squares = graph.add("ReduceSum", graph.add("Mul", x, x), np.array([1], np.int64))
    variance = graph.add("Mul", squares, graph.numbers(1 / layer.taps))
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.numbers(layer.epsilon)))
    scaled = graph.add("Mul", graph.add("Div", x, deviation), by_channel(graph, arrays["scale"], shape))
    w = graph.add("Sub", scaled, by_channel(graph, arrays["shift"], shape))
    total = graph.add("ReduceSum", graph.add("Mul", w, w), np.array([1], np.int64))
    return graph.add("Concat", w, total, axis=1)


@row.register(Triangle)
def _triangle(layer, graph, x, shape, arrays):
    distance = graph.add("Sqrt", graph.add("Abs", x))
    if not layer.encode:
        return distance
    return graph.add("Relu", graph.add("Sub", graph.mean(distance, 1), distance))


@row.register(Summary)
def _summary(layer, graph, x, shape, arrays):
    parts = [_SUMMARIES[kind](graph, x) for kind in layer.kinds]
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _positive(graph, x):
    return graph.mean(graph.cast(graph.add("Greater", x, graph.numbers(0)), graph.dtype), 2, 3, keepdims=0)


def _largest(graph, x):
    return graph.add("ReduceMax", x, np.array([2, 3], np.int64), keepdims=0)


def _mean(graph, x):
    return graph.mean(x, 2, 3, keepdims=0)


def _last(graph, x):
    end = np.array(-1, np.int64)
    return graph.add("Gather", graph.add("Gather", x, end, axis=2), end, axis=2)


_SUMMARIES = {"ppv": _positive, "max": _largest, "mean": _mean, "last": _last}
