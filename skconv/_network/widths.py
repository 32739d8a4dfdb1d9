"""Samples per block: measured rules, by sizes alone and never by the number of threads."""

from __future__ import annotations

from math import ceil

from .._kernels.products import COLUMNS

__all__ = ["MIN_BLOCK_WORK", "fitting_width", "training_width"]

MIN_BLOCK_WORK = 1 << 24  # least multiply-adds of a block that is worth a thread
_MAX_BLOCK_BYTES = 1 << 26  # most bytes of the activations of a block


def fitting_width(width, network):
    """``width``, halved until the activations of a block take no more than `_MAX_BLOCK_BYTES`."""
    while width > COLUMNS and width * network.activation_bytes > _MAX_BLOCK_BYTES:
        width //= 2
    return width


def training_width(network, batch: int) -> int:
    """Samples per block in training.

    A batch has two blocks at least, unless a block would have too little work for a thread; more blocks where they
    would be wider than 64 columns, with which products are efficient, or too large for the caches.
    """
    blocks = max(2, ceil(batch / fitting_width(64, network)))
    blocks = max(1, min(blocks, batch * network.multiply_adds // MIN_BLOCK_WORK, ceil(batch / COLUMNS)))
    return ceil(ceil(batch / blocks) / COLUMNS) * COLUMNS
