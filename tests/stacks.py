"""Networks of a few layers, all of whose numbers are drawn, for the ways to predict without a block."""

import numpy as np

from skconv._network.network import Network
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    Pad,
)


def make(layers, shape, dtype=np.float32):
    """A network whose parameters and running statistics are all drawn."""
    rng = np.random.default_rng(0)
    network = Network([*layers, Flatten(), Dense(5)] if layers[-1:] != [Dense(5)] else layers, shape, dtype)
    network.initialize(rng)
    for name, view in network.named_arrays().items():
        if not name.endswith("weight"):
            view[...] = rng.uniform(0.5, 1.5, view.shape)
    network.changed()
    return network


def samples(network, n, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, np.prod(network.input_shape))).astype(network.dtype)


# Layers, shape, the algorithm of the first convolution, the first layer that takes the block
STACKS = {
    "one channel": ([Convolution(16), MaxPool(), Activation()], (28, 28, 1), "Gathered", "Flatten"),
    "two convolutions": ([Convolution(16), MaxPool(), Convolution(32), MaxPool()], (14, 14, 3), "Gathered", "Flatten"),
    "rows": ([Convolution(32), MaxPool(), Activation("tanh")], (14, 14, 16), "Winograd", "Flatten"),
    "a lower tile": ([Convolution(20), Activation("gelu")], (13, 9, 9), "Winograd", "Flatten"),
    "tall kernels": ([Convolution(16, 5), Activation("elu")], (12, 20, 8), "Winograd", "Flatten"),
    "wider than the image": ([Convolution(11, (3, 5))], (2, 1, 16), "Winograd", "Flatten"),
    "tiles": ([Convolution(70), MaxPool(), Activation()], (16, 16, 64), "Winograd2D", "Flatten"),
    "lower tiles": ([Convolution(64, (5, 3)), MaxPool()], (21, 18, 66), "Winograd2D", "Flatten"),
    "tiles of two products": ([Convolution(64)], (19, 20, 64), "Winograd2D", "Flatten"),
    "by element behind tiles": (
        [Convolution(64, bias=False), MaxPool(1), BatchNorm(), Activation("logistic"), Convolution(64), BatchNorm()],
        (9, 9, 64),
        "Winograd2D",
        "Flatten",
    ),
    "stride and dilation": ([Convolution(24, 3, stride=2, dilation=(1, 2))], (17, 15, 5), "Gathered", "Flatten"),
    "1 x 1": ([Convolution(16), BatchNorm(), Convolution(24, 1), Activation()], (10, 11, 2), "Gathered", "Flatten"),
    "valid": ([Convolution(12, (2, 4), padding="valid"), MeanPool((3, 2))], (11, 13, 4), "Gathered", "Flatten"),
    "any pooling": (
        [Convolution(8), Activation("leaky_relu"), MaxPool(3, stride=2, padding=1), MeanPool(2, padding=1)],
        (12, 12, 3),
        "Gathered",
        "Flatten",
    ),
    "windows across": ([Convolution(8, 7), Activation("elu"), Convolution(12, 5)], (1, 40, 3), "Gathered", "Flatten"),
    "series": ([Convolution(16, 7), MaxPool(2), Convolution(16, 5)], (1, 90, 3), "Gathered", "Flatten"),
    "biases of positions": ([Convolution(8, bias="position"), Convolution(8)], (6, 6, 2), "Gathered", "Bias"),
    "no bias": ([Convolution(8, bias=False), Convolution(8, bias=False)], (6, 6, 2), "Gathered", "Flatten"),
    "dropout": ([Convolution(8), MaxPool(), Dropout(), Convolution(8)], (6, 6, 2), "Gathered", "Dropout"),
    "local": ([Convolution(8), MaxPool(), LocallyConnected(4)], (8, 8, 2), "Gathered", "LocallyConnected"),
    "norm": ([Convolution(8), LpPool(2), Convolution(8)], (8, 8, 2), "Gathered", "LpPool"),
    "borders": ([Convolution(8), Pad(1, "reflect"), Convolution(8)], (8, 8, 2), "Gathered", "RepeatedBorder"),
    "global": ([Convolution(8), Activation(), GlobalMeanPool(), Dense(5)], (8, 8, 2), "Gathered", "GlobalMeanPool"),
}
