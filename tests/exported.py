"""ONNX models in onnxruntime, and how far their results are from those of the estimators."""

import numpy as np
import onnx
import onnxruntime
from networks import initialized, predicted

from skconv.onnx._graph import Graph
from skconv.onnx._networks import outputs


def newest_opset():
    """The newest version of the operators that onnx has and onnxruntime runs, of those that are exported."""
    for opset in range(min(28, onnx.defs.onnx_opset_version()), 20, -1):
        graph = Graph()
        graph.rename(graph.add("Relu", "X"), "y")
        try:
            run(graph.model([("X", np.float32, (1,))], [("y", np.float32, (1,))], opset), np.ones((1, 1), np.float32))
        except Exception:  # onnxruntime has errors of its own
            continue
        return opset
    return 20


def run(model, X):
    """Results of a model, by name, for samples X, or for a dictionary of inputs by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = X if isinstance(X, dict) else {session.get_inputs()[0].name: X}
    return dict(zip(names, session.run(None, inputs), strict=True))


def network_model(network, opset=20):
    """A model of a network alone."""
    graph = Graph()
    graph.rename(outputs(network, graph, "X"), "y")
    shape = network.input_shape
    return graph.model([("X", np.float32, shape)], [("y", np.float32, network.shapes[-1])], opset)


def assert_close(found, wanted, within=1e-5):
    """Equal shapes, and no difference beyond a part of the largest number."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within * max(np.abs(wanted).max(), 1e-30))


def check_network(network, n=5, seed=1, opset=20):
    """A network of float32 and its model give the same, for one sample and for several."""
    X = np.random.default_rng(seed).standard_normal((n, *network.input_shape)).astype(np.float32)
    model, wanted = network_model(network, opset), predicted(network, X.reshape(n, -1))
    for samples in (X, X[:1]):
        assert_close(run(model, samples)["y"], wanted[: len(samples)])


def settled(layers, shape):
    """A network of float32 whose parameters and running statistics are none of them what they are at first."""
    network = initialized(layers, shape, np.float32)
    network.state[:] += np.random.default_rng(3).uniform(0, 1, network.state.shape).astype(np.float32)
    network.changed()
    return network
