"""Normalisation over the batch, or of each sample."""

from __future__ import annotations

from math import prod
from types import SimpleNamespace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._input.constraints import EPSILONS, between, one_of
from .._input.overflow import named_overflow
from .._kernels.sums import add_positions, fold, partial_sums
from ._base import Layer
from ._frame import Plan
from ._operation import Parameter

__all__ = ["BatchNorm", "LayerNorm"]


class BatchNorm(Layer):
    """Scale each channel to mean 0 and variance 1 over the batch, then by a trained factor and shift.

    Ioffe and Szegedy, arXiv 1502.03167.  Mean and variance are those of the whole batch, weighted by the samples'
    weights, so a weight of two equals two copies; prediction uses their running means.  A batch of one sample must have
    more than one pixel, since a single number is its own mean; otherwise `fit` raises.

    Parameters
    ----------
    decay : float, default=0.9
        Share of the running statistics that a step keeps, in [0, 1]; the rest comes from the batch.  Running statistics
        are the plain mean over batches while batches are few, and always with 1.  PyTorch's ``momentum`` is
        ``1 - decay``, Keras's is ``decay``.
    epsilon : float, default=1e-5
        Added to the variance; from 1e-30 to 1e30.

    Examples
    --------
    >>> from skconv.layers import BatchNorm
    >>> BatchNorm().parameter_shapes((8, 8, 16))
    {'scale': (16,), 'shift': (16,)}
    """

    _parameter_constraints: dict = {"decay": [between(0, 1, closed="both")], "epsilon": [EPSILONS]}
    synchronous = True
    pointwise = True
    single_sample = "elements"

    def __init__(self, decay=0.9, epsilon=1e-5):
        self.decay = decay
        self.epsilon = epsilon

    def least_samples(self, shape):
        return 2 if prod(shape[:-1]) == 1 else 1  # a single number is its own mean

    def parameters(self, shape):
        return dict.fromkeys(("scale", "shift"), Parameter((shape[-1],)))

    def state_shapes(self, shape):
        return {"mean": (shape[-1],), "variance": (shape[-1],), "batches": (1,)}

    def initialize(self, parameters, state, shape, rng):
        parameters["scale"].fill(1)
        state["variance"].fill(1)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        C = shape[-1]
        # Vectors by channel are repeated for all columns, (C, N): the loops over an image are longer then, and a pass
        # takes half the time.  Vectors with the same use are one array: in a small network each call costs time.
        repeated, pair = (C, width), (2, C)
        if not training:
            return Plan(shared={"factor": repeated, "offset": repeated})
        return Plan(
            shared={"ones": (width,), "inverse": (C,), "factors": pair},
            buffers={"centred": (*shape, width), "share": (1,), "shift": (C,)}
            | dict.fromkeys(("moments", "affine", "slopes"), pair),
            scratch={"work": {"x": (*shape, width), "sums": (prod(shape),), "pair": (2, C, width)}},
        )

    def prepare(self, parameters, state, plan, shared):
        if "ones" in shared:
            shared.ones.fill(1)
        else:
            factor = parameters.scale / np.sqrt(state.variance + self.epsilon)
            np.copyto(shared.factor, factor[:, None])
            np.copyto(shared.offset, (parameters.shift - state.mean * factor)[:, None])

    @staticmethod
    def _sum(array, weight, sums, out):
        """Weighted sum per channel, over positions and samples, of an array ``(..., C, N)`` into ``out`` (C,)."""
        if array.flags.c_contiguous:  # one product: 16 us in place of 27 on 14 x 14 x 16 and 64 samples
            np.dot(array.reshape(-1, len(weight)), weight, out=sums)
        else:
            np.matmul(array, weight[:, None], out=sums.reshape(*array.shape[:-1], 1))
        fold(sums.reshape(-1, len(out)), out)

    def bind(self, frame):
        """Views for training, made once, since for small images making them takes as long as the sums."""
        if not frame.buffers:
            return None
        buffers, shared, work = frame.buffers, frame.shared, frame.scratch.work
        return SimpleNamespace(
            weight=frame.weight, sums=work.sums, ones=shared.ones, pair=work.pair, first=work.pair[0],
            second=work.pair[1], centred=buffers.centred, work=work.x, flat=buffers.centred.reshape(-1),
            flat_work=work.x.reshape(-1), share=buffers.share, shift=buffers.shift, moments=buffers.moments,
            mean=buffers.moments[0], column=buffers.moments[0][:, None], squares=buffers.moments[1],
            factor=shared.factors[1], factor_column=shared.factors[1][:, None], factors=shared.factors,
            affine=buffers.affine, affine_columns=buffers.affine[..., None], offset=buffers.affine[1],
            slopes=buffers.slopes, slope_columns=buffers.slopes[..., None], constant=buffers.slopes[1],
            inverse=shared.inverse, running=_pair(frame.state.mean, frame.state.variance),
            gradients=_pair(frame.gradients.scale, frame.gradients.shift), positions=prod(frame.x.shape[:-2]),
        )  # fmt: skip

    def measure(self, frame):
        """Compute share of the batch, mean and squared deviations of a block; keep the block minus its mean."""
        v = frame.bound
        share = v.share[0] = np.add.reduce(v.weight) * v.positions
        self._sum(frame.x, v.weight, v.sums, v.mean)
        np.divide(v.mean, share if share else 1, out=v.mean)
        np.copyto(v.first, v.column)
        np.subtract(frame.x, v.first, out=v.centred)
        np.multiply(v.flat, v.flat, out=v.flat_work)
        self._sum(v.work, v.weight, v.sums, v.squares)

    def agree(self, frames):
        """Compute mean and variance of the batch, running mean and variance, and factor and offset of each block."""
        first = frames[0].bound
        parameters, batches = frames[0].parameters, frames[0].state.batches
        moments = self._combined([frame.bound for frame in frames])
        batches += 1
        rate = max(1 - self.decay, 1 / float(batches[0]))  # a plain mean until there are enough batches
        first.running += rate * (moments - first.running)
        inverse = np.add(moments[1], self.epsilon, out=first.inverse)
        np.sqrt(inverse, out=inverse)
        np.divide(1, inverse, out=inverse)
        np.multiply(inverse, parameters.scale, out=first.factor)
        np.multiply(first.factor, inverse, out=first.factors[0])
        for frame in frames:
            v = frame.bound
            np.subtract(v.mean, moments[0], out=v.shift)
            np.copyto(v.affine, first.factor)  # the second half, the offset, is overwritten next
            np.multiply(v.shift, first.factor, out=v.offset)
            np.add(v.offset, parameters.shift, out=v.offset)

    @staticmethod
    def _combined(blocks):
        """Mean and variance, (2, C), by Chan, Golub and LeVeque's update over the blocks in their order."""
        share, moments = float(blocks[0].share[0]), blocks[0].moments.copy()
        mean, squares = moments
        for block in blocks[1:]:
            more = float(block.share[0])
            if more:
                delta = block.mean - mean
                mean += delta * (more / (share + more))
                squares += block.squares + delta * delta * (share * more / (share + more))
                share += more
        squares /= share
        return moments

    def forward(self, frame, training):
        if not training:
            np.multiply(frame.x, frame.shared.factor, out=frame.y)
            np.add(frame.y, frame.shared.offset, out=frame.y)
            return
        v = frame.bound
        np.copyto(v.pair, v.affine_columns)
        np.multiply(v.centred, v.first, out=frame.y)
        np.add(frame.y, v.second, out=frame.y)

    def measure_gradient(self, frame):
        """Compute gradients of shift and scale from one block."""
        v, scale, shift = frame.bound, frame.gradients.scale, frame.gradients.shift
        self._sum(frame.dy, v.ones, v.sums, shift)
        np.multiply(frame.dy, v.centred, out=v.work)
        self._sum(v.work, v.ones, v.sums, scale)
        scale += shift * v.shift
        np.multiply(scale, v.inverse, out=scale)

    def agree_gradient(self, frames):
        """Set the batch's part of each block's data gradient: a slope by centred values, and a constant."""
        views = [frame.bound for frame in frames]
        slopes = sum(v.gradients for v in views)
        slopes /= views[0].positions
        slopes *= views[0].factors
        for v in views:
            np.copyto(v.slopes, slopes)
            v.constant += slopes[0] * v.shift

    def backward(self, frame):
        """``dx = factor (dy - w (sum_dy + x_hat sum_dyx))``, with ``w`` a column's share of the batch."""
        if frame.dx is None:
            return
        v = frame.bound
        if v is None:  # frozen: the running statistics depend on no sample
            np.multiply(frame.dy, frame.shared.factor, out=frame.dx)
            return
        np.multiply(v.slope_columns, v.weight, out=v.pair)
        np.multiply(v.centred, v.first, out=v.centred)
        np.add(v.centred, v.second, out=v.centred)
        np.copyto(v.first, v.factor_column)
        np.multiply(frame.dy, v.first, out=v.work)
        np.subtract(v.work, v.centred, out=frame.dx)


