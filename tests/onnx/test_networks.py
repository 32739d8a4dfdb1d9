"""Samples are scaled as the network scales them."""

import numpy as np
import pytest
from exported import assert_close, run, settled
from networks import predicted

from skconv.layers import Convolution, Flatten
from skconv.onnx._graph import Graph
from skconv.onnx._networks import channels_first, outputs

SHAPE = (3, 4, 2)


def results(network, X):
    graph = Graph()
    graph.rename(outputs(network, graph, "X"), "y")
    model = graph.model([("X", X.dtype, X.shape[1:])], [("y", np.float32, network.shapes[-1])], 20)
    return run(model, X)["y"]


@pytest.mark.parametrize("by", ["channel", "feature", None])
@pytest.mark.parametrize(("level", "spread"), [(0.0, 1.0), (1e6, 1.0), (1e31, 1e30), (0.0, 1e-43)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scaling_keeps_digits(by, level, spread, dtype):
    network, rng = settled([Convolution(2), Flatten()], SHAPE), np.random.default_rng(0)
    shape = SHAPE[2:] if by == "channel" else SHAPE
    if by is not None:
        network.scale_by((np.full(shape, level), spread * rng.uniform(0.5, 2, shape) * (rng.random(shape) > 0.2)))
        network.moments[1][..., 0] = 0
        network.scale_by(network.moments)
    X = (level + spread * rng.standard_normal((5, *SHAPE))).astype(dtype)
    assert_close(results(network, X), predicted(network, X.reshape(5, -1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, bool])
def test_samples_of_any_number_type(dtype):
    network = settled([Convolution(2), Flatten()], SHAPE)
    network.scale_by((np.array([3.0, 5.0]), np.array([2.0, 7.0])))
    X = np.random.default_rng(0).integers(0, 100, (5, *SHAPE)).astype(dtype)
    assert_close(results(network, X), predicted(network, X.reshape(5, -1).astype(np.float64)))


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 1), (1, 1, 5), (1, 4, 3)])
def test_channels_first(shape):
    graph = Graph()
    graph.rename(channels_first(graph, "X", shape), "y")
    height, width, channels = shape
    model = graph.model([("X", np.float32, shape)], [("y", np.float32, (channels, height, width))], 20)
    X = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    np.testing.assert_array_equal(run(model, X)["y"], X.transpose(0, 3, 1, 2))
