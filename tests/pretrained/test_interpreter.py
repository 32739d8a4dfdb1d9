"""Whole graphs: how the input lies, what its size is, constants that are computed, and names in messages."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal, outputs_of, run

from skconv.onnx import from_onnx

KERNEL = {"k": normal(5, 3, 3, 3)}


def test_channels_last():
    """As tf2onnx writes them: with a transpose at the input."""
    nodes = [
        node("Sub", "x level", "s"),
        node("Transpose", "s", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t k", "c", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Relu", "c", "r"),
        node("Transpose", "r", "y", perm=[0, 2, 3, 1]),
    ]
    network = check(model_of(nodes, (8, 9, 3), {**KERNEL, "level": normal(3)}), normal(2, 8, 9, 3), "NHWC", "NHWC")
    assert network.input_shape == (8, 9, 3)
    assert names(network) == ["Convolution", "Activation", "Flatten"]


def test_series_with_channels_last():
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Conv", "t k", "y")]
    network = check(model_of(nodes, (20, 3), {"k": normal(4, 3, 5)}), normal(2, 20, 3), "NWC")
    assert network.input_shape == (1, 20, 3)


@pytest.mark.parametrize("shape", [(3, 6, 7), (6, 7, 3)])
def test_flat_samples_that_become_images(shape):
    last = shape[-1] == 3
    nodes = [node("Mul", "x f", "m"), node("Reshape", "m shape", "r")]
    nodes += [node("Transpose", "r", "t", perm=[0, 3, 1, 2])] if last else []
    nodes.append(node("Conv", "t k" if last else "r k", "y"))
    constants = {**KERNEL, "shape": np.array([-1, *shape]), "f": np.abs(normal(126))}
    model = model_of(nodes, (126,), constants)
    X = normal(2, 126)
    network = from_onnx(model.SerializeToString())
    assert network.input_shape == (6, 7, 3)
    images = X.reshape(2, *shape)
    found = outputs_of(network, images if last else images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, run(model, X).transpose(0, 2, 3, 1).reshape(2, -1), atol=1e-5)


def test_a_network_of_vectors():
    constants = {"w": normal(7, 5), "v": normal(5, 2)}
    nodes = [node("MatMul", "x w", "m"), node("Relu", "m", "r"), node("MatMul", "r v", "y")]
    network = check(model_of(nodes, (7,), constants), normal(3, 7), "NC")
    assert network.input_shape == (1, 1, 7)


def sizes(*nodes):
    return [node("Conv", "x k", "c", pads=[1] * 4), *nodes]


def test_a_size_that_is_computed_from_the_input():
    nodes = sizes(
        node("Shape", "c", "shape"),
        node("Gather", "shape zero", "n", axis=0),
        node("Unsqueeze", "n zeros", "u"),
        node("Slice", "shape one end", "rest"),
        node("ReduceProd", "rest", "p", keepdims=1),
        node("Concat", "u p", "wanted", axis=0),
        node("Cast", "wanted", "whole", to=7),
        node("Reshape", "c whole", "f"),
        node("MatMul", "f w", "y"),
    )
    constants = {
        **KERNEL, "zero": np.array(0), "zeros": np.array([0]), "one": np.array([1]), "end": np.array([4]),
        "w": normal(5 * 4 * 6, 2),
    }  # fmt: skip
    check(model_of(nodes, (3, 4, 6), constants), normal(2, 3, 4, 6))


def test_the_size_of_images_can_be_given():
    model = model_of(sizes(node("GlobalAveragePool", "c", "y")), (3, None, None), KERNEL)
    network = check(model, normal(2, 3, 7, 8), image_shape=(7, 8))
    assert network.input_shape == (7, 8, 3)
    with pytest.raises(ValueError, match=r"the input 'x' has the shape .*None.* so image_shape must give the sizes"):
        from_onnx(model.SerializeToString())
    model = model_of(sizes(node("GlobalAveragePool", "c", "y")), (3, 4, 5), KERNEL)
    with pytest.raises(ValueError, match=r"which image_shape does not fit: got image_shape=\(9, 9\)"):
        from_onnx(model.SerializeToString(), image_shape=(9, 9))
    assert from_onnx(model.SerializeToString(), image_shape=(4, 5, 3)).input_shape == (4, 5, 3)


def test_an_input_without_a_shape():
    model = model_of(sizes(node("GlobalAveragePool", "c", "y")), (3, 4, 5), KERNEL)
    model.graph.input[0].type.tensor_type.ClearField("shape")
    assert from_onnx(model.SerializeToString(), image_shape=(4, 5, 3)).input_shape == (4, 5, 3)
    with pytest.raises(ValueError, match="the input 'x' has the shape None; samples with one to three axes"):
        from_onnx(model.SerializeToString())


def test_operators_that_are_unknown():
    model = model_of([node("Conv", "x k", "c"), node("LRN", "c", "y", size=3)], (3, 4, 5), KERNEL)
    with pytest.raises(
        ValueError, match=r"LRN \(node 'LRN_y'\) is not supported .*operators that are: Add, AveragePool"
    ):
        from_onnx(model.SerializeToString())
    other = node("Conv", "x k", "y")
    other.domain = "com.example"
    with pytest.raises(ValueError, match=r"its domain 'com.example'; ONNX's own operators are supported"):
        from_onnx(model_of([other], (3, 4, 5), KERNEL).SerializeToString())


def test_a_flattened_image_has_the_order_of_the_file():
    nodes = sizes(node("Flatten", "c", "y"))
    network = check(model_of(nodes, (3, 4, 6), KERNEL), normal(2, 3, 4, 6))
    assert names(network) == ["Convolution", "Flatten", "ShuffleChannels"]
    nodes = sizes(node("Transpose", "c", "t", perm=[0, 2, 3, 1]), node("Flatten", "t", "y"))
    assert names(check(model_of(nodes, (3, 4, 6), KERNEL), normal(2, 3, 4, 6))) == ["Convolution", "Flatten"]
    nodes = sizes(node("Transpose", "c", "t", perm=[0, 3, 2, 1]), node("Flatten", "t", "y"))
    with pytest.raises(ValueError, match="whose axes are joined in another order than the image's"):
        from_onnx(model_of(nodes, (3, 4, 6), KERNEL).SerializeToString())


def test_outputs_that_are_no_tensor_of_samples():
    for nodes, message in [
        ([node("Shape", "x", "s"), node("Cast", "s", "y", to=1)], "an output that does not depend on the samples"),
        ([node("Transpose", "x", "y", perm=[1, 0, 2, 3])], "whose first axis is not that of the samples"),
        ([node("Reshape", "x c", "r"), node("Transpose", "r", "y", perm=[0, 2, 1, 3, 4])], "in another order"),
    ]:
        constants = {"c": np.array([0, 2, 3, 4, 1])} if len(nodes) > 1 and nodes[0].op_type == "Reshape" else {}
        with pytest.raises(ValueError, match=message):
            from_onnx(model_of(nodes, (6, 4, 1), constants).SerializeToString())
