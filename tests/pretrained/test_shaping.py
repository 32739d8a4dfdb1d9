"""The order, the cutting and the joining of axes, and means over them."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal

from skconv.onnx import from_onnx

SHAPE = (6, 4, 8)
X = normal(2, *SHAPE)
KERNEL = {"k": normal(6, 6, 3, 3)}


def network_of(nodes, constants=None, opset=17, **options):
    return check(model_of(nodes, SHAPE, constants, opset=opset), X, **options)


def shuffled(shape, perm, back):
    """Nodes by which exporters shuffle."""
    nodes = [
        node("Conv", "x k", "c", pads=[1] * 4),
        node("Reshape", "c shape", "r"),
        node("Transpose", "r", "t", perm=perm),
        node("Reshape", "t back", "s"),
        node("Conv", "s k", "y"),
    ]
    return nodes, {"shape": np.array(shape), "back": np.array(back), **KERNEL}


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("batch", [-1, 0])
def test_shuffled_channels(groups, batch):
    nodes, constants = shuffled([batch, groups, 6 // groups, 4, 8], [0, 2, 1, 3, 4], [batch, 6, 4, 8])
    network = network_of(nodes, constants)
    assert names(network) == ["Convolution", "ShuffleChannels", "Convolution", "Flatten"]


def test_other_orders_are_refused():
    nodes, constants = shuffled([0, 6, 2, 2, 8], [0, 1, 3, 2, 4], [0, 6, 4, 8])
    with pytest.raises(ValueError, match=r"Conv .*whose axes are not the height and the width"):
        network_of(nodes, constants)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space(mode):
    x = normal(2, 8, 3, 5)
    check(model_of([node("DepthToSpace", "x", "y", blocksize=2, mode=mode)], (8, 3, 5)), x)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("by", ["scales", "sizes"])
def test_larger_images(mode, by):
    constants = {"scales": np.array([1, 1, 2, 3], np.float32), "sizes": np.array([1, 6, 8, 24])}
    options = {"mode": mode, "coordinate_transformation_mode": "half_pixel" if mode == "linear" else "asymmetric"}
    nodes = [node("Resize", "x - scales" if by == "scales" else "x - - sizes", "y", **options, nearest_mode="floor")]
    # Sizes in the file are those of one sample.
    model = model_of(nodes, SHAPE, {by: constants[by]})
    network = check(model, X if by == "scales" else X[:1])
    assert names(network) == ["Upsample", "Flatten"]


@pytest.mark.parametrize("places", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("factor", [2, 3])
def test_places_are_those_of_the_layer_or_refused(places, rounding, factor):
    options = {"coordinate_transformation_mode": places, "nearest_mode": rounding}
    scales, refused = np.array([1, 1, factor, factor], np.float32), 0
    for mode in ("nearest", "linear"):
        model = model_of([node("Resize", "x - scales", "y", mode=mode, **options)], SHAPE, {"scales": scales})
        try:
            from_onnx(model.SerializeToString())
        except ValueError:
            refused += 1
            with pytest.raises(ValueError, match="coordinate_transformation_mode="):
                from_onnx(model.SerializeToString())
        else:
            check(model, X)
    usual = places == "half_pixel" or rounding == "floor"
    assert refused < 2 if usual and places != "align_corners" else refused


def test_larger_images_of_old_files():
    scales = np.array([1, 1, 2, 2], np.float32)
    network_of([node("Upsample", "x scales", "y")], {"scales": scales}, opset=9)
    network_of([node("Resize", "x scales", "y")], {"scales": scales}, opset=10)


@pytest.mark.parametrize("axis", [1, -3])
def test_parts_of_channels(axis):
    nodes = [
        node("Split", "x parts", "a b", axis=axis),
        node("Relu", "a", "r"),
        node("Concat", "b r", "y", axis=axis),
    ]
    network = network_of(nodes, {"parts": np.array([2, 4])})
    assert names(network) == ["Parallel", "Flatten"]
    nodes[0] = node("Split", "x", "a b", axis=axis, split=[2, 4])
    network_of(nodes, opset=11)
    nodes[0] = node("Split", "x", "a b", axis=axis, num_outputs=2)
    network_of(nodes, opset=18)


def test_slices():
    constants = {"start": np.array([2]), "end": np.array([2**40]), "axis": np.array([1])}
    network_of([node("Slice", "x start end axis", "s"), node("Relu", "s", "y")], constants)
    steps = {"start": np.array([0, 0]), "end": np.array([4, 8]), "axis": np.array([-2, -1]), "step": np.array([2, 3])}
    assert names(network_of([node("Slice", "x start end axis step", "y")], steps)) == [*["StridePool"] * 2, "Flatten"]
    network_of([node("Slice", "x", "s", starts=[1], ends=[5], axes=[1]), node("Relu", "s", "y")], opset=9)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("op", ["ReduceMean", "ReduceMax"])
@pytest.mark.parametrize("axes", [[2, 3], [-1, -2], [2], [3]])
def test_means_and_maxima(keepdims, op, axes):
    nodes = [node("Tanh", "x", "t"), node(op, "t", "y", axes=axes, keepdims=keepdims)]
    ends = "NCHW" if keepdims else None
    network_of(nodes, ends=ends)
    if op == "ReduceMean":
        nodes = [node("Tanh", "x", "t"), node(op, "t axes", "y", keepdims=keepdims)]
        network_of(nodes, {"axes": np.array(axes)}, opset=18, ends=ends)


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pooling(op):
    nodes = [node(op, "x", "g"), node("Squeeze", "g axes", "s"), node("Gemm", "s w", "y")]
    network_of(nodes, {"axes": np.array([2, 3]), "w": normal(6, 4)})


@pytest.mark.parametrize("op", ["Flatten", "Squeeze", "Reshape"])
def test_flattening(op):
    nodes = {
        "Flatten": [node("Flatten", "g", "f")],
        "Squeeze": [node("Squeeze", "g", "f", axes=[2, 3])],
        "Reshape": [node("Reshape", "g shape", "f")],
    }[op]
    constants = {"w": normal(6, 4), **({"shape": np.array([-1, 6])} if op == "Reshape" else {})}
    nodes = [node("GlobalAveragePool", "x", "g"), *nodes, node("MatMul", "f w", "y")]
    assert names(network_of(nodes, constants, opset=11)) == ["GlobalMeanPool", "Dense"]


def test_axes_that_are_put_in_and_taken_out():
    constants = {"axes": np.array([-1]), "one": np.array(0), "shape": np.array([1, 1, 1, 1])}
    nodes = [
        node("Unsqueeze", "x axes", "u"),
        node("Relu", "u", "r"),
        node("Gather", "r one", "g", axis=4),
        node("Expand", "g shape", "y"),
    ]
    network_of(nodes, constants)
    network_of([node("Unsqueeze", "x", "u", axes=[1]), node("Squeeze", "u", "y", axes=[1])], opset=11)


def test_a_softmax_at_the_end_is_taken_off():
    nodes = [node("Flatten", "x", "f"), node("Gemm", "f w", "g"), node("Softmax", "g", "p"), node("Identity", "p", "y")]
    network = from_onnx(model_of(nodes, SHAPE, {"w": normal(192, 5)}).SerializeToString())
    assert network.removed == "softmax"
    assert "without the softmax at its end" in repr(network)
    nodes[2:] = [node("Softmax", "g", "p"), node("Relu", "p", "y")]
    with pytest.raises(ValueError, match=r"Softmax \(node 'Softmax_p'\) is only supported .* or at the end"):
        from_onnx(model_of(nodes, SHAPE, {"w": normal(192, 5)}).SerializeToString())


def i(*numbers):
    return np.array(numbers, np.int64)


REFUSED = [
    ("Transpose", "x", {"perm": [0, 0, 1, 2]}, {}, "perm="),
    ("Reshape", "x c", {}, {"c": i(0, 5, -1)}, r"a reshape of a tensor of shape \(1, 6, 4, 8\) to \(0, 5, -1\)"),
    ("Reshape", "x c", {}, {"c": i(-1, -1)}, "a reshape"),
    ("Reshape", "x c", {}, {"c": i(1, 9, 21)}, "a reshape"),
    ("Reshape", "x c", {}, {"c": i(1, 4, 48)}, "which cuts an axis of 6"),
    ("Squeeze", "x c", {}, {"c": i(1)}, "axes="),
    ("Squeeze", "x c", {}, {"c": i(0)}, "the removal of the axis of the samples"),
    ("Expand", "x c", {}, {"c": i(1, 6, 4, 16)}, "an expansion"),
    ("Expand", "x c", {}, {"c": i(2, 1, 6, 4, 8)}, "an expansion"),
    ("Split", "x", {"axis": 2}, {}, "channels are supported"),
    ("Split", "x c", {"axis": 1}, {"c": i(3)}, "parts"),
    ("Slice", "x c d", {}, {"c": i(0, 0, 1), "d": i(1, 6, 4)}, "a part of axis 2"),
    ("Slice", "x c d", {}, {"c": i(0, 6), "d": i(1, 9)}, "a part of axis 1"),
    ("Slice", "x c d", {}, {"c": i(0), "d": i(1, 4)}, "starts="),
    ("Gather", "x c", {"axis": 1}, {"c": i(2)}, "places on axis 1"),
    ("ReduceMean", "x", {"axes": [1]}, {}, "ReduceMean"),
    ("ReduceMean", "x", {}, {}, "all axes"),
    ("ReduceMean", "x", {"axes": [0]}, {}, "the axis of the samples"),
    ("ReduceMax", "x", {"axes": [1]}, {}, "the channels, other than in a normalisation"),
    ("ReduceMean", "x", {"axes": [7]}, {}, "axis 7 of a tensor with 4 axes"),
    ("Softmax", "x", {"axis": 2}, {}, "axis 2 .* is not that of the channels"),
    ("DepthToSpace", "x", {"blocksize": 4}, {}, "channels"),
    ("DepthToSpace", "x", {"blocksize": 1, "mode": "ABC"}, {}, "mode='ABC'"),
    ("Resize", "x - c", {"mode": "cubic"}, {"c": np.float32([1, 1, 2, 2])}, "mode='cubic'"),
    ("Resize", "x - c", {}, {"c": np.float32([1, 1, 1.5, 2])}, "whole ones are supported"),
    ("Resize", "x - c", {}, {"c": np.float32([1, 2, 1, 1])}, "whole ones are supported"),
    ("Concat", "x x", {"axis": 2}, {}, "on axis 2; channels are"),
]


@pytest.mark.parametrize(("op", "inputs", "attributes", "constants", "message"), REFUSED)
def test_forms_that_are_refused(op, inputs, attributes, constants, message):
    first = "r" if op != "Transpose" else "x"
    inputs = " ".join(first if name == "x" else name for name in inputs.split())
    nodes = [node("Conv", "x k", "r", pads=[1] * 4), node(op, inputs, "y" if op != "Split" else "y z", **attributes)]
    model = model_of(nodes if first == "r" else nodes[1:], SHAPE, {**constants, **KERNEL})
    with pytest.raises(ValueError, match=f"{op}.*{message}"):
        from_onnx(model.SerializeToString())
