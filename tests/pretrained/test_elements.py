"""Functions of each element, sums and products, and normalisation."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal

from skconv.onnx import from_onnx

SHAPE = (3, 4, 5)
X = 3 * normal(2, *SHAPE)


def network_of(nodes, constants=None, opset=17, **options):
    return check(model_of(nodes, SHAPE, constants, opset=opset), X, **options)


FUNCTIONS = [
    ("Relu", {}, 17),
    ("Sigmoid", {}, 17),
    ("Tanh", {}, 17),
    ("Softplus", {}, 17),
    ("LeakyRelu", {}, 17),
    ("LeakyRelu", {"alpha": 0.3}, 17),
    ("Elu", {}, 17),
    ("Elu", {"alpha": 0.5}, 17),
    ("Selu", {}, 17),
    ("HardSigmoid", {}, 17),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, 17),
    ("HardSwish", {}, 17),
    ("Neg", {}, 17),
    ("Identity", {}, 17),
    ("Dropout", {}, 17),
    ("Cast", {"to": 1}, 17),
    ("Mish", {}, 18),
    ("Gelu", {}, 20),
]


@pytest.mark.parametrize(("op", "attributes", "opset"), FUNCTIONS, ids=str)
def test_functions(op, attributes, opset):
    network_of([node(op, "x", "f", **attributes), node("Relu", "f", "y")], opset=opset)


@pytest.mark.parametrize("bounds", [(0, 6), (-1, 2), (0, None), (None, 1), (None, None), (0, 1)])
@pytest.mark.parametrize("opset", [10, 17])
def test_clips(bounds, opset):
    given = {name: bound for name, bound in zip(("min", "max"), bounds, strict=True) if bound is not None}
    if opset < 11:
        nodes, constants = [node("Clip", "x", "y", **{name: float(bound) for name, bound in given.items()})], {}
    else:
        inputs = " ".join(["x", *(name if name in given else "-" for name in ("min", "max"))])
        nodes, constants = [node("Clip", inputs, "y")], {name: np.float32(bound) for name, bound in given.items()}
    network_of(nodes, constants, opset)


def test_bounds_by_max_and_min():
    nodes = [node("Max", "x zero", "a"), node("Min", "six a", "y")]
    network = network_of(nodes, {"zero": np.float32(0), "six": np.float32(6)})
    assert str(network.layers[0]) == "Activation(activation='relu6')"


@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1)])
def test_slopes(shape):
    network_of([node("PRelu", "x slope", "y")], {"slope": np.abs(normal(*shape))})


HALF, ONE, ROOT = np.float32(0.5), np.float32(1), np.float32(2**0.5)
SPELLINGS = {
    "swish": ["Sigmoid x s", "Mul x s y"],
    "swish, the other way round": ["Sigmoid x s", "Mul s x y"],
    "hard swish": ["HardSigmoid x s alpha=0.1666667", "Mul x s y"],
    "hard swish by a clip": ["Add x three a", "Clip a zero six c", "Div c six d", "Mul x d y"],
    "hard swish by a clip, divided last": ["Add x three a", "Clip a zero six c", "Mul x c m", "Div m six y"],
    "hard swish by a product": ["Add three x a", "Clip a zero six c", "Mul c x m", "Mul m sixth y"],
    "gelu": ["Div x root d", "Erf d e", "Add e one a", "Mul x a m", "Mul m half y"],
    "gelu, halved first": ["Mul x half h", "Div x root d", "Erf d e", "Add one e a", "Mul h a y"],
    "gelu, the gate halved": ["Mul x inverse d", "Erf d e", "Add e one a", "Mul a half m", "Mul m x y"],
    "mish": ["Softplus x s", "Tanh s t", "Mul x t y"],
}
NUMBERS = {
    "half": HALF, "one": ONE, "root": ROOT, "inverse": np.float32(0.5**0.5), "zero": np.float32(0),
    "three": np.float32(3), "six": np.float32(6), "sixth": np.float32(1 / 6),
}  # fmt: skip


def parsed(lines):
    """Nodes from texts: operator, inputs, output, attributes."""
    nodes = []
    for line in lines:
        op, *words = line.split()
        attributes = {k: float(v) for k, v in (word.split("=") for word in words if "=" in word)}
        *inputs, output = [word for word in words if "=" not in word]
        nodes.append(node(op, " ".join(inputs), output, **attributes))
    return nodes


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("shifted", [False, True])
def test_functions_that_are_spelt_out(spelling, shifted):
    """Also where their argument is a sum with constants itself."""
    nodes = parsed(SPELLINGS[spelling])
    constants = dict(NUMBERS)
    if shifted:
        for each in nodes:
            each.input[:] = ["z" if name == "x" else name for name in each.input]
        nodes = [node("Conv", "x w", "u"), node("Mul", "u factor", "v"), node("Add", "v shift", "z"), *nodes]
        constants |= {"w": normal(4, 3, 1, 1), "factor": normal(4, 1, 1), "shift": normal(4, 1, 1)}
    network = network_of(nodes, {name: constants[name] for each in nodes for name in each.input if name in constants})
    assert names(network) == [*["Convolution"] * shifted, "Activation", "Flatten"]
    assert network.layers[-2].activation == spelling.split(",")[0].split(" by")[0].replace(" ", "_")


def test_a_product_that_is_no_function():
    nodes = parsed(["Div x half d", "Erf d e", "Add e one a", "Mul x a y"])
    with pytest.raises(ValueError, match=r"Erf.* is only supported as part of gelu, mish or layer normalisation"):
        network_of(nodes, NUMBERS)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1), (1, 3, 1, 1), (1, 1, 1, 1)])
def test_constants(op, shape):
    constants = {"c": 1 + np.abs(normal(*shape))}
    network_of([node(op, "x c", "m"), node("Relu", "m", "y")], constants)
    if op != "Div":
        network_of([node(op, "c x", "m"), node("Relu", "m", "y")], constants)


def test_constants_for_each_pixel():
    network = network_of([node("Relu", "x", "r"), node("Add", "r c", "y")], {"c": normal(4, 5)})
    assert names(network) == ["Activation", "Bias", "Flatten"]


def test_constants_become_part_of_the_layer_before():
    constants = {"w": normal(6, 3, 3, 3), "f": normal(6, 1, 1), "s": normal(1, 6, 1, 1)}
    nodes = [node("Conv", "x w", "c"), node("Mul", "c f", "m"), node("Add", "m s", "y")]
    assert names(network_of(nodes, constants)) == ["Convolution", "Flatten"]


def test_constants_at_the_input_scale_the_samples():
    constants = {"level": np.abs(normal(3, 1, 1)), "spread": 1 + np.abs(normal(3, 1, 1)), "w": normal(2, 3, 3, 3)}
    nodes = [node("Sub", "x level", "s"), node("Div", "s spread", "d"), node("Conv", "d w", "y", pads=[1] * 4)]
    network = network_of(nodes, constants)
    assert names(network) == ["Convolution", "Flatten"]
    np.testing.assert_allclose(network.moments, [constants["level"].ravel(), constants["spread"].ravel()], rtol=1e-6)


def test_branches():
    constants = {"w": normal(3, 3, 3, 3), "v": normal(3, 3, 1, 1), "g": normal(3, 3, 1, 1)}
    nodes = [
        node("Conv", "x w", "a", pads=[1] * 4),
        node("Conv", "x v", "b"),
        node("Add", "a b", "s"),
        node("GlobalAveragePool", "s", "m"),
        node("Conv", "m g", "l"),
        node("Sigmoid", "l", "gate"),
        node("Mul", "gate s", "p"),
        node("Sub", "p s", "y"),
    ]
    network = network_of(nodes, constants)
    assert names(network) == ["Residual", "Residual", "Flatten"]


def test_sums_of_several():
    nodes = [node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Sum", "x a b c", "y")]
    network_of(nodes, {"c": normal(3, 1, 1)})


def test_an_image_added_to_itself():
    network_of([node("Relu", "x", "r"), node("Add", "r r", "s"), node("Tanh", "s", "y")])


STATISTICS = {"s": normal(3), "t": normal(3), "m": normal(3), "v": np.abs(normal(3))}


@pytest.mark.parametrize("attributes", [{}, {"epsilon": 0.1, "momentum": 0.5}])
def test_batch_normalization(attributes):
    nodes = [node("BatchNormalization", "x s t m v", "b", **attributes), node("Relu", "b", "y")]
    network = network_of(nodes, STATISTICS)
    assert network.layers[0].decay == attributes.get("momentum", pytest.approx(0.9))


def test_batch_normalization_of_vectors():
    constants = {**STATISTICS, "w": normal(3, 4)}
    nodes = [
        node("GlobalAveragePool", "x", "g"),
        node("Flatten", "g", "f"),
        node("BatchNormalization", "f s t m v", "b"),
        node("Gemm", "b w", "y"),
    ]
    assert names(network_of(nodes, constants)) == ["GlobalMeanPool", "BatchNorm", "Dense"]


def test_layer_normalization():
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
        node("LayerNormalization", "t s b", "l", epsilon=1e-3),
        node("Transpose", "l", "y", perm=[0, 3, 1, 2]),
    ]
    assert names(network_of(nodes, {"s": normal(3), "b": normal(3)})) == ["LayerNorm", "Flatten"]


@pytest.mark.parametrize("spelling", ["Pow", "Mul", "reciprocal"])
def test_layer_normalization_that_is_spelt_out(spelling):
    square = node("Pow", "d two", "q") if spelling == "Pow" else node("Mul", "d d", "q")
    divided = [node("Div", "d r", "n")]
    if spelling == "reciprocal":
        divided = [node("Reciprocal", "r", "i"), node("Mul", "d i", "n")]
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
        node("ReduceMean", "t", "m", axes=[-1]),
        node("Sub", "t m", "d"),
        square,
        node("ReduceMean", "q", "v", axes=[3]),
        node("Add", "v epsilon", "e"),
        node("Sqrt", "e", "r"),
        *divided,
        node("Mul", "n s", "a"),
        node("Add", "a b", "l"),
        node("Transpose", "l", "y", perm=[0, 3, 1, 2]),
    ]
    constants = {"two": np.float32(2), "epsilon": np.float32(1e-3), "s": normal(3), "b": normal(3)}
    constants = {name: array for name, array in constants.items() if any(name in each.input for each in nodes)}
    network = network_of(nodes, constants)
    assert names(network) == ["LayerNorm", "Flatten"]
    assert network.layers[0].epsilon == pytest.approx(1e-3)


REFUSED = [
    (["Cast x y"], {"to": 7}, {}, "a cast to data type 7"),
    (["Gelu x y"], {"approximate": "tanh"}, {}, "approximate='tanh'; 'none' is supported"),
    (["Pow x c y"], {}, {"c": np.float32(3)}, "the power 3.0, other than in a normalisation"),
    (["Clip x a b y"], {}, {"a": np.float32(2), "b": np.float32(1)}, "bounds 2.0 and 1.0"),
    (["Clip x a y"], {}, {"a": np.float32(np.nan)}, "bounds nan and inf"),
    (["Clip x a y"], {}, {"a": normal(2)}, r"min of shape \(2,\); one number is supported"),
    (["Max x c y"], {}, {"c": normal(5)}, "other than one tensor and numbers"),
    (["PRelu x c y"], {}, {"c": normal(4, 5)}, "slopes of shape"),
    (["Div x c y"], {}, {"c": np.float32(0)}, "a division by zero"),
    (["Div c x y"], {}, {"c": np.float32(1)}, "a division by something that is no constant"),
    (["Add x c y"], {}, {"c": normal(2)}, r"a constant of shape \(1, 1, 1, 2\), which does not fit"),
    (["Add x c y"], {}, {"c": normal(2, 3, 1, 1)}, r"a constant of shape \(2, 3, 1, 1\), which does not fit"),
    (["Add x c y"], {}, {"c": np.float32(np.inf)}, "numbers that are not finite"),
    (["Mul x c y"], {}, {"c": normal(4, 5)}, "factors for each pixel"),
    (["BatchNormalization x s t m v y"], {}, {**STATISTICS, "v": -STATISTICS["v"]}, "a variance below zero"),
    (["BatchNormalization x s t m v y"], {"training_mode": 1}, STATISTICS, "training_mode=1"),
    (["BatchNormalization x s t m v y"], {}, {**STATISTICS, "m": normal(2)}, "statistics that do not fit 3 channels"),
    (["LayerNormalization x s y"], {}, {"s": normal(4)}, "is not that of the channels"),
    (["LayerNormalization x s y"], {"axis": 1}, {"s": normal(3, 4, 5)}, "normalisation over several axes"),
    (["Sqrt x y"], {}, {}, "is only supported as part of"),
]


@pytest.mark.parametrize(("lines", "attributes", "constants", "message"), REFUSED)
def test_forms_that_are_refused(lines, attributes, constants, message):
    nodes = parsed(lines)
    nodes = [node(each.op_type, " ".join(each.input), " ".join(each.output), **attributes) for each in nodes]
    model = model_of(nodes, SHAPE, constants, opset=20)
    with pytest.raises(ValueError, match=rf"{nodes[0].op_type} \(node .*{message}"):
        from_onnx(model.SerializeToString())
