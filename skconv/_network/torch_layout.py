"""Names, axes and orders that the arrays of a network have in PyTorch's state dicts."""

from __future__ import annotations

from functools import singledispatch
from math import prod
from typing import NamedTuple

import numpy as np

from ..layers import (
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Flatten,
    LayerNorm,
    PReLU,
    Scale,
    SqueezeExcite,
    TransposedConvolution,
)
from ..layers.composite import named

__all__ = ["Entry", "entries_of", "is_count"]

_COUNT = "num_batches_tracked"


def is_count(name) -> bool:
    """Whether an array of a state dict is the number of batches that a batch normalisation has seen."""
    return name.rsplit(".", 1)[-1] == _COUNT


class Entry(NamedTuple):
    """An array of a network and what it is in PyTorch.

    Attributes
    ----------
    ours, theirs : str
        Names in `weights_` and in a state dict.
    axes : tuple of int or None
        Axes of the array in PyTorch's order.
    order : ndarray of int or None
        Place in our last axis of each place in PyTorch's.
    """

    ours: str
    theirs: str
    axes: tuple[int, ...] | None = None
    order: np.ndarray | None = None

    def to_torch(self, array):
        """A copy of ``array`` in PyTorch's layout."""
        if is_count(self.theirs):
            return np.array(array[0], np.int64)
        array = array if self.axes is None else array.transpose(self.axes)
        return np.array(array if self.order is None else array[..., self.order], order="C")

    def from_torch(self, array, like):
        """An array of PyTorch's layout in the layout of our array ``like``."""
        shape = like.shape if self.axes is None else tuple(like.shape[axis] for axis in self.axes)
        array = array.reshape(shape)
        if self.order is not None:
            array = array[..., np.argsort(self.order)]
        return array if self.axes is None else array.transpose(np.argsort(self.axes))


def entries_of(network) -> list[Entry]:
    """`Entry` of each of `Network.named_arrays`, in the order of the layers, level and spread of samples first."""
    entries = [Entry(name, name) for name in network.named_arrays() if name.startswith("input.")]
    shape, order = network.input_shape, None
    for name, layer in named(network.layers):
        entries += _of_layer(layer, name, shape, order)
        shape, order = layer.output_shape(shape), _order_after(layer, shape, order)
    return entries


def _of_layer(layer, name, shape, order):
    """Entries of a layer, or of the layers within it."""
    inner = list(layer.listed(shape))
    if inner:
        return [entry for own, each, now in inner for entry in _of_layer(each, f"{name}.{own}", now, None)]
    entries = []
    for array, size in {**layer.parameter_shapes(shape), **layer.state_shapes(shape)}.items():
        theirs, axes, ordered = _layout(layer, array, len(size))
        entries.append(Entry(f"{name}.{array}", f"{name}.{theirs}", axes, order if ordered else None))
    return entries


@singledispatch
def _layout(layer, array, ndim):
    """PyTorch's name of a layer's array, its axes there, and whether the last axis has the order of the input."""
    return array, None, False


@_layout.register
def _(layer: Convolution, array, ndim):
    return array, {3: (2, 0, 1), 4: (0, 3, 1, 2)}.get(ndim), False


@_layout.register
def _(layer: TransposedConvolution, array, ndim):
    return array, {3: (2, 0, 1), 4: (3, 0, 1, 2)}.get(ndim), False


@_layout.register
def _(layer: Bias, array, ndim):
    return array, (2, 0, 1) if ndim == 3 else None, True


@_layout.register
def _(layer: Dense, array, ndim):
    return array, None, array == "weight"


@_layout.register(BatchNorm)
@_layout.register(LayerNorm)
def _(layer, array, ndim):
    names = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var", "batches": _COUNT}
    return names[array], None, array != "batches"


@_layout.register
def _(layer: PReLU, array, ndim):
    return "weight", None, True


@_layout.register
def _(layer: Scale, array, ndim):
    return array, None, True


@_layout.register
def _(layer: SqueezeExcite, array, ndim):
    return array.replace("_", "."), None, False


@singledispatch
def _order_after(layer, shape, order):
    """Place of PyTorch's features in the vector that the layer gives, from that in its input; None is the same."""
    return order if layer.output_shape(shape) == tuple(shape) else None


@_order_after.register
def _(layer: Flatten, shape, order):
    return np.arange(prod(shape)).reshape(shape).transpose(2, 0, 1).ravel() if len(shape) == 3 else order


@_order_after.register
def _(layer: Dense, shape, order):
    return None
