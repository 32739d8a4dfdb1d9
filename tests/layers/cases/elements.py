"""Layers that keep the shape: what goes element by element, normalisation, dropout, gates."""

from math import erf, exp, log, tanh

import numpy as np

from cases.case import IMAGE, SERIES, VECTOR, Case, Rows
from skconv.layers import *

# Activations of one number.
SCALARS = {
    "relu": lambda x: x if x > 0 else 0.0,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "gelu": lambda x: x * (1 + erf(x / 2**0.5)) / 2,
    "tanh": tanh,
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "swish": lambda x: x / (1 + exp(-x)),
    "hard_swish": lambda x: 0.0 if x < -3 else x * (x + 3) / 6 if x < 3 else x,
    "hard_sigmoid": lambda x: 0.0 if x < -3 else (x + 3) / 6 if x < 3 else 1.0,
    "softplus": lambda x: log(1 + exp(x)),
    "mish": lambda x: x * tanh(log(1 + exp(x))),
    "identity": lambda x: x,
}
WITH_PARAMETERS = {
    LeakyReLU: lambda x, slope: x if x > 0 else slope * x,
    ELU: lambda x, alpha: x if x > 0 else alpha * (exp(x) - 1),
    Clip: lambda x, lowest, highest: x if lowest < x < highest else lowest if x <= lowest else highest,
}


def _activation(layer, x, values, weight):
    if isinstance(layer.activation, str):
        return np.vectorize(SCALARS[layer.activation], otypes=[float])(x)
    function, parameters = WITH_PARAMETERS[type(layer.activation)], layer.activation.get_params()
    return np.vectorize(lambda each: function(each, **parameters), otypes=[float])(x)


ACTIVATION = Rows(
    _activation,
    {
        **{f"{name}": Case(Activation(name), IMAGE, IMAGE) for name in SCALARS},
        "relu of a vector": Case(Activation(), VECTOR, VECTOR),
        "gelu of a vector": Case(Activation("gelu"), VECTOR, VECTOR),
        "mish of a vector": Case(Activation("mish"), VECTOR, VECTOR),
        "leaky relu with a slope": Case(Activation(LeakyReLU(0.3)), IMAGE, IMAGE),
        "elu with a limit": Case(Activation(ELU(0.4)), IMAGE, IMAGE),
        "elu with a far limit": Case(Activation(ELU(2.5)), SERIES, SERIES),
        "clip": Case(Activation(Clip(-0.6, 0.9)), IMAGE, IMAGE),
    },
)


def _prelu(layer, x, values, weight):
    y = x.copy()
    for index, v in np.ndenumerate(x):
        if v < 0:
            y[index] = values["slope"][index[-1]] * v
    return y


PRELU = Rows(
    _prelu,
    {
        "prelu": Case(PReLU(), IMAGE, IMAGE),
        "prelu of a series": Case(PReLU(-0.4), SERIES, SERIES),
        "prelu of a vector": Case(PReLU(1.5), VECTOR, VECTOR),
    },
)


def _scale(layer, x, values, weight):
    y = np.empty_like(x)
    for index, v in np.ndenumerate(x):
        y[index] = values["scale"][index[-1]] * v
    return y


SCALE = Rows(
    _scale,
    {
        "scale": Case(Scale(), IMAGE, IMAGE),
        "scale of a series": Case(Scale(1e-6), SERIES, SERIES),
        "scale of a vector": Case(Scale(-2), VECTOR, VECTOR),
    },
)


def _shuffle(layer, x, values, weight):
    each = x.shape[-1] // layer.groups
    return np.stack([x[..., group * each + i] for i in range(each) for group in range(layer.groups)], axis=-1)


SHUFFLE_CHANNELS = Rows(
    _shuffle,
    {
        "shuffle channels": Case(ShuffleChannels(3), (5, 6, 6), (5, 6, 6)),
        "shuffle channels of a series": Case(ShuffleChannels(1), SERIES, SERIES),
        "shuffle channels of a vector": Case(ShuffleChannels(4), (12,), (12,)),
    },
)


def _select(layer, x, values, weight):
    last = x.shape[-1] if layer.stop is None else layer.stop
    return np.stack([x[..., c] for c in range(layer.start, last)], axis=-1)


SELECT_CHANNELS = Rows(
    _select,
    {
        "select channels": Case(SelectChannels(1, 3), (5, 6, 4), (5, 6, 2)),
        "select channels, the first": Case(SelectChannels(stop=1), IMAGE, (5, 6, 1)),
        "select channels of a series, the last": Case(SelectChannels(1), SERIES, (1, 11, 2)),
    },
)


