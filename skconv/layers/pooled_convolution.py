"""A convolution and the pooling after it in one, for prediction."""

from __future__ import annotations

from .._kernels.pooling import max_tiles
from ._base import Layer

__all__ = ["PooledConvolution"]

_BAND_BYTES = 1 << 21  # of the convolution's output; two threads, 28 x 28 and 32 x 32 images: 10 to 15 % less time


class PooledConvolution(Layer):
    """Convolution, then the maximum of 2 x 2 tiles, band by band of rows, so that what lies between stays in cache.

    Not in a list of layers: prediction puts it in the place of its two parts, whose results it gives bit for bit.

    Parameters
    ----------
    convolution : Convolution
    pool : MaxPool
    """

    def __init__(self, convolution, pool):
        self.convolution = convolution
        self.pool = pool

    def output_shape(self, shape):
        return self.pool.output_shape(self.convolution.output_shape(shape))

    def parameter_shapes(self, shape):
        return self.convolution.parameter_shapes(shape)

    def multiply_adds(self, shape):
        return self.convolution.multiply_adds(shape)

    def plan(self, shape, width, dtype, *, training, input_gradient):
        plan = self.convolution.plan(shape, width, dtype, training=training, input_gradient=input_gradient)
        P, Q, F = self.convolution.output_shape(shape)
        kernel = plan.kernel[0]
        rows = kernel.fit_bands(_BAND_BYTES // (Q * F * width * dtype.itemsize))
        bands = {"y": (min(rows, P), Q, F, width), "across": (min(rows, P), Q // 2, F, width)}
        plan.scratch = {"forward": {**kernel.scratch, **bands}}
        return plan

    def prepare(self, parameters, state, plan, shared):
        self.convolution.prepare(parameters, state, plan, shared)

    def forward(self, frame, training):
        kernel, scratch = frame.plan.kernel[0], frame.scratch.forward
        if "forward" not in frame.bound:
            frame.bound["forward"] = kernel.bind(frame.x_storage, scratch, _Band(scratch.y, kernel.P))
        for i, operation in enumerate(frame.bound["forward"]):
            start = i * kernel.rows_per_band
            rows = min(kernel.rows_per_band, kernel.P - start)
            kernel.run([operation], frame.shared.weight)
            max_tiles(scratch.y[:rows], scratch.across[:rows], frame.y[start // 2 : (start + rows) // 2])


class _Band:
    """Rows of an image of which only one band is there at a time: every slice is the same memory."""

    def __init__(self, rows, total):
        self.rows, self.total = rows, total

    def __getitem__(self, rows):
        return self.rows[: min(rows.stop, self.total) - rows.start]
