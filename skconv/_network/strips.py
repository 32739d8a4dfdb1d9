"""Large images by strips of rows: a network on each strip, whose samples are strips of the same place."""

from __future__ import annotations

import numpy as np

from ..layers import Flatten
from .network import Network

__all__ = ["after_strips", "steps_by_rows", "strips"]


def steps_by_rows(network) -> int:
    """How many steps there are before the first that needs an image whole: that sums it up, or repeats it around it."""
    return next(i for i, step in enumerate(network.steps) if not step.operation.by_rows)


def _strip(steps, start, stop):
    """``(rows of the input, layers, rows of each one's output)`` for some rows of the last output, or None."""
    layers, places = [], []
    for step in reversed(steps):
        part = step.operation.strip(step.shape, start, stop)
        if part is None:
            return None
        layers.insert(0, part[0])
        places.insert(0, slice(start, stop))
        _, start, stop = part
    return slice(start, stop), layers, places


def _fill(network, views, places):
    """Give a network the parameters and the state of steps, of which biases at each position are those of its rows."""
    for step, rows, *new_and_old in zip(network.steps, places, *network.views(), *views, strict=True):
        for new, old in zip(new_and_old[:2], new_and_old[2:], strict=True):
            for name, array in new.items():
                np.copyto(array, old[name][rows] if step.operation.by_position else old[name])


def strips(network, height):
    """The parts of a network's `steps_by_rows` that give ``height`` rows of their output each, the last what is left.

    Returns
    -------
    list of (slice, slice, Network) or None
        Rows of the output, rows of the input, and the network between them, which strips of the same geometry share;
        None where a strip would be nothing but border.
    """
    if network.moments is not None and network.moments[0].ndim > 1:
        return None  # each row has a mean of its own
    n = steps_by_rows(network)
    views, steps, shape = [each[:n] for each in network.views()], network.steps[:n], network.steps[n].shape
    placed = any(step.operation.by_position for step in steps)
    networks, parts = {}, []
    for start in range(0, shape[0], height):
        rows = slice(start, min(shape[0], start + height))
        strip = _strip(steps, rows.start, rows.stop)
        if strip is None:
            return None
        inside, layers, places = strip
        key = inside.stop - inside.start, str([(type(layer), vars(layer)) for layer in layers]), placed and start
        if key not in networks:
            networks[key] = Network([*layers, Flatten()], (key[0], *network.input_shape[1:]), network.dtype)
            networks[key].scale_by(network.moments)
            _fill(networks[key], [[*each, {}] for each in views], [*places, slice(None)])
        parts.append((rows, inside, networks[key]))
    return parts


def after_strips(network) -> Network | None:
    """What a network does with the output of its `steps_by_rows`; None where that is flattened alone."""
    steps = network.steps[steps_by_rows(network) :]
    if len(steps) == 1 and steps[0].operation.reshapes:
        return None
    rest = Network([step.operation for step in steps], steps[0].shape, network.dtype)
    _fill(rest, [each[-len(steps) :] for each in network.views()], [slice(None)] * len(steps))
    return rest
