"""A network as nodes: samples are scaled and become images with channels first, then layers follow."""

from __future__ import annotations

import numpy as np

from ._graph import Graph
from ._layers import chain

__all__ = ["channels_first", "outputs"]


def outputs(network, graph, x) -> str:
    """Outputs (N, units) of a network for samples ``x`` of any shape and any number type."""
    shape = network.input_shape
    x = _scaled(network, graph, graph.reshape(x, *shape))
    return chain(network.layers, graph, channels_first(graph, x, shape), shape, network.named_arrays())


def channels_first(graph: Graph, x, shape) -> str:
    """Images (N, H, W, C) as (N, C, H, W)."""
    height, width, channels = shape
    if channels == 1 or height * width == 1:
        return graph.reshape(x, channels, height, width)
    return graph.add("Transpose", x, perm=[0, 3, 1, 2])


def _scaled(network, graph, x) -> str:
    """Images (N, H, W, C) as the network's `Scaling` has them, in the graph's dtype."""
    if network.moments is None:
        return graph.cast(x, graph.dtype)
    read, by_channel = network.read, network.moments[0].ndim == 1
    level, spread = (values.reshape(network.input_shape) for values in (read.level, read.spread))
    if by_channel:
        level, spread = level[0, 0], spread[0, 0]
    # The level is subtracted in double precision, so that an offset costs no digit.
    x = graph.add("Sub", graph.cast(x, np.float64), level)
    if read.in_double:
        return graph.cast(graph.add("Div", x, spread), graph.dtype)
    return graph.add("Div", graph.cast(x, graph.dtype), graph.numbers(spread))
