"""The one table of layers that every contract test runs, and what each layer computes, in loops."""

from dataclasses import dataclass
from math import erf, exp, tanh

import numpy as np

from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    ConstantPadding,
    Convolution,
    Dense,
    DonorPadding,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    GlobalMeanPool,
    Layer,
    LayerNorm,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    NoisePadding,
    Pad,
    Parallel,
    PatternPadding,
    Residual,
    SeparableConvolution,
    SpatialDropout,
    SqueezeExcite,
    StridePool,
    TransposedConvolution,
)


@dataclass(frozen=True)
class Case:
    """A layer, the shape of its input and the shape of its output, worked out by hand."""

    layer: Layer
    shape: tuple
    out: tuple
    multiply_adds: int | None = None  # None where a weight at each position gives them

    @property
    def random(self):
        """Whether the layer draws random numbers in training."""
        return any(
            isinstance(layer, Dropout) or isinstance(_mode(layer), NoisePadding)
            for layer in [self.layer, *(inner for _, inner, _ in inside(self.layer, self.shape))]
        )


def _mode(layer):
    """The padding mode of a layer as an object, or the name of one of `REPEATING`; None where it has none."""
    mode = getattr(layer, "padding_mode", None)
    named = {"constant": ConstantPadding(0), "noise": NoisePadding(), "donor": DonorPadding()}
    return named.get(mode, mode) if isinstance(mode, str) else mode


def inside(layer, shape):
    """``(name, layer, shape)`` of the layers within a composite, and within those."""
    for name, inner, now in layer.inner(shape) if hasattr(layer, "inner") else ():
        yield name, inner, now
        yield from inside(inner, now)


IMAGE, SERIES, VECTOR = (5, 6, 2), (1, 11, 3), (7,)
# Activations of one number.
SCALARS = {
    "relu": lambda x: x if x > 0 else 0.0,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "gelu": lambda x: x * (1 + erf(x / 2**0.5)) / 2,
    "tanh": tanh,
    "logistic": lambda x: 1 / (1 + exp(-x)),
    "identity": lambda x: x,
}

