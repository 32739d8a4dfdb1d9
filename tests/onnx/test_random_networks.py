"""Lists of layers drawn at random, in onnxruntime and here."""

import numpy as np
import pytest
from exported import check_network, newest_opset, settled

from skconv import layers
from skconv.layers import (
    ELU,
    Activation,
    BatchNorm,
    Bias,
    Clip,
    ConstantPadding,
    Convolution,
    Dense,
    DepthToSpace,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    GlobalMeanPool,
    Layer,
    LayerNorm,
    LeakyReLU,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    NoisePadding,
    Pad,
    Parallel,
    PatternPadding,
    PReLU,
    Residual,
    Scale,
    SelectChannels,
    SeparableConvolution,
    ShuffleChannels,
    SpatialDropout,
    SqueezeExcite,
    StridePool,
    TransposedConvolution,
    Upsample,
)
from skconv.layers.activation_functions import FUNCTIONS

SHAPES = [(8, 8, 1), (9, 7, 3), (1, 30, 1), (1, 21, 4), (6, 1, 2), (12, 10, 2)]
MODES = ("constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor")


class Draw:
    """Layers drawn by one generator, each of which fits its input."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one(self, *values):
        return values[self.rng.integers(len(values))]

    def size(self, most):
        return self.one(int(self.rng.integers(1, most + 1)), tuple(self.rng.integers(1, most + 1, 2).tolist()))

    def bias(self):
        return self.one(True, False, "position")

    def windowed(self):
        sides = tuple(map(tuple, self.rng.integers(0, 3, (2, 2)).tolist()))
        return {
            "kernel_size": self.size(5),
            "stride": self.size(2),
            "dilation": self.size(2),
            "padding": self.one("same", "same", "valid", sides),
            "bias": self.bias(),
        }

    def pooled(self):
        size = tuple(self.rng.integers(1, 4, 2).tolist())
        sides = tuple((int(self.rng.integers(0, n // 2 + 1)), int(self.rng.integers(0, n // 2 + 1))) for n in size)
        return {"pool_size": size, "stride": self.size(3), "padding": sides, "ceil_mode": self.one(True, False)}

    def mode(self, shape):
        """A name of a padding mode, or an object."""
        pattern, scale = self.rng.standard_normal((2, 3, shape[2])), self.rng.uniform(0.5, 2, shape[2])
        objects = ConstantPadding(pattern[0, 0].tolist()), PatternPadding(pattern), NoisePadding("normal", scale=scale)
        return self.one(*MODES, *objects)

    def activation(self):
        """A name of an activation, or an object."""
        return self.one(*FUNCTIONS, LeakyReLU(0.2), ELU(1.5), Clip(-0.5, 0.8))

    def layer(self, shape, depth):
        """A layer for images of ``shape``; with ``depth`` it may have layers in it."""
        mode = {"padding_mode": self.one("constant", self.mode(shape))}
        makers = [
            lambda: Convolution(self.one(2, 4), **self.windowed(), **mode, groups=self.one(1, 1, shape[2])),
            lambda: Convolution(4, self.size(3)),
            lambda: LocallyConnected(3, **self.windowed(), **mode),
            lambda: FullyConnected(2, **self.windowed()),
            lambda: SeparableConvolution(3, **self.windowed(), **mode, multiplier=self.one(1, 2)),
            lambda: TransposedConvolution(3, **self.windowed()),
            lambda: Activation(self.activation()),
            lambda: BatchNorm(),
            lambda: LayerNorm(self.one("channels", "sample"), epsilon=0.1),
            lambda: SqueezeExcite(self.one(1, 4)),
            lambda: Bias(self.one(True, "position")),
            lambda: self.one(Dropout, SpatialDropout)(0.3),
            lambda: self.one(MaxPool, MeanPool)(**self.pooled()),
            lambda: MeanPool(**self.pooled(), count_include_pad=True),
            lambda: LpPool(**self.pooled(), p=self.one(1, 2, 3.5)),
            lambda: StridePool(self.size(2)),
            lambda: self.one(PReLU, Scale)(0.3),
            lambda: Upsample(self.size(3), self.one("nearest", "linear")),
            lambda: DepthToSpace(self.size(2), self.one("DCR", "CRD")),
            lambda: ShuffleChannels(self.one(2, 3)),
            lambda: SelectChannels(self.one(0, 1), self.one(None, 2)),
            lambda: Pad(tuple(map(tuple, self.rng.integers(0, 4, (2, 2)).tolist())), self.mode(shape)),
            lambda: self.one(GlobalMaxPool, GlobalMeanPool)(keepdims=True),
        ]
        if depth:
            makers += [
                lambda: Residual(self.layers(shape, self.one(1, 2), depth - 1)),
                lambda: Residual([Convolution(3, stride=self.one(1, 2))], [Convolution(3, 1, stride=self.one(1, 2))]),
                lambda: Parallel(
                    [self.layers(shape, n, depth - 1) for n in self.one((1,), (1, 0), (2, 1), (0, 2, 1))],
                    self.one("add", "concatenate", "multiply"),
                ),
                lambda: Parallel(
                    [[], [GlobalMeanPool(keepdims=True), *self.layers((1, 1, shape[2]), 1, 0)]], "multiply"
                ),
            ]
        return self.one(*makers)()

    def layers(self, shape, n, depth):
        """``n`` layers for images of ``shape``."""
        drawn = []
        while len(drawn) < n:
            try:
                layer = self.layer(shape, depth)
                after = layer.output_shape(shape)
            except ValueError:
                continue  # does not fit
            if np.prod(after) <= 2000 and len(after) == 3:
                drawn.append(layer)
                shape = after
        return drawn

    def network(self):
        """A network of up to seven layers and its end."""
        shape = self.one(*SHAPES)
        layers = self.layers(shape, int(self.rng.integers(1, 8)), 2)
        end = self.one([Flatten()], [GlobalMaxPool()], [GlobalMeanPool()])
        return settled(
            [*layers, *end, Dense(5, bias=self.one(True, False)), self.one(BatchNorm(), Activation())], shape
        )


def classes_within(layers):
    """Classes of layers, and of what they have."""
    for value in layers:
        yield type(value)
        yield from classes_within(getattr(value, "layers", ()))
        yield from classes_within(getattr(value, "shortcut", None) or ())
        for branch in getattr(value, "branches", ()):
            yield from classes_within(branch)


def test_every_layer_is_drawn():
    drawn = {kind for seed in range(200) for kind in classes_within(Draw(seed).network().layers)}
    public = [getattr(layers, name) for name in layers.__all__]
    assert drawn == {
        kind for kind in public if isinstance(kind, type) and issubclass(kind, Layer) and kind is not Layer
    }


@pytest.mark.parametrize("seed", range(30))
def test_a_random_list_of_layers(seed):
    check_network(Draw(seed).network())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 200))
def test_more_random_lists_of_layers(seed):
    check_network(Draw(seed).network(), opset=18 + seed % (newest_opset() - 17))
