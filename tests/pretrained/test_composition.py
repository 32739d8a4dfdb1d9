"""Branches, and what comes together from them."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal

from skconv.onnx import from_onnx

SHAPE = (4, 6, 5)
X = normal(2, *SHAPE)
WEIGHTS = {f"w{n}": normal(4, 4, 3, 3) for n in range(1, 6)} | {f"v{n}": normal(4, 4, 1, 1) for n in range(1, 6)}


def network_of(nodes, **options):
    used = {name for each in nodes for name in each.input}
    constants = {name: array for name, array in {**WEIGHTS, **options}.items() if name in used}
    return check(model_of(nodes, SHAPE, constants), X)


def wide(source, n, output):
    return node("Conv", f"{source} w{n}", output, pads=[1] * 4)


def narrow(source, n, output):
    return node("Conv", f"{source} v{n}", output)


def test_residual_blocks():
    nodes = [
        wide("x", 1, "a"), node("Relu", "a", "b"), wide("b", 2, "c"), node("Add", "c x", "d"), node("Relu", "d", "e"),
        wide("e", 3, "f"), narrow("f", 4, "h"), narrow("e", 1, "g"), node("Add", "g h", "y"),
    ]  # fmt: skip
    network = network_of(nodes)
    assert names(network) == ["Residual", "Activation", "Residual", "Flatten"]
    assert network.layers[0].shortcut is None
    assert len(network.layers[2].layers) == 2
    assert "residual2.shortcut.convolution1.weight" in network.weights


def test_branches_in_branches():
    nodes = [
        wide("x", 1, "a"), wide("a", 2, "b"), narrow("a", 2, "c"), node("Relu", "a", "d"),
        node("Concat", "b c d", "e", axis=1), node("Conv", "e u", "f"), node("Concat", "f x", "g", axis=1),
        node("Tanh", "g", "y"),
    ]  # fmt: skip
    network = network_of(nodes, u=normal(3, 12, 1, 1))
    assert names(network) == ["Parallel", "Activation", "Flatten"]
    assert names_of(network.layers[0].branches[0]) == ["Convolution", "Parallel", "Convolution"]


def names_of(layers):
    return [type(layer).__name__ for layer in layers]


def test_a_concatenation_within_a_concatenation_that_is_written_as_one():
    nodes = [
        narrow("x", 1, "a"), wide("x", 1, "b"), node("Relu", "b", "c"), wide("c", 2, "d"), narrow("c", 2, "e"),
        node("Concat", "a d e x", "y", axis=1),
    ]  # fmt: skip
    network = network_of(nodes)
    assert [names_of(branch) for branch in network.layers[0].branches] == [
        ["Convolution"], ["Convolution", "Activation", "Parallel"], [],
    ]  # fmt: skip


def test_dense_blocks():
    """Each layer has the outputs of all layers before, concatenated anew."""
    constants = {"u1": normal(2, 4, 3, 3), "u2": normal(2, 6, 3, 3), "u3": normal(2, 8, 3, 3), "o": normal(3, 10, 1, 1)}
    nodes = [
        node("Concat", "x", "c1", axis=1), node("Conv", "c1 u1", "f1", pads=[1] * 4),
        node("Concat", "x f1", "c2", axis=1), node("Conv", "c2 u2", "f2", pads=[1] * 4),
        node("Concat", "x f1 f2", "c3", axis=1), node("Conv", "c3 u3", "f3", pads=[1] * 4),
        node("Concat", "x f1 f2 f3", "c4", axis=1), node("Conv", "c4 o", "y"),
    ]  # fmt: skip
    network = network_of(nodes, **constants)
    assert names(network) == ["Parallel", "Parallel", "Parallel", "Convolution", "Flatten"]


def test_gates():
    nodes = [
        wide("x", 1, "a"), node("ReduceMean", "a", "m", axes=[2, 3]), narrow("m", 1, "s"), node("Relu", "s", "r"),
        narrow("r", 2, "e"), node("HardSigmoid", "e", "g"), node("Mul", "a g", "p"), node("Add", "p x", "y"),
    ]  # fmt: skip
    network = network_of(nodes)
    assert names(network) == ["Residual", "Flatten"]


def test_a_gate_by_dense_layers():
    nodes = [
        node("GlobalAveragePool", "x", "m"), node("Flatten", "m", "f"), node("Gemm", "f w b", "s"),
        node("Relu", "s", "r"), node("Gemm", "r v", "e"), node("Sigmoid", "e", "g"),
        node("Reshape", "g shape", "h"), node("Mul", "h x", "y"),
    ]  # fmt: skip
    network_of(nodes, w=normal(4, 2), b=normal(2), v=normal(2, 4), shape=np.array([-1, 4, 1, 1]))


def test_the_last_layers_have_vectors():
    nodes = [
        wide("x", 1, "a"), node("GlobalAveragePool", "a", "m"), node("Conv", "m v1", "c"), node("HardSwish", "c", "h"),
        node("Flatten", "h", "f"), node("Gemm", "f w b", "y"),
    ]  # fmt: skip
    network = network_of(nodes, w=normal(4, 3), b=normal(3))
    assert names(network) == ["Convolution", "GlobalMeanPool", "Dense", "Activation", "Dense"]


def test_branches_of_vectors():
    nodes = [
        node("GlobalAveragePool", "x", "m"), node("Flatten", "m", "f"), node("Gemm", "f w", "g"),
        node("Relu", "g", "r"), node("Add", "r f", "a"), node("Gemm", "a w", "y"),
    ]  # fmt: skip
    assert names(network_of(nodes, w=normal(4, 4))) == ["GlobalMeanPool", "Residual", "Flatten", "Dense"]


def test_graphs_that_are_no_composition():
    nodes = [
        wide("x", 1, "a"), wide("x", 2, "b"), node("Add", "a b", "c"), node("Relu", "c", "d"), node("Relu", "a", "e"),
        node("Add", "d e", "y"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"no composition of layers .*: Conv \(node 'Conv_a'\) is used in several"):
        network_of(nodes)


def test_an_image_concatenated_with_itself():
    with pytest.raises(ValueError, match=r"Concat \(node 'Concat_y'\) is not supported with an image and itself"):
        network_of([node("Concat", "x x", "y", axis=1)])


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"the sum of images of different shapes|axes do not fit"):
        network_of([node("MaxPool", "x", "m", kernel_shape=[2, 2]), node("Add", "x m", "y")])
    with pytest.raises(ValueError, match=r"Concat .* tensors of shapes"):
        network_of([node("MaxPool", "x", "m", kernel_shape=[2, 2]), node("Concat", "x m", "y", axis=1)])


def test_many_branches_within_branches():
    nodes = [node("Relu", "x", "a0")]
    for n in range(60):
        nodes += [node("Tanh", f"a{n}", f"b{n}"), node("Relu", f"b{n}", f"a{n + 1}")]
    last = "a60"
    for n in range(59, -1, -1):
        nodes.append(node("Add", f"{last} a{n}", f"s{n}"))
        last = f"s{n}"
    model = model_of(nodes, SHAPE, output="s0")
    with pytest.raises(ValueError, match="more than 40 branches within branches"):
        from_onnx(model.SerializeToString())


def test_many_layers():
    nodes = [node("Relu" if n % 2 else "Tanh", f"a{n}" if n else "x", f"a{n + 1}") for n in range(6000)]
    with pytest.raises(ValueError, match="the network has more than 5,000 layers"):
        from_onnx(model_of(nodes, SHAPE, output="a6000").SerializeToString())
