"""The nodes of an ONNX graph, one after another: constants are computed, and what depends on samples becomes nodes."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._input.constraints import shown
from . import elements, shaping, windows  # noqa: F401 - these fill the table of operators
from .calls import OPERATORS, Call
from .constants import Budget, evaluated, shape_array
from .graph import FileGraph, label_of
from .nodes import Node, Nodes, Unsupported
from .views import Atom, View, materialized, whole

__all__ = ["Imported", "interpreted"]

_DOMAINS = ("", "ai.onnx")


class Imported(NamedTuple):
    """A network before it is made of layers.

    Attributes
    ----------
    source, end : Node
        The image that goes in, and the last that comes out.
    groups : int
        Groups of the shuffle that brings the flattened last image to the file's order; 1 where it has this order.
    """

    source: Node
    end: Node
    groups: int


class _Layout(NamedTuple):
    """Shape of the input in the file, and the axes, with letters and sizes, of the tensor that it is or becomes."""

    shape: tuple[int, ...]
    axes: tuple[tuple[str, int], ...]


class _Failed(ValueError):
    """An error, with how many nodes were understood before it and the shapes that the input is given by reshapes."""

    def __init__(self, message, done, shapes):
        super().__init__(message)
        self.done, self.shapes = done, shapes


def interpreted(graph: FileGraph, file_bytes, image_shape=None) -> Imported:
    """The network of a graph's output.

    The file does not say which axis of the input is that of the channels, so this is tried; another order than the
    network's own has convolutions on other axes than those of the image, which raises.
    """
    pending = _layouts(graph, image_shape)
    failed: list[_Failed] = []
    while pending:
        layout = pending.pop(0)
        try:
            return _run(graph, layout, file_bytes)
        except _Failed as error:
            if not failed:  # a flat input may become an image
                order = -1 if graph.moves_channels() else 1
                pending += [_Layout(layout.shape, axes) for shape in error.shapes for axes in _orders(shape)[::order]]
            failed.append(error)
    raise ValueError(str(max(failed, key=lambda error: error.done)))


def _orders(shape) -> list[tuple[tuple[str, Any], ...]]:
    """Letters and sizes of the axes of a tensor, with channels first and last."""
    letters = {2: ("NC",), 3: ("NCW", "NWC"), 4: ("NCHW", "NHWC")}.get(len(shape), ())
    return [tuple(zip(each, shape, strict=True)) for each in letters]


def _layouts(graph, image_shape) -> list[_Layout]:
    """The layouts of the input that are possible, in the order in which they are tried."""
    given = graph.input_sizes()
    sizes = [None] * 4 if given is None and image_shape is not None else given
    if sizes is None or len(sizes) not in (2, 3, 4):
        raise ValueError(
            f"the input {shown(graph.input_name)} has the shape {shown(given)}; samples with one to three axes are "
            "supported"
        )
    wanted = dict(zip("HWC", image_shape or (), strict=False))
    layouts = []
    for axes in _orders(sizes)[:: -1 if graph.moves_channels() else 1]:
        known: list[tuple[str, Any]] = [
            (letter, size or (1 if letter == "N" else wanted.get(letter))) for letter, size in axes
        ]
        if all(size and wanted.get(letter, size) == size for letter, size in known):
            layouts.append(_Layout(tuple(size for _, size in known), tuple(known)))
    if not layouts:
        unknown = None in sizes
        raise ValueError(
            f"the input {shown(graph.input_name)} has the shape {tuple(sizes)}, "
            + ("so image_shape must give the sizes that are None, " if unknown else "which image_shape does not fit: ")
            + f"got image_shape={shown(image_shape)}"
        )
    return layouts


def _run(graph, layout, file_bytes) -> Imported:
    """The network with an input of this layout."""
    nodes, budget = Nodes(), Budget(file_bytes)
    sizes = dict(layout.axes)
    source = nodes.new("input", [], tuple(sizes.get(letter, 1) for letter in "HWC"))
    tensor = View(source, tuple(_axis(letter, size) for letter, size in layout.axes))
    values: dict[str, Any] = {graph.input_name: tensor.reshaped(layout.shape)}
    for done, node in enumerate(graph.order):
        nodes.label = label_of(node)
        try:
            found = _outputs(graph, node, values, nodes, budget)
            values.update(zip(node.output, found, strict=False))
            if done == len(graph.order) - 1:
                return Imported(source, *_end(values[graph.output_name], nodes))
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
            text = str(error) if isinstance(error, Unsupported) else f"{type(error).__name__}: {error}"
            shapes = _image_shapes(values.values(), source, len(layout.shape))
            text = f"{nodes.label} is not supported with {text}{_way_out(node, values, source)}"
            raise _Failed(text, done, shapes) from error
    raise ValueError(f"the output {shown(graph.output_name)} is the input itself")


def _way_out(node, values, source) -> str:
    """End of a message: the output that ends before a node, where a vector goes into the node."""
    vectors = [name for name in node.input if isinstance(values.get(name), View) and len(values[name].shape) == 2]
    vectors = [name for name in vectors if values[name].node is not source]
    return f"; output={shown(vectors[0])} imports the network before it" if vectors else ""


def _axis(letter, size):
    """The parts of a whole axis of the input."""
    return (Atom("N", 1),) if letter == "N" else whole(letter, size)


def _image_shapes(values, source, rank) -> list[tuple[int, ...]]:
    """Shapes of tensors with more axes than ``rank`` that are the input, reshaped."""
    views = [value for value in values if isinstance(value, View)]
    shapes = [view.shape for view in views if view.node is source or view.node.inputs == (source,)]
    fits = [shape for shape in shapes if rank < len(shape) < 5 and (shape[0], prod(shape)) == (1, prod(source.shape))]
    return list(dict.fromkeys(fits))


def _outputs(graph, node, values, nodes, budget) -> list:
    """The values of a node's outputs."""
    inputs = [_value(graph, name, values) for name in node.input]
    call = Call(node.op_type, graph.version, inputs, graph.attributes(node), len(node.output), nodes)
    if node.domain not in _DOMAINS:
        raise Unsupported(f"its domain {shown(node.domain)}; ONNX's own operators are supported")
    views = [each for each in inputs if isinstance(each, View)]
    if not views:
        found = evaluated(call, budget)
    elif call.op in ("Shape", "Size"):
        found = shape_array(call, views[0].shape)
    elif call.op not in OPERATORS:
        raise Unsupported(f"tensors; operators that are: {', '.join(sorted(OPERATORS))}")
    else:
        found = OPERATORS[call.op](call)
    return [
        x if x is None or isinstance(x, View) else np.asarray(x)
        for x in (found if isinstance(found, list) else [found])
    ]


