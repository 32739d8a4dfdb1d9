"""A network in place of layers: its layers but the output layer, and their arrays, from which a fit starts."""

from __future__ import annotations

from .._input.constraints import fitting
from .._network.network import Network, named

__all__ = ["NETWORKS", "fill_from", "kept_layers", "network_in"]

NETWORKS = fitting(lambda value: isinstance(value, Network), "a network such as network_ of a fitted model")


def network_in(layers) -> Network | None:
    """The parameter ``layers`` where it is a network, else None."""
    return layers if isinstance(layers, Network) else None


def kept_layers(network) -> list:
    """Layers without the last dense layer and what follows it; all layers where none is dense."""
    dense = [i for i, layer in enumerate(network.layers) if layer.takes == "vector"]
    return network.layers[: dense[-1]] if dense else network.layers


def fill_from(given, network):
    """Set the arrays of a new network, whose first layers are those of ``given``; raises where they do not fit."""
    names = {name for name, _ in list(named(given.layers))[: len(kept_layers(given))]}
    arrays = {name: array for name, array in given.named_arrays().items() if name.split(".")[0] in names}
    views = network.named_arrays()
    for name, array in arrays.items():
        if name not in views or views[name].shape != array.shape:
            raise ValueError(
                f"layers: the given network takes images {given.input_shape}, got {network.input_shape}, which its "
                f"{name} of shape {array.shape} does not fit"
            )
    network.fill(arrays)
