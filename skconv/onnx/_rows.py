"""How layers become nodes: one row a layer, by its class, and layers one after the other."""

from __future__ import annotations

from functools import singledispatch
from itertools import pairwise

import numpy as np

from .._input.constraints import at_place
from ..layers import (
    BatchNorm,
    Convolution,
    Dense,
    FullyConnected,
    LocallyConnected,
    TransposedConvolution,
)
from ..layers.composite import named

__all__ = ["chain", "converted", "folded", "row", "within"]

# Layers whose weight has the axis of the filters first or, in front of three more axes, fourth from last.
_FOLDING = (Convolution, Dense, FullyConnected, LocallyConnected, TransposedConvolution)


@singledispatch
def row(layer, graph, x, shape, arrays) -> str:
    """Add the nodes of a layer; return the name of its output.

    Parameters
    ----------
    layer : Operation
    graph : Graph
    x : str
        Name of the input: images (N, C, H, W), or vectors (N, units).
    shape : tuple of int
        Shape of a sample of the input as layers have it, ``(H, W, C)`` or ``(units,)``.
    arrays : dict of ndarray
        Parameters and state of the layer by name.
    """
    raise ValueError("a layer of your own has no counterpart in ONNX; layers of skconv.layers have")


def converted(layer, graph, x, shape, arrays) -> str:
    """`row` of a layer of just this class: a subclass may compute something else."""
    return row.registry.get(type(layer), row.registry[object])(layer, graph, x, shape, arrays)


def within(arrays, name):
    """The arrays of the layer of this name."""
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}


def chain(layers, graph, x, shape, arrays) -> str:
    """Add layers one after the other; a batch normalisation becomes part of the weights right before it."""
    skipped = None
    for (name, layer), (after, following) in pairwise([*named(layers), ("", None)]):
        own = within(arrays, name)
        with at_place(f"{name} ({type(layer).__name__})"):
            if name != skipped:
                if type(layer) in _FOLDING and type(following) is BatchNorm:
                    own, skipped = folded(own, within(arrays, after), following.epsilon), after
                x = converted(layer, graph, x, shape, own)
            shape = layer.output_shape(shape)
    return x


def folded(own, norm, epsilon):
    """Weight and bias of a layer and of the batch normalisation after it, as those of one layer, in float64."""
    factor = norm["scale"] / np.sqrt(np.float64(epsilon) + norm["variance"])
    weight, bias = own["weight"], own.get("bias", 0.0)
    by_filter = factor.reshape(-1, *[1] * (1 if weight.ndim == 2 else 3))
    return {**own, "weight": weight * by_filter, "bias": (bias - norm["mean"]) * factor + norm["shift"]}
