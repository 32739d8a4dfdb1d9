"""Nodes: parts cover an image once, elements follow in place, arrays by channel are cut."""

import numpy as np
import pytest

from skconv._kernels.memory import Arrays, aligned
from skconv._network import nodes
from skconv._network.arena import Planes, place
from skconv._network.nodes import Elements, Merging, Placed
from skconv.layers import Activation, BatchNorm

DTYPE = np.dtype(np.float64)


def run(node):
    arena = aligned((node.nbytes(DTYPE),), np.uint8)
    for part in node.parts:
        for function, arguments in node.calls(part, arena, DTYPE):
            function(*arguments)


def image(shape, node, seed=0):
    planes = Planes(shape, node)
    planes.used(5)
    planes.values = np.random.default_rng(seed).standard_normal((shape[2], shape[0] * shape[1]))
    return planes


@pytest.mark.parametrize("most", [64, 1000, 1 << 20])
@pytest.mark.parametrize("in_place", [False, True])
def test_elements(most, in_place, monkeypatch):
    monkeypatch.setattr(nodes, "_PART_BYTES", most)
    x = image((6, 5, 4), 0)
    y = x if in_place else Planes((6, 5, 4), 0)
    y.used(5)
    rng = np.random.default_rng(1)
    parameters = Arrays(scale=rng.uniform(1, 2, 4), shift=rng.standard_normal(4))
    state = Arrays(mean=rng.standard_normal(4), variance=rng.uniform(1, 2, 4), batches=np.ones(1))
    node = Elements(x, y, DTYPE)
    node.follow(Placed(BatchNorm(), x.shape, parameters, state))
    node.follow(Placed(Activation(), x.shape, Arrays(), Arrays()))
    place({x, y}, DTYPE)
    x.array[...] = x.values
    run(node)
    factor = parameters.scale / np.sqrt(state.variance + 1e-5)
    expected = np.maximum((x.values - state.mean[:, None]) * factor[:, None] + parameters.shift[:, None], 0)
    np.testing.assert_allclose(y.array, expected)


@pytest.mark.parametrize("most", [64, 1 << 20])
@pytest.mark.parametrize("shape", [(6, 5, 4), (1, 1, 4), (6, 1, 1), (1, 5, 4)])
def test_products_repeat_axes_of_length_one(shape, most, monkeypatch):
    monkeypatch.setattr(nodes, "_PART_BYTES", most)
    x, gate, y = image((6, 5, 4), 0), image(shape, 0, seed=1), Planes((6, 5, 4), 0)
    y.used(5)
    node = Merging([x, gate], y, np.multiply, DTYPE)
    place([x, gate, y], DTYPE)
    x.array[...], gate.array[...] = x.values, gate.values
    run(node)
    np.testing.assert_array_equal(y.cube, x.cube * gate.cube)
