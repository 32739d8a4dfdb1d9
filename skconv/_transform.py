"""Transformers that are a network's forward pass, with parameters that nobody trains."""

from __future__ import annotations

from itertools import pairwise

from ._images import ImageTransformer, working_memory
from ._network import Network
from ._parallel import Team, thread_count
from ._prediction import block_bytes, check_block, predict, width_within
from ._strips import strips
from .layers import Flatten

__all__ = ["NetworkTransformer"]

_BLOCK_BYTES = 1 << 28  # of working arrays, beyond which images go by strips: a rule of sizes, never of the threads


class NetworkTransformer(ImageTransformer):
    """Base of the transformers that run `networks_`, float64 networks whose outputs stand side by side."""

    def _new_network(self, layers) -> Network:
        """A network of these layers on images, flattened at its end."""
        return Network([*layers, Flatten()], self.image_shape_, "float64")

    def _check_working_memory(self, X, dtype):
        for network in self.networks_:
            _parts(network.cast(dtype))

    def _transform(self, X, out):
        self._run(self.networks_, X, out)

    def _run(self, networks, X, out):
        """Outputs of networks on images ``(n, H, W, C)``, side by side in ``out`` (n, ...)."""
        out, start = out.reshape(len(out), -1), 0
        for network in networks:
            stop = start + network.shapes[-1][0]
            twin = network.cast(out.dtype)
            parts = _parts(twin)
            largest = max(block_bytes(part, working_memory()) for _, _, part in parts)
            threads = max(
                1, min(thread_count(self.n_jobs), working_memory() // largest)
            )  # fewer, where room is for few
            with Team(threads) as team:
                for part, following in pairwise([*parts, None]):
                    _predict(part, X, out[:, start:stop], team)
                    if len(parts) > 1 and (following is None or following[2] is not part[2]):
                        part[2].changed()  # its working arrays go
            start = stop


def _predict(part, X, out, team):
    """Outputs of one of `_parts`; strips are copied for a few images at a time."""
    rows, inside, network = part
    line = network.shapes[-1][0] // (rows.stop - rows.start)
    out = out[:, rows.start * line : rows.stop * line]
    width = width_within(network, len(X), working_memory() // team.threads)
    few = len(X) if inside == slice(None) else width * team.threads
    for first in range(0, len(X), few):
        images = X[first : first + few, inside]
        predict(network, images.reshape(len(images), -1), team, width, out[first : first + few])


def _parts(network):
    """``(rows of the output, rows of the input, network)``: the network itself, or on strips where a block is large."""
    limit = min(_BLOCK_BYTES, working_memory())
    whole = [(slice(0, 1), slice(None), network)]
    if block_bytes(network, limit) <= limit:
        return whole
    height = len(network.steps) > 1 and network.steps[-1].shape[0]
    while height and height > 1:
        height = -(-height // 2)
        parts = strips(network, height)
        if parts is None:
            break
        if max(block_bytes(part, limit) for _, _, part in parts) <= limit:
            return parts
    check_block(network, working_memory(), "scikit-learn's working_memory")
    return whole
