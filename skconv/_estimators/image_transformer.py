"""Base class of the transformers, from images to images or features."""

from __future__ import annotations

from functools import wraps
from math import ceil, prod
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import check_parameters
from .._input.images import ImageInput, output_dtype
from .._input.memory import check_available, check_memory, counted, working_memory
from .._input.names import NAME_BYTES, channel_names
from .._input.private import check_feature_names_in, in_container, output_config
from .._input.shapes import as_samples
from .._saving.saving import SIZES, Saveable
from .._threads.calls import fitting, predicting
from .._threads.team import Team, thread_count

__all__ = ["ImageTransformer", "wants_frame"]

_CHUNK_BYTES = 1 << 20  # bytes of output per call, a few times a core's cache


def _images_as_they_are(wrapped):
    """A method wrapped for ``set_output`` as scikit-learn does, except that images, (n, H, W, C), stay arrays."""
    method = wrapped.__wrapped__

    @wraps(method)
    def framed(self, X, *args, **kwargs):
        out = method(self, X, *args, **kwargs)
        return out if len(out.shape) > 2 else in_container("transform", out, X, self)

    return framed


class ImageTransformer(Saveable, ImageInput, TransformerMixin, BaseEstimator):
    """Base class of transformers: flat samples give flat samples, images give images.

    A subclass has `_fit_images`, `_transform_images` (or `_transform`) and `_names`; its parameters include
    ``image_shape`` and ``n_jobs``.  ``_sample_shape`` is the shape of the samples of `fit`.
    """

    _stored: ClassVar = {**Saveable._stored, "output_shape_": [SIZES], "_sample_shape": [SIZES]}
    _keeps_channels = True  # whether images without an axis of channels, (n, H, W), give such images
    _reads_in_pieces = False

    def _fit_images(self, X, y):
        """Learn from images ``(n, H, W, C)`` of any number type; return the output's shape, ``(H, W, C)`` or (k,)."""
        raise NotImplementedError

    def _transform_images(self, X, out):
        """Transform a chunk ``(n, H, W, C)`` of the output's dtype into ``out`` (n, *output_shape_)."""
        raise NotImplementedError

    def _working_bytes(self, itemsize) -> int:
        """Bytes that `_transform_images` allocates for one sample."""
        return 0

    def _names(self, channels) -> list[str]:
        """Names of the flat output's features, from those of the input's channels."""
        raise NotImplementedError

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @fitting
    def fit(self, X, y=None):
        """Learn the shapes, and whatever else the parameters require.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type.
        y : array-like of shape (n,), default=None
            Ignored, unless the parameters say otherwise.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If an argument does not fit, with its name, its value and what would fit; the estimator is unchanged then.
        """
        check_parameters(self)
        self._fit_samples(X, y)
        return self

    def _fit_samples(self, X, y):
        """Set the attributes of a fit on X of any kind."""
        X = as_samples(X)
        self._sample_shape = _sample_shape(X)
        X, _, self.image_shape_ = self._check_X(X, reset=True)
        self.output_shape_ = self._fit_images(X.reshape(len(X), *self.image_shape_), y)
        self._check_output_memory(1, output_dtype(X))

    @predicting
    def transform(self, X):
        """Transform samples.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, H' * W' * C'), or (n, H', W', C') where X is n-d
            ``(H', W', C')`` is `output_shape_`.  float64 where X is, else float32.

        Raises
        ------
        ValueError
            If X does not have the shape of the fit, not even a few samples fit in scikit-learn's ``working_memory``, or
            the output does not fit in this machine's memory.
        """
        if not hasattr(self, "output_shape_"):
            check_is_fitted(self)  # raises; not called on fitted estimators, where it takes 4 us
        return self._transform_samples(X)

    def _transform_samples(self, X):
        """The output for X of any kind."""
        X = as_samples(X)
        sample_shape = _sample_shape(X)
        X, _, _ = self._check_X(X, reset=False)
        return self._formed(self._transformed(X), sample_shape, self.image_shape_)

    def get_feature_names_out(self, input_features=None):
        """Names of the flat output's features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input's features; names of channels in the names of these transformers are kept.

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features, generate_names=False)
        check_available(f"{counted(self._n_features_out)} feature names", NAME_BYTES * self._n_features_out)
        return np.asarray(self._names(channel_names(names, self.image_shape_)), dtype=object)

    @property
    def _n_features_out(self):
        """Number of features of the flat output."""
        return prod(self.output_shape_)

    def _restore(self, state):
        super()._restore(state)
        if prod(state.get("_sample_shape", self.image_shape_)) != self.n_features_in_:
            raise ValueError(f"samples {self._sample_shape} do not have {self.n_features_in_} features")
        if self._n_computed() != self._n_features_out:
            raise ValueError(
                f"output_shape_={self.output_shape_} does not have {counted(self._n_computed(), 'number')}"
            )

    def _n_computed(self) -> int:
        """Number of features that are computed, from all that a file has but `output_shape_`."""
        return self.n_features_in_

    def _check_output_memory(self, n, dtype):
        needed = n * prod(self.output_shape_) * dtype.itemsize
        what = f"an output of {counted(n)} x {' x '.join(map(counted, self.output_shape_))} numbers"
        check_available(what, needed)

    def _formed(self, out, sample_shape, shape):
        """The output without the axes that samples of ``shape`` did not have, whose arrays had ``sample_shape``."""
        if len(sample_shape) < 2 or out.ndim == 2:
            return out.reshape(len(out), -1)
        if sample_shape == shape[1:] and shape[0] == out.shape[1] == 1:  # a series (T, C)
            return out[:, 0]
        return out[..., 0] if len(sample_shape) == 2 and self._keeps_channels and out.shape[3] == 1 else out

    def _transformed(self, X):
        """The output ``(n, *output_shape_)`` of flat samples."""
        dtype = output_dtype(X)
        self._check_output_memory(len(X), dtype)
        self._check_working_memory(X, dtype)
        out = np.empty((len(X), *self.output_shape_), dtype)
        self._transform(X.reshape(len(X), *self.image_shape_), out)
        return out

    def _sample_bytes(self, X, dtype):
        """Bytes that the transformation of one sample takes."""
        return self._working_bytes(dtype.itemsize) + prod(X.shape[1:]) * dtype.itemsize * (X.dtype != dtype)

    def _check_working_memory(self, X, dtype):
        """Raise where there is no memory to transform one sample, or the fewest that are transformed together."""
        needed = self._sample_bytes(X, dtype)
        check_memory("one sample's working arrays", needed, working_memory(), "scikit-learn's working_memory")

    def _transform(self, X, out):
        """Transform images into ``out``, chunk by chunk on the threads, within scikit-learn's ``working_memory``."""
        size, each = prod(out.shape[1:]) * out.itemsize, max(1, self._sample_bytes(X, out.dtype))
        threads = max(1, min(thread_count(self.n_jobs), working_memory() // each))  # no more than memory allows
        rows = max(1, min(_CHUNK_BYTES // max(1, size), working_memory() // threads // each))
        with Team(threads) as team:

            def chunk(k):
                part = slice(k * rows, (k + 1) * rows)
                self._transform_images(X[part].astype(out.dtype, copy=False), out[part])

            team.run(chunk, ceil(len(X) / rows))


# `TransformerMixin` wraps methods when a class is defined; these wrappers replace its own.
ImageTransformer.transform = _images_as_they_are(ImageTransformer.transform)  # type: ignore[method-assign]
ImageTransformer.fit_transform = _images_as_they_are(ImageTransformer.fit_transform)  # type: ignore[method-assign]


def wants_frame(estimator) -> bool:
    """Whether ``set_output``, or scikit-learn's configuration, asks for a data frame."""
    return output_config("transform", estimator)["dense"] != "default"


def _sample_shape(X) -> tuple[int, ...]:
    """Shape of the samples of a result of `as_samples`."""
    return tuple(np.shape(X)[1:])
