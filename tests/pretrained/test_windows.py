"""Convolutions, pooling, borders and products with matrices, in every geometry."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal

from skconv.onnx import from_onnx

GEOMETRIES = [
    {},
    {"pads": [1, 1, 1, 1]},
    {"pads": [0, 1, 2, 0], "strides": [2, 1]},
    {"strides": [2, 3], "dilations": [2, 1]},
    {"dilations": [3, 2], "pads": [3, 2, 3, 2]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    {"auto_pad": "SAME_LOWER", "strides": [3, 2], "dilations": [1, 1]},
    {"auto_pad": "VALID"},
]


def convolution(weight, bias=True, **attributes):
    constants = {"w": weight, **({"b": normal(len(weight))} if bias else {})}
    return [node("Conv", "x w b" if bias else "x w", "y", **attributes)], constants


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("kernel", [(3, 2), (1, 1), (2, 4)])
def test_convolutions(geometry, kernel):
    nodes, constants = convolution(normal(6, 4, *kernel), kernel_shape=kernel, **geometry)
    check(model_of(nodes, (4, 9, 10), constants), normal(2, 4, 9, 10))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_groups(groups, bias):
    nodes, constants = convolution(normal(8, 4 // groups, 3, 3), bias, group=groups)
    check(model_of(nodes, (4, 6, 5), constants), normal(2, 4, 6, 5))


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"pads": [2, 1]},
        {"strides": [3]},
        {"dilations": [2], "pads": [4, 4]},
        {"auto_pad": "SAME_UPPER", "strides": [2]},
    ],
    ids=str,
)
def test_convolutions_of_series(geometry):
    nodes, constants = convolution(normal(6, 4, 5), **geometry)
    network = check(model_of(nodes, (4, 20), constants), normal(2, 4, 20), "NCW")
    assert network.input_shape == (1, 20, 4)


def test_a_border_becomes_part_of_the_convolution():
    constants = {"w": normal(5, 3, 3, 3), "pads": np.array([0, 0, 1, 2, 0, 0, 0, 1])}
    nodes = [node("Pad", "x pads", "p"), node("Conv", "p w", "y", pads=[1, 0, 1, 0], strides=[2, 2])]
    network = check(model_of(nodes, (3, 8, 9), constants), normal(2, 3, 8, 9))
    assert names(network) == ["Convolution", "Flatten"]
    assert network.layers[0].padding == ((2, 1), (2, 1))


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("opset", [10, 11, 17, 19])
def test_borders(mode, opset):
    pads = [0, 0, 1, 2, 0, 0, 0, 1]
    if opset < 11:
        nodes, constants = [node("Pad", "x", "y", mode=mode, pads=pads, value=1.5)], {}
    else:
        constants = {"pads": np.array(pads), "value": np.float32(1.5)}
        nodes = [node("Pad", "x pads value" if mode == "constant" else "x pads", "y", mode=mode)]
    check(model_of(nodes, (3, 5, 6), constants, opset=opset), normal(2, 3, 5, 6))


def test_borders_of_some_axes():
    constants = {"pads": np.array([1, 2, 0, 1]), "axes": np.array([-1, 2])}
    nodes = [node("Pad", "x pads - axes", "p"), node("Relu", "p", "y")]
    check(model_of(nodes, (3, 5, 6), constants, opset=18), normal(2, 3, 5, 6))


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"strides": [2, 3]},
        {"strides": [2, 2], "pads": [1, 0, 1, 1]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"dilations": [2, 1]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [3, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "output_shape": [9, 11]},
    ],
    ids=str,
)
@pytest.mark.parametrize("bias", [True, False])
def test_transposed_convolutions(geometry, bias):
    constants = {"w": normal(4, 6, 3, 3), **({"b": normal(6)} if bias else {})}
    nodes = [node("ConvTranspose", "x w b" if bias else "x w", "y", **geometry)]
    check(model_of(nodes, (4, 5, 6), constants), normal(2, 4, 5, 6))


def test_transposed_convolutions_of_series():
    nodes = [node("ConvTranspose", "x w", "y", strides=[2])]
    check(model_of(nodes, (4, 7), {"w": normal(4, 3, 4)}), normal(2, 4, 7), "NCW")


POOLS = [
    {"kernel_shape": [2, 2], "strides": [2, 2]},
    {"kernel_shape": [3, 2]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]},
    {"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [3, 2], "ceil_mode": 1, "pads": [1, 1, 1, 1]},
]


@pytest.mark.parametrize("geometry", POOLS, ids=str)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
def test_pooling(geometry, op):
    if op == "LpPool" and "ceil_mode" in geometry:
        pytest.skip("onnxruntime's LpPool has no ceil_mode in this version of the operators")
    check(model_of([node(op, "x", "y", **geometry)], (3, 8, 9)), normal(2, 3, 8, 9))


@pytest.mark.parametrize("geometry", POOLS[:-2], ids=str)
def test_means_with_the_border(geometry):
    check(model_of([node("AveragePool", "x", "y", count_include_pad=1, **geometry)], (3, 8, 9)), normal(2, 3, 8, 9))


def test_pooling_of_series():
    nodes = [node("MaxPool", "x", "p", kernel_shape=[3], strides=[2], pads=[1, 1]), node("GlobalAveragePool", "p", "y")]
    check(model_of(nodes, (3, 12)), normal(2, 3, 12), "NCW")


@pytest.mark.parametrize("bias", [(5,), (1, 5), (1,), None])
@pytest.mark.parametrize("attributes", [{}, {"transB": 1}, {"alpha": 0.5, "beta": 2.0}])
def test_gemm(bias, attributes):
    matrix = normal(5, 7) if "transB" in attributes else normal(7, 5)
    constants = {"w": matrix, **({} if bias is None else {"b": normal(*bias)})}
    nodes = [node("Gemm", "x w" if bias is None else "x w b", "y", **attributes)]
    network = check(model_of(nodes, (7,), constants), normal(3, 7), "NC")
    assert names(network) == ["Flatten", "Dense"]


def test_a_matrix_after_flattening_has_our_order():
    constants = {"k": normal(4, 3, 3, 3), "w": normal(4 * 6 * 5, 7), "b": normal(7)}
    nodes = [node("Conv", "x k", "c"), node("Flatten", "c", "f"), node("Gemm", "f w b", "y")]
    network = check(model_of(nodes, (3, 8, 7), constants), normal(2, 3, 8, 7))
    assert names(network) == ["Convolution", "Flatten", "Dense"]


def test_a_matrix_on_channels_is_a_convolution():
    constants = {"w": normal(3, 5), "b": normal(5), "v": normal(5, 2)}
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
        node("MatMul", "t w", "m"),
        node("Add", "b m", "a"),
        node("Relu", "a", "r"),
        node("MatMul", "r v", "n"),
        node("Transpose", "n", "y", perm=[0, 3, 1, 2]),
    ]
    network = check(model_of(nodes, (3, 4, 6), constants), normal(2, 3, 4, 6))
    assert names(network) == ["Convolution", "Activation", "Convolution", "Flatten"]
    assert network.layers[0].bias


def test_tokens_of_an_image():
    constants = {"shape": np.array([0, 3, -1]), "w": normal(3, 5)}
    nodes = [
        node("Reshape", "x shape", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1]),
        node("MatMul", "t w", "m"),
        node("ReduceMean", "m", "y", axes=[1], keepdims=0),
    ]
    check(model_of(nodes, (3, 4, 6), constants), normal(2, 3, 4, 6))


REFUSED = [
    ("Conv", {"pads": [-1, 0, 0, 0]}, "pads"),
    ("Conv", {"auto_pad": "SOME"}, "auto_pad='SOME'"),
    ("Conv", {"group": 3}, "group=3 for 4 channels"),
    ("Conv", {"kernel_shape": [2, 2]}, r"kernel_shape=\(2, 2\)"),
    ("Conv", {"strides": [0, 1]}, "strides"),
    ("Conv", {"strides": [2]}, "strides"),
    ("Conv", {"dilations": [9, 9]}, "does not fit"),
    ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations"),
    ("MaxPool", {}, "no kernel_shape"),
    ("MaxPool", {"kernel_shape": [2, 2], "pads": [2, 2, 2, 2]}, "more than half of pool_size"),
    ("ConvTranspose", {"group": 2}, "group=2; 1 is supported"),
]


@pytest.mark.parametrize(("op", "attributes", "message"), REFUSED, ids=str)
def test_forms_that_are_refused(op, attributes, message):
    inputs = "x" if op == "MaxPool" else "x w"
    model = model_of([node(op, inputs, "y", **attributes)], (4, 8, 9), {"w": normal(4, 4, 3, 3)})
    with pytest.raises(ValueError, match=rf"{op} \(node '{op}_y'\) is not supported with .*{message}"):
        from_onnx(model.SerializeToString())
