"""The graph of an ONNX model: which nodes its output needs, in which order, and what is given to it."""

from __future__ import annotations

import numpy as np

from .._input.constraints import shown
from .reading import tensor_array

__all__ = ["FileGraph", "attribute_values", "label_of"]

_MOST_NODES = 100_000
_ON_ELEMENTS = ("Add", "Cast", "Div", "Identity", "Mul", "Reshape", "Sub")
_SOFTMAX = ("Softmax", "LogSoftmax")
_OF_PROBABILITIES = (*_SOFTMAX, "Add", "Cast", "Clip", "Div", "Exp", "Identity", "Log", "Max", "Min", "Mul", "Sub")
_NUMBERS = (0, 1, 10, 11, 16)  # data types of real numbers; 0 is none given


class FileGraph:
    """The nodes that one output of a model needs.

    Parameters
    ----------
    model : onnx.ModelProto
    folder : str, path or None
        Where the files of constants are.
    output : str or None
        Name of an output, or of another result of a node; None is the first output of real numbers.

    Attributes
    ----------
    version : int
        Version of ONNX's own operators.
    output_name, input_name : str
    order : list of onnx.NodeProto
        Nodes, each after those it needs.
    """

    def __init__(self, model, folder=None, output=None):
        graph = model.graph
        if len(graph.node) > _MOST_NODES:
            raise ValueError(f"the model has {len(graph.node)} nodes, more than {_MOST_NODES}")
        self.version = max([each.version for each in model.opset_import if each.domain in ("", "ai.onnx")] or [0])
        if self.version < 1:
            raise ValueError("the model does not say which version of ONNX's operators it has")
        self._folder = folder
        self._tensors = {each.name: each for each in graph.initializer}
        self._producers = {name: node for node in graph.node for name in node.output if name}
        self._inputs = {each.name: each for each in graph.input if each.name not in self._tensors}
        self.output_name = self._chosen(graph, output)
        self.order = self._needed()
        if output is None and (name := self._softmax_before()) is not None:
            self.output_name = name
            self.order = self._needed()

    def _chosen(self, graph, output) -> str:
        """Name of the output that is asked for."""
        names = [each.name for each in graph.output]
        if output is not None:
            if not isinstance(output, str) or output not in self._producers:
                raise ValueError(f"output must be one of {names} or another result of a node, got {shown(output)}")
            return output
        of_numbers = [each.name for each in graph.output if each.type.tensor_type.elem_type in _NUMBERS]
        if not of_numbers:
            raise ValueError(f"the model has no output of real numbers; its outputs are {names}")
        return of_numbers[0]

    def _needed(self):
        """Nodes before the output, each after those it needs; raises ValueError for what nothing makes."""
        order, used = [], []
        done: set[str] = set()
        open_: set[str] = set()
        pending = [self.output_name]
        while pending:
            name = pending[-1]
            node = self._producers.get(name)
            if name in done or node is None:
                pending.pop()
                if name not in done and name not in self._tensors:
                    used.append(name)
                done.add(name)
                continue
            missing = [each for each in node.input if each and each not in done]
            if missing and name in open_:
                raise ValueError(f"{label_of(node)}: the nodes of the model form a circle")
            if missing:
                open_.add(name)
                pending += missing
                continue
            order.append(node)
            done.update(node.output)
            pending.pop()
        unknown = [name for name in used if name not in self._inputs]
        if unknown:
            raise ValueError(f"{shown(unknown[0])} is no input, no constant and no output of a node of the model")
        if len(used) != 1:
            inputs = ", ".join(map(repr, used)) or "none"
            raise ValueError(f"the output {shown(self.output_name)} must depend on one input, it depends on {inputs}")
        self.input_name = used[0]
        return order

    def _softmax_before(self) -> str | None:
        """Result of a softmax of which the output is a softmax again, with functions of each element between them.

        Such are probabilities that are corrected, as for the smoothing of labels; their scores come before the first.
        """
        first, made, fixed = None, set(), set(self._tensors)
        for node in self.order:
            known = {name for name in node.input if name} - fixed
            if not known:
                fixed.update(node.output)
            elif first is not None and known <= made and node.op_type in _OF_PROBABILITIES:
                made.update(node.output)
            elif node.op_type in _SOFTMAX:
                first, made = node.output[0], set(node.output)
            else:
                first, made = None, set()
        last = self._producers.get(self.output_name)
        while last is not None and last.op_type in ("Cast", "Identity") and last.input:
            last = self._producers.get(last.input[0])
        again = last is not None and last.op_type == "Softmax" and bool(set(last.output) & made - {first})
        return first if again else None

    def input_sizes(self) -> list[int | None] | None:
        """Sizes of the input's axes, None where the file does not give them; the first is one sample."""
        kind = self._inputs[self.input_name].type.tensor_type
        if not kind.HasField("shape"):
            return None
        sizes = [each.dim_value if each.HasField("dim_value") else None for each in kind.shape.dim]
        if not sizes or any(size is not None and size < 1 for size in sizes[1:]):
            raise ValueError(f"the input {shown(self.input_name)} has the shape {tuple(sizes)}")
        return [1, *sizes[1:]]

    def moves_channels(self) -> bool:
        """Whether the first that is done with the input, other than on each element, brings its last axis forward."""
        name = self.input_name
        for node in self.order:
            if name not in node.input or node.op_type == "Shape":
                continue
            if node.op_type not in _ON_ELEMENTS:
                perm = self.attributes(node).get("perm") if node.op_type == "Transpose" else None
                return isinstance(perm, list) and len(perm) > 2 and perm[1] == len(perm) - 1
            name = node.output[0] if node.output else ""
        return False

    def constant(self, name) -> np.ndarray | None:
        """An array of the file, None where there is none of this name."""
        tensor = self._tensors.get(name)
        return None if tensor is None else tensor_array(tensor, self._folder)

    def attributes(self, node):
        """Attributes of a node by name: numbers, strings, lists of them, arrays."""
        return attribute_values(node, self._folder)


def label_of(node) -> str:
    """Operator and name of a node, for messages."""
    name = node.name or (node.output[0] if node.output else "")
    return f"{node.op_type} (node {shown(name)})"


def attribute_values(node, folder):
    """Attributes of a node by name: numbers, strings, lists of them, arrays; graphs and the like are None."""
    values = {}
    for each in node.attribute:
        if each.type == 1:
            values[each.name] = float(each.f)
        elif each.type == 2:
            values[each.name] = int(each.i)
        elif each.type == 3:
            values[each.name] = each.s.decode("utf-8", "replace")
        elif each.type == 4:
            values[each.name] = tensor_array(each.t, folder)
        elif each.type in (6, 7):
            values[each.name] = list(each.floats if each.type == 6 else each.ints)
        else:
            values[each.name] = None
    return values
