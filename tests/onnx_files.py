"""Small ONNX files, and whether networks imported from them give what onnxruntime gives."""

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.onnx import from_onnx

RNG = np.random.default_rng(0)
CHANNELS_LAST = {"NCHW": (0, 2, 3, 1), "NHWC": (0, 1, 2, 3), "NCW": (0, 2, 1), "NWC": (0, 1, 2), "NC": (0, 1)}


def normal(*shape, rng=RNG):
    """Normal numbers in float32."""
    return rng.standard_normal(shape).astype(np.float32)


def node(op, inputs, output, **attributes):
    """A node with one output, from a text with the inputs' names, "-" for one that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, output.split(), name=f"{op}_{output}".split()[0], **attributes)


def model_of(nodes, shape, constants=None, *, opset=17, inputs="x", output="y", functions=(), ir_version=8):
    """Model of nodes with the input ``x`` of (batch, *shape) and the output ``y``; sizes of None are not given."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    sizes = ["n", *[f"size{i}" if size is None else size for i, size in enumerate(shape)]]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(inputs, TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in output.split()],
        tensors,
    )
    opsets = [
        helper.make_opsetid("", opset),
        *{each.domain: helper.make_opsetid(each.domain, 1) for each in functions}.values(),
    ]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=ir_version)


def small_model():
    """A model with most of what networks have: borders, gates, branches, shapes that are computed."""
    rng = np.random.default_rng(0)  # so that the bytes depend on no other test
    k, g, h, w = (normal(*shape, rng=rng) for shape in ((4, 3, 3, 3), (4, 4, 1, 1), (4, 2, 3, 3), (64, 5)))
    b, s, t, m, v, c = (normal(size, rng=rng) for size in (4, 4, 4, 4, 4, 5))
    constants = {
        "k": k, "b": b, "s": s, "t": t, "m": m, "v": np.abs(v), "g": g, "h": h,
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1]),
        "w": w, "c": c,
    }  # fmt: skip
    nodes = [
        node("Pad", "x pads", "p"), node("Conv", "p k b", "c0", strides=[2, 2]),
        node("BatchNormalization", "c0 s t m v", "c1"), node("Relu", "c1", "c2"), node("GlobalAveragePool", "c2", "g0"),
        node("Conv", "g0 g", "g1"), node("Sigmoid", "g1", "g2"), node("Mul", "c2 g2", "d"),
        node("Conv", "d h", "e", group=2, pads=[1] * 4), node("Add", "e c2", "f"), node("Shape", "f", "shape"),
        node("Gather", "shape zero", "n"), node("Unsqueeze", "n axes", "u"), node("Concat", "u rest", "target", axis=0),
        node("Reshape", "f target", "r"), node("Gemm", "r w c", "q"), node("Softmax", "q", "y"),
    ]  # fmt: skip
    return model_of(nodes, (3, 8, 8), constants)


def scores(data):
    """A model of the scores before the softmax."""
    model = ModelProto.FromString(data)
    model.graph.output[0].name = "q"
    return model


def outputs_of(network, X):
    """Outputs of an imported network for samples (n, ...), channels last; as in estimators without warnings."""
    with Team(1) as team, np.errstate(all="ignore"):
        return predict(network, np.ascontiguousarray(X.reshape(len(X), -1)), team)


def run(model, X):
    """The first output of a model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {session.get_inputs()[0].name: X})[0]


def check(model, X, layout="NCHW", ends=None, within=2e-5, **options):
    """Import a model and compare its outputs with onnxruntime's; return the network.

    ``layout`` says how the samples X lie, ``ends`` how the output lies, by its number of axes if None.
    """
    network = from_onnx(model.SerializeToString(), **options)
    wanted = run(model, X)
    ends = ends or {4: "NCHW", 3: "NCW", 2: "NC"}[wanted.ndim]
    wanted = wanted.transpose(CHANNELS_LAST[ends]).reshape(len(X), -1)
    found = outputs_of(network, X.transpose(CHANNELS_LAST[layout]))
    assert found.shape == wanted.shape
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within * max(np.abs(wanted).max(), 1e-30))
    return network


def names(network):
    """Classes of the layers of a network."""
    return [type(layer).__name__ for layer in network.layers]


def refusal(data):
    """Message of the error that a file gives; None where it gives a network."""
    try:
        from_onnx(data)
    except ValueError as error:
        return str(error)
    return None
