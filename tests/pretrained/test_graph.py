"""Which nodes an output needs."""

import numpy as np
import pytest
from onnx_files import check, model_of, names, node, normal

from skconv._pretrained.graph import FileGraph
from skconv.onnx import from_onnx

SHAPE = (3, 4, 5)


def imported(model, **options):
    return from_onnx(model.SerializeToString(), **options)


def test_only_the_nodes_before_the_output_count():
    nodes = [node("Relu", "x", "a"), node("LSTM", "a", "b"), node("Tanh", "a", "y")]
    assert names(imported(model_of(nodes, SHAPE))) == ["Activation", "Activation", "Flatten"]


def test_nodes_in_any_order():
    nodes = [node("Tanh", "b", "y"), node("Relu", "a", "b"), node("Sigmoid", "x", "a")]
    graph = FileGraph(model_of(nodes, SHAPE))
    assert [each.op_type for each in graph.order] == ["Sigmoid", "Relu", "Tanh"]


def test_the_output_can_be_chosen():
    nodes = [node("Relu", "x", "y"), node("Tanh", "y", "z")]
    model = model_of(nodes, SHAPE, output="y z")
    assert imported(model).output_name == "y"
    network = imported(model, output="z")
    assert (network.input_name, network.output_name, names(network)) == (
        "x",
        "z",
        ["Activation", "Activation", "Flatten"],
    )
    nodes[1:1] = [node("Sigmoid", "x", "between")]
    assert names(imported(model_of(nodes, SHAPE, output="y z"), output="between")) == ["Activation", "Flatten"]
    for wrong in ("w", "x", ["y"]):
        with pytest.raises(ValueError, match=r"output must be one of \['y', 'z'\] or another result of a node, got "):
            imported(model, output=wrong)


def test_outputs_of_labels_are_passed_over():
    nodes = [node("Flatten", "x", "z"), node("ArgMax", "z", "y", axis=1, keepdims=0)]
    model = model_of(nodes, SHAPE, output="y z")
    model.graph.output[0].type.tensor_type.elem_type = 7
    assert imported(model).output_name == "z"
    model.graph.output.pop()
    with pytest.raises(ValueError, match=r"no output of real numbers; its outputs are \['y'\]"):
        imported(model)


def test_constants_may_be_inputs_too():
    model = model_of([node("Conv", "x w", "y")], SHAPE, {"w": normal(2, 3, 1, 1)}, ir_version=3)
    given = model.graph.input.add(name="w")
    given.type.tensor_type.elem_type = 1
    for size in (2, 3, 1, 1):
        given.type.tensor_type.shape.dim.add(dim_value=size)
    check(model, normal(2, *SHAPE))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Relu", "y", "y")], r"Relu \(node 'Relu_y'\): the nodes of the model form a circle"),
        ([node("Add", "x b", "y"), node("Relu", "y", "b")], "form a circle"),
        ([node("Add", "x w", "y")], "'w' is no input, no constant and no output of a node"),
        ([node("Relu", "x", "z")], "'y' is no input, no constant"),
        ([node("Constant", "", "y", value_float=1.0)], "'y' must depend on one input, it depends on none"),
        ([], "the output 'y' is the input itself|'y' is no input"),
    ],
)
def test_graphs_without_a_beginning(nodes, message):
    with pytest.raises(ValueError, match=message):
        imported(model_of(nodes, SHAPE))


def test_several_inputs():
    model = model_of([node("Add", "x z", "y")], SHAPE)
    model.graph.input.add(name="z")
    with pytest.raises(ValueError, match=r"must depend on one input, it depends on '[xz]', '[xz]'"):
        imported(model)


def test_a_model_without_a_version():
    model = model_of([node("Relu", "x", "y")], SHAPE)
    del model.opset_import[:]
    with pytest.raises(ValueError, match="does not say which version"):
        imported(model)


def test_sizes_below_one():
    model = model_of([node("Relu", "x", "y")], (3, 0, -4))
    with pytest.raises(ValueError, match=r"the input 'x' has the shape"):
        imported(model)


def test_very_many_nodes(monkeypatch):
    nodes = [node("Identity", f"a{n}" if n else "x", f"a{n + 1}") for n in range(20_000)]
    model = model_of([*nodes, node("Relu", "a20000", "y")], SHAPE)
    assert names(imported(model)) == ["Activation", "Flatten"]
    monkeypatch.setattr("skconv._pretrained.graph._MOST_NODES", 20_000)
    with pytest.raises(ValueError, match="the model has 20001 nodes, more than 20000"):
        imported(model)


def test_attributes():
    made = node("Op", "x", "y", a=1, b=0.5, c="text", d=[1, 2], e=[0.5], f=["a"])
    attributes = FileGraph(model_of([node("Relu", "x", "y")], SHAPE)).attributes(made)
    assert attributes == {"a": 1, "b": 0.5, "c": "text", "d": [1, 2], "e": [0.5], "f": None}
    assert np.isscalar(attributes["b"])
