"""Tables of a network's layers and weights."""

from __future__ import annotations

from math import prod

from .._network.network import Network
from ..layers.composite import named

__all__ = ["summarize"]


def summarize(network) -> str:
    """Table of output shapes, parameters and multiply-adds by layer, and table of the weights that sharing saves.

    The layers within a `Residual` or `Parallel` are indented below it, and counted in its line.

    The second table has a line for each `Convolution`, `LocallyConnected` and `FullyConnected`, with the numbers of
    weights, without biases, of three layers of its shape.  Fully connected: P * Q * F * H * W * C, where each output, P
    by Q with F filters, has weights for the whole image, H by W with C channels.  Local: P * Q * F * R * S * C, with
    weights for a window of R by S, taps in the border included.  Shared: F * R * S * C, the same weights at all
    positions.  The last two are divided by the groups of channels.  "times fewer" is in comparison to fully connected.

    Parameters
    ----------
    network : Network

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If ``network`` is no `Network`.
    """
    if not isinstance(network, Network):
        raise TypeError(
            f"network must be a Network, such as network_ of a fitted estimator, got {type(network).__name__}; "
            "an estimator has summary()"
        )
    rows = [("layer", "output", "parameters", "multiply-adds")]
    total, work = 0, 0
    rows.append(("input", _size(network.shapes[0]), "0", "0"))
    for depth, _, layer, before in _all_layers(network):
        count = sum(prod(shape) for shape in layer.parameter_shapes(before).values())
        cost = layer.multiply_adds(before)
        if not depth:
            total, work = total + count, work + cost
        rows.append(("  " * depth + _name(layer), _size(layer.output_shape(before)), f"{count:,}", f"{cost:,}"))
    rows.append(("total", "", f"{total:,}", f"{work:,}"))
    *lines, last = _aligned(rows, "<<>>")
    table = [*lines, lines[1], last]
    savings = [("weights", "fully connected", "local", "times fewer", "shared", "times fewer"), *_savings(network)]
    if len(savings) > 1:
        table += ["", *_aligned(savings, "<>>>>>")]
    return "\n".join(table)


def _placed(layers, depth=0):
    """``(depth, name, layer, input shape)`` of all layers; those within a composite follow the composite."""
    for name, layer, shape in layers:
        yield depth, name, layer, shape
        yield from _placed(((f"{name}.{own}", each, now) for own, each, now in layer.listed(shape)), depth + 1)


def _all_layers(network):
    return _placed((*pair, shape) for pair, shape in zip(named(network.layers), network.shapes, strict=False))


def _savings(network):
    """Line of the second table for each layer with windows."""
    for _, name, layer, shape in _all_layers(network):
        connections = layer.connections(shape)
        if connections is not None:
            full, local, shared = connections
            yield name, f"{full:,}", f"{local:,}", _ratio(full / local), f"{shared:,}", _ratio(full / shared)


def _aligned(rows, sides) -> list[str]:
    """Lines of text of the rows, with a rule below the first; ``sides`` has "<" or ">" for each column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)) for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _size(shape) -> str:
    return " x ".join(map(str, shape))


def _ratio(value) -> str:
    """Text of a ratio, with a decimal below 100."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _name(layer) -> str:
    """Name of a layer's class, with the value of its parameter ``summary_shows``."""
    kind = type(layer).__name__
    return kind if layer.summary_shows is None else f"{kind}({layer.get_params(deep=False)[layer.summary_shows]!r})"
