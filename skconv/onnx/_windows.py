"""Rows of layers with windows and weights: convolutions, and those that connect each position in its own way."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from .._kernels.geometry import Window, pair
from ..layers import Convolution, FullyConnected, LocallyConnected, TransposedConvolution
from ._borders import bordered
from ._graph import nchw
from ._rows import row

__all__ = ["taps", "window_attributes"]


def window_attributes(window):
    """Attributes of an operator with windows; an overhang is part of the border below and on the right."""
    axes = (window.rows, window.columns)
    return {
        "kernel_shape": [axis.kernel for axis in axes],
        "strides": [axis.stride for axis in axes],
        "pads": [axis.before for axis in axes] + [axis.after + axis.overhang for axis in axes],
    }


def taps(graph, x, window, channels, border=0) -> str:
    """Samples under each window, (N, C, P * Q, taps), in a border of one number."""
    axes = (window.rows, window.columns)
    x = graph.pad(x, *((axis.before, axis.after + axis.overhang) for axis in axes), border)
    down, across = (
        np.arange(axis.output)[:, None] * axis.stride + np.arange(axis.kernel) * axis.dilation for axis in axes
    )
    places = down[:, None, :, None] * window.columns.padded + across[:, None, :]  # (P, Q, rows, columns)
    places = places.reshape(prod(window.output), -1).astype(np.int64)
    positions = window.rows.padded * window.columns.padded
    return graph.add("Gather", graph.reshape(x, channels, positions), places, axis=2)


def _with_border(layer, graph, x, shape, arrays):
    """The input within a border other than zeros, if the layer has one; the windows over it."""
    window, border = layer.window(shape), layer.border(shape)
    if border is None:
        return x, window
    axes = (window.rows, window.columns)
    stored = Window(*(replace(axis, size=axis.padded, before=0, after=0) for axis in axes))
    return bordered(border.mode, graph, x, border.window, shape, arrays), stored


def _biased(graph, y, bias):
    """Images plus a bias, (F,) or (P, Q, F) or None."""
    if bias is None:
        return y
    return graph.add("Add", y, graph.numbers(bias.reshape(-1, 1, 1) if bias.ndim == 1 else nchw(bias)))


def _split_bias(graph, arrays):
    """The bias as a list of one input of an operator, and as what is added afterwards, or None."""
    bias = arrays.get("bias")
    by_filter = bias is not None and bias.ndim == 1
    return [graph.numbers(bias)] if by_filter else [], None if by_filter else bias


@row.register(Convolution)
def _convolution(layer, graph, x, shape, arrays):
    x, window = _with_border(layer, graph, x, shape, arrays)
    weight = graph.numbers(arrays["weight"].transpose(0, 3, 1, 2))
    added, later = _split_bias(graph, arrays)
    dilations = [window.rows.dilation, window.columns.dilation]
    options = {**window_attributes(window), "dilations": dilations, "group": int(layer.groups)}
    return _biased(graph, graph.add("Conv", x, weight, *added, **options), later)


@row.register(LocallyConnected)
def _locally_connected(layer, graph, x, shape, arrays):
    """One product for each position, (N, taps) by (taps, filters)."""
    x, window = _with_border(layer, graph, x, shape, arrays)
    weight = arrays["weight"].transpose(0, 1, 5, 3, 4, 2)  # (P, Q, channels, rows, columns, filters)
    weight = weight.reshape(prod(window.output), -1, layer.filters)
    read = graph.add("Transpose", taps(graph, x, window, shape[2]), perm=[2, 0, 1, 3])
    read = graph.add("Reshape", read, np.array([0, 0, weight.shape[1]], np.int64))
    y = graph.add("Transpose", graph.add("MatMul", read, graph.numbers(weight)), perm=[1, 2, 0])
    return _biased(graph, graph.reshape(y, layer.filters, *window.output), arrays.get("bias"))


@row.register(FullyConnected)
def _fully_connected(layer, graph, x, shape, arrays):
    weight = arrays["weight"].transpose(2, 0, 1, 5, 3, 4)  # (filters, P, Q, channels, height, width)
    y = graph.add("Gemm", graph.reshape(x, prod(shape)), graph.numbers(weight.reshape(-1, prod(shape))), transB=1)
    return _biased(graph, graph.reshape(y, *weight.shape[:3]), arrays.get("bias"))


@row.register(TransposedConvolution)
def _transposed(layer, graph, x, shape, arrays):
    """Kernels at all inputs, cut to the output, or with zeros behind them where no kernel reaches."""
    convolution, inside = layer._adjoint(shape)
    window = convolution.window(inside)
    axes, steps = (window.rows, window.columns), pair(layer.stride, shape[0])
    weight = graph.numbers(arrays["weight"].transpose(3, 0, 1, 2))
    y = graph.add(
        "ConvTranspose",
        x,
        weight,
        kernel_shape=[axis.kernel for axis in axes],
        strides=list(steps),
        dilations=[axis.dilation for axis in axes],
    )
    cut = []
    for axis, size, step in zip(axes, shape, steps, strict=False):
        whole = (size - 1) * step + axis.span
        cut.append((-axis.before, axis.size + axis.before - whole))
    return _biased(graph, graph.pad(y, *cut), arrays.get("bias"))
