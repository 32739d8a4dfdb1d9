"""Outputs of a network for any number of samples, block by block over the threads."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from .._input.memory import check_memory, counted
from .._kernels.memory import scratch_bytes
from .._kernels.products import COLUMNS
from .layout import Layout
from .planar import Planar, image_bytes, is_planar, tail
from .session import Session
from .single_sample import Alone
from .steps import taken_by
from .widths import MIN_BLOCK_WORK, fitting_width

__all__ = [
    "block_bytes",
    "block_width",
    "check_block",
    "narrowest",
    "predict",
    "prediction_width",
    "runs_alone",
    "session_bytes",
    "width_within",
]

_BETWEEN_BYTES = 1 << 26  # most bytes of the vectors between the images and the last steps
_NARROWEST = 2  # least samples of a block; one sample is predicted by `Alone`
_FEW = 3  # most samples that take less time one by one than as a block
_FEW_WORK = 1 << 19  # multiply-adds of a sample below which only a single sample takes less time


def prediction_width(network, n: int) -> int:
    """Samples per block in a prediction of ``n``: 1 for few samples if the network can, else `block_width`."""
    few = _FEW if network.multiply_adds >= _FEW_WORK else 1
    return 1 if n <= few and runs_alone(network) else block_width(network, n)


def runs_alone(network) -> bool:
    """Whether some steps of the network can run on one sample without a block."""
    pool = network.pool
    if pool.runs_alone is None:
        session = Alone(network, block_width(network, 1))
        pool.runs_alone = bool(session.ends)
        pool.give(session if pool.runs_alone else session.block)
    return pool.runs_alone


def block_width(network, n: int) -> int:
    """Samples per block in a prediction of ``n``."""
    useful = MIN_BLOCK_WORK // max(1, network.multiply_adds)
    return min(fitting_width(256 if useful >= 128 else 64, network), max(1, ceil(n / COLUMNS)) * COLUMNS)


def narrowest(network) -> int:
    """Samples of the narrowest block: `COLUMNS`, or few where there are no products, whose columns must be alike."""
    return COLUMNS if network.multiply_adds else _NARROWEST


def block_bytes(network, limit) -> int:
    """Bytes of the narrowest block; above ``limit`` a lower bound from shapes alone, since plans may have tables."""
    return _block(network, limit)[0]


def check_block(network, limit, name):
    """Raise where the narrowest block takes more than ``limit`` bytes; messages call the limit ``name``."""
    needed, most, step = _block(network, limit)
    what = f"a block of {counted(narrowest(network), 'sample')} ({taken_by(step, most)})"
    check_memory(what, needed, limit, name)


def _block(network, limit):
    """`block_bytes`, the bytes of the step that takes most, and that step."""
    steps, dtype, width = network.fused_steps(), network.dtype, narrowest(network)
    options, item = {"training": False, "input_gradient": False}, 2 * network.dtype.itemsize * width
    own, arguments = [item * prod(step.out) for step in steps], [(s.operation, s.shape, width, dtype) for s in steps]
    known, work = (
        item * prod(network.input_shape) + sum(own),
        [a.least_bytes(*rest, **options) for a, *rest in arguments],
    )
    if known + max(work) <= limit:
        work = [scratch_bytes(layer.plan(*rest, **options).scratch, dtype) for layer, *rest in arguments]
    most = max(range(len(steps)), key=lambda i: own[i] + work[i])
    return known + max(work), own[most] + work[most], steps[most]


def width_within(network, n: int, limit: int) -> int:
    """`block_width`, or fewer samples that fit in ``limit`` bytes; raises where the narrowest block does not fit."""
    check_block(network, limit, "scikit-learn's working_memory for a thread")
    return min(block_width(network, n), limit // block_bytes(network, limit) * narrowest(network))


def session_bytes(network, n, threads) -> int:
    """Bytes of the sessions that predict ``n`` samples."""
    if is_planar(network):
        return min(threads, n) * image_bytes(network)
    width = block_width(network, n)
    return min(threads, ceil(n / width)) * Layout(network, width, 1, training=False).nbytes


def _new_session(network, width, copies) -> Session | Alone:
    """A session for prediction, `Alone` for width 1; raises where there is no memory for ``copies`` sessions."""
    if width == 1:
        return Alone(network, block_width(network, 1))
    return Session(network, width, 1, training=False, copies=copies)


def predict(network, X, team, width=None, out=None, change=None):
    """Outputs ``(n, units)``, block by block; a row depends neither on other samples nor on the blocks' width.

    Without a ``width`` large images are predicted one by one.  ``change(samples)``, if given, returns changed and
    scaled copies of the samples of a block.
    """
    n = len(X)
    if width is None and is_planar(network):
        return _predict_images(network, X, team, out, change)
    width = prediction_width(network, n) if width is None else width
    out = np.empty((n, *network.shapes[-1]), network.dtype) if out is None else out
    blocks, pool = ceil(n / width), network.pool
    several = range(min(team.threads, blocks), 0, -1)
    sessions = [pool.take(width) or _new_session(network, width, copies) for copies in several]

    def block(k):
        session = sessions[k % len(sessions)]
        rows = slice(k * width, min((k + 1) * width, n))
        session.load(0, X[rows] if change is None else change(X[rows]), scaled=change is not None)
        out[rows] = session.forward()[:, : rows.stop - rows.start].T

    team.run(block, blocks)
    for session in sessions:
        pool.give(session)
    return out


def _predict_images(network, X, team, out, change):
    """Outputs of a network for large images, as `predict`: image by image up to a vector, then in blocks."""
    n, rest = len(X), tail(network)
    out = np.empty((n, *network.shapes[-1]), network.dtype) if out is None else out
    sessions = _image_sessions(network, n, team)
    size = prod(rest.input_shape) if rest is not None else prod(out.shape[1:])
    few = max(team.threads, _BETWEEN_BYTES // (size * out.itemsize))
    for first in range(0, n, few):
        rows = slice(first, min(n, first + few))
        between = out[rows] if rest is None else np.empty((rows.stop - rows.start, size), network.dtype)

        def image(i, samples=X[rows], between=between):
            sample = samples[i : i + 1] if change is None else change(samples[i : i + 1])
            sessions[i % len(sessions)].predict(sample, between[i], team, scaled=change is not None)

        if len(sessions) == 1:
            for i in range(len(between)):
                image(i)
        else:
            team.run(image, len(between))
        if rest is not None:
            predict(rest, between, team, out=out[rows])
    for session in sessions:
        network.pool.give(session)
    return out


def _image_sessions(network, n, team):
    """A session for each thread, or one that spreads the parts of an image over all threads."""
    if n < team.threads:
        return [network.pool.take(-team.threads) or Planar(network, team.threads)]
    return [network.pool.take(-1) or Planar(network, copies=copies) for copies in range(team.threads, 0, -1)]