def _value(graph, name, values):
    """The value of an input: a view, an array, or None where it is left out."""
    if not name:
        return None
    if name not in values:
        array = graph.constant(name)
        if array is None:
            raise Unsupported(f"the input {shown(name)}, which has no value")
        values[name] = array
    return values[name]


def _end(value, nodes) -> tuple[Node, int]:
    """The node of the output, and the groups of `Imported`."""
    if not isinstance(value, View):
        raise Unsupported("an output that does not depend on the samples")
    value = materialized(nodes, value)
    if value.batch != 0:
        raise Unsupported(f"an output of shape {value.shape} whose first axis is not that of the samples")
    height, width, channels = value.node.shape
    parts = tuple(atom for axis in value.axes for atom in axis if atom.letter != "N")
    whole_axes = whole("H", height) + whole("W", width), whole("C", channels)
    if sorted(parts) != sorted(whole_axes[0] + whole_axes[1]):
        raise Unsupported(f"an output of shape {value.shape} whose channels are in another order")
    if len(value.axes) != 2 or parts == whole_axes[0] + whole_axes[1]:
        return value.node, 1  # an image has its channels last, however they are in the file
    if parts != whole_axes[1] + whole_axes[0]:
        raise Unsupported(f"an output of shape {value.shape} whose axes are joined in another order than the image's")
    return value.node, height * width
