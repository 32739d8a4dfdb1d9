"""Convolutional features without training a network."""

from __future__ import annotations

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from ._features.banks import GLOBAL_POOL
from ._features.filters import CLASSICAL, RANDOM
from ._features.networks import FeatureBuilder
from ._features.patches import PatchPCA
from ._features.pretrained import layer_before_output, layer_name, network_of, thawed
from ._input.constraints import (
    IMAGE_SHAPES,
    N_JOBS,
    at_least,
    between,
    border_widths,
    check_parameters,
    number_arrays,
    one_of,
    shown,
    sizes,
    with_methods,
)
from ._network.network import Network
from ._threads.calls import fitting
from .layers.activation import ACTIVATIONS
from .layers.padding_modes import PADDING_MODE

__all__ = ["ConvFeatures"]

_LEARNED = ("pca", "kmeans")
_SERIES = ("rocket", "minirocket")
_PASSES = 10  # passes of k-means over its patches


def _learns(estimator):
    """Whether there is a `partial_fit`, for `available_if`; raises AttributeError where there is none."""
    if estimator._name not in _LEARNED:
        raise AttributeError(
            f"partial_fit needs filters that are learned, 'pca' or 'kmeans', got {shown(estimator.filters)}"
        )
    return True


class ConvFeatures(FeatureBuilder):
    """Features of images and series by a bank of filters: correlation, activation, pooling.

    The forward pass of a network's first layers with filters that are given, classical, random, learned from patches
    without labels, or taken from a fitted network.

    Parameters
    ----------
    filters : str, array-like, or fitted network, default="random"
        The filters.

        - "random", "orthonormal": normal numbers; random rotations.
        - "pca", "kmeans": principal components of patches; centres of whitened patches, with features from the
          distances to the centres (Coates and Ng, 2012).
        - "identity", "mean", "gaussian", "sobel", "prewitt", "scharr", "laplacian", "gabor", "dct": classical filters,
          applied to each channel by itself.
        - "rocket", "minirocket": kernels for series, each with a dilation, a bias and summaries of its own (Dempster et
          al., arXiv 1910.13051 and 2012.08791); of the other parameters only `n_filters` and, for "rocket",
          `global_pool` have an effect.
        - an array ``(filters, rows, columns, channels)``, or ``(filters, rows, columns)`` for one channel; for series
          ``(filters, taps, channels)`` or ``(filters, taps)``.
        - a fitted `ConvNetClassifier` or `ConvNetRegressor` (within `sklearn.frozen.FrozenEstimator` where it will be
          cloned, as in a grid search) or its ``network_``: its layers up to `layer`.  See `from_network`.
    n_filters : int, default=64
        Number of filters, for names without a fixed number; "pca" and "dct" have at most as many as numbers in a patch,
        "minirocket" rounds down to a multiple of 84, at least 84.
    kernel_size : int or (int, int), default=5
        Size of the filters, down and across; on a series one number is the size along time.
    stride : int or (int, int), default=1
        Step from one window to the next.
    dilation : int, (int, int) or "random", default=1
        Step from one tap to the next.  "random", for series with a `global_pool`, draws a dilation for each filter, up
        to the longest that fits, as in ROCKET.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border, as in `skconv.layers.Convolution`.
    padding_mode : str or PaddingMode, default="constant"
        Values of the border, as in `skconv.layers.Pad`.
    flip_kernel : bool, default=False
        False is cross-correlation, as in neural networks, True is mathematical convolution.
    bias : bool, "position", "random" or array-like, default=False
        Bias: none; minus the response to the mean training image, averaged over positions (True) or at each position;
        minus a random quantile of each filter's responses to a training sample; or given numbers ``(filters,)`` or
        ``(rows, columns, filters)``.
    activation : str, default="auto"
        Activation, as in `skconv.layers.Activation`.  "auto" is "relu" for "random", "orthonormal" and "pca", the
        triangle ``max(0, mean distance - distance)`` for "kmeans" and "identity" for the others; "kmeans" takes "auto"
        or "identity".
    pool : {"auto", "max", "mean", "stride", None}, default="auto"
        Pooling.  "auto" is "mean" for "kmeans", "max" for "random", "orthonormal" and "pca", None for the others.
    pool_size : int, (int, int) or "auto", default="auto"
        Window and step of the pooling; one number leaves axes of length 1 alone.  "auto" leaves 4 x 4 windows.
    global_pool : {"ppv", "max", "mean", "last", None} or tuple of str, default=None
        Numbers of each filter over the whole image in place of pooling: the proportion of positive values, the maximum,
        the mean, the value at the last position, or several of them.
    layer : None, int or str, default=None
        With a fitted network, the last layer to take, by number or by name such as "activation1" or "dense1"; None is
        the last layer with images as output.
    n_patches : int, default=50_000
        Number of patches that "pca" and "kmeans" learn from.
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        Shape of the image in a row of a two-dimensional X, as in `ConvNetClassifier`.
    random_state : int, RandomState instance or None, default=None
        Seed of random filters, patches, dilations and biases.
    n_jobs : int or None, default=None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.

    Attributes
    ----------
    filters_ : ndarray of shape (filters, rows, columns, channels)
        The filters as they are correlated (flipped with `flip_kernel`); not with a fitted network,
        "rocket" or "minirocket".
    filter_names_ : list of str
        Name of each channel of the output.
    image_shape_, output_shape_ : tuple of int
        Shape of a sample and of its features: ``(rows, columns, filters)``, or ``(features,)`` with summaries and
        with vectors of a network.
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn.

    See Also
    --------
    skconv.ConvNetClassifier : Filters trained for a task.

    Notes
    -----
    Computed in float64 where X is float64, else in float32.  Working memory is bounded by scikit-learn's
    ``working_memory`` setting, for any number of samples.  A sample's features do not depend on other samples.  Large
    images are computed by strips of rows, except series, which have one row, and images with a border other than zeros.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from skconv import ConvFeatures
    >>> X, y = load_digits(return_X_y=True)
    >>> ConvFeatures("sobel").fit_transform(X.reshape(-1, 8, 8)).shape
    (1797, 8, 8, 2)
    >>> model = make_pipeline(ConvFeatures("orthonormal", random_state=0), RidgeClassifier())
    >>> bool(cross_val_score(model, X / 16, y).mean() > 0.96)
    True
    """

    _keeps_channels = False
    _parameter_constraints: dict = {
        "filters": [
            one_of(*RANDOM, *_LEARNED, *CLASSICAL, *_SERIES),
            number_arrays(),
            Network,
            with_methods("fit"),
        ],
        "n_filters": [at_least(1)],
        "kernel_size": [sizes()],
        "stride": [sizes()],
        "dilation": [sizes(), one_of("random")],
        "padding": [one_of("same", "valid"), border_widths()],
        "padding_mode": PADDING_MODE,
        "flip_kernel": ["boolean"],
        "bias": ["boolean", one_of("position", "random"), number_arrays()],
        "activation": [one_of("auto", *ACTIVATIONS.names)],
        "pool": [one_of("auto", "max", "mean", "stride"), None],
        "pool_size": [one_of("auto"), sizes()],
        "global_pool": GLOBAL_POOL,
        "layer": [between(None, None, "neither", Integral), str, None],
        "n_patches": [at_least(1)],
        "image_shape": IMAGE_SHAPES,
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        filters="random",
        n_filters=64,
        kernel_size=5,
        *,
        stride=1,
        dilation=1,
        padding="same",
        padding_mode="constant",
        flip_kernel=False,
        bias=False,
        activation="auto",
        pool="auto",
        pool_size="auto",
        global_pool=None,
        layer=None,
        n_patches=50_000,
        image_shape=None,
        random_state=None,
        n_jobs=None,
    ):
        self.filters = filters
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.padding_mode = padding_mode
        self.flip_kernel = flip_kernel
        self.bias = bias
        self.activation = activation
        self.pool = pool
        self.pool_size = pool_size
        self.global_pool = global_pool
        self.layer = layer
        self.n_patches = n_patches
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    @classmethod
    def from_network(
        cls, model, layer=None, *, pool=None, pool_size="auto", global_pool=None, image_shape=None, n_jobs=None
    ):
        """Features of a fitted network: the outputs of one of its layers.

        Parameters
        ----------
        model : ConvNetClassifier, ConvNetRegressor or Network
            A fitted model, or its ``network_``.
        layer : None, int or str, default=None
            Layer whose outputs are the features, by name, as in the model's ``weights_``, or by number; None is the
            last layer before the output layer.  For a task unlike the model's, the images of an earlier layer are often
            better: the last layers keep little but what separates the model's classes.
        pool, pool_size, global_pool, n_jobs
            As in `ConvFeatures`; vectors take no pooling.
        image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
            As in `ConvFeatures`; None is that of the model.  Layers before a flattening take images of another size,
            dense layers after a flattening do not.

        Returns
        -------
        ConvFeatures
            An estimator whose `fit` learns no more than the shape of X.  It has a copy of the model's current weights,
            which clones have too.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If it is no such model or has no such layer.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> from skconv import ConvFeatures, ConvNetClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> known = y < 5
        >>> model = ConvNetClassifier(random_state=0).fit(X[known] / 16, y[known])
        >>> features = ConvFeatures.from_network(model, "activation2")
        >>> new, labels = X[~known] / 16, y[~known]
        >>> for classifier in LogisticRegression(), make_pipeline(features, LogisticRegression()):
        ...     print(bool(classifier.fit(new[:50], labels[:50]).score(new[50:], labels[50:]) > 0.89))
        False
        True
        """
        network = deepcopy(network_of(model, "model"))
        name = layer_before_output(network) if layer is None else layer_name(network, layer)
        if image_shape is None:
            image_shape = getattr(thawed(model), "image_shape", None)
        options = {"pool": pool, "pool_size": pool_size, "global_pool": global_pool}
        return cls(network, layer=name, image_shape=image_shape, n_jobs=n_jobs, **options)

    def _fit_images(self, X, y):
        self._check_values()
        self._rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self._learner, self._rocket, self._seen = None, None, (0, 0.0)
        self.__dict__.pop("filters_", None)
        if self._name in _SERIES:
            return self._fit_series(X)
        if self._takes_layers:
            return self._take_layers()
        if self._name in _LEARNED:
            self._learner = PatchPCA() if self._name == "pca" else self._new_kmeans()
            self._learn(X, _PASSES)
        return self._build(X)

    @available_if(_learns)
    @fitting
    def partial_fit(self, X, y=None):
        """Learn from more samples; for the filters "pca" and "kmeans".

        Parameters
        ----------
        X : array-like, as for `fit`
        y : None
            Ignored.

        Returns
        -------
        self : ConvFeatures

        Raises
        ------
        ValueError
            As `fit`; the estimator is unchanged then.
        """
        if getattr(self, "_learner", None) is None:
            return self.fit(X)
        check_parameters(self)
        self._check_same_shape()
        X, _, _ = self._check_X(X, reset=False)
        X = X.reshape(len(X), *self.image_shape_)
        self._learner, self._rng = deepcopy((self._learner, self._rng))
        self._learn(X, 1)
        self._build(X)
        return self

    def _check_values(self):
        if self.dilation == "random" and (self.global_pool is None or self.image_shape_[0] > 1):
            height, width, _ = self.image_shape_
            raise ValueError(
                "dilation='random' needs series (height 1) and a global_pool, got images of "
                f"{height}x{width} and global_pool={shown(self.global_pool)}"
            )
        own = self.activation in ("auto", "identity") and not self._bias_kind and self.dilation != "random"
        if self._name == "kmeans" and not own:
            raise ValueError(
                "filters='kmeans' has its own encoding: activation must be 'auto' or 'identity', bias False, and "
                f"dilation no 'random'; got activation={shown(self.activation)}, bias={shown(self.bias)}, "
                f"dilation={shown(self.dilation)}"
            )
