"""The builder of graphs."""

import numpy as np
import onnx
from exported import run

from skconv.onnx._graph import Graph, nchw


def test_names_are_unique_and_start_with_the_prefix():
    graph = Graph(prefix="a_")
    x = graph.add("Relu", "X")
    low, high = graph.add("Split", x, np.array([1, 1], np.int64), outputs=2, axis=1)
    graph.add("Add", low, high)
    graph.add("Add", graph.numbers(1), graph.numbers(2))
    names = [name for node in graph.nodes for name in node.outputs]
    assert len({*names, *graph.constants}) == len(names) + len(graph.constants) == 5 + 3
    assert all(name.startswith("a_") for name in [*names, *graph.constants])


def test_a_model_has_the_opset_and_the_oldest_format_that_knows_it():
    for opset, version in ((18, 8), (20, 9), (22, 10)):
        graph = Graph()
        graph.rename(graph.add("Relu", "X"), "y")
        model = graph.model([("X", np.float32, (2,))], [("y", np.float32, (2,))], opset)
        assert [(each.domain, each.version) for each in model.opset_import] == [("", opset)]
        assert model.ir_version == version
        onnx.checker.check_model(model, full_check=True)


def test_constants_keep_dtype_and_shape():
    graph = Graph()
    words = graph.add("Gather", np.array(["a", "bc"], object), np.array(1, np.int64), axis=0)
    graph.rename(words, "word")
    graph.rename(graph.add("Add", graph.cast("X", np.float64), np.array(0.1)), "y")
    outputs = [("word", object, ()), ("y", np.float64, (1,))]
    model = graph.model([("X", np.float32, (1,))], outputs, 20)
    found = run(model, np.ones((1, 1), np.float32))
    assert found["word"] == "bc"
    assert found["y"] == np.float64(1.1)


def test_channels_come_first():
    array = np.arange(24).reshape(2, 3, 4)
    assert nchw(array).shape == (1, 4, 2, 3)
    assert nchw(array)[0, 3, 1, 2] == array[1, 2, 3]


def test_a_result_that_is_used_further_on_has_a_new_name():
    graph = Graph()
    graph.rename("X", "same")
    x = graph.add("Neg", "X")
    y = graph.add("Neg", x)
    graph.rename(x, "x")
    graph.rename(y, "y")
    model = graph.model([("X", np.float32, (1,))], [(name, np.float32, (1,)) for name in ("same", "x", "y")], 20)
    found = run(model, np.ones((2, 1), np.float32))
    assert [found[name].tolist() for name in ("same", "x", "y")] == [[[1], [1]], [[-1], [-1]], [[1], [1]]]
