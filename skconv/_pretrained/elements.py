"""Operators on each element: activation functions, and sums and products with constants and of branches."""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from .._input.constraints import shown
from .._input.memory import counted
from ..layers import BatchNorm, LayerNorm
from .algebra import clipped, difference, power, product, quotient, root
from .calls import Call, operator
from .nodes import Unsupported
from .views import View, to_image, whole

__all__ = ["channel_view"]

_FLOATS = (1, 10, 11, 16)  # data types of ONNX
_MOST_DECAY = 1 - 1e-6


@operator("Identity", "Dropout")
def _same(call: Call):
    return call.view() if call.n_outputs < 2 else [call.view(), None]


@operator("Cast", "CastLike")
def _cast(call: Call):
    if call.op == "Cast" and call.integer("to", 1) not in _FLOATS:
        raise Unsupported(f"a cast to data type {call.integer('to', 1)}")
    return call.view()


_FUNCTIONS = {
    "Relu": "relu",
    "Sigmoid": "logistic",
    "Tanh": "tanh",
    "HardSwish": "hard_swish",
    "Mish": "mish",
    "Softplus": "softplus",
    "Erf": "erf",
    "Reciprocal": "reciprocal",
}


@operator(*_FUNCTIONS)
def _function(call: Call):
    x = call.view()
    return x.on(call.nodes.function(_FUNCTIONS[call.op], x.node))


@operator("Gelu")
def _gelu(call: Call):
    if call.text("approximate", "none") != "none":
        raise Unsupported(f"approximate={shown(call.text('approximate', 'none'))}; 'none' is supported")
    return call.view().on(call.nodes.function("gelu", call.view().node))


@operator("Swish", "Silu")
def _swish(call: Call):
    alpha = call.real("alpha", 1.0)
    if alpha != 1:
        raise Unsupported(f"alpha={alpha}; 1 is supported")
    return call.view().on(call.nodes.function("swish", call.view().node))


@operator("Sqrt")
def _sqrt(call: Call):
    return call.view().on(root(call.nodes, call.view().node))


@operator("LeakyRelu")
def _leaky_relu(call: Call):
    return call.view().on(call.nodes.function("slope", call.view().node, call.real("alpha", 0.01)))


@operator("Elu")
def _elu(call: Call):
    return call.view().on(call.nodes.function("elu", call.view().node, call.real("alpha", 1.0)))


@operator("Selu")
def _selu(call: Call):
    x, alpha = call.view(), call.real("alpha", 1.6732632)
    return x.on(call.nodes.affine(call.nodes.function("elu", x.node, alpha), call.real("gamma", 1.0507010)))


@operator("HardSigmoid")
def _hard_sigmoid(call: Call):
    x = call.view()
    line = call.nodes.affine(x.node, call.real("alpha", 0.2), call.real("beta", 0.5))
    return x.on(clipped(call.nodes, line, 0.0, 1.0))


@operator("Clip")
def _clip(call: Call):
    x, bounds = call.view(), (call.number(1, "min", -np.inf), call.number(2, "max", np.inf))
    return x.on(clipped(call.nodes, x.node, *_finite_bounds(*bounds)))


def _finite_bounds(lowest, highest):
    """Bounds, infinite where they are as far as float32 goes."""
    most = float(np.finfo(np.float32).max)
    if np.isnan(lowest) or np.isnan(highest):
        raise Unsupported(f"bounds {lowest} and {highest}")
    return (-np.inf if lowest <= -most else lowest), (np.inf if highest >= most else highest)


@operator("Max", "Min")
def _bound(call: Call):
    views = [each for each in call.inputs if isinstance(each, View)]
    bounds = [each for each in call.inputs if isinstance(each, np.ndarray)]
    if len(views) != 1 or any(bound.size != 1 for bound in bounds):
        raise Unsupported("other than one tensor and numbers")
    x = views[0].node
    for bound in bounds:
        number = float(bound.reshape(()))
        limits = (number, np.inf) if call.op == "Max" else (-np.inf, number)
        x = clipped(call.nodes, x, *_finite_bounds(*limits))
    return views[0].on(x)


@operator("PRelu")
def _prelu(call: Call):
    x = call.view()
    slope = to_image(call.numbers(1), x.axes)
    if slope.size not in (1, slope.shape[2]):
        raise Unsupported(f"slopes of shape {call.numbers(1).shape}; one, or one for each channel, is supported")
    slopes = np.broadcast_to(slope.reshape(-1), x.node.shape[2:])
    return x.on(call.nodes.function("prelu", x.node, slopes))


@operator("Neg")
def _neg(call: Call):
    return call.view().on(call.nodes.affine(call.view().node, -1.0))


@operator("Pow")
def _pow(call: Call):
    return call.view().on(power(call.nodes, call.view().node, call.number(1, "exponent", None)))


@operator("Add", "Sum")
def _add(call: Call):
    return reduce(lambda a, b: _sum(call, a, b), call.inputs)


@operator("Sub")
def _sub(call: Call):
    a, b = call.inputs
    if isinstance(b, np.ndarray):
        return _sum(call, a, np.asarray(-call.numbers(1).astype(np.float64)))
    if isinstance(a, View) and _lacks_channels(a, b):
        known = difference(call.nodes, a.node, b.node)
        if known is not None:
            return a.on(known)
    return _sum(call, a, b.on(call.nodes.affine(b.node, -1.0)))


