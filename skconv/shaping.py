"""Transformers from flat samples to images and back."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ._estimators.image_transformer import ImageTransformer, wants_frame
from ._input.constraints import IMAGE_SHAPES
from ._input.names import channel_names, pixel_names
from ._input.private import check_feature_names_in
from ._saving.classes import stored_estimator

__all__ = ["Flatten", "ToImages"]


class _Reshaper(ImageTransformer):
    """Base class of transformers that reshape samples, without computation or conversion."""

    _range = np.longdouble
    _parameter_constraints: dict = {"image_shape": IMAGE_SHAPES}

    def __init__(self, image_shape=None):
        self.image_shape = image_shape

    def _transformed(self, X):
        return X.reshape(len(X), *self.output_shape_)

    def get_feature_names_out(self, input_features=None):
        """Names of the flat output's features: those of the input, or of channels, rows and columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input's features.

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features, generate_names=False)
        if names is None:
            names = pixel_names(self.image_shape_, channel_names(None, self.image_shape_))
        return np.asarray(names, dtype=object)

    def _inverse(self, X, shape):
        """Samples X of the output's shape, reshaped to ``shape``."""
        check_is_fitted(self)
        X = check_array(X, allow_nd=True)
        if X.shape[1:] not in ((self.n_features_in_,), self.output_shape_):
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}, but {type(self).__name__} was fitted on samples that it gives "
                f"the shape {self.output_shape_}"
            )
        return X.reshape(len(X), *shape)


@stored_estimator
class ToImages(_Reshaper):
    """Reshape flat samples ``(n, H * W * C)`` to images ``(n, H, W, C)``, so that later steps need no shape.

    Parameters
    ----------
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        Shape of a sample.  None takes a square number of features as a square image and keeps flat samples with any
        other number as series, ``(n, T)``, unless names of features give the shape; `fit` warns if the samples look
        like something else.  "series", ``(T,)`` and an integer give ``(n, 1, T, 1)``.

    Attributes
    ----------
    image_shape_ : (int, int, int)
        ``(rows, columns, channels)``.
    output_shape_ : tuple of int
        Shape of a sample of the output: `image_shape_`, or ``(T,)`` where flat samples are kept.
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn.

    See Also
    --------
    Flatten : Images to flat samples.

    Notes
    -----
    The output has the dtype of X and is a view of X where possible.  Images have an axis of channels: ``(n, H, W)``
    becomes ``(n, H, W, 1)``.  If `set_output`, or scikit-learn's ``transform_output``, asks for a data frame, flat
    samples stay flat, since data frames cannot hold images.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ToImages
    >>> X, _ = load_digits(return_X_y=True)
    >>> ToImages().fit_transform(X).shape
    (1797, 8, 8, 1)
    """

    def _fit_images(self, X, y):
        left = self.image_shape is None and len(self._sample_shape) == 1 and self.n_features_in_ > 1
        return self._sample_shape if left and self.image_shape_ == (1, self.n_features_in_, 1) else self.image_shape_

    def _formed(self, out, sample_shape, shape):
        return out.reshape(len(out), -1) if len(sample_shape) < 2 and wants_frame(self) else out

    def inverse_transform(self, X):
        """Reshape images to flat samples.

        Parameters
        ----------
        X : array-like of shape (n, H, W, C) or (n, H * W * C)

        Returns
        -------
        ndarray of shape (n, H * W * C)
        """
        return self._inverse(X, (self.n_features_in_,))


@stored_estimator
class Flatten(_Reshaper):
    """Reshape images ``(n, H, W, C)`` to flat samples ``(n, H * W * C)``, which most estimators take.

    Flat samples stay unchanged.  As a data frame, ``set_output(transform="pandas")``, the output has names of features
    from which later estimators of this package get the shape, if the steps between keep the names.

    Parameters
    ----------
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        Shape of a sample, for the names of the features; None as in `ToImages`.

    Attributes
    ----------
    image_shape_ : (int, int, int)
        ``(rows, columns, channels)``.
    output_shape_ : (int,)
        Shape of a sample of the output.
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn.

    See Also
    --------
    ToImages : Flat samples to images.

    Notes
    -----
    The output has the dtype of X and is a view of X where possible.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import Flatten
    >>> images = load_digits().images
    >>> flatten = Flatten().fit(images)
    >>> flatten.transform(images).shape
    (1797, 64)
    >>> flatten.get_feature_names_out()[:2]
    array(['row0_column0', 'row0_column1'], dtype=object)
    >>> flatten.inverse_transform(flatten.transform(images)).shape
    (1797, 8, 8)
    """

    _needs_shape = False

    def _fit_images(self, X, y):
        return (self.n_features_in_,)

    def inverse_transform(self, X):
        """Reshape flat samples to the shape of the samples of `fit`.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C)

        Returns
        -------
        ndarray of shape (n, H, W, C), (n, H, W), (n, T, C) or (n, H * W * C)
        """
        return self._inverse(X, self._sample_shape)
