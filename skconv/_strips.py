"""Large images by strips of rows: a network on each strip, whose samples are strips of the same place."""

from __future__ import annotations

from ._geometry import pair
from ._network import Network
from .layers import Activation, Bias, Convolution, Flatten, StridePool
from .layers.pooling import WindowPool

__all__ = ["strips"]


def _part(layer, shape, start, stop):
    """The layer for rows ``start`` to ``stop - 1`` of its output, and those of its input; None where it needs all."""
    if isinstance(layer, Activation) or layer.pointwise or (isinstance(layer, Bias) and layer.per == "channel"):
        return layer, start, stop
    if isinstance(layer, StridePool):
        down, across = pair(layer.pool_size, shape[0])
        return StridePool((down, across)), start * down, (stop - 1) * down + 1
    if not isinstance(layer, (Convolution, WindowPool)):
        return None
    rows, columns = layer.window(shape).rows, layer.window(shape).columns
    first = start * rows.stride - rows.before
    end = (stop - 1) * rows.stride - rows.before + rows.span
    borders = (max(0, -first), min(max(0, end - rows.size), rows.after)), (columns.before, columns.after)
    first, end = max(first, 0), min(end, rows.size)
    if end <= first:  # nothing but border
        return None
    sizes = {"pool_size" if isinstance(layer, WindowPool) else "kernel_size": (rows.kernel, columns.kernel)}
    if isinstance(layer, Convolution):
        sizes["dilation"] = (rows.dilation, columns.dilation)
    sizes |= {"stride": (rows.stride, columns.stride), "padding": borders}
    return layer.copy().set_params(**sizes), first, end


def _strip(network, start, stop):
    """``(rows of the input, network)`` for some rows of the output; None where a layer needs all."""
    layers, first, end = [Flatten()], start, stop
    for step in reversed(network.steps[:-1]):
        part = _part(step.layer, step.shape, first, end)
        if part is None:
            return None
        layers.insert(0, part[0])
        _, first, end = part
    return slice(first, end), layers


def strips(network, height):
    """The parts of a network on images that give ``height`` rows of its output each, the last as many as are left.

    Returns
    -------
    list of (slice, slice, Network) or None
        Rows of the output, rows of the input, and the network between them, which strips of the same geometry share;
        None where the network is not one of strips: where its last image is summed up, or a border repeats the image.
    """
    if len(network.steps) < 2 or not isinstance(network.steps[-1].layer, Flatten):
        return None
    _, across, channels = network.input_shape
    total, networks, parts = network.steps[-1].shape[0], {}, []
    for start in range(0, total, height):
        rows = slice(start, min(total, start + height))
        strip = _strip(network, rows.start, rows.stop)
        if strip is None:
            return None
        inside, layers = strip
        key = inside.stop - inside.start, str([(type(layer), vars(layer)) for layer in layers])
        if key not in networks:
            networks[key] = Network(layers, (key[0], across, channels), network.dtype)
            networks[key].parameters[:], networks[key].state[:] = network.parameters, network.state
        parts.append((rows, inside, networks[key]))
    return parts