def _lacks_channels(a, b):
    """Whether the view ``b`` has the axes of ``a`` except that of the channels, where it has one number."""
    pairs = [(axis, other) for axis, other in zip(a.axes, b.axes, strict=False) if axis != other]
    return len(a.axes) == len(b.axes) and pairs in ([], [(whole("C", a.node.shape[2]), ())])


def _sum(call, a, b):
    """Sum of two tensors, of which one may be a constant."""
    if isinstance(a, np.ndarray):
        a, b = b, a
    if isinstance(b, np.ndarray):
        a, shift = _broadcast(a, _checked(b))
        return a.on(call.nodes.affine(a.node, 1.0, shift))
    a, b = _alike(a, b)
    if a.node is b.node:
        return a.on(call.nodes.affine(a.node, 2.0))
    if a.node.shape != b.node.shape:
        raise Unsupported(f"the sum of images of different shapes, {a.node.shape} and {b.node.shape}")
    return a.on(call.nodes.new("add", [a.node, b.node], a.node.shape))


@operator("Mul")
def _mul(call: Call):
    a, b = call.inputs
    if isinstance(a, np.ndarray):
        a, b = b, a
    if isinstance(b, np.ndarray):
        a, factor = _broadcast(a, _checked(b))
        return a.on(call.nodes.affine(a.node, factor))
    a, b = _alike(a, b)
    known = product(call.nodes, a.node, b.node)
    if known is not None:
        return a.on(known)
    if a.node.shape[2] != b.node.shape[2] or prod(b.node.shape[:2]) not in (1, prod(a.node.shape[:2])):
        raise Unsupported(f"the product of images of shapes {a.node.shape} and {b.node.shape}")
    return a.on(call.nodes.new("multiply", [a.node, b.node], a.node.shape))


@operator("Div")
def _div(call: Call):
    a, b = call.inputs
    if isinstance(b, np.ndarray):
        b = _checked(b)
        if (b == 0).any():
            raise Unsupported("a division by zero")
        a, factor = _broadcast(a, np.asarray(1 / b.astype(np.float64)))
        return a.on(call.nodes.affine(a.node, factor))
    known = quotient(call.nodes, a.node, b.node) if isinstance(a, View) else None
    if known is None:
        raise Unsupported("a division by something that is no constant, other than in a normalisation")
    return a.on(known)


def _checked(array):
    """A constant of finite real numbers."""
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise Unsupported(f"a constant with numbers that are not finite, or of dtype {array.dtype}")
    return array


def _broadcast(x, array):
    """A view with as many axes as the array at least, and the array as one that fits the image."""
    missing = array.ndim - len(x.axes)
    if missing > 0:
        x = View(x.node, ((),) * missing + x.axes)
    return x, to_image(array, x.axes)


def _alike(a, b):
    """Two views with the same axes, the one of the larger image first; raises where they do not fit."""
    n = max(len(a.axes), len(b.axes))
    a, b = (View(x.node, ((),) * (n - len(x.axes)) + x.axes) for x in (a, b))
    if prod(b.node.shape) > prod(a.node.shape):
        a, b = b, a
    fits = all(other in (axis, ()) for axis, other in zip(a.axes, b.axes, strict=True))
    if not fits:
        raise Unsupported(f"tensors of shapes {a.shape} and {b.shape} whose axes do not fit each other")
    return a, b


def channel_view(call: Call, axis) -> View:
    """The tensor of a call; raises where an axis is not that of all channels."""
    x = call.view()
    if x.axes[call.axis(axis, len(x.axes))] != whole("C", x.node.shape[2]):
        raise Unsupported(f"axis {axis} of a tensor of shape {x.shape}, which is not that of the channels")
    return x


@operator("BatchNormalization")
def _batch_norm(call: Call):
    if call.integer("training_mode", 0):
        raise Unsupported("training_mode=1; export the network for prediction")
    x = channel_view(call, 1)
    channels = x.node.shape[2]
    names = ("scale", "shift", "mean", "variance")
    arrays = {name: call.numbers(i) for i, name in enumerate(names, 1)}
    if any(array.shape != (channels,) for array in arrays.values()) or (arrays["variance"] < 0).any():
        raise Unsupported(f"statistics that do not fit {counted(channels, 'channel')}, or a variance below zero")
    decay = min(max(call.real("momentum", 0.9), 0.0), _MOST_DECAY)
    layer = BatchNorm(decay=decay, epsilon=max(call.real("epsilon", 1e-5), 1e-30))
    batches = np.array([1 / (1 - decay)])  # a step of training keeps the share `decay` from the start
    return x.on(call.nodes.layer("batchnorm", x.node, layer, **arrays, batches=batches))


@operator("LayerNormalization")
def _layer_norm(call: Call):
    x, axis = call.view(), call.axis(call.integer("axis", -1), len(call.view().axes))
    channels = x.node.shape[2]
    if axis != len(x.axes) - 1:
        raise Unsupported("normalisation over several axes; that over the channels is supported")
    channel_view(call, axis)
    arrays = {"scale": call.numbers(1), "shift": call.numbers(2) if call.given(2) else np.zeros(channels)}
    if any(array.shape != (channels,) for array in arrays.values()):
        raise Unsupported(f"scale or shift that do not fit {counted(channels, 'channel')}")
    layer = LayerNorm(epsilon=max(call.real("epsilon", 1e-5), 1e-30))
    return x.on(call.nodes.layer("layernorm", x.node, layer, **arrays))
