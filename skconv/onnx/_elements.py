"""Rows of layers that keep the size of images, of vectors and of flattening."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from ..layers import (
    ELU,
    Activation,
    BatchNorm,
    Bias,
    Clip,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    LeakyReLU,
    PReLU,
    Scale,
    SelectChannels,
    ShuffleChannels,
    SpatialDropout,
    SqueezeExcite,
)
from ..layers.activation_functions import OBJECTS
from ._graph import nchw
from ._rows import row

__all__ = ["by_channel", "flattened"]

_OPERATORS = {
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "logistic": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "softplus": ("Softplus", {}),
}
_GATES = {"swish": "logistic", "hard_swish": "hard_sigmoid"}  # functions times their argument


def by_channel(graph, values, shape):
    """Numbers (C,) as a constant that fits samples of ``shape``."""
    return graph.numbers(values).reshape(-1, *[1] * (len(shape) - 1))


def flattened(graph, x, shape) -> str:
    """Images as vectors, channels last, as scikit-learn's rows are."""
    if len(shape) == 1:
        return x
    height, width, channels = shape
    if channels > 1 and height * width > 1:
        x = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    return graph.reshape(x, height * width * channels)


@row.register(Activation)
def _activation(layer, graph, x, shape, arrays):
    return _function(OBJECTS.get(layer.activation, layer.activation), graph, x)


@singledispatch
def _function(name, graph, x) -> str:
    """Add the nodes of an activation function, by its name or an object; return the name of the output."""
    if name == "identity":
        return x
    if name == "gelu":
        half = graph.add("Mul", x, graph.numbers(0.5))
        above = graph.add("Erf", graph.add("Mul", x, graph.numbers(0.5**0.5)))
        return graph.add("Mul", half, graph.add("Add", above, graph.numbers(1)))
    if name == "mish":
        return graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x)))
    if name in _GATES:
        return graph.add("Mul", x, _function(_GATES[name], graph, x))
    operator, attributes = _OPERATORS[name]
    return graph.add(operator, x, **attributes)


@_function.register
def _leaky_relu(function: LeakyReLU, graph, x):
    return graph.add("LeakyRelu", x, alpha=float(function.slope))


@_function.register
def _elu(function: ELU, graph, x):
    return graph.add("Elu", x, alpha=float(function.alpha))


@_function.register
def _clip(function: Clip, graph, x):
    limits = ("" if limit is None else graph.numbers(limit) for limit in (function.lowest, function.highest))
    return graph.add("Clip", x, *limits)


@row.register(PReLU)
def _prelu(layer, graph, x, shape, arrays):
    return graph.add("PRelu", x, by_channel(graph, arrays["slope"], shape))


@row.register(Scale)
def _scale(layer, graph, x, shape, arrays):
    return graph.add("Mul", x, by_channel(graph, arrays["scale"], shape))


@row.register(ShuffleChannels)
def _shuffle_channels(layer, graph, x, shape, arrays):
    *lead, channels = shape
    x = graph.reshape(x, layer.groups, channels // layer.groups, *lead)
    return graph.reshape(graph.add("Transpose", x, perm=[0, 2, 1, 3, 4][: len(lead) + 3]), channels, *lead)


@row.register(SelectChannels)
def _select_channels(layer, graph, x, shape, arrays):
    stop = shape[2] if layer.stop is None else layer.stop
    return graph.add("Slice", x, *(np.array([number], np.int64) for number in (layer.start, stop, 1)))


@row.register(Bias)
def _bias(layer, graph, x, shape, arrays):
    bias = arrays["bias"]
    return graph.add("Add", x, by_channel(graph, bias, shape) if bias.ndim == 1 else graph.numbers(nchw(bias)))


@row.register(BatchNorm)
def _batch_norm(layer, graph, x, shape, arrays):
    numbers = [graph.numbers(arrays[name]) for name in ("scale", "shift", "mean", "variance")]
    return graph.add("BatchNormalization", x, *numbers, epsilon=float(layer.epsilon))


@row.register(LayerNorm)
def _layer_norm(layer, graph, x, shape, arrays):
    axes = (1,) if layer.over == "channels" else tuple(range(1, len(shape) + 1))
    centred = graph.add("Sub", x, graph.mean(x, *axes))
    variance = graph.mean(graph.add("Mul", centred, centred), *axes)
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.numbers(layer.epsilon)))
    scaled = graph.add("Mul", graph.add("Div", centred, deviation), by_channel(graph, arrays["scale"], shape))
    return graph.add("Add", scaled, by_channel(graph, arrays["shift"], shape))


@row.register(Dropout)
@row.register(SpatialDropout)
def _dropout(layer, graph, x, shape, arrays):
    return x


@row.register(SqueezeExcite)
def _squeeze_excite(layer, graph, x, shape, arrays):
    means = graph.mean(x, 2, 3, keepdims=0)
    hidden = graph.add("Relu", _product(graph, means, arrays["squeeze_weight"], arrays["squeeze_bias"]))
    gate = graph.add("Sigmoid", _product(graph, hidden, arrays["excite_weight"], arrays["excite_bias"]))
    return graph.add("Mul", x, graph.reshape(gate, shape[2], 1, 1))


@row.register(Flatten)
def _flatten(layer, graph, x, shape, arrays):
    return flattened(graph, x, shape)


@row.register(Dense)
def _dense(layer, graph, x, shape, arrays):
    return _product(graph, x, arrays["weight"], arrays.get("bias"))


def _product(graph, x, weight, bias=None):
    """``weight @ x + bias`` of vectors."""
    added = [] if bias is None else [graph.numbers(bias)]
    return graph.add("Gemm", x, graph.numbers(weight), *added, transB=1)