def _bias(layer, x, values, weight):
    return x + values["bias"]


BIAS = Rows(
    _bias,
    {
        "bias": Case(Bias(), IMAGE, IMAGE),
        "bias per position": Case(Bias("position"), IMAGE, IMAGE),
        "bias of a vector": Case(Bias(), VECTOR, VECTOR),
    },
)


def _nothing(layer, x, values, weight):
    return x


DROPOUT = Rows(
    _nothing,
    {
        "dropout": Case(Dropout(0.3), IMAGE, IMAGE),
        "dropout of a vector": Case(Dropout(), VECTOR, VECTOR),
        "dropout of nothing": Case(Dropout(0), IMAGE, IMAGE),
    },
)


SPATIAL_DROPOUT = Rows(
    _nothing,
    {
        "spatial dropout": Case(SpatialDropout(0.3), IMAGE, IMAGE),
        "spatial dropout of a vector": Case(SpatialDropout(), VECTOR, VECTOR),
    },
)


def _batch_norm(layer, x, values, weight):
    y = np.empty_like(x)
    for c in range(x.shape[-1]):
        channel = x[..., c].reshape(len(x), -1)
        mean, variance = values["mean"][c], values["variance"][c]
        if weight is not None:
            mean = sum(w * row.mean() for w, row in zip(weight, channel, strict=True))
            variance = sum(w * ((row - mean) ** 2).mean() for w, row in zip(weight, channel, strict=True))
        y[..., c] = (x[..., c] - mean) / (variance + layer.epsilon) ** 0.5 * values["scale"][c] + values["shift"][c]
    return y


BATCH_NORM = Rows(
    _batch_norm,
    {
        "batch norm": Case(BatchNorm(), IMAGE, IMAGE),
        "batch norm of a series": Case(BatchNorm(decay=0.7, epsilon=0.1), SERIES, SERIES),
        "batch norm of a vector": Case(BatchNorm(), VECTOR, VECTOR),
    },
)


def _layer_norm(layer, x, values, weight):
    y = np.empty_like(x)
    axes = range(1, x.ndim) if layer.over == "sample" else (x.ndim - 1,)
    for index in np.ndindex(*(1 if axis in axes else size for axis, size in enumerate(x.shape))):
        part = tuple(slice(None) if axis in axes else i for axis, i in enumerate(index))
        numbers = [float(number) for number in x[part].flat]
        mean = sum(numbers) / len(numbers)
        variance = sum((number - mean) ** 2 for number in numbers) / len(numbers)
        y[part] = (x[part] - mean) / (variance + layer.epsilon) ** 0.5
    return y * values["scale"] + values["shift"]


LAYER_NORM = Rows(
    _layer_norm,
    {
        "layer norm": Case(LayerNorm(), (5, 6, 3), (5, 6, 3)),
        "layer norm over the sample": Case(LayerNorm("sample"), IMAGE, IMAGE),
        "layer norm of a series": Case(LayerNorm(epsilon=0.1), SERIES, SERIES),
        "layer norm of a series over the sample": Case(LayerNorm("sample"), SERIES, SERIES),
        "layer norm of a vector": Case(LayerNorm(), VECTOR, VECTOR),
        "layer norm of a vector over the sample": Case(LayerNorm("sample", 0.01), VECTOR, VECTOR),
    },
)


def _squeeze_excite(layer, x, values, weight):
    y = np.empty_like(x)
    for image, out in zip(x, y, strict=True):
        means = [image[..., c].mean() for c in range(image.shape[-1])]
        hidden = [
            max(0.0, sum(w * m for w, m in zip(row, means, strict=True)) + b)
            for row, b in zip(values["squeeze_weight"], values["squeeze_bias"], strict=True)
        ]
        for c, (row, b) in enumerate(zip(values["excite_weight"], values["excite_bias"], strict=True)):
            out[..., c] = image[..., c] / (1 + exp(-sum(w * h for w, h in zip(row, hidden, strict=True)) - b))
    return y


SQUEEZE_EXCITE = Rows(
    _squeeze_excite,
    {
        "squeeze excite": Case(SqueezeExcite(2), (5, 6, 4), (5, 6, 4), 16),
        "squeeze excite, few channels": Case(SqueezeExcite(), IMAGE, IMAGE, 4),
        "squeeze excite, many channels": Case(SqueezeExcite(1, initializer="he_normal"), (2, 3, 13), (2, 3, 13), 338),
        "squeeze excite of a series": Case(SqueezeExcite(2), SERIES, SERIES, 6),
    },
)
