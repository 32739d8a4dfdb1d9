"""Large images by strips of rows: a network for each strip."""

from __future__ import annotations

import numpy as np

from ..layers import Flatten
from .network import Network

__all__ = ["after_strips", "steps_by_rows", "strips"]


def steps_by_rows(network) -> int:
    """Number of steps before the first that needs whole images, such as a summary or a border that repeats pixels."""
    return next(i for i, step in enumerate(network.steps) if not step.operation.by_rows)


def _strip(steps, start, stop):
    """``(rows of the input, layers, rows of each output)`` for rows ``start`` to ``stop - 1`` of the last, or None."""
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
    """Copy parameters and state of steps into a network; of arrays by position the rows ``places`` of each step."""
    for step, rows, *new_and_old in zip(network.steps, places, *network.views(), *views, strict=True):
        for new, old in zip(new_and_old[:2], new_and_old[2:], strict=True):
            for name, array in new.items():
                np.copyto(array, old[name][rows] if step.operation.by_position else old[name])


def strips(network, height):
    """Networks that compute ``height`` rows each of the output of `steps_by_rows`; the last one may have fewer.

    Returns
    -------
    list of (slice, slice, Network) or None
        Rows of the output, rows of the input, and the network between them, which strips of the same geometry share;
        None where a strip would lie in a border.
    """
    n = steps_by_rows(network)
    views, steps, shape = [each[:n] for each in network.views()], network.steps[:n], network.steps[n].shape
    by_feature = network.moments is not None and network.moments[0].ndim > 1
    placed = by_feature or any(step.operation.by_position for step in steps)
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
            networks[key].scale_by(tuple(each[inside] for each in network.moments) if by_feature else network.moments)
            _fill(networks[key], [[*each, {}] for each in views], [*places, slice(None)])
        parts.append((rows, inside, networks[key]))
    return parts


def after_strips(network) -> Network | None:
    """Network of the steps after `steps_by_rows`; None if these only flatten."""
    steps = network.steps[steps_by_rows(network) :]
    if len(steps) == 1 and steps[0].operation.reshapes:
        return None
    rest = Network([step.operation for step in steps], steps[0].shape, network.dtype)
    _fill(rest, [each[-len(steps) :] for each in network.views()], [slice(None)] * len(steps))
    return rest
