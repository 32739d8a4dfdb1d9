"""All rows of layers: those of the families, and of layers made of layers."""

from __future__ import annotations

from functools import reduce

from ..layers import Parallel, Residual, SeparableConvolution
from . import _elements, _pools, _windows
from ._rows import chain, converted, row, within

__all__ = ["FAMILIES", "chain", "row"]

FAMILIES = (_elements, _windows, _pools)  # modules that add rows as they are imported


@row.register(SeparableConvolution)
def _separable(layer, graph, x, shape, arrays):
    for name, inner, now in layer.inner(shape):
        x = converted(inner, graph, x, now, within(arrays, name))
    return x


@row.register(Parallel)
@row.register(Residual)
def _branches(layer, graph, x, shape, arrays):
    ends = [
        chain(layers, graph, x, shape, within(arrays, name) if name else arrays)
        for name, layers in layer.branches_on(shape)
    ]
    if len(ends) == 1:
        return ends[0]
    if layer.merge == "multiply":
        return reduce(lambda one, other: graph.add("Mul", one, other), ends)
    return graph.add("Sum", *ends) if layer.merge == "add" else graph.add("Concat", *ends, axis=1)
