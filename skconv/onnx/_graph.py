"""A graph of ONNX nodes as it is built; the library onnx is needed only to make a model of it."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from .._input.versions import __version__

__all__ = ["Graph", "Node", "nchw"]


class Node(NamedTuple):
    """A node: operator, names of inputs and outputs, attributes, domain ("" is ONNX's own)."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    domain: str = ""


class Graph:
    """Nodes and constants in the order in which they are added.

    Parameters
    ----------
    dtype : dtype, default=float32
        Dtype of the numbers between the nodes.
    prefix : str, default=""
        Start of all names, for a graph that becomes part of another one.

    Attributes
    ----------
    nodes : list of Node
    constants : dict of ndarray
        Arrays by name; strings are arrays of objects.
    """

    def __init__(self, dtype=np.float32, prefix=""):
        self.dtype, self.prefix = np.dtype(dtype), prefix
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}

    def in_dtype(self, dtype) -> Graph:
        """The same graph, for nodes with numbers of another dtype."""
        other = copy(self)
        other.dtype = np.dtype(dtype)
        return other

    def add(self, op, *inputs, domain="", outputs=1, **attributes):
        """Add a node; return the name of its output, or a list of the names of several.

        Parameters
        ----------
        op : str
        *inputs : str or ndarray
            Names of results; arrays become constants.
        domain : str, default=""
        outputs : int, default=1
        **attributes
            Attributes of the operator.
        """
        name = f"{self.prefix}{op}{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        read = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self.nodes.append(Node(op, read, names, attributes, domain))
        return names[0] if outputs == 1 else names

    def constant(self, array) -> str:
        """Name of a new constant."""
        name = f"{self.prefix}constant{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def numbers(self, array):
        """An array in the graph's dtype."""
        return np.asarray(array).astype(self.dtype)

    def cast(self, x, dtype) -> str:
        """``x`` in another dtype."""
        return self.add("Cast", x, to=element_type(dtype))

    def rename(self, x, name):
        """Give the result ``x`` a name of the model's; an input is copied."""
        if not any(x in node.outputs for node in self.nodes):
            self.nodes.append(Node("Identity", [x], [name], {}))
            return
        for node in self.nodes:
            for names in (node.inputs, node.outputs):
                names[:] = [name if each == x else each for each in names]

    def reshape(self, x, *shape) -> str:
        """``x`` with samples of another shape; the first axis, of the samples, stays."""
        return self.add("Reshape", x, np.array([0, *shape], np.int64))

    def mean(self, x, *axes, keepdims=1) -> str:
        """Means of ``x`` over axes."""
        return self.add("ReduceMean", x, np.array(axes, np.int64), keepdims=keepdims)

    def pad(self, x, rows, columns, value=0) -> str:
        """Images with borders of ``value``; ``rows`` and ``columns`` are the widths before and after."""
        if not any((*rows, *columns)):
            return x
        widths = np.array([0, 0, rows[0], columns[0], 0, 0, rows[1], columns[1]], np.int64)
        return self.add("Pad", x, widths, self.numbers(value))

    def model(self, inputs, outputs, opset):
        """The graph as an ``onnx.ModelProto``.

        Parameters
        ----------
        inputs, outputs : list of (str, dtype, tuple)
            Name, dtype and shape of a sample of each; the number of samples is not fixed.  With a shape of None the
            samples are dictionaries, whose keys have the dtype.
        opset : int
        """
        from onnx import helper

        graph = helper.make_graph(
            [_node(node) for node in self.nodes],
            "skconv",
            [_value(*each) for each in inputs],
            [_value(*each) for each in outputs],
            [_tensor(name, array) for name, array in self.constants.items()],
        )
        domains = {node.domain for node in self.nodes} - {""}
        opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
        version = helper.find_min_ir_version_for(opsets)
        own = {"producer_name": "skconv", "producer_version": __version__}
        return helper.make_model(graph, opset_imports=opsets, ir_version=version, **own)

    def add_to(self, container):
        """Add nodes and constants to the container of a model that skl2onnx builds."""
        container.nodes += [_node(node) for node in self.nodes]
        container.initializers += [_tensor(name, array) for name, array in self.constants.items()]


def nchw(array):
    """An array ``(H, W, C)`` for images with channels first, ``(1, C, H, W)``."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))[None]


def element_type(dtype) -> int:
    """ONNX's number of a dtype."""
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _node(node):
    from onnx import helper

    return helper.make_node(
        node.op, node.inputs, node.outputs, name=node.outputs[0], domain=node.domain, **node.attributes
    )


def _tensor(name, array):
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)


def _value(name, dtype, shape):
    from onnx import helper

    if shape is None:
        number = helper.make_tensor_type_proto(element_type(np.float32), [])
        each = helper.make_map_type_proto(element_type(dtype), number)
        return helper.make_value_info(name, helper.make_sequence_type_proto(each))
    return helper.make_tensor_value_info(name, element_type(dtype), [None, *shape])
