"""Rows of pooling layers."""

from __future__ import annotations

import numpy as np

from .._kernels.geometry import pair
from ..layers import GlobalMaxPool, GlobalMeanPool, LpPool, MaxPool, MeanPool, StridePool
from ._rows import row
from ._windows import taps, window_attributes

__all__ = []


@row.register(MaxPool)
def _max_pool(layer, graph, x, shape, arrays):
    return graph.add("MaxPool", x, **window_attributes(layer.window(shape).trimmed()))


@row.register(MeanPool)
def _mean_pool(layer, graph, x, shape, arrays):
    """A mean with all taps, times the number of taps over the number of those that count."""
    whole, window = layer.window(shape), layer.window(shape).trimmed()
    n_taps = window.rows.kernel * window.columns.kernel
    down, across = (axis.counts(borders=layer.count_include_pad) for axis in (whole.rows, whole.columns))
    factor = np.array([[n_taps / (n * m) for m in across] for n in down])
    y = graph.add("AveragePool", x, count_include_pad=1, **window_attributes(window))
    return y if (factor == 1).all() else graph.add("Mul", y, graph.numbers(factor))


@row.register(LpPool)
def _lp_pool(layer, graph, x, shape, arrays):
    """Each window is divided by its largest value first, so that no power overflows."""
    window = layer.window(shape).trimmed()
    read = graph.add("Abs", taps(graph, x, window, shape[2]))
    last = np.array([-1], np.int64)
    largest = graph.add("ReduceMax", read, last)
    largest = graph.add("Max", largest, graph.numbers(np.finfo(graph.dtype).tiny))
    powers = graph.add("Pow", graph.add("Div", read, largest), graph.numbers(layer.p))
    norm = graph.add("Pow", graph.add("ReduceSum", powers, last), graph.numbers(1 / layer.p))
    return graph.reshape(graph.add("Mul", norm, largest), shape[2], *window.output)


@row.register(StridePool)
def _stride_pool(layer, graph, x, shape, arrays):
    steps = np.array(pair(layer.pool_size, shape[0]), np.int64)
    bounds = np.array([0, 0], np.int64), np.array(shape[:2], np.int64)
    return graph.add("Slice", x, *bounds, np.array([2, 3], np.int64), steps)


@row.register(GlobalMaxPool)
def _global_max_pool(layer, graph, x, shape, arrays):
    return graph.add("ReduceMax", x, np.array([2, 3], np.int64), keepdims=0)


@row.register(GlobalMeanPool)
def _global_mean_pool(layer, graph, x, shape, arrays):
    return graph.mean(x, 2, 3, keepdims=0)