REPEATING = ("edge", "reflect", "symmetric", "wrap")

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
    "convolution by tap": Case(Convolution(3, (2, 3)), (3, 4, 16), (3, 4, 3)),
    "convolution glorot": Case(Convolution(3, initializer="glorot_uniform"), IMAGE, (5, 6, 3)),
    "convolution of a series": Case(Convolution(4, 5), SERIES, (1, 11, 4)),
    "convolution of a series, strided": Case(Convolution(4, 3, stride=2, dilation=2, padding=1), SERIES, (1, 5, 4)),
    "convolution of a series, valid": Case(Convolution(4, 4, padding="valid"), SERIES, (1, 8, 4)),
    "convolution of a series, bordered above": Case(
        Convolution(2, (1, 3), padding=((1, 1), (0, 0))), SERIES, (3, 9, 2)
    ),
    "convolution, bias per position": Case(Convolution(3, (2, 3), bias="position"), IMAGE, (5, 6, 3)),
    "convolution dilated, winograd": Case(Convolution(8, dilation=2), (7, 5, 8), (7, 5, 8)),
    "convolution strided, winograd of its steps": Case(Convolution(8, 5, stride=2), (9, 7, 8), (5, 4, 8)),
    "convolution, seven rows": Case(Convolution(8, (7, 1)), (9, 2, 8), (9, 2, 8)),
    "convolution of a series in blocks": Case(Convolution(16, 9), (1, 11, 16), (1, 11, 16)),
    "convolution of a series in blocks, strided": Case(
        Convolution(16, 20, stride=2, padding=9), (1, 17, 16), (1, 8, 16)
    ),
    "convolution of a series in blocks, dilated": Case(Convolution(16, 9, dilation=3), (1, 31, 16), (1, 31, 16)),
    "convolution in groups": Case(Convolution(6, groups=2), (5, 6, 4), (5, 6, 6)),
    "convolution in groups, strided": Case(Convolution(4, 3, stride=(2, 3), groups=2), (5, 6, 4), (3, 2, 4)),
    "convolution in groups, dilated": Case(
        Convolution(3, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1, groups=3), (5, 6, 6), (4, 2, 3)
    ),
    "convolution in groups, asymmetric": Case(
        Convolution(4, 2, padding=((2, 0), (1, 3)), groups=2), (5, 6, 2), (6, 9, 4)
    ),
    "convolution in groups, border beyond span, strided": Case(
        Convolution(2, 2, stride=(2, 3), padding=((3, 4), (5, 2)), groups=2), IMAGE, (6, 4, 2)
    ),
    "convolution in groups, 1x1": Case(Convolution(6, 1, groups=2), (5, 6, 4), (5, 6, 6)),
    "convolution in groups, one row": Case(Convolution(4, (1, 3), groups=2), (5, 6, 4), (5, 6, 4)),
    "convolution in groups, winograd": Case(Convolution(16, groups=2), (6, 4, 16), (6, 4, 16)),
    "convolution in groups, winograd, strided": Case(Convolution(16, 5, stride=2, groups=2), (9, 7, 16), (5, 4, 16)),
    "convolution in groups, many filters": Case(Convolution(26, (3, 2), groups=2), (3, 4, 4), (3, 4, 26)),
    "convolution in groups on reflect": Case(Convolution(4, groups=2, padding_mode="reflect"), (5, 6, 4), (5, 6, 4)),
    "convolution in groups, glorot": Case(Convolution(4, groups=2, initializer="glorot_uniform"), (5, 6, 4), (5, 6, 4)),
    "convolution in groups of a series": Case(Convolution(6, 5, groups=3), SERIES, (1, 11, 6)),
    "depthwise convolution": Case(Convolution(2, groups=2), IMAGE, (5, 6, 2)),
    "depthwise convolution, strided": Case(Convolution(2, stride=2, groups=2), IMAGE, (3, 3, 2)),
    "depthwise convolution, many taps, strided": Case(Convolution(2, 5, stride=(2, 3), groups=2), IMAGE, (3, 2, 2)),
    "depthwise convolution, dilated": Case(Convolution(2, 2, dilation=(2, 3), groups=2), IMAGE, (5, 6, 2)),
    "depthwise convolution, many taps": Case(Convolution(2, 4, groups=2, bias="position"), IMAGE, (5, 6, 2)),
    "depthwise convolution, several filters a channel": Case(Convolution(6, groups=2), IMAGE, (5, 6, 6)),
    "depthwise convolution, several filters a channel, strided": Case(
        Convolution(4, (3, 2), stride=(3, 2), groups=2, padding="valid"), IMAGE, (1, 3, 4)
    ),
    "depthwise convolution of a series": Case(Convolution(3, 5, groups=3), SERIES, (1, 11, 3)),
    "depthwise convolution of a series, long": Case(
        Convolution(3, 15, dilation=2, groups=3, padding=14), SERIES, (1, 11, 3)
    ),
    "locally connected": Case(LocallyConnected(3), IMAGE, (5, 6, 3)),
    "locally connected without bias": Case(LocallyConnected(3, bias=False), IMAGE, (5, 6, 3)),
    "locally connected, bias per position": Case(LocallyConnected(2, bias="position"), IMAGE, (5, 6, 2)),
    "locally connected 1x1": Case(LocallyConnected(3, 1), IMAGE, (5, 6, 3)),
    "locally connected rectangle": Case(LocallyConnected(2, (2, 5)), IMAGE, (5, 6, 2)),
    "locally connected even kernel": Case(LocallyConnected(2, 4), IMAGE, (5, 6, 2)),
    "locally connected valid": Case(LocallyConnected(3, (3, 2), padding="valid"), IMAGE, (3, 5, 3)),
    "locally connected to the whole": Case(LocallyConnected(3, (5, 6), padding="valid"), IMAGE, (1, 1, 3)),
    "locally connected asymmetric": Case(LocallyConnected(2, 3, padding=((2, 0), (1, 3))), IMAGE, (5, 8, 2)),
    "locally connected border beyond span, strided": Case(
        LocallyConnected(2, 2, stride=(2, 3), padding=((3, 4), (5, 2))), IMAGE, (6, 4, 2)
    ),
    "locally connected stride": Case(LocallyConnected(3, stride=2), IMAGE, (3, 3, 3)),
    "locally connected stride beyond kernel": Case(LocallyConnected(3, 2, stride=3, padding="valid"), IMAGE, (2, 2, 3)),
    "locally connected dilation and stride": Case(
        LocallyConnected(2, (2, 3), dilation=(3, 2), stride=(1, 2), padding=1), IMAGE, (4, 2, 2)
    ),
    "locally connected, many filters and channels": Case(LocallyConnected(13, (3, 2)), (3, 4, 12), (3, 4, 13)),
    "locally connected, many filters of few terms": Case(LocallyConnected(13, (1, 2)), (3, 4, 2), (3, 4, 13)),
    "locally connected, glorot": Case(LocallyConnected(3, initializer="glorot_uniform"), IMAGE, (5, 6, 3)),
    "locally connected series": Case(LocallyConnected(4, 5), SERIES, (1, 11, 4)),
    "locally connected series, strided": Case(
        LocallyConnected(4, 3, stride=2, dilation=2, padding=1), SERIES, (1, 5, 4)
    ),
    "fully connected": Case(FullyConnected(3), IMAGE, (5, 6, 3)),
    "fully connected without bias": Case(FullyConnected(1, bias=False), IMAGE, (5, 6, 1)),
    "fully connected, bias per position": Case(FullyConnected(2, 4, bias="position"), IMAGE, (5, 6, 2)),
    "fully connected valid, strided": Case(FullyConnected(2, 2, stride=(2, 3), padding="valid"), IMAGE, (2, 2, 2)),
    "fully connected asymmetric, dilated": Case(
        FullyConnected(2, 2, dilation=(1, 2), padding=((2, 0), (0, 1)), initializer="glorot_uniform"), IMAGE, (6, 5, 2)
    ),
    "fully connected series": Case(FullyConnected(2, 4, stride=3, padding=1), SERIES, (1, 4, 2)),
    "max pool": Case(MaxPool(), (4, 6, 2), (2, 3, 2)),
    "max pool, odd": Case(MaxPool(2), (5, 7, 2), (2, 3, 2)),
    "max pool, overlapping": Case(MaxPool(3, stride=2), (5, 6, 2), (2, 2, 2)),
    "max pool, padding": Case(MaxPool(3, stride=2, padding=1), (5, 6, 2), (3, 3, 2)),
    "max pool, one-sided padding": Case(MaxPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
    "max pool, rectangle": Case(MaxPool((1, 3), stride=(2, 1)), IMAGE, (3, 4, 2)),
    "max pool, gaps": Case(MaxPool(1, stride=2), IMAGE, (3, 3, 2)),
    "max pool of a series": Case(MaxPool(2), SERIES, (1, 5, 3)),
    "max pool of a series, padding": Case(MaxPool(4, stride=3, padding=2), SERIES, (1, 4, 3)),
    "max pool, rounded up": Case(MaxPool(2, ceil_mode=True), (5, 7, 2), (3, 4, 2)),
    "max pool, nothing to round up": Case(MaxPool(2, ceil_mode=True), (4, 6, 2), (2, 3, 2)),
    "max pool, rounded up, padding": Case(MaxPool(3, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
    "max pool, window in the border dropped": Case(
        MaxPool(2, stride=3, padding=((0, 1), (1, 1)), ceil_mode=True), (6, 5, 2), (2, 2, 2)
    ),
    "max pool, window larger than the image": Case(MaxPool((3, 2), stride=2, ceil_mode=True), (2, 5, 2), (1, 3, 2)),
    "max pool of a series, rounded up": Case(MaxPool(4, stride=3, ceil_mode=True), SERIES, (1, 4, 3)),
    "mean pool": Case(MeanPool(), (4, 6, 2), (2, 3, 2)),
    "mean pool, odd": Case(MeanPool(2), (5, 7, 2), (2, 3, 2)),
    "mean pool, overlapping": Case(MeanPool(3, stride=2), IMAGE, (2, 2, 2)),
    "mean pool, padding": Case(MeanPool(3, stride=2, padding=1), IMAGE, (3, 3, 2)),
    "mean pool, one-sided padding": Case(MeanPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
    "mean pool, rectangle": Case(MeanPool((2, 3), stride=(1, 2)), IMAGE, (4, 2, 2)),
    "mean pool of a series": Case(MeanPool(3, padding=1), SERIES, (1, 4, 3)),
    "mean pool, rounded up": Case(MeanPool(2, ceil_mode=True), (5, 7, 2), (3, 4, 2)),
    "mean pool, rounded up, padding": Case(MeanPool(3, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
    "mean pool, the border counts": Case(MeanPool(3, stride=2, padding=1, count_include_pad=True), IMAGE, (3, 3, 2)),
    "mean pool, the border counts, one-sided": Case(
        MeanPool(2, padding=((1, 0), (0, 1)), count_include_pad=True), (5, 7, 2), (3, 4, 2)
    ),
    "mean pool, the border counts, not what lies beyond": Case(
        MeanPool((3, 4), stride=(2, 3), padding=((1, 1), (2, 1)), ceil_mode=True, count_include_pad=True),
        (6, 7, 2),
        (4, 3, 2),
    ),
    "mean pool of a series, the border counts": Case(
        MeanPool(4, stride=3, padding=1, ceil_mode=True, count_include_pad=True), SERIES, (1, 4, 3)
    ),
    "lp pool": Case(LpPool(), (4, 6, 2), (2, 3, 2)),
    "lp pool, sum": Case(LpPool(2, 1), (5, 7, 2), (2, 3, 2)),
    "lp pool, overlapping": Case(LpPool(3, 3, stride=2), IMAGE, (2, 2, 2)),
    "lp pool, padding": Case(LpPool(3, 2.5, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
    "lp pool, rectangle": Case(LpPool((2, 3), stride=(1, 2), padding=((1, 0), (0, 1))), IMAGE, (5, 3, 2)),
    "lp pool of a series": Case(LpPool(3, 8), SERIES, (1, 3, 3)),
    "stride pool": Case(StridePool(), (4, 6, 2), (2, 3, 2)),
    "stride pool, odd": Case(StridePool((2, 4)), (5, 7, 2), (3, 2, 2)),
    "stride pool of a series": Case(StridePool(3), SERIES, (1, 4, 3)),
    "global max pool": Case(GlobalMaxPool(), IMAGE, (2,)),
    "global max pool of a series": Case(GlobalMaxPool(), SERIES, (3,)),
    "global mean pool": Case(GlobalMeanPool(), IMAGE, (2,)),
    "global mean pool of a series": Case(GlobalMeanPool(), SERIES, (3,)),
    "batch norm": Case(BatchNorm(), IMAGE, IMAGE),
    "batch norm of a series": Case(BatchNorm(decay=0.7, epsilon=0.1), SERIES, SERIES),
    "batch norm of a vector": Case(BatchNorm(), VECTOR, VECTOR),
    "pad": Case(Pad(), IMAGE, (7, 8, 2)),
    "pad of nothing": Case(Pad(0, "reflect"), IMAGE, IMAGE),
    "pad, a constant per channel": Case(Pad(((1, 0), (0, 2)), ConstantPadding((0.5, -1.0))), IMAGE, (6, 8, 2)),
    **{f"pad, {mode}": Case(Pad(2, mode), IMAGE, (9, 10, 2)) for mode in (*REPEATING, "noise", "donor")},
    **{
        f"pad, {mode}, wider than the image": Case(Pad(((9, 4), (3, 13)), mode), (3, 4, 2), (16, 20, 2))
        for mode in (*REPEATING, "noise", "donor")
    },
    **{
        f"pad, {mode}, one-sided": Case(Pad(((0, 3), (1, 0)), mode), IMAGE, (8, 7, 2)) for mode in (*REPEATING, "noise")
    },
    "pad, donor, one-sided": Case(Pad(((2, 0), (0, 1)), "donor"), IMAGE, (7, 7, 2)),
    **{f"pad, {mode}, series": Case(Pad(4, mode), SERIES, (1, 19, 3)) for mode in (*REPEATING, "noise", "donor")},
    **{f"pad, {mode}, one row": Case(Pad((2, 1), mode), SERIES, (5, 13, 3)) for mode in (*REPEATING, "donor")},
    "pad, noise, random state": Case(Pad((2, 1), NoisePadding(random_state=7)), IMAGE, (9, 8, 2)),
    "pad, uniform noise": Case(Pad((2, 1), NoisePadding("uniform")), IMAGE, (9, 8, 2)),
    "pad, noise of a mean": Case(Pad(((1, 2), 2), NoisePadding(mean=(0.5, -1.0))), IMAGE, (8, 10, 2)),
    "pad, noise of a deviation": Case(Pad(2, NoisePadding("uniform", scale=0.7)), SERIES, (1, 15, 3)),
    "pad, noise of both": Case(Pad(1, NoisePadding(mean=0.3, scale=(0.0, 2.0))), IMAGE, (7, 8, 2)),
    "pad, pattern": Case(Pad(2, PatternPadding(((1.0, 2.0, 3.0), (-1.0, 0.5, 0.0)))), IMAGE, (9, 10, 2)),
    "pad, pattern of the channels": Case(
        Pad((0, 3), PatternPadding((((1.0, 2.0, 3.0), (-1.0, 0.5, 0.0)),))), SERIES, (1, 17, 3)
    ),
    **{
        f"convolution on {mode}": Case(Convolution(3, padding_mode=mode), IMAGE, (5, 6, 3))
        for mode in (*REPEATING, "noise", "donor")
    },
    "convolution on a constant, strided": Case(
        Convolution(3, (4, 3), stride=(2, 3), padding_mode=ConstantPadding((0.7, -0.4))), IMAGE, (3, 2, 3)
    ),
    "convolution on a pattern": Case(
        Convolution(2, 3, padding=(0, 3), padding_mode=PatternPadding(((1.0, -1.0),))), IMAGE, (3, 10, 2)
    ),
    "convolution on wrap, strided and dilated": Case(
        Convolution(3, stride=2, dilation=2, padding_mode="wrap"), IMAGE, (3, 3, 3)
    ),
    "convolution on reflect, winograd": Case(Convolution(8, padding_mode="reflect"), (6, 4, 8), (6, 4, 8)),
    "convolution on reflect, valid": Case(Convolution(2, padding="valid", padding_mode="reflect"), IMAGE, (3, 4, 2)),
    "convolution on edge, series": Case(Convolution(4, 5, padding_mode="edge"), SERIES, (1, 11, 4)),
    "convolution on edge, series, bordered above": Case(
        Convolution(2, 3, stride=2, dilation=2, padding=((1, 1), (3, 0)), padding_mode="edge"), SERIES, (3, 5, 2)
    ),
    **{
        f"locally connected on {mode}": Case(LocallyConnected(3, padding_mode=mode), IMAGE, (5, 6, 3))
        for mode in ("reflect", "noise", "donor")
    },
    "locally connected on a constant, strided": Case(
        LocallyConnected(2, (4, 3), stride=(2, 3), padding_mode=ConstantPadding((0.7, -0.4)), bias="position"),
        IMAGE,
        (3, 2, 2),
    ),
    "locally connected on wrap, series, strided and dilated": Case(
        LocallyConnected(2, 3, stride=2, dilation=2, padding_mode="wrap"), SERIES, (1, 6, 2)
    ),
    "bias": Case(Bias(), IMAGE, IMAGE),
    "bias per position": Case(Bias("position"), IMAGE, IMAGE),
    "bias of a vector": Case(Bias(), VECTOR, VECTOR),
    "dropout": Case(Dropout(0.3), IMAGE, IMAGE),
    "dropout of a vector": Case(Dropout(), VECTOR, VECTOR),
    "dropout of nothing": Case(Dropout(0), IMAGE, IMAGE),
    "flatten": Case(Flatten(), IMAGE, (60,)),
    "flatten a series": Case(Flatten(), SERIES, (33,)),
    "dense": Case(Dense(4), VECTOR, (4,)),
    "dense without bias": Case(Dense(13, bias=False), VECTOR, (13,)),
    "dense glorot": Case(Dense(4, initializer="glorot_uniform"), VECTOR, (4,)),
    **{f"{name}": Case(Activation(name), IMAGE, IMAGE) for name in SCALARS},
    "layer norm": Case(LayerNorm(), (5, 6, 3), (5, 6, 3)),
    "layer norm over the sample": Case(LayerNorm("sample"), IMAGE, IMAGE),
    "layer norm of a series": Case(LayerNorm(epsilon=0.1), SERIES, SERIES),
    "layer norm of a series over the sample": Case(LayerNorm("sample"), SERIES, SERIES),
    "layer norm of a vector": Case(LayerNorm(), VECTOR, VECTOR),
    "layer norm of a vector over the sample": Case(LayerNorm("sample", 0.01), VECTOR, VECTOR),
    "spatial dropout": Case(SpatialDropout(0.3), IMAGE, IMAGE),
    "spatial dropout of a vector": Case(SpatialDropout(), VECTOR, VECTOR),
    "squeeze excite": Case(SqueezeExcite(2), (5, 6, 4), (5, 6, 4), 16),
    "squeeze excite, few channels": Case(SqueezeExcite(), IMAGE, IMAGE, 4),
    "squeeze excite, many channels": Case(SqueezeExcite(1, initializer="he_normal"), (2, 3, 13), (2, 3, 13), 338),
    "squeeze excite of a series": Case(SqueezeExcite(2), SERIES, SERIES, 6),
    "separable": Case(SeparableConvolution(5), IMAGE, (5, 6, 5), 30 * (9 * 2 + 2 * 5)),
    "separable without bias": Case(SeparableConvolution(3, 1, bias=False), IMAGE, (5, 6, 3), 30 * (2 + 6)),
    "separable of one channel": Case(SeparableConvolution(3), (5, 6, 1), (5, 6, 3), 30 * (9 + 3)),
    "separable, several filters a channel, strided": Case(
        SeparableConvolution(3, (3, 2), stride=(2, 3), padding=1, multiplier=2), IMAGE, (3, 3, 3), 9 * (24 + 12)
    ),
    "separable, dilated, bias per position": Case(
        SeparableConvolution(2, 2, dilation=(2, 3), bias="position", initializer="glorot_uniform"),
        IMAGE,
        (5, 6, 2),
        30 * (8 + 4),
    ),
    "separable on a constant": Case(
        SeparableConvolution(2, padding_mode=ConstantPadding((0.7, -0.4))), IMAGE, (5, 6, 2), 30 * (18 + 4)
    ),
    "separable on reflect": Case(SeparableConvolution(2, padding_mode="reflect"), IMAGE, (5, 6, 2), 30 * (18 + 4)),
    "separable of a series": Case(SeparableConvolution(4, 5, stride=2), SERIES, (1, 6, 4), 6 * (15 + 12)),
    "separable of a series that becomes an image": Case(
        SeparableConvolution(4, (1, 3), padding=((1, 1), (0, 0))), SERIES, (3, 9, 4), 27 * (9 + 12)
    ),
    "transposed convolution": Case(TransposedConvolution(3), IMAGE, (5, 6, 3), 30 * 54),
    "transposed convolution, strided": Case(TransposedConvolution(3, stride=2), IMAGE, (10, 12, 3), 30 * 54),
    "transposed convolution, bias per position": Case(
        TransposedConvolution(2, 2, bias="position"), IMAGE, (5, 6, 2), 30 * 16
    ),
    "transposed convolution, stride beyond kernel": Case(
        TransposedConvolution(2, 2, stride=3), IMAGE, (15, 18, 2), 30 * 16
    ),
    "transposed convolution, valid": Case(
        TransposedConvolution(2, (2, 3), stride=(3, 2), padding="valid", bias=False), IMAGE, (14, 13, 2), 30 * 24
    ),
    "transposed convolution, valid, gaps": Case(
        TransposedConvolution(2, 1, stride=2, padding="valid"), (2, 3, 2), (3, 5, 2), 6 * 4
    ),
    "transposed convolution, cut": Case(
        TransposedConvolution(2, 4, stride=2, padding=((1, 0), (2, 3)), output_padding=(1, 0)),
        IMAGE,
        (12, 9, 2),
        30 * 64,
    ),
    "transposed convolution, cut beyond the kernel": Case(
        TransposedConvolution(2, 2, padding=2), IMAGE, (2, 3, 2), 30 * 16
    ),
    "transposed convolution, dilated": Case(
        TransposedConvolution(2, 2, stride=2, dilation=(2, 3), padding=1, initializer="glorot_uniform"),
        IMAGE,
        (9, 12, 2),
        30 * 16,
    ),
    "transposed convolution, winograd": Case(TransposedConvolution(9), (6, 4, 8), (6, 4, 9), 24 * 648),
    "transposed convolution, winograd of its steps": Case(
        TransposedConvolution(8, 6, stride=2), (6, 5, 9), (12, 10, 8), 30 * 36 * 72
    ),
    "transposed convolution, many filters": Case(
        TransposedConvolution(26, (3, 2), stride=(1, 2)), (3, 4, 13), (3, 8, 26), 12 * 6 * 13 * 26
    ),
    "transposed convolution, long kernel": Case(TransposedConvolution(3, 21), (21, 21, 3), (21, 21, 3), 441 * 441 * 9),
    "transposed convolution of a series": Case(TransposedConvolution(4, 5, stride=2), SERIES, (1, 22, 4), 11 * 60),
    "transposed convolution of a series, more at the end": Case(
        TransposedConvolution(2, 3, stride=3, padding=0, output_padding=2), SERIES, (1, 35, 2), 11 * 18
    ),
    "transposed convolution of a series in blocks": Case(
        TransposedConvolution(16, 20, stride=2, padding=9), (1, 9, 16), (1, 18, 16), 9 * 20 * 256
    ),
    "parallel": Case(
        Parallel([[Convolution(3)], [Convolution(2, 5), Activation("tanh")], [MaxPool(3, stride=1, padding=1)]]),
        IMAGE,
        (5, 6, 7),
        30 * (54 + 100),
    ),
    "parallel, added": Case(
        Parallel([[Activation("tanh")], [], [Convolution(2), BatchNorm()], []], "add"), IMAGE, IMAGE, 30 * 36
    ),
    "parallel, the image first": Case(Parallel([[], [Bias(), Activation("gelu")]]), IMAGE, (5, 6, 4), 0),
    "parallel of one branch": Case(Parallel([[Convolution(3), MaxPool()]], "add"), IMAGE, (2, 3, 3), 30 * 54),
    "parallel, nested": Case(
        Parallel(
            [
                [Residual([Convolution(2), Activation("tanh")]), Activation("elu")],
                [Parallel([[Activation("tanh")], [Convolution(1, (3, 1))], []])],
                [BatchNorm(), Residual([Convolution(1, 1)], shortcut=[Convolution(1)])],
            ]
        ),
        IMAGE,
        (5, 6, 8),
        30 * (36 + 6 + 2 + 18),
    ),
    "parallel with dropout": Case(Parallel([[Dropout(0.3)], [Convolution(2)]], "add"), IMAGE, IMAGE, 30 * 36),
    "parallel of a series": Case(
        Parallel([[Convolution(2, 9)], [Convolution(2, 3)], [SeparableConvolution(1, 5)]]),
        SERIES,
        (1, 11, 5),
        11 * (54 + 18 + 15 + 3),
    ),
    "residual": Case(
        Residual([Convolution(2, bias=False), BatchNorm(), Activation("tanh"), Convolution(2), BatchNorm()]),
        IMAGE,
        IMAGE,
        30 * 72,
    ),
    "residual, strided": Case(
        Residual([Activation("tanh"), Convolution(4, stride=2, bias=False), BatchNorm(), LayerNorm()]),
        IMAGE,
        (3, 3, 4),
        9 * (72 + 8),
    ),
    "residual, pooled": Case(Residual([Convolution(3), MaxPool()]), (4, 6, 2), (2, 3, 3), 24 * 54 + 6 * 6),
    "residual, a shortcut of its own": Case(
        Residual([Convolution(3, stride=2)], shortcut=[MeanPool(2, ceil_mode=True), Convolution(3, 1, bias=False)]),
        IMAGE,
        (3, 3, 3),
        9 * (54 + 6),
    ),
    "residual with a gate": Case(
        Residual([Convolution(4), SqueezeExcite(2), SpatialDropout(0)], shortcut=[TransposedConvolution(4)]),
        IMAGE,
        (5, 6, 4),
        30 * 72 + 16 + 30 * 72,
    ),
    "residual of a series": Case(
        Residual([Convolution(4, 5, stride=2), BatchNorm()]), SERIES, (1, 6, 4), 6 * (60 + 12)
    ),
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


def _starts(size, span, stride, before, after, rounded_up=False):
    """First tap of every window, the image starting at 0."""
    starts = list(range(-before, size + after - span + 1, stride))
    following = starts[-1] + stride if starts else -before
    if rounded_up and following < size and (not starts or starts[-1] + span < size + after):
        starts.append(following)  # samples are left over, and it does not start beyond the image
    return starts


def _windows(shape, kernel, stride, dilation, sides, rounded_up=False):
    """``(p, q, [(row, column, r, s)])`` of each window, taps outside the image left out."""
    height, width = shape[:2]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    for p, top in enumerate(_starts(height, spans[0], stride[0], *sides[:2], rounded_up)):
        for q, left in enumerate(_starts(width, spans[1], stride[1], *sides[2:], rounded_up)):
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
    if layer.padding_mode != "constant":
        border = Pad((tuple(sides[:2]), tuple(sides[2:])), layer.padding_mode)
        x, sides = _pad(border, x, values, weight), [0] * 4
        shape = x.shape[1:]
    width = x.shape[3] // layer.groups
    pixels = {}
    for p, q, taps in _windows(shape, kernel, stride, dilation, sides):
        total = np.zeros((len(x), layer.filters))
        kernels = values["weight"][p, q] if isinstance(layer, LocallyConnected) else values["weight"]
        for i, j, r, s in taps:
            for f in range(layer.filters):
                group = f // (layer.filters // layer.groups) * width
                total[:, f] += (x[:, i, j, group : group + width] * kernels[f, r, s]).sum(axis=1)
        pixels[p, q] = total
    return _image(pixels) + values.get("bias", 0)


def _pad(layer, x, values, weight):
    height, width, channels = x.shape[1:]
    top, bottom, left, right = _sides(layer.padding, height)
    sides = ((0, 0), (top, bottom), (left, right), (0, 0))
    mode = _mode(layer)
    if isinstance(mode, str):
        return np.pad(x, sides, mode)
    y = np.pad(x, sides)
    if isinstance(mode, NoisePadding):
        rng = np.random.default_rng(mode.random_state)
        normal = mode.distribution == "normal"
        noise = rng.standard_normal(y.shape[1:]) if normal else (2 * rng.random(y.shape[1:]) - 1) * 3**0.5
    for i, j, c in np.ndindex(y.shape[1:]):
        if top <= i < top + height and left <= j < left + width:
            continue
        if isinstance(mode, PatternPadding):
            pattern = np.array(mode.values)
            value = pattern[i % len(pattern), j % pattern.shape[1]]
            value = value[c] if pattern.ndim == 3 else value
        elif isinstance(mode, ConstantPadding):
            value = np.broadcast_to(mode.values, channels)[c]
        elif isinstance(mode, DonorPadding):
            donor = values["donor"] if weight is None else x[np.flatnonzero(weight)[0]]
            value = donor[(i - top) % height, (j - left) % width, c]
        else:
            mean = x[..., c].mean(axis=(1, 2)) if mode.mean is None else np.broadcast_to(mode.mean, channels)[c]
            spread = x[..., c].std(axis=(1, 2)) if mode.scale is None else np.broadcast_to(mode.scale, channels)[c]
            value = mean + spread * noise[i, j, c]
        y[:, i, j, c] = value
    return y


def _fully_connected(layer, x, values, weight):
    y = np.zeros((len(x), *values["weight"].shape[:3]))
    for p, q, f in np.ndindex(y.shape[1:]):
        for i, j, c in np.ndindex(x.shape[1:]):
            y[:, p, q, f] += values["weight"][p, q, f, i, j, c] * x[:, i, j, c]
    return y + values.get("bias", 0)


def _image(pixels):
    """``{(p, q): (n, channels)}`` as an array of shape (n, P, Q, channels)."""
    last = max(pixels)
    return np.array([[pixels[p, q] for q in range(last[1] + 1)] for p in range(last[0] + 1)]).transpose(2, 0, 1, 3)


def _pool(summary):
    def reference(layer, x, values, weight):
        height = x.shape[1]
        kernel = _two(layer.pool_size, height)
        stride = kernel if layer.stride is None else _two(layer.stride, height)
        sides = _sides(layer.padding, height)
        windows = _windows(x.shape[1:], kernel, stride, (1, 1), sides, layer.ceil_mode)
        pixels = {}
        for p, q, taps in windows:
            pixels[p, q] = summary(layer, [x[:, i, j] for i, j, _, _ in taps])
            if getattr(layer, "count_include_pad", False):
                down, across = stride[0] * p - sides[0], stride[1] * q - sides[2]
                rows = [i for i in range(down, down + kernel[0]) if i < x.shape[1] + sides[1]]
                columns = [j for j in range(across, across + kernel[1]) if j < x.shape[2] + sides[3]]
                pixels[p, q] = pixels[p, q] * len(taps) / (len(rows) * len(columns))
        return _image(pixels)

    return reference


def _maximum(layer, pixels):
    return np.array([max(column) for column in np.stack(pixels, -1).reshape(-1, len(pixels))]).reshape(pixels[0].shape)


def _norm(layer, pixels):
    return sum(abs(pixel) ** layer.p for pixel in pixels) ** (1 / layer.p)


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


def within(values, name):
    """What belongs to the layer of this name."""
    return {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}


def _separable(layer, x, values, weight):
    options = {name: getattr(layer, name) for name in ("stride", "dilation", "padding", "padding_mode")}
    channels = x.shape[-1]
    first = Convolution(channels * layer.multiplier, layer.kernel_size, groups=channels, **options)
    between = _convolution(first, x, within(values, "depthwise"), weight)
    return _convolution(Convolution(layer.filters, (1, 1)), between, within(values, "pointwise"), weight)


def _transposed(layer, x, values, weight):
    shape = x.shape[1:]
    kernel, stride, dilation = [_two(v, shape[0]) for v in (layer.kernel_size, layer.stride, layer.dilation)]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    more = layer.output_padding
    more = ((0, more) if shape[0] == 1 else (more, more)) if isinstance(more, int) else more
    whole = np.zeros((len(x), *((n - 1) * s + span + s for n, s, span in zip(shape, stride, spans, strict=False)),
                      layer.filters))  # fmt: skip
    for i, j, r, s in np.ndindex(*shape[:2], *kernel):
        products = x[:, i, j] @ values["weight"][:, r, s].T
        whole[:, i * stride[0] + r * dilation[0], j * stride[1] + s * dilation[1]] += products
    if layer.padding == "same":
        firsts = [(span - 1) // 2 for span in spans]
        sizes = [n * s for n, s in zip(shape, stride, strict=False)]
    else:
        top, bottom, left, right = [0] * 4 if layer.padding == "valid" else _sides(layer.padding, shape[0])
        firsts = [top, left]
        ends = [(n - 1) * s + span for n, s, span in zip(shape, stride, spans, strict=False)]
        sizes = [ends[0] - top - bottom + more[0], ends[1] - left - right + more[1]]
    rows, columns = [slice(first, first + size) for first, size in zip(firsts, sizes, strict=True)]
    return whole[:, rows, columns] + values.get("bias", 0)


def _chain(layers, x, values, weight):
    """Layers one after the other; they are named by their class and a number."""
    counts = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] = counts.get(kind, 0) + 1
        x = REFERENCES[type(layer)](layer, x, within(values, f"{kind}{counts[kind]}"), weight)
    return x


def _parallel(layer, x, values, weight):
    ends = [_chain(each, x, within(values, f"branch{i}"), weight) for i, each in enumerate(layer.branches, 1)]
    return sum(ends) if layer.merge == "add" else np.concatenate(ends, axis=-1)


def _residual(layer, x, values, weight):
    y = _chain(layer.layers, x, values, weight)
    shortcut = layer.shortcut
    if shortcut is None:
        steps = [-(-a // b) for a, b in zip(x.shape[1:3], y.shape[1:3], strict=True)]
        projection = [Convolution(y.shape[-1], (1, 1), stride=tuple(steps)), BatchNorm()]
        shortcut = [] if y.shape == x.shape else projection
    return y + _chain(shortcut, x, within(values, "shortcut"), weight)


def _dense(layer, x, values, weight):
    rows = [[sum(w * v for w, v in zip(unit, row, strict=True)) for unit in values["weight"]] for row in x]
    return np.array(rows) + values.get("bias", 0)


REFERENCES = {
    Activation: lambda layer, x, values, weight: np.vectorize(SCALARS[layer.activation], otypes=[float])(x),
    BatchNorm: _batch_norm,
    Bias: lambda layer, x, values, weight: x + values["bias"],
    Convolution: _convolution,
    Dense: _dense,
    Dropout: lambda layer, x, values, weight: x,
    Flatten: lambda layer, x, values, weight: np.array([list(image.flat) for image in x]),
    FullyConnected: _fully_connected,
    GlobalMaxPool: lambda layer, x, values, weight: np.array([[max(c.flat) for c in image.T] for image in x]),
    GlobalMeanPool: _global_mean,
    LayerNorm: _layer_norm,
    LocallyConnected: _convolution,
    LpPool: _pool(_norm),
    MaxPool: _pool(_maximum),
    MeanPool: _pool(lambda layer, pixels: sum(pixels) / len(pixels)),
    Pad: _pad,
    Parallel: _parallel,
    Residual: _residual,
    SeparableConvolution: _separable,
    SpatialDropout: lambda layer, x, values, weight: x,
    SqueezeExcite: _squeeze_excite,
    StridePool: _stride_pool,
    TransposedConvolution: _transposed,
}
