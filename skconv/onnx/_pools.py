"""Rows of pooling layers, and of layers that make images larger."""

from __future__ import annotations

import numpy as np

from .._kernels.geometry import pair
from ..layers import DepthToSpace, GlobalMaxPool, GlobalMeanPool, LpPool, MaxPool, MeanPool, StridePool, Upsample
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
    return graph.add("ReduceMax", x, np.array([2, 3], np.int64), keepdims=int(layer.keepdims))


@row.register(GlobalMeanPool)
def _global_mean_pool(layer, graph, x, shape, arrays):
    return graph.mean(x, 2, 3, keepdims=int(layer.keepdims))


@row.register(Upsample)
def _upsample(layer, graph, x, shape, arrays):
    scales = np.array([1, 1, *pair(layer.factor, shape[0])], np.float32)
    if layer.mode == "linear":
        return graph.add("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph.add("Resize", x, "", scales, mode="nearest", **how)


@row.register(DepthToSpace)
def _depth_to_space(layer, graph, x, shape, arrays):
    down, across = pair(layer.block_size, shape[0])
    if down == across:
        return graph.add("DepthToSpace", x, blocksize=down, mode=layer.order)
    height, width, channels = layer.output_shape(shape)
    if layer.order == "DCR":
        blocks, perm = (down, across, channels), [0, 3, 4, 1, 5, 2]
    else:
        blocks, perm = (channels, down, across), [0, 1, 4, 2, 5, 3]
    x = graph.add("Transpose", graph.reshape(x, *blocks, *shape[:2]), perm=perm)
    return graph.reshape(x, channels, height, width)
