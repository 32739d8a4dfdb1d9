"""From flat samples to images and back."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from ._images import ImageTransformer, channel_names, pixel_names
from ._validation import at_least, one_of

__all__: list[str] = []


class _Reshaper(ImageTransformer):
    """The same numbers in another shape: nothing is computed or converted."""

    _parameter_constraints: dict = {"image_shape": [one_of("series"), at_least(1), tuple, list, None]}

    def __init__(self, image_shape=None):
        self.image_shape = image_shape

    def _fit_images(self, X, y):
        return self.image_shape_

    def get_feature_names_out(self, input_features=None):
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features, generate_names=False)
        if names is None:
            names = pixel_names(self.image_shape_, channel_names(None, self.image_shape_))
        return np.asarray(names, dtype=object)
