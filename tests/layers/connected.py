"""A layer between others, the same with a layer of another kind, and what both learn."""

import numpy as np
from networks import by_name, initialized, run

from skconv.layers import Activation, Convolution, Dense, Flatten


def passes(network, images, R):
    """Output and named gradients of ``sum(output * R)``."""
    y, gradient = run(network, images, R)
    return y, by_name(network, gradient)


def noise(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape)


GEOMETRIES = {
    "same": ({"kernel_size": 3}, (6, 5, 2)),
    "strided, even": ({"kernel_size": (4, 2), "stride": (2, 1)}, (7, 6, 1)),
    "dilated, asymmetric": ({"kernel_size": (2, 3), "dilation": (3, 2), "padding": ((1, 2), (0, 3))}, (6, 7, 2)),
    "series": ({"kernel_size": 5, "stride": 2}, (1, 13, 3)),
}


def chain(kind, options, shape):
    """The layer between others, so that its arrays lie within their borders."""
    layers = [Convolution(2, 3), Activation("tanh"), kind(3, bias="position", **options), Convolution(2), Flatten()]
    return initialized([*layers, Dense(4)], shape)


def twin(kind, options, shape, other, weight):
    """The same with a layer of another kind, with this weight; every other number is the other's."""
    network = chain(kind, options, shape)
    for i, (mine, value) in enumerate(zip(values(network), values(other), strict=True)):
        mine[...] = weight if i == 2 else value
    return network


def values(network):
    """Parameters in order; the layer's weight is the third."""
    return list(network.named_parameters().values())


def assert_same_lesson(actual, expected):
    for (name, mine), other in zip(actual.items(), expected.values(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-11, err_msg=name)
