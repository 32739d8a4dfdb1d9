"""Borders around images, by the class of their padding mode."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from .._input.constraints import shown
from .._kernels.geometry import border_source
from .._kernels.padding import inside
from ..layers import ConstantPadding, DonorPadding, NoisePadding, Pad, PatternPadding
from ..layers._borders import EPSILON, draw
from ..layers.padding_modes import RepeatedPadding
from ._graph import nchw
from ._rows import row

__all__ = ["bordered"]


@singledispatch
def _filled(mode, graph, x, window, shape, arrays) -> str:
    """Images ``x`` (N, C, H, W) within the border of a `PaddingMode`.

    ``window`` is the geometry of the border, as in `Border`, ``shape`` the images' (H, W, C), and ``arrays`` the
    border's state by name.
    """
    raise ValueError(f"padding_mode={shown(mode)} is a mode of your own, which has no counterpart in ONNX")


def bordered(mode, graph, x, window, shape, arrays) -> str:
    """`_filled` by a mode of just this class."""
    fill = _filled.registry.get(type(mode), _filled.registry[object])
    return fill(mode, graph, x, window, shape, arrays)


@row.register(Pad)
def _pad(layer, graph, x, shape, arrays):
    (border,) = layer.lower(shape)
    return bordered(border.mode, graph, x, border.window, shape, arrays)


@_filled.register(RepeatedPadding)
def _repeated(mode, graph, x, window, shape, arrays):
    for number, axis in ((2, window.rows), (3, window.columns)):
        if axis.before or axis.after:
            positions = range(-axis.before, axis.size + axis.after)
            samples = [border_source(axis, mode.source, position) for position in positions]
            x = graph.add("Gather", x, np.array(samples, np.int64), axis=number)
    return x


@_filled.register(ConstantPadding)
@_filled.register(PatternPadding)
def _fixed(mode, graph, x, window, shape, arrays):
    if np.ndim(mode.values) == 0:
        return _within(graph, x, window, mode.values)
    return _added(graph, _within(graph, x, window), window, mode.field(_padded(window, shape), graph.dtype))


@_filled.register(DonorPadding)
def _donor(mode, graph, x, window, shape, arrays):
    """In prediction the donor is the image that training kept."""
    rows, columns = (
        [border_source(axis, "wrap", position) for position in range(-axis.before, axis.size + axis.after)]
        for axis in (window.rows, window.columns)
    )
    field = arrays["donor"][np.ix_(rows, columns)]
    return _added(graph, _within(graph, x, window), window, field)


@_filled.register(NoisePadding)
def _noise(mode, graph, x, window, shape, arrays):
    """In prediction all images have one field of noise, scaled by the image's own mean and deviation."""
    noise, around = np.empty(_padded(window, shape)), np.ones(_padded(window, shape))
    draw(np.random.default_rng(mode.random_state), mode.distribution, noise)
    mean, spread = (
        None if given is None else graph.numbers(given).reshape(-1, 1, 1)
        for given in mode.moments(shape[2], graph.dtype)
    )
    own_mean = graph.mean(x, 2, 3)
    if spread is None:
        centred = graph.add("Sub", x, own_mean)
        variance = graph.add("Add", graph.mean(graph.add("Mul", centred, centred), 2, 3), graph.numbers(EPSILON))
        spread = graph.add("Sqrt", variance)
    noise = graph.add("Mul", _only_border(graph, window, noise), spread)
    level = graph.add("Mul", _only_border(graph, window, around), own_mean if mean is None else mean)
    return graph.add("Add", _within(graph, x, window), graph.add("Add", noise, level))


def _padded(window, shape):
    """Shape (H', W', C) of images with their border."""
    return (*window.output, shape[2])


def _within(graph, x, window, value=0):
    """Images within a border of one number."""
    rows, columns = window.rows, window.columns
    return graph.pad(x, (rows.before, rows.after), (columns.before, columns.after), value)


def _only_border(graph, window, field):
    """Constant (1, C, H', W') of a field (H', W', C), zero where the image lies."""
    field = np.array(field, graph.dtype)
    inside(field, window)[...] = 0
    return nchw(field)


def _added(graph, x, window, field):
    """Images within zeros, plus the border of a field (H', W', C)."""
    return graph.add("Add", x, _only_border(graph, window, field))
