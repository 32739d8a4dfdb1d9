"""The one table of layers that every contract test runs, and what each layer computes, in loops."""

from dataclasses import dataclass
from math import erf, exp, tanh

import numpy as np

from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    Layer,
    MaxPool,
    MeanPool,
    StridePool,
)


@dataclass(frozen=True)
class Case:
    """A layer, the shape of its input and the shape of its output, worked out by hand."""

    layer: Layer
    shape: tuple
    out: tuple

    @property
    def random(self):
        """Whether the layer draws random numbers in training."""
        return isinstance(self.layer, Dropout)


IMAGE, SERIES, VECTOR = (5, 6, 2), (1, 11, 3), (7,)
FUNCTIONS = ("relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity")

CASES = {
    "convolution": Case(Convolution(3), IMAGE, (5, 6, 3)),
    "convolution without bias": Case(Convolution(3, bias=False), IMAGE, (5, 6, 3)),
    "convolution 1x1": Case(Convolution(3, 1), IMAGE, (5, 6, 3)),
    "convolution rectangle": Case(Convolution(2, (2, 5)), IMAGE, (5, 6, 2)),
    "convolution even kernel": Case(Convolution(2, 4), IMAGE, (5, 6, 2)),
    "convolution valid": Case(Convolution(3, (3, 2), padding="valid"), IMAGE, (3, 5, 3)),
    "convolution of the whole": Case(Convolution(3, (5, 6), padding="valid"), IMAGE, (1, 1, 3)),
    "convolution padding": Case(Convolution(2, 3, padding=2), IMAGE, (7, 8, 2)),
    "convolution padding pair": Case(Convolution(2, 3, padding=(0, 2)), IMAGE, (3, 8, 2)),
    "convolution asymmetric": Case(Convolution(2, 3, padding=((2, 0), (1, 3))), IMAGE, (5, 8, 2)),
    "convolution border beyond span": Case(Convolution(2, 2, padding=((3, 4), (2, 5))), IMAGE, (11, 12, 2)),
    "convolution border beyond span, strided": Case(
        Convolution(2, 2, stride=(2, 3), padding=((3, 4), (5, 2))), IMAGE, (6, 4, 2)
    ),
    "convolution stride": Case(Convolution(3, stride=2), IMAGE, (3, 3, 3)),
    "convolution stride pair": Case(Convolution(3, stride=(1, 3)), IMAGE, (5, 2, 3)),
    "convolution stride beyond kernel": Case(Convolution(3, 2, stride=3, padding="valid"), IMAGE, (2, 2, 3)),
    "convolution stride leaves some out": Case(Convolution(2, 3, stride=(2, 2), padding="valid"), IMAGE, (2, 2, 2)),
    "convolution dilation": Case(Convolution(2, 2, dilation=(2, 3), padding="valid"), IMAGE, (3, 3, 2)),
    "convolution dilation same": Case(Convolution(2, 3, dilation=2), IMAGE, (5, 6, 2)),
    "convolution dilation and stride": Case(
        Convolution(2, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1), IMAGE, (4, 2, 2)
    ),
    "convolution winograd": Case(Convolution(8), (6, 4, 8), (6, 4, 8)),
    "convolution winograd, tall": Case(Convolution(9, (5, 2), padding="valid"), (9, 3, 8), (5, 2, 9)),
    "convolution winograd, short last tile": Case(
        Convolution(8, (3, 1), padding=((2, 0), (0, 1))), (7, 3, 8), (7, 4, 8)
    ),
    "convolution by tap": Case(Convolution(3, (2, 3)), (3, 4, 9), (3, 4, 3)),
    "convolution glorot": Case(Convolution(3, initializer="glorot_uniform"), IMAGE, (5, 6, 3)),
    "convolution of a series": Case(Convolution(4, 5), SERIES, (1, 11, 4)),
    "convolution of a series, strided": Case(Convolution(4, 3, stride=2, dilation=2, padding=1), SERIES, (1, 5, 4)),
    "convolution of a series, valid": Case(Convolution(4, 4, padding="valid"), SERIES, (1, 8, 4)),
    "convolution of a series, bordered above": Case(
        Convolution(2, (1, 3), padding=((1, 1), (0, 0))), SERIES, (3, 9, 2)
    ),
    "max pool": Case(MaxPool(), (4, 6, 2), (2, 3, 2)),
    "max pool, odd": Case(MaxPool(2), (5, 7, 2), (2, 3, 2)),
    "max pool, overlapping": Case(MaxPool(3, stride=2), (5, 6, 2), (2, 2, 2)),
    "max pool, padding": Case(MaxPool(3, stride=2, padding=1), (5, 6, 2), (3, 3, 2)),
    "max pool, one-sided padding": Case(MaxPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
    "max pool, rectangle": Case(MaxPool((1, 3), stride=(2, 1)), IMAGE, (3, 4, 2)),
    "max pool, gaps": Case(MaxPool(1, stride=2), IMAGE, (3, 3, 2)),
    "max pool of a series": Case(MaxPool(2), SERIES, (1, 5, 3)),
    "max pool of a series, padding": Case(MaxPool(4, stride=3, padding=2), SERIES, (1, 4, 3)),
    "mean pool": Case(MeanPool(), (4, 6, 2), (2, 3, 2)),
    "mean pool, odd": Case(MeanPool(2), (5, 7, 2), (2, 3, 2)),
    "mean pool, overlapping": Case(MeanPool(3, stride=2), IMAGE, (2, 2, 2)),
    "mean pool, padding": Case(MeanPool(3, stride=2, padding=1), IMAGE, (3, 3, 2)),
    "mean pool, one-sided padding": Case(MeanPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
    "mean pool, rectangle": Case(MeanPool((2, 3), stride=(1, 2)), IMAGE, (4, 2, 2)),
    "mean pool of a series": Case(MeanPool(3, padding=1), SERIES, (1, 4, 3)),
    "stride pool": Case(StridePool(), (4, 6, 2), (2, 3, 2)),
    "stride pool, odd": Case(StridePool((2, 4)), (5, 7, 2), (3, 2, 2)),
    "stride pool of a series": Case(StridePool(3), SERIES, (1, 4, 3)),
    "global mean pool": Case(GlobalMeanPool(), IMAGE, (2,)),
    "global mean pool of a series": Case(GlobalMeanPool(), SERIES, (3,)),
    "batch norm": Case(BatchNorm(), IMAGE, IMAGE),
    "batch norm of a series": Case(BatchNorm(momentum=0.3, epsilon=0.1), SERIES, SERIES),
    "batch norm of a vector": Case(BatchNorm(), VECTOR, VECTOR),
    "bias": Case(Bias(), IMAGE, IMAGE),
    "bias of a vector": Case(Bias(), VECTOR, VECTOR),
    "dropout": Case(Dropout(0.3), IMAGE, IMAGE),
    "dropout of a vector": Case(Dropout(), VECTOR, VECTOR),
    "dropout of nothing": Case(Dropout(0), IMAGE, IMAGE),
    "flatten": Case(Flatten(), IMAGE, (60,)),
    "flatten a series": Case(Flatten(), SERIES, (33,)),
    "dense": Case(Dense(4), VECTOR, (4,)),
    "dense without bias": Case(Dense(13, bias=False), VECTOR, (13,)),
    "dense glorot": Case(Dense(4, initializer="glorot_uniform"), VECTOR, (4,)),
    **{f"{name}": Case(Activation(name), IMAGE, IMAGE) for name in FUNCTIONS},
    "relu of a vector": Case(Activation(), VECTOR, VECTOR),
    "gelu of a vector": Case(Activation("gelu"), VECTOR, VECTOR),
}

# The references: ``(layer, x, values, weight)`` with ``x`` of shape (n, *shape), ``values`` the layer's parameters and
# state by name, and ``weight`` the samples' shares in training, None in prediction.


def _two(value, height):
    """Down and across; one number on a series is across."""
    if isinstance(value, int):
        return (1, value) if height == 1 else (value, value)
    return value


def _sides(padding, height):
    """Border above, below, left and right."""
    if isinstance(padding, int):
        return (0, 0, padding, padding) if height == 1 else (padding,) * 4
    down, across = padding
    down, across = [(side, side) if isinstance(side, int) else side for side in (down, across)]
    return (*down, *across)


def _starts(size, span, stride, before, after):
    """First tap of every window, the image starting at 0."""
    return range(-before, size + after - span + 1, stride)


def _windows(shape, kernel, stride, dilation, sides):
    """``(p, q, [(row, column, r, s)])`` of each window, taps outside the image left out."""
    height, width = shape[:2]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    for p, top in enumerate(_starts(height, spans[0], stride[0], *sides[:2])):
        for q, left in enumerate(_starts(width, spans[1], stride[1], *sides[2:])):
            taps = []
            for r in range(kernel[0]):
                for s in range(kernel[1]):
                    i, j = top + r * dilation[0], left + s * dilation[1]
                    if 0 <= i < height and 0 <= j < width:
                        taps.append((i, j, r, s))
            yield p, q, taps


def _convolution(layer, x, values, weight):
    shape = x.shape[1:]
    kernel, stride, dilation = [_two(v, shape[0]) for v in (layer.kernel_size, layer.stride, layer.dilation)]
    if layer.padding == "same":  # as many windows as start in the image, centred on its first sample
        sides = []
        for size, k, s, d in zip(shape, kernel, stride, dilation, strict=False):
            before = (k - 1) * d // 2
            last = max(range(0, size, s)) - before + (k - 1) * d
            sides += [before, max(0, last - size + 1)]
    elif layer.padding == "valid":
        sides = [0] * 4
    else:
        sides = _sides(layer.padding, shape[0])
    pixels = {}
    for p, q, taps in _windows(shape, kernel, stride, dilation, sides):
        total = np.zeros((len(x), layer.filters))
        for i, j, r, s in taps:
            for f in range(layer.filters):
                total[:, f] += (x[:, i, j] * values["weight"][f, r, s]).sum(axis=1)
        pixels[p, q] = total + values.get("bias", 0)
    return _image(pixels)


def _image(pixels):
    """``{(p, q): (n, channels)}`` as an array of shape (n, P, Q, channels)."""
    last = max(pixels)
    return np.array([[pixels[p, q] for q in range(last[1] + 1)] for p in range(last[0] + 1)]).transpose(2, 0, 1, 3)


def _pool(summary):
    def reference(layer, x, values, weight):
        height = x.shape[1]
        kernel = _two(layer.pool_size, height)
        stride = kernel if layer.stride is None else _two(layer.stride, height)
        windows = _windows(x.shape[1:], kernel, stride, (1, 1), _sides(layer.padding, height))
        return _image({(p, q): summary([x[:, i, j] for i, j, _, _ in taps]) for p, q, taps in windows})

    return reference


def _stride_pool(layer, x, values, weight):
    down, across = _two(layer.pool_size, x.shape[1])
    return np.array(
        [[[image[i, j] for j in range(0, x.shape[2], across)] for i in range(0, x.shape[1], down)] for image in x]
    )


def _global_mean(layer, x, values, weight):
    total = 0
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            total = total + x[:, i, j]
    return total / (x.shape[1] * x.shape[2])


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


def _dense(layer, x, values, weight):
    rows = [[sum(w * v for w, v in zip(unit, row, strict=True)) for unit in values["weight"]] for row in x]
    return np.array(rows) + values.get("bias", 0)


SCALARS = {
    "relu": lambda x: x if x > 0 else 0.0,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "gelu": lambda x: x * (1 + erf(x / 2**0.5)) / 2,
    "tanh": tanh,
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "identity": lambda x: x,
}

REFERENCES = {
    Activation: lambda layer, x, values, weight: np.vectorize(SCALARS[layer.function], otypes=[float])(x),
    BatchNorm: _batch_norm,
    Bias: lambda layer, x, values, weight: x + values["bias"],
    Convolution: _convolution,
    Dense: _dense,
    Dropout: lambda layer, x, values, weight: x,
    Flatten: lambda layer, x, values, weight: np.array([list(image.flat) for image in x]),
    GlobalMeanPool: _global_mean,
    MaxPool: _pool(
        lambda pixels: np.array([max(column) for column in np.stack(pixels, -1).reshape(-1, len(pixels))]).reshape(
            pixels[0].shape
        )
    ),
    MeanPool: _pool(lambda pixels: sum(pixels) / len(pixels)),
    StridePool: _stride_pool,
}
