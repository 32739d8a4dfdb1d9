"""A network as a table."""

from __future__ import annotations

from math import prod

__all__ = ["summarize"]


def summarize(network) -> str:
    """Shapes, parameters and multiply-adds of each layer, and their totals.

    Parameters
    ----------
    network : Network

    Returns
    -------
    str
    """
    rows = [("layer", "output", "parameters", "multiply-adds")]
    total, work = 0, 0
    rows.append(("input", _size(network.shapes[0]), "0", "0"))
    for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
        count = sum(prod(shape) for shape in layer.parameter_shapes(before).values())
        cost = layer.multiply_adds(before)
        total, work = total + count, work + cost
        rows.append((_name(layer), _size(after), f"{count:,}", f"{cost:,}"))
    rows.append(("total", "", f"{total:,}", f"{work:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}".rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _size(shape) -> str:
    return " x ".join(map(str, shape))


def _name(layer) -> str:
    """The layer's class with the parameter that tells it apart."""
    shown = {"Convolution": "kernel_size", "Activation": "function", "Dropout": "rate"}
    attribute = shown.get(type(layer).__name__, "pool_size" if hasattr(layer, "pool_size") else None)
    return type(layer).__name__ if attribute is None else f"{type(layer).__name__}({getattr(layer, attribute)!r})"
