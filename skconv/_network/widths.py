"""How many samples a block has: measured rules of sizes alone, never of the threads."""

from __future__ import annotations

from math import ceil

from .._kernels.products import COLUMNS

__all__ = ["MIN_BLOCK_WORK", "fitting_width", "training_width"]

MIN_BLOCK_WORK = 1 << 24  # multiply-adds below which a block is not worth a thread
_MAX_BLOCK_BYTES = 1 << 26  # activations of a block


def fitting_width(width, network):
    """The width, halved until a block's activations are of bounded size."""
    while width > COLUMNS and width * network.activation_bytes > _MAX_BLOCK_BYTES:
        width //= 2
    return width


def training_width(network, batch: int) -> int:
    """Samples a block in training: a measured rule of the sizes alone, never of the threads.

    A batch gives two blocks at least, unless that leaves a block with too little work for a thread; more blocks where
    they would be wider than 64 columns, at which products are efficient, or too large for the caches.
    """
    blocks = max(2, ceil(batch / fitting_width(64, network)))
    blocks = max(1, min(blocks, batch * network.multiply_adds // MIN_BLOCK_WORK, ceil(batch / COLUMNS)))
    return ceil(ceil(batch / blocks) / COLUMNS) * COLUMNS
