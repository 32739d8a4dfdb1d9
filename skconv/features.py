"""Convolutional features without training a network."""

from __future__ import annotations

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from ._features.parameters import SERIES
from ._features.patches import LEARNED
from ._features.pretrained import layer_before_output, layer_name, network_of, thawed
from ._features.resized import ResizedFeatures
from ._input.constraints import check_parameters, check_value, shown
from ._input.parameters import parametrized
from ._network.preprocessing import PREPROCESSING, preprocess
from ._saving.classes import stored_estimator
from ._threads.calls import fitting
from .resizing import ImageResizer

__all__ = ["ConvFeatures"]

_PASSES = 10  # passes of k-means over its patches


def _size(image_shape, resize):
    """Size of images, ``(H, W)`` or ``(H, W, C)``, that the parameters say, or None."""
    if resize is not None:
        size = resize.size if isinstance(resize, ImageResizer) else resize
        return (size, size) if isinstance(size, Integral) else tuple(size)
    return image_shape if isinstance(image_shape, tuple) and len(image_shape) > 1 else None


def _learns(estimator):
    """Whether there is a `partial_fit`, for `available_if`; raises AttributeError where there is none."""
    if estimator._name not in LEARNED:
        names = " or ".join(map(repr, LEARNED))
        raise AttributeError(f"partial_fit needs filters that are learned, {names}, got {shown(estimator.filters)}")
    return True


@stored_estimator
@parametrized
class ConvFeatures(ResizedFeatures):
    """Features of images and series by a bank of filters: correlation, activation, pooling.

    The forward pass of a network's first layers with filters that are given, classical, random, learned from patches
    without labels, or taken from a fitted network.

    Parameters
    ----------
    {parameters}

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

    @classmethod
    def from_network(
        cls, model, layer=None, *, pool=None, pool_size="auto", global_pool=None, image_shape=None, preprocessing=None,
        resize=None, n_jobs=None,
    ):  # fmt: skip
        """Features of a fitted network: the outputs of one of its layers.

        Parameters
        ----------
        model : ConvNetClassifier, ConvNetRegressor or Network
            A fitted model, its ``network_``, or a pretrained network (`skconv.onnx.from_onnx`).
        layer : None, int or str, default=None
            Layer whose outputs are the features, by name, as in the model's ``weights_``, or by number; None is the
            last layer before the output layer.  For a task unlike the model's, the images of an earlier layer are often
            better: the last layers keep little but what separates the model's classes.
        pool, pool_size, global_pool, n_jobs
            As in `ConvFeatures`; vectors take no pooling.
        image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
            As in `ConvFeatures`; None is that of the model.  Layers before a flattening take images of another size,
            dense layers after a flattening do not.
        preprocessing : None, str or (mean, scale), default=None
            What is subtracted from samples and what they are divided by before the network, as in
            `skconv.onnx.from_onnx`.
        resize : None, int, (int, int) or ImageResizer, default=None
            As in `ConvFeatures`.

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
        check_value("preprocessing", preprocessing, PREPROCESSING)
        network = deepcopy(network_of(model, "model"))
        preprocess(network, preprocessing)
        name = layer_before_output(network) if layer is None else layer_name(network, layer)
        if image_shape is None and resize is None:
            image_shape = getattr(thawed(model), "image_shape", None)
        options = {"pool": pool, "pool_size": pool_size, "global_pool": global_pool, "resize": resize}
        return cls(network, layer=name, image_shape=image_shape, n_jobs=n_jobs, **options)

    @classmethod
    def from_onnx(
        cls, source, layer=None, *, pool=None, pool_size="auto", global_pool=None, image_shape=None, preprocessing=None,
        resize=None, output=None, folder=None, n_jobs=None,
    ):  # fmt: skip
        """Features of a pretrained network in an ONNX file: the outputs of one of its layers.

        This is `from_network` on the network that `skconv.onnx.from_onnx` reads.

        Parameters
        ----------
        source : str, path-like or bytes
            The file, or what is in it.
        layer : None, int or str, default=None
            As in `from_network`; the network is in the parameter `filters`, whose ``layers`` are listed there.
        pool, pool_size, global_pool, n_jobs
            As in `ConvFeatures`; vectors take no pooling.
        image_shape : None, (H, W) or (H, W, C), default=None
            As in `ConvFeatures`; also the size of images where the file leaves it open.  None is that of `resize`, or
            of the file.  Other sizes than the file's are for layers before a flattening, as in `from_network`.
        preprocessing : None, str or (mean, scale), default=None
            What the network does with samples first, such as "imagenet" with bytes; as in `skconv.onnx.from_onnx`.
        resize : None, int, (int, int) or ImageResizer, default=None
            As in `ConvFeatures`: X may be a list of paths of pictures, or of arrays that differ in size.
        output, folder
            As in `skconv.onnx.from_onnx`.

        Returns
        -------
        ConvFeatures

        Raises
        ------
        ImportError
            If onnx is missing.
        TypeError, ValueError
            As `skconv.onnx.from_onnx` and `from_network`.

        Examples
        --------
        >>> import numpy as np
        >>> from skconv import ConvFeatures, ConvNetClassifier
        >>> from skconv.onnx import to_onnx
        >>> rng = np.random.default_rng(0)
        >>> X, y = rng.integers(0, 256, (40, 12, 12, 3), dtype=np.uint8), np.repeat(["a", "b"], 20)
        >>> model = ConvNetClassifier(filters=4, global_pool="mean", max_iter=1, standardize=None, random_state=0)
        >>> file = to_onnx(model.fit(X / 255, y), X[:1]).SerializeToString()  # stands for the path of a file
        >>> features = ConvFeatures.from_onnx(file, preprocessing="unit", resize=(16, 16))
        >>> pictures = [X[0], np.zeros((30, 20, 3), np.uint8)]
        >>> features.fit_transform(pictures).shape
        (2, 64)
        """
        from ._pretrained.from_onnx import read_network

        check_value("resize", resize, cls._parameter_constraints["resize"])
        network = read_network(source, _size(image_shape, resize), output, folder)
        options = {"pool": pool, "pool_size": pool_size, "global_pool": global_pool, "n_jobs": n_jobs}
        options |= {"image_shape": image_shape, "preprocessing": preprocessing, "resize": resize}
        return cls.from_network(network, layer, **options)

    def _fit_images(self, X, y):
        self._check_values()
        self._rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self._learner, self._rocket, self._seen, self._from_file = None, None, (0, 0.0), False
        self.__dict__.pop("filters_", None)
        if self._name in SERIES:
            return self._fit_series(X)
        if self._takes_layers:
            return self._take_layers(X)
        if self._name in LEARNED:
            self._learner = self._new_learner()
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
        if self._from_file:
            raise ValueError(
                "partial_fit cannot go on from a model file, which has the filters but not what they were learned "
                "from; call fit, or keep the estimator in a pickle"
            )
        if getattr(self, "_learner", None) is None:
            return self.fit(X)
        check_parameters(self)
        X = self._images_of(X)
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
        if self._name in LEARNED and LEARNED[self._name].encodes and not own:
            raise ValueError(
                f"filters={shown(self._name)} has its own encoding: activation must be 'auto' or 'identity', bias "
                f"False and dilation not 'random'; got activation={shown(self.activation)}, bias={shown(self.bias)}, "
                f"dilation={shown(self.dilation)}"
            )
