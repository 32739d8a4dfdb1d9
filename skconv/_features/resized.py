"""Pictures and images of any size as images of one size, before the filters of `ConvFeatures`."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np
from sklearn.base import clone

from .._input.constraints import shown
from .._input.memory import working_memory
from .._input.pictures import are_pictures
from .._input.shapes import as_samples
from ..resizing import ImageResizer
from .networks import FeatureBuilder
from .pretrained import network_of

__all__ = ["ResizedFeatures"]

_OF_A_NETWORK = 64  # images that a fit of a network's features looks at


class ResizedFeatures(FeatureBuilder):
    """Base class of `ConvFeatures`, with the parameter ``resize``.

    The filters see what `resizer_` gives, whose shape is ``image_shape_``.  Names and number of features, and kinds of
    samples, are those that `resizer_` takes.
    """

    _stored: ClassVar = {**FeatureBuilder._stored, "resizer_": [ImageResizer]}
    _may_lack: ClassVar = FeatureBuilder._may_lack | {"resizer_", "_sample_shape"}  # pictures have no shape in common

    def _fit_samples(self, X, y):
        vars(self).pop("resizer_", None)
        if self.resize is None:
            super()._fit_samples(X, y)
            return
        resizer = self._new_resizer(X).fit(X)
        source = resizer.source(X)
        images = resizer.resized(source[:_OF_A_NETWORK] if self._takes_layers else source)
        self.image_shape_ = resizer.output_shape_
        self.output_shape_ = self._fit_images(images, y)
        self._check_output_memory(1, images.dtype)
        self._take_resizer(resizer)

    def _new_resizer(self, X):
        resizer = clone(self.resize) if isinstance(self.resize, ImageResizer) else ImageResizer(self.resize)
        resizer.set_params(image_shape=self.image_shape, n_jobs=self.n_jobs)
        if self._takes_layers and are_pictures(X) and resizer.channels is None:
            resizer.channels = network_of(self.filters, "filters").input_shape[2]
        return resizer

    def _take_resizer(self, resizer):
        """Set `resizer_`, and what is said of samples before they are resized."""
        self.resizer_, self.n_features_in_ = resizer, resizer.n_features_in_
        vars(self).pop("feature_names_in_", None)
        if hasattr(resizer, "feature_names_in_"):
            self.feature_names_in_ = resizer.feature_names_in_

    def _transform_samples(self, X):
        resizer = getattr(self, "resizer_", None)
        if resizer is None:
            return super()._transform_samples(X)
        X = X if are_pictures(X) else as_samples(X)
        sample_shape = self.image_shape_ if are_pictures(X) else tuple(X.shape[1:])
        source = resizer.source(X)
        dtype = resizer.dtype_of(source)
        self._check_output_memory(len(source), dtype)
        self._check_working_memory(source, dtype)
        out = np.empty((len(source), *self.output_shape_), dtype)
        few = max(1, working_memory() // 8 // (prod(self.image_shape_) * dtype.itemsize))
        for first in range(0, len(source), few):
            part = slice(first, first + few)
            self._transform(resizer.resized(source[part], first, dtype), out[part])
        return self._formed(out, sample_shape, resizer.image_shape_)

    def _images_of(self, X):
        """Images (n, H, W, C) that the filters of a fitted estimator see."""
        fitted = getattr(self, "resizer_", None)
        if _sizes(self._new_resizer(X) if self.resize is not None else None) != _sizes(fitted):
            raise ValueError(f"partial_fit goes on with the last fit, but resize is now {shown(self.resize)}; call fit")
        if fitted is not None:
            return fitted.resized(fitted.source(X))
        self._check_same_shape()
        X, _, _ = self._check_X(X, reset=False)
        return X.reshape(len(X), *self.image_shape_)

    def _formed(self, out, sample_shape, shape):
        return super()._formed(out, sample_shape, self.resizer_.image_shape_ if hasattr(self, "resizer_") else shape)

    def _stored_state(self):
        state = super()._stored_state()
        if "resizer_" in state:  # whose file says what the samples are
            del state["n_features_in_"]
            state.pop("feature_names_in_", None)
            state.pop("_sample_shape", None)
        return state

    def _restore(self, state):
        resizer = state.pop("resizer_", None)
        if (self.resize is None) != (resizer is None):
            raise ValueError(f"resize={shown(self.resize)} does not fit resizer_={shown(resizer)}")
        if resizer is None:
            super()._restore(state)
            return
        if not isinstance(resizer, ImageResizer) or getattr(resizer, "output_shape_", None) != state["image_shape_"]:
            raise ValueError(f"resizer_={shown(resizer)} does not give images {shown(state['image_shape_'])}")
        super()._restore(state | {"n_features_in_": prod(resizer.output_shape_)})
        self._take_resizer(resizer)


def _sizes(resizer):
    """What images become by a resizer, or by None."""
    return None if resizer is None else (resizer.size, resizer.crop)
