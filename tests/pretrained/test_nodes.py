"""Nodes, and what dominates them."""

import random

import pytest

from skconv._pretrained.nodes import Nodes, Unsupported
from skconv.layers import Convolution

SHAPE = (4, 4, 2)


def dominators(nodes):
    """All nodes that each path from the first node goes through, by the definition."""
    found = {}
    for node in nodes:
        before = [found[each] for each in node.inputs]
        found[node] = {node} | (set.intersection(*before) if before else set())
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_dominator_is_the_last_node_that_all_goes_through(seed):
    rng, graph = random.Random(seed), Nodes()
    nodes = [graph.new("input", [], SHAPE)]
    for _ in range(60):
        inputs = [nodes[max(0, len(nodes) - rng.randint(1, 8))] for _ in range(rng.choice((1, 1, 2, 3)))]
        nodes.append(graph.new("add", inputs, SHAPE))
    for node, wanted in dominators(nodes).items():
        if node.inputs:
            assert node.dominator is max(wanted - {node}, key=nodes.index)


def test_a_concatenation_goes_on_from_one_that_is_there():
    graph = Nodes()
    x = graph.new("input", [], SHAPE)
    a, b, c, d = (graph.function("relu", x) for _ in range(4))
    three = graph.concatenated([a, b, c])
    assert three.inputs == (a, b, c)
    assert graph.concatenated([a, b, c]) is three
    assert graph.concatenated([a, b, c, d, b]).inputs == (three, d, b)
    assert graph.concatenated([a, b]).inputs == (a, b)
    assert graph.concatenated([b, a]).inputs == (b, a)
    assert graph.concatenated([a]) is a


def test_numbers_that_follow_each_other_are_one():
    graph = Nodes()
    x = graph.new("input", [], SHAPE)
    assert graph.affine(graph.affine(x, 2.0, 3.0), 0.5, -1.5) is x
    assert graph.affine(graph.affine(x, 2.0), 3.0, 1.0).value == (6.0, 1.0)


def test_a_layer_that_does_not_fit():
    graph = Nodes()
    with pytest.raises(Unsupported, match="kernel_size=9 does not fit"):
        graph.layer("convolution", graph.new("input", [], SHAPE), Convolution(2, 9, padding="valid"))


def test_the_number_of_nodes_is_limited(monkeypatch):
    monkeypatch.setattr("skconv._pretrained.nodes._MOST_NODES", 2)
    graph = Nodes()
    x = graph.new("input", [], SHAPE)
    graph.function("relu", x)
    with pytest.raises(Unsupported, match="a network of more than 2 nodes"):
        graph.function("relu", x)