def _pair(first, second):
    """View ``(2, C)`` of two vectors that follow each other in memory."""
    if second.ctypes.data != first.ctypes.data + first.nbytes:
        raise ValueError("two vectors of a batch normalisation must follow each other in memory")
    return as_strided(first, (2, len(first)), (first.nbytes, first.itemsize))


class LayerNorm(Layer):
    """Scale each sample to mean 0 and variance 1, then by a trained factor and shift per channel.

    Ba, Kiros and Hinton, arXiv 1607.06450.  Samples do not depend on each other, so the layer trains with any batch
    size, and is the same in training and in prediction.

    Parameters
    ----------
    over : {"channels", "sample"}, default="channels"
        Numbers that are normalised together: the channels of each position, as in ConvNeXt and in Keras, or the whole
        image, which is group normalisation with one group.  On vectors both are the same.
    epsilon : float, default=1e-5
        Added to the variance; from 1e-30 to 1e30.

    Examples
    --------
    >>> from skconv.layers import LayerNorm
    >>> LayerNorm().parameter_shapes((8, 8, 16))
    {'scale': (16,), 'shift': (16,)}
    """

    _parameter_constraints: dict = {"over": [one_of("channels", "sample")], "epsilon": [EPSILONS]}

    def __init__(self, over="channels", epsilon=1e-5):
        self.over = over
        self.epsilon = epsilon

    @property
    def pointwise(self):
        """Whether each position is normalised on its own."""
        return self.over == "channels"

    @property
    def any_layout(self):
        """Whether images may be in any order in memory: a whole image is normalised as one run."""
        return self.over == "channels"

    def parameters(self, shape):
        return dict.fromkeys(("scale", "shift"), Parameter((shape[-1],)))

    def initialize(self, parameters, state, shape, rng):
        parameters["scale"].fill(1)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        lead = shape[:-1] if self.over == "channels" else (1,) * len(shape[:-1])
        whole, each, repeated = (*shape, width), (*lead, 1, width), (shape[-1], width)
        by_position = self.over == "channels" and len(shape) > 1
        rows = 1 if len(shape) == 1 else shape[0]
        sums = {} if by_position else partial_sums((rows, prod(shape) // rows, width))
        plan = Plan(
            shared={"scale": repeated, "shift": repeated},
            scratch={"forward": {"x": whole, "mean": each, "inverse": each, **sums}},
        )
        if training:
            plan.shared["ones"] = (width, 1)
            plan.buffers = {"normal": whole, "inverse": each}
            backward = {"a": whole, "b": whole, "mean": each, "slope": each, "sums": (*shape, 1)}
            plan.scratch["backward"] = {**backward, **sums}
        return plan

    def prepare(self, parameters, state, plan, shared):
        np.copyto(shared.scale, parameters.scale[:, None])
        np.copyto(shared.shift, parameters.shift[:, None])
        if "ones" in shared:
            shared.ones.fill(1)

    def _mean(self, array, work, out):
        """Mean over the numbers that are normalised together, into ``out``."""
        if self.over == "channels" and array.ndim > 2:
            np.add.reduce(array, axis=-2, keepdims=True, out=out)
        else:
            rows = 1 if array.ndim == 2 else len(array)
            add_positions(array.reshape(rows, -1, array.shape[-1], copy=False), work.get("parts"), out.reshape(-1))
        np.divide(out, array.size // out.size, out=out)

    def forward(self, frame, training):
        work = frame.scratch.forward
        normal, inverse = (frame.buffers.normal, frame.buffers.inverse) if training else (frame.y, work.inverse)
        self._mean(frame.x, work, work.mean)
        np.subtract(frame.x, work.mean, out=normal)
        with named_overflow("LayerNorm", inverse.dtype):
            np.multiply(normal, normal, out=work.x)
            self._mean(work.x, work, inverse)
        np.add(inverse, self.epsilon, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.divide(1, inverse, out=inverse)
        np.multiply(normal, inverse, out=normal)
        np.multiply(normal, frame.shared.scale, out=frame.y)
        np.add(frame.y, frame.shared.shift, out=frame.y)

    def _sum(self, frame, array, out):
        """Sum per channel over positions and samples, into ``out`` (C,)."""
        sums = np.matmul(array, frame.shared.ones, out=frame.scratch.backward.sums)
        fold(sums.reshape(-1, out.shape[0]), out)

    def backward(self, frame):
        """``dx = (g - mean(g) - x_hat mean(g x_hat)) / deviation`` with ``g = scale dy``."""
        work, normal = frame.scratch.backward, frame.buffers.normal
        self._sum(frame, frame.dy, frame.gradients.shift)
        np.multiply(frame.dy, normal, out=work.b)
        self._sum(frame, work.b, frame.gradients.scale)
        if frame.dx is None:
            return
        np.multiply(work.b, frame.shared.scale, out=work.b)
        self._mean(work.b, work, work.slope)
        np.multiply(normal, work.slope, out=work.b)
        np.multiply(frame.dy, frame.shared.scale, out=work.a)
        self._mean(work.a, work, work.mean)
        np.subtract(work.a, work.mean, out=work.a)
        np.subtract(work.a, work.b, out=work.a)
        np.multiply(work.a, frame.buffers.inverse, out=frame.dx)
