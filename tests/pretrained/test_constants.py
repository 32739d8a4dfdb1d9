"""Operators on constants give what ONNX's reference implementation gives."""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from onnx_files import node

from skconv._pretrained.calls import Call
from skconv._pretrained.constants import Budget, evaluated, shape_array
from skconv._pretrained.graph import attribute_values
from skconv._pretrained.nodes import Nodes, Unsupported

A = np.random.default_rng(0).integers(-9, 9, (2, 3, 4))
F = np.random.default_rng(0).uniform(0.5, 3, (3, 4)).astype(np.float32)


def i(*numbers):
    return np.array(numbers, np.int64)


def found(op, *inputs, opset=17, n_outputs=1, budget=None, **attributes):
    made = node(
        op, " ".join(f"x{n}" for n in range(len(inputs))), " ".join(f"y{n}" for n in range(n_outputs)), **attributes
    )
    call = Call(op, opset, list(inputs), attribute_values(made, None), n_outputs, Nodes())
    return evaluated(call, budget or Budget(0)), made


CASES = [
    *[(op, [A, A[0]], {}) for op in ("Add", "Sub", "Mul", "Max", "Min", "Equal", "Less", "Greater", "LessOrEqual")],
    *[(op, [F, F[0]], {}) for op in ("Add", "Div", "Pow", "Sum", "GreaterOrEqual")],
    *[(op, [F], {}) for op in ("Neg", "Abs", "Ceil", "Floor", "Sqrt", "Exp", "Log", "Reciprocal", "Round", "Identity")],
    ("Div", [A, i(3)], {}),
    ("Mod", [A, i(3)], {}),
    ("Mod", [A, i(3)], {"fmod": 1}),
    ("Not", [A > 0], {}),
    ("And", [A > 0, A < 3], {}),
    ("Or", [A > 0, A < 3], {}),
    ("Where", [A > 0, A, -A], {}),
    ("Cast", [F], {"to": 7}),
    ("Cast", [A], {"to": 1}),
    ("Concat", [A, A], {"axis": -1}),
    ("ConstantOfShape", [i(2, 3)], {}),
    ("ConstantOfShape", [i(2)], {"value": onnx.numpy_helper.from_array(i(7))}),
    ("Constant", [], {"value": onnx.numpy_helper.from_array(A)}),
    ("Constant", [], {"value_ints": [1, 2]}),
    ("Constant", [], {"value_float": 0.5}),
    ("Expand", [i(1, 2), i(3, 2)], {}),
    ("Flatten", [A], {"axis": 2}),
    ("Gather", [A, i(1, 0)], {"axis": 2}),
    ("Gather", [A, i(-1)], {}),
    ("Range", [np.int64(1), np.int64(9), np.int64(3)], {}),
    ("ReduceMean", [F], {"axes": [1]}),
    ("ReduceSum", [A, i(0, 2)], {"keepdims": 0}),
    ("ReduceProd", [A], {"axes": [0]}),
    ("ReduceMax", [A], {}),
    ("ReduceMin", [A], {"axes": [-1], "keepdims": 0}),
    ("Reshape", [A, i(0, -1)], {}),
    ("Shape", [A], {}),
    ("Shape", [A], {"start": 1, "end": 2}),
    ("Size", [A], {}),
    ("Slice", [A, i(0), i(2**62), i(1), i(2)], {}),
    ("Slice", [A, i(-1), i(-(2**62)), i(2), i(-1)], {}),
    ("Squeeze", [A[:1], i(0)], {}),
    ("Squeeze", [A[:1]], {}),
    ("Tile", [i(1, 2), i(3)], {}),
    ("Transpose", [A], {"perm": [2, 0, 1]}),
    ("Transpose", [A], {}),
    ("Unsqueeze", [A, i(0, -1)], {}),
]


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operators(op, inputs, attributes):
    array, made = found(op, *inputs, **attributes)
    graph = onnx.helper.make_graph(
        [made],
        "graph",
        [
            onnx.helper.make_tensor_value_info(f"x{n}", onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
            for n, x in enumerate(inputs)
        ],
        [onnx.helper.make_tensor_value_info("y0", 1, None)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    (wanted,) = ReferenceEvaluator(model).run(None, {f"x{n}": x for n, x in enumerate(inputs)})
    assert array.dtype == wanted.dtype
    np.testing.assert_allclose(array, wanted, rtol=1e-6)


def test_parts():
    parts, _ = found("Split", A, i(1, 2), n_outputs=2, axis=1)
    np.testing.assert_array_equal(np.concatenate(parts, 1), A)
    assert [part.shape[1] for part in parts] == [1, 2]


def test_the_shape_of_a_tensor():
    assert shape_array(Call("Size", 17, [], {}, 1, Nodes()), (1, 3, 4)) == 12


REFUSED = [
    ("LSTM", [A], {}, "with constants alone"),
    ("Div", [A, i(0)], {}, "a division by zero"),
    ("Mod", [A, i(0)], {}, "a division by zero"),
    ("Range", [np.float32(0), np.float32(1), np.float32(0)], {}, "a range from 0.0 to 1.0 by 0.0"),
    ("Gather", [A, i(2)], {}, "places that are not on axis 0"),
    ("Tile", [A, i(2)], {}, "repeats="),
    ("Constant", [], {"value_string": "a"}, "without a number or numbers"),
    ("Cast", [A], {"to": 8}, "data type 8"),
    ("Add", [A, np.array(["a"], object)], {}, "constants of dtype object"),
]


@pytest.mark.parametrize(("op", "inputs", "attributes", "message"), REFUSED)
def test_what_is_refused(op, inputs, attributes, message):
    with pytest.raises(ValueError, match=message):
        found(op, *inputs, **attributes)


HUGE = [
    ("ConstantOfShape", [i(2**40)], {}),
    ("ConstantOfShape", [i(2**20, 2**20)], {}),
    ("ConstantOfShape", [i(-1)], {}),
    ("Expand", [i(1), i(2**40)], {}),
    ("Range", [np.int64(0), np.int64(2**40), np.int64(1)], {}),
    ("Tile", [i(1), i(2**40)], {}),
    ("Add", [np.zeros((2**12, 1)), np.zeros((1, 2**12))], {}),
    ("Gather", [np.zeros((1, 2**12)), np.zeros(2**12, int)], {}),
]


@pytest.mark.parametrize(("op", "inputs", "attributes"), HUGE)
def test_large_constants_are_not_made(op, inputs, attributes):
    with pytest.raises(Unsupported, match="which is large beside the file"):
        found(op, *inputs, **attributes)


def test_the_limit_is_for_all_constants_together():
    budget = Budget(0)
    for _ in range(4):
        found("ConstantOfShape", i(2**15), budget=budget)
    with pytest.raises(Unsupported, match="large beside the file"):
        found("ConstantOfShape", i(1), budget=budget)
