"""Pooling of images and series as a transformer."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from ._estimators.transform import NetworkTransformer
from ._input.constraints import IMAGE_SHAPES, N_JOBS, at_least, border_widths, one_of, sizes
from ._input.names import pixel_names
from ._kernels.pooling import median_pool
from ._saving.classes import stored, stored_estimator
from .layers import GlobalMaxPool, GlobalMeanPool, LpPool, MaxPool, MeanPool, StridePool
from .layers._frame import Frame
from .layers._window_pool import PoolingLayer, WindowPlan, WindowPool

__all__ = ["StridedPooling"]


@stored_estimator
class StridedPooling(NetworkTransformer):
    """Pooling: a summary of each window of an image or a series, channel by channel.

    Flat samples give flat samples, images give images.

    Parameters
    ----------
    pool : {"stride", "max", "mean", "lp", "median"}, default="max"
        Summary of each window.

        - "stride": the top left pixel, ``X[:, ::s, ::s]``; a last window may be incomplete.
        - "max": the maximum.
        - "mean": the mean.
        - "lp": the norm ``(sum |x|^p)^(1 / p)``, as in ONNX, with a border of zeros.
        - "median": the median; the mean of the two middle values if their number is even.
    pool_size : int, (int, int) or "global", default=2
        Window down and across.  One number is 1 along axes of length 1: on a series it is the window along time.
        "global" is one window over the whole image.
    stride : int or (int, int), default=None
        Step from one window to the next; None is ``pool_size``.
    padding : int, (int, int) or ((int, int), (int, int)), default=0
        Border down and across, or ``((top, bottom), (left, right))``; at most half the window.  The border is never the
        maximum and is left out of mean and median.
    ceil_mode : bool, default=False
        Whether a last window may reach beyond the border if pixels would be left over.  A window that would start
        beyond the image is dropped, as in PyTorch and ONNX.
    count_include_pad : bool, default=False
        Whether "mean" counts the border, as zeros; positions beyond the border never count.
    p : float, default=2
        Exponent of "lp", at least 1.
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        Shape of the image in a row of a two-dimensional X, as in `ConvNetClassifier`.
    n_jobs : int or None, default=None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.

    Attributes
    ----------
    image_shape_, output_shape_ : (int, int, int)
        Shape of a sample and of its output, ``(rows, columns, channels)``.
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn.

    Raises
    ------
    ValueError
        If the window does not fit the image, or the border is more than half the window.

    See Also
    --------
    skconv.layers.MaxPool : Pooling within a network, by the same functions.

    Notes
    -----
    With "stride" only `stride` and `pool_size` have an effect, with "global" none of `stride`, `padding`, `ceil_mode`
    and `count_include_pad`.  Computed in float64 where X is float64, else in float32.  Memory other than the output is
    bounded by scikit-learn's ``working_memory`` setting.  There is no `inverse_transform`, since pooling loses numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import StridedPooling
    >>> X, _ = load_digits(return_X_y=True)
    >>> pooling = StridedPooling("mean").fit(X)
    >>> pooling.transform(X).shape
    (1797, 16)
    >>> pooling.transform(X.reshape(-1, 8, 8)).shape
    (1797, 4, 4)
    >>> pooling.get_feature_names_out()[:2]
    array(['row0_column0', 'row0_column1'], dtype=object)
    """

    _parameter_constraints: dict = {
        "pool": [one_of("stride", "max", "mean", "lp", "median")],
        "pool_size": [one_of("global"), sizes()],
        "stride": [sizes(), None],
        "padding": [border_widths()],
        "ceil_mode": ["boolean"],
        "count_include_pad": ["boolean"],
        "p": [at_least(1, Real)],
        "image_shape": IMAGE_SHAPES,
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        pool="max",
        pool_size=2,
        *,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=False,
        p=2,
        image_shape=None,
        n_jobs=None,
    ):
        self.pool = pool
        self.pool_size = pool_size
        self.stride = stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.p = p
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _fit_images(self, X, y):
        layer = self._layer()
        shape = layer.output_shape(self.image_shape_)
        self.networks_ = [self._new_network([layer])]
        return shape if len(shape) == 3 else (1, 1, *shape)

    def _layer(self):
        """The pooling layer that the parameters describe, for images of `image_shape_`."""
        if self.pool_size == "global":
            return self._global_layer()
        pool_size = self._pair(self.pool_size, 1)
        stride = pool_size if self.stride is None else self._pair(self.stride, 1)
        options = {"stride": stride, "padding": self._pair(self.padding, 0), "ceil_mode": self.ceil_mode}
        if self.pool == "stride":
            return StridePool(stride)
        if self.pool == "max":
            return MaxPool(pool_size, **options)
        if self.pool == "mean":
            return MeanPool(pool_size, count_include_pad=self.count_include_pad, **options)
        if self.pool == "lp":
            return LpPool(pool_size, self.p, **options)
        return _MedianPool(pool_size, **options)

    def _global_layer(self):
        """The pooling layer with one window over the whole image."""
        size = self.image_shape_[:2]
        if self.pool == "stride":
            raise ValueError(
                "pool_size='global' does not go with pool='stride', which has a step: give a number or (down, across)"
            )
        if self.pool == "max":
            return GlobalMaxPool()
        if self.pool == "mean":
            return GlobalMeanPool()
        return LpPool(size, self.p) if self.pool == "lp" else _MedianPool(size)

    def _pair(self, value, alone):
        """``(down, across)``; one number is replaced by ``alone`` along axes of length 1."""
        if isinstance(value, Integral):
            return tuple(alone if size == 1 else int(value) for size in self.image_shape_[:2])
        return tuple(value)

    def _names(self, channels):
        return pixel_names(self.output_shape_, channels, series=self.image_shape_[0] == 1)


@dataclass(kw_only=True)
class _MedianPlan(WindowPlan):
    """Plan with the number of pixels of the image in each window, ``(P, Q)``."""

    counts: np.ndarray


@stored
class _MedianPool(WindowPool):
    """Median of each window, without a backward pass."""

    _parameter_constraints: dict = PoolingLayer._parameter_constraints
    _border = np.inf  # last in a sorted window

    def plan(self, shape, width, dtype, *, training, input_gradient):
        window = self.window(shape).trimmed()
        stack = (window.rows.kernel * window.columns.kernel, *window.output, shape[2], width)
        work = {"stack": stack, **self._padded(window, shape, width, "x")}
        counts = np.outer(window.rows.counts(), window.columns.counts())
        return _MedianPlan(window=window, counts=counts, scratch={"forward": work})

    def forward(self, frame: Frame[_MedianPlan], training):
        plan, work = frame.plan, frame.scratch.forward
        median_pool(self._bordered(frame, plan.window, work), plan.window, plan.counts, work.stack, frame.y)
