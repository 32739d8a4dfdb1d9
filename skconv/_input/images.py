"""Checks and shape of X, for every estimator with an ``image_shape``."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.utils.validation import (
    validate_data,
)

from .constraints import shown
from .doubts import warn_of_doubts
from .keywords import Hinted
from .names import shape_of_names
from .overflow import check_range, within_range
from .rows import is_lazy, lazy_rows
from .shapes import as_samples, check_like_fitted, describes, may_lie_first, resolve_image_shape
from .versions import Versioned

__all__ = ["ImageInput", "output_dtype"]

_SMALL = 1 << 16  # numbers of X beyond which the time of scikit-learn's checks depends on the numbers


def _is_clean(X, dtype) -> bool:
    """Whether X is a small array that passes all checks; those of scikit-learn take 80 us, as long as a prediction."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype not in (np.float32, np.float64):
        return False
    return 0 < X.size <= _SMALL and within_range(X, dtype or X.dtype)


class ImageInput(Hinted, Versioned):
    """Mixin of estimators with an ``image_shape``: samples come flat, ``(n, H * W * C)``, or as images."""

    _range: type | None = None  # type whose range X must not leave; None is the type of the output
    _reads_in_pieces = True  # whether a large array in storage stays there, as `LazyRows`
    _warms_up = False  # whether the estimator has a parameter `warm_start`
    _needs_shape = True  # whether results, not only feature names, depend on the shape of the samples

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_X(self, X, y="no_validation", *, reset, multi_output=False, y_numeric=False):
        """Return X (n, features), checked; y; and the samples' shape ``(height, width, channels)``.

        X is finite, of a number type, in the range of ``_range``: an ndarray, or `LazyRows` where it is in storage and
        larger than scikit-learn's ``working_memory``.
        """
        X, lazy, sample_shape = self._read(X)
        if not reset:
            check_like_fitted(X, sample_shape, self.image_shape_, type(self).__name__)
        options = {"reset": reset, "dtype": "numeric", "accept_large_sparse": False, "ensure_all_finite": lazy is None}
        clean = isinstance(y, str) and _is_clean(X, self._range)
        if clean:
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif isinstance(y, str):
            X = validate_data(self, X, **options)
        else:
            X, y = validate_data(self, X, y, multi_output=multi_output, y_numeric=y_numeric, **options)
        if X.dtype == np.float16:
            X = X.astype(np.float32)
        if not clean and lazy is None:
            check_range(X, self._range or output_dtype(X))
        sample_shape = sample_shape or X.shape[1:]
        shape, doubtful = self._new_shape(sample_shape) if reset else (self.image_shape_, False)
        if lazy is not None:
            X = lazy.settled(check=not isinstance(y, str))
        if doubtful:
            warn_of_doubts(X, sample_shape, self.image_shape)
        return X, y, shape

    def _read(self, X):
        """Return X (n, features); the `LazyRows` whose outline X is, or None; the shape of n-d samples, or None."""
        if self._reads_in_pieces and is_lazy(X):
            lazy = lazy_rows(X, type(self).__name__)
            return lazy.outline(), lazy, lazy.sample_shape if len(lazy.sample_shape) > 1 else None
        X = as_samples(X)
        if getattr(X, "ndim", 2) < 3:
            return X, None, None
        sample_shape = tuple(X.shape[1:])
        return np.asarray(X).reshape(X.shape[0], prod(sample_shape)), None, sample_shape

    def _new_shape(self, sample_shape):
        """``(height, width, channels)`` of samples for `fit`, and whether the shape was guessed."""
        series, flat = isinstance(self.image_shape, str), len(sample_shape) == 1
        known = self._known_shape(sample_shape[0]) if flat and (series or self.image_shape is None) else None
        if known is not None and describes(self.image_shape, known):
            return known, False
        doubtful = self.image_shape is None or (series and not flat) or (flat and may_lie_first(self.image_shape))
        return resolve_image_shape(self.image_shape, sample_shape), doubtful and self._needs_shape

    def _check_same_shape(self):
        """Raise where ``image_shape`` does not describe the samples of the last fit."""
        if not describes(self.image_shape, self.image_shape_):
            raise ValueError(
                f"{type(self).__name__} goes on with samples of shape {self.image_shape_}, but image_shape is now "
                f"{shown(self.image_shape)}; set it back, or call fit{' with warm_start=False' * self._warms_up}"
            )

    def _known_shape(self, n_features):
        """``(height, width, channels)`` that the names of features give, or None."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else shape_of_names(names)


def output_dtype(X):
    """Dtype of the output: float64 where X is of float64 or wider, else float32."""
    return np.dtype(np.float64 if X.dtype.kind == "f" and X.dtype.itemsize >= 8 else np.float32)
