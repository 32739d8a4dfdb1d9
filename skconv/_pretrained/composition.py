"""From nodes to layers: a network is walked from its end, and what comes together becomes branches."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._input.memory import counted
from ..layers import (
    ELU,
    Activation,
    Bias,
    Clip,
    Dense,
    Flatten,
    GlobalMeanPool,
    Layer,
    LeakyReLU,
    Parallel,
    PReLU,
    Residual,
    Scale,
    ShuffleChannels,
)
from ..layers.composite import named
from .interpreter import Imported
from .nodes import MERGES, Node, by_channel, common

__all__ = ["Composition", "composed"]

_ACTIVATIONS = (
    "gelu", "hard_sigmoid", "hard_swish", "logistic", "mish", "relu", "softplus", "swish", "tanh",
)  # fmt: skip
_DEEPEST = 40  # branches within branches
_MOST_LAYERS = 5000
_MOST_SCALED = 1 << 22  # numbers of an image whose level and spread are those of each number


class Part(NamedTuple):
    """A layer, its arrays by name, the shape of its input, and the kind and the label of its node.

    The arrays of a composite have the paths of its layers in their names; a factor and a shift have no layer yet.
    """

    layer: Any
    arrays: dict[str, np.ndarray]
    shape: tuple[int, ...]
    op: str = ""
    label: str = ""


class Composition(NamedTuple):
    """Layers of a network, arrays by ``"layer.name"``, and what was left out.

    Attributes
    ----------
    layers : list of Layer
    input_shape : (int, int, int)
    arrays : dict of ndarray
    moments : (ndarray, ndarray) or None
        Level and spread, (C,), where the network scales its input first.
    removed : str or None
        The function at the end that was taken off, "softmax".
    """

    layers: list[Layer]
    input_shape: tuple[int, ...]
    arrays: dict[str, np.ndarray]
    moments: tuple[np.ndarray, np.ndarray] | None
    removed: str | None


def composed(imported: Imported) -> Composition:
    """Layers from the input to the output, a vector; raises ValueError where the nodes are no such composition."""
    source, end, groups = imported
    removed = None
    if end.op == "softmax":
        end, removed = end.inputs[0], "softmax"
    walk = _Walk()
    parts = walk.parts(walk.line(source, end))
    moments = _moments(parts)
    parts = _to_vector(_lowered(parts if moments is None else parts[1:]), end.shape)
    if groups > 1:
        parts.append(Part(ShuffleChannels(groups), {}, (prod(end.shape),)))
    return Composition([part.layer for part in parts], source.shape, _by_name(parts), moments, removed)


def _by_name(parts):
    """Arrays of a list of layers, with the layers' names before their own."""
    names = named([part.layer for part in parts])
    return {
        f"{name}.{n}": array for (name, _), part in zip(names, parts, strict=True) for n, array in part.arrays.items()
    }


def _moments(parts):
    """Level and spread, (C,) or (H, W, C), where the first part scales the input; else None."""
    if not parts or parts[0].op != "affine" or prod(parts[0].shape) > _MOST_SCALED:
        return None
    factor, shift = parts[0].arrays.values()
    if not (factor > 0).all():
        return None
    level, spread = np.broadcast_arrays(-shift / factor, 1 / factor)
    if by_channel(level):
        channels = parts[0].shape[2:]
        return np.broadcast_to(level.reshape(-1), channels), np.broadcast_to(spread.reshape(-1), channels)
    return np.broadcast_to(level, parts[0].shape), np.broadcast_to(spread, parts[0].shape)


def _merged(parts) -> list[Part]:
    """The same parts, with factors and shifts of each channel in the arrays of the layer before where they can be."""
    merged: list[Part] = []
    for part in parts:
        if part.op == "affine" and merged and by_channel(*part.arrays.values()):
            both = _with(merged[-1], *part.arrays.values())
            if both is not None:
                merged[-1] = both
                continue
        merged.append(part)
    return merged


def _with(part, factor, shift) -> Part | None:
    """A part with a factor and a shift after it; None where it is no part that has them."""
    arrays, layer = dict(part.arrays), part.layer
    if part.op == "affine":
        if not by_channel(*arrays.values()):
            return None
        arrays = {"factor": arrays["factor"] * factor, "shift": arrays["shift"] * factor + shift}
        return part._replace(arrays=arrays)
    if part.op in ("convolution", "transposed"):
        names, layer = ("weight", "bias"), layer.copy().set_params(bias=True)
    elif part.op in ("batchnorm", "layernorm"):
        names = ("scale", "shift")
    else:
        return None
    factor, shift, weight = factor.reshape(-1), shift.reshape(-1), arrays[names[0]]
    if (factor != 1).any():
        arrays[names[0]] = weight * factor.reshape(-1, *(1,) * (weight.ndim - 1))
    arrays[names[1]] = np.broadcast_to(arrays.get(names[1], 0.0) * factor + shift, (len(weight),))
    return part._replace(layer=layer, arrays=arrays)


def _lowered(parts) -> list[Part]:
    """The same parts with layers in place of factors and shifts."""
    return [each for part in parts for each in (_affine(part) if part.op == "affine" else [part])]


