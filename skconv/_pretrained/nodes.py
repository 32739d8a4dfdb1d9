"""Nodes between ONNX and layers: what a network computes of an image, one after another, as each is known.

Nodes have no effects, so the same image may be computed by several; those that the output does not need are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers import ShuffleChannels

__all__ = ["MERGES", "Node", "Nodes", "Unsupported", "by_channel", "common"]

MERGES = ("add", "multiply", "concatenate")
_MOST_NODES = 200_000


class Unsupported(ValueError):
    """A form of an operator that has no counterpart among the layers; the interpreter adds the node's name."""


class Node:
    """Something that is computed of one image, or of several.

    Attributes
    ----------
    op : str
        What is computed: the name of a merge, of a kind of layer, or of a function that may become part of one.
    inputs : tuple of Node
    shape : (int, int, int)
        Shape of the output, an image.
    layer : Layer or None
        The layer that computes it, if there is one.
    arrays : dict of ndarray
        Arrays of the layer by name.
    value : object
        What a function needs that is no layer: factor and shift of "affine", the bounds of "clip".
    label : str
        Operator and name of the node in the file, for messages.
    dominator : Node or None
        Last node before this one that everything before it goes through.
    """

    __slots__ = ("arrays", "depth", "dominator", "inputs", "jump", "label", "layer", "op", "shape", "value")

    def __init__(self, op, inputs, shape, *, layer=None, arrays=None, value=None, label=""):
        self.op, self.inputs, self.shape = op, tuple(inputs), tuple(shape)
        self.layer, self.arrays, self.value, self.label = layer, arrays or {}, value, label
        self.dominator: Any = None
        if self.inputs:
            self.dominator = self.inputs[0]
            for other in self.inputs[1:]:
                self.dominator = common(self.dominator, other)
        self.depth, self.jump = _place(self, self.dominator)


def _place(node, parent):
    """Number of dominators of a node, and a dominator further back, so that none is far (Myers, 1983)."""
    if parent is None:
        return 0, node
    near, far = parent.jump, parent.jump.jump
    return parent.depth + 1, far if parent.depth - near.depth == near.depth - far.depth else parent


def common(a, b):
    """Last node that dominates both, or is one of them."""
    if a.depth < b.depth:
        a, b = b, a
    while a.depth > b.depth:
        a = a.jump if a.jump.depth >= b.depth else a.dominator
    while a is not b:
        a, b = (a.jump, b.jump) if a.jump is not b.jump else (a.dominator, b.dominator)
    return a


def by_channel(*arrays):
    """Whether arrays that fit an image have a number for each channel, or one."""
    return all(array.size in (1, *array.shape[-1:]) for array in arrays)


class Nodes:
    """Makes the nodes of one network.

    Attributes
    ----------
    label : str
        Operator and name of the file's node that is at hand.
    """

    def __init__(self):
        self.label = ""
        self._count = 0
        self._prefixes: dict[tuple[int, int], tuple[int, Node | None]] = {}
        self._shuffled: dict[tuple[Node, int], Node] = {}
        self._kept: list[Node] = []  # whose numbers `id` are in use

    def new(self, op, inputs, shape, **options) -> Node:
        """A new node."""
        self._count += 1
        if self._count > _MOST_NODES:
            raise Unsupported(f"a network of more than {_MOST_NODES} nodes")
        return Node(op, inputs, shape, label=self.label, **options)

    def layer(self, op, source, layer, **arrays) -> Node:
        """A node of a layer; raises where the layer does not take the image."""
        try:
            shape = layer.output_shape(source.shape)
        except ValueError as error:
            raise Unsupported(str(error)) from None
        return self.new(op, [source], shape, layer=layer, arrays=arrays)

    def function(self, op, source, value=None) -> Node:
        """A node that keeps the shape."""
        return self.new(op, [source], source.shape, value=value)

    def shuffled(self, source, groups) -> Node:
        """Shuffled channels; one node for all that use them, since each of these asks anew."""
        key = source, groups
        if key not in self._shuffled:
            self._shuffled[key] = self.layer("shuffle", source, ShuffleChannels(groups))
        return self._shuffled[key]

    def concatenated(self, sources) -> Node:
        """Channels of several images; those of the first few come from a node that has them already, if there is one.

        Dense blocks concatenate the outputs of all layers before, for each layer anew.
        """
        place: tuple[int, Node | None] = (-id(sources[0]), None)
        start = 0
        places = [place]
        for i, source in enumerate(sources[1:], 1):
            place = self._prefixes.setdefault((places[-1][0], id(source)), (len(self._prefixes), None))
            places.append(place)
            if place[1] is not None:
                start = i
        known = places[start][1]
        rest = sources if known is None else [known, *sources[start + 1 :]]
        if len(rest) == 1:
            return rest[0]
        shape = (*rest[0].shape[:2], sum(each.shape[2] for each in rest))
        node = self.new("concatenate", rest, shape)
        self._prefixes[places[-2][0], id(sources[-1])] = (places[-1][0], node)
        self._kept += sources
        return node

    def affine(self, source, factor=1.0, shift=0.0) -> Node:
        """``source * factor + shift``, arrays that fit the image."""
        factor, shift = np.asarray(factor, np.float64), np.asarray(shift, np.float64)
        if source.op == "affine" and all(array.size == 1 for array in (factor, shift, *source.value)):
            before, level = source.value
            return self.affine(source.inputs[0], before * factor, level * factor + shift)
        if np.allclose(factor, 1, rtol=1e-6, atol=0) and not shift.any():
            return source
        return self.function("affine", source, (factor, shift))
