"""Base class of transformers that run networks without training."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import ClassVar

import numpy as np

from .._input.constraints import fitting
from .._input.memory import working_memory
from .._network.network import Network
from .._network.planar import image_bytes, is_planar
from .._network.predict import block_bytes, check_block, predict, width_within
from .._network.strips import after_strips, steps_by_rows, strips
from .._threads.team import Team, thread_count
from ..layers import Flatten
from .image_transformer import ImageTransformer

__all__ = ["NetworkTransformer"]

_BLOCK_BYTES = 1 << 28  # bytes of a block beyond which images go by strips, for any number of threads


def _are_networks(value):
    return isinstance(value, list) and all(isinstance(entry, Network) for entry in value)


class NetworkTransformer(ImageTransformer):
    """Base class of transformers that run `networks_`, float64 networks whose outputs are concatenated."""

    _by_image = False  # whether large images are predicted one by one, where the bits of a strip are not those of all

    def _new_network(self, layers) -> Network:
        """Network of these layers on images, with flattened output."""
        return Network([*layers, Flatten()], self.image_shape_, "float64")

    _stored: ClassVar = {**ImageTransformer._stored, "networks_": [fitting(_are_networks, "a list of networks")]}

    def _n_computed(self):
        for network in self.networks_:
            if network.input_shape != self.image_shape_ or len(network.shapes[-1]) != 1:
                raise ValueError(f"a network from {network.input_shape} does not fit images {self.image_shape_}")
        return sum(network.shapes[-1][0] for network in self.networks_)

    def _check_working_memory(self, X, dtype):
        for network in self.networks_:
            twin = network.cast(dtype)
            if not self._fits(twin):
                _way(twin)

    def _fits(self, network):
        """Whether large images are predicted one by one, and fit in the working memory as a whole."""
        return self._by_image and is_planar(network) and image_bytes(network) <= working_memory()

    def _transform(self, X, out):
        self._run(self.networks_, X, out)

    def _run(self, networks, X, out):
        """Write the outputs of networks on images ``(n, H, W, C)`` into ``out`` (n, ...), side by side."""
        out, start = out.reshape(len(out), -1), 0
        for network in networks:
            stop = start + network.shapes[-1][0]
            twin = network.cast(out.dtype)
            if self._fits(twin):
                threads = max(1, min(thread_count(self.n_jobs), working_memory() // image_bytes(twin)))
                with Team(threads) as team:
                    predict(twin, X.reshape(len(X), -1), team, out=out[:, start:stop])
                start = stop
                continue
            parts, rest = _way(twin)
            largest = max(block_bytes(part, working_memory()) for _, _, part in parts)
            threads = max(1, min(thread_count(self.n_jobs), working_memory() // largest))  # no more than memory allows
            with Team(threads) as team:
                if rest is None:
                    _predict_parts(parts, X, out[:, start:stop], team)
                else:
                    _predict_in_two(parts, rest, X, out[:, start:stop], team)
            start = stop


def _predict_in_two(parts, rest, X, out, team):
    """Write outputs of strips, then of the network ``rest`` after them, for as many images at a time as fit."""
    size = prod(rest.input_shape)
    few = min(len(X), max(1, working_memory() // 8 // (size * out.itemsize)))
    between = np.empty((few, size), out.dtype)
    for first in range(0, len(X), few):
        images = X[first : first + few]
        rows = between[: len(images)]
        _predict_parts(parts, images, rows, team)
        _predict((slice(0, 1), slice(None), rest), rows, out[first : first + few], team)


def _predict_parts(parts, X, out, team):
    """Write the outputs of parts into ``out``, side by side."""
    for part, following in pairwise([*parts, None]):
        _predict(part, X, out, team)
        if len(parts) > 1 and (following is None or following[2] is not part[2]):
            part[2].changed()  # frees the arrays of its sessions


def _predict(part, X, out, team):
    """Write the output of one part of `_way` into ``out``; strips are copied for a few images at a time."""
    rows, inside, network = part
    line = network.shapes[-1][0] // (rows.stop - rows.start)
    out = out[:, rows.start * line : rows.stop * line]
    width = width_within(network, len(X), working_memory() // team.threads)
    few = len(X) if inside == slice(None) else width * team.threads
    for first in range(0, len(X), few):
        images = X[first : first + few, inside]
        predict(network, images.reshape(len(images), -1), team, width, out[first : first + few])


def _way(network):
    """List of parts ``(rows of the output, rows of the input, network)``, and the network after all parts, or None.

    There is one part, the network itself, or strips where a block is large.
    """
    limit = min(_BLOCK_BYTES, working_memory())
    whole = [(slice(0, 1), slice(None), network)]
    if block_bytes(network, limit) <= limit:
        return whole, None
    n = steps_by_rows(network)
    rest = after_strips(network) if n else None
    height = network.steps[n].shape[0] if n and (rest is None or block_bytes(rest, limit) <= limit) else 1
    while height > 1:
        height = -(-height // 2)
        parts = strips(network, height)
        if parts is None:
            break
        if max(block_bytes(part, limit) for _, _, part in parts) <= limit:
            return parts, rest
    check_block(network, working_memory(), f"scikit-learn's working_memory{_why_whole(network, n)}")
    return whole, None


def _why_whole(network, n):
    """End of a message: why there are no strips, where `steps_by_rows` is ``n``."""
    if n == 0:
        return f", and {type(network.steps[0].operation).__name__} needs images whole"
    return ", and what has one row has no strips of rows" if network.steps[n].shape[0] == 1 else ""