class _Walk:
    """Walks nodes backwards, each once."""

    def __init__(self):
        self._seen: set[Node] = set()
        self._count = 0

    def line(self, start, end) -> list[Node]:
        """Nodes from ``start``, which is left out, to ``end``; for branches the node where they come together."""
        nodes, now = [], end
        while now is not start:
            if now in self._seen:
                raise ValueError(
                    f"the network is no composition of layers one after another and side by side: {now.label} is used "
                    "in several branches"
                )
            self._seen.add(now)
            nodes.append(now)
            if len(self._seen) > _MOST_LAYERS:
                raise ValueError(f"the network has more than {counted(_MOST_LAYERS, 'layer')}")
            now = now.dominator
        return nodes[::-1]

    def parts(self, nodes, depth=0) -> list[Part]:
        """The layers of a line of nodes; factors and shifts have none yet."""
        if depth > _DEEPEST:
            raise ValueError(f"the network has more than {_DEEPEST} branches within branches, at {nodes[0].label}")
        return _merged([self._of(node, depth) for node in nodes])

    def _of(self, node, depth) -> Part:
        if node.op in MERGES:
            return self._merge(node, depth)
        shape = node.inputs[0].shape
        if node.op == "affine":
            factor, shift = node.value
            return Part(None, {"factor": factor, "shift": shift}, shape, "affine", node.label)
        if node.layer is not None:
            return Part(node.layer, node.arrays, shape, node.op)
        return Part(_activation(node), {"slope": node.value} if node.op == "prelu" else {}, shape)

    def _merge(self, node, depth) -> Part:
        lines = [self.line(node.dominator, each) for each in _grouped(node)]
        branches = [_lowered(self.parts(line, depth + 1)) for line in lines]
        if not any(branches):
            raise ValueError(f"{node.label} is not supported with an image and itself")
        shape = node.dominator.shape
        if node.op == "add" and len(branches) == 2:
            main, shortcut = sorted(branches, key=len, reverse=True)
            layer = Residual([part.layer for part in main], [part.layer for part in shortcut] or None)
            arrays = _by_name(main) | {f"shortcut.{name}": array for name, array in _by_name(shortcut).items()}
            return Part(layer, arrays, shape)
        layer = Parallel([[part.layer for part in branch] for branch in branches], node.op)
        arrays = {f"branch{i}.{k}": v for i, branch in enumerate(branches, 1) for k, v in _by_name(branch).items()}
        return Part(layer, arrays, shape)


def _grouped(node) -> list[Node]:
    """The inputs of a merge, where those that branch off further on, one after another, are merged on their own.

    Exporters write a concatenation within a concatenation as one.
    """
    groups = [[node.inputs[0]]]
    for each in node.inputs[1:]:
        if common(groups[-1][-1], each) is node.dominator:
            groups.append([each])
        else:
            groups[-1].append(each)
    if node.op == "multiply" or len(groups) == 1:
        return list(node.inputs)
    merged = []
    for group in groups:
        channels = sum(each.shape[2] for each in group) if node.op == "concatenate" else node.shape[2]
        shape = (*node.shape[:2], channels)
        merged.append(group[0] if len(group) == 1 else Node(node.op, group, shape, label=node.label))
    return merged


def _activation(node) -> Layer:
    """Layer of a function; raises ValueError for those that are only known within another one."""
    if node.op in _ACTIVATIONS:
        return Activation(node.op)
    if node.op == "prelu":
        return PReLU()
    if node.op == "slope":
        return Activation("leaky_relu" if np.float32(node.value) == np.float32(0.01) else LeakyReLU(node.value))
    if node.op == "elu":
        return Activation("elu" if node.value == 1 else ELU(node.value))
    if node.op == "clip":
        known = {(0.0, np.inf): "relu", (0.0, 6.0): "relu6"}.get(node.value)
        return Activation(known or Clip(*(bound if np.isfinite(bound) else None for bound in node.value)))
    raise ValueError(f"{node.label} is only supported as part of gelu, mish or layer normalisation, or at the end")


def _affine(part) -> list[Part]:
    """Layers that multiply and add constants."""
    factor, shift = part.arrays.values()
    channels, parts = part.shape[2:], []
    if (factor != 1).any():
        if not by_channel(factor):
            raise ValueError(f"{part.label} is not supported with factors for each pixel")
        parts.append(Part(Scale(), {"scale": np.broadcast_to(factor.reshape(-1), channels)}, part.shape))
    if shift.any():
        bias, layer = (shift.reshape(-1), Bias()) if by_channel(shift) else (shift, Bias("position"))
        bias = np.broadcast_to(bias, layer.parameter_shapes(part.shape)["bias"])
        parts.append(Part(layer, {"bias": bias}, part.shape))
    return parts


def _to_vector(parts, end) -> list[Part]:
    """The same layers, whose last have vectors where images have one pixel; an image at the end is flattened."""
    first = len(parts)  # of the last layers that take a vector
    while first and parts[first - 1].shape[:2] == (1, 1) and _on_vector(parts[first - 1]) is not None:
        first -= 1
    tail = [_on_vector(part) for part in parts[first:]]
    if first and parts[first - 1].op == "global mean":
        return [*parts[: first - 1], parts[first - 1]._replace(layer=GlobalMeanPool()), *tail]
    dense = _on_vector(parts[first - 1]) if first else None
    if dense is not None:  # of whole images
        first, tail = first - 1, [dense, *tail]
    shape = parts[first].shape if first < len(parts) else end
    return [*parts[:first], Part(Flatten(), {}, shape), *tail]


def _on_vector(part) -> Part | None:
    """The layer for a flattened image; None where there is none."""
    layer, shape = part.layer, (prod(part.shape),)
    weight = part.arrays.get("weight")
    if weight is not None and weight.shape[1:] == part.shape and layer.output_shape(part.shape)[:2] == (1, 1):
        return Part(Dense(len(weight), bias="bias" in part.arrays), part.arrays, shape)  # its shape is that of images
    if layer.takes is None and not layer.reshapes and part.shape[:2] == (1, 1):
        return part._replace(shape=shape)
    return None
