"""Convolutional features without training a network."""

from __future__ import annotations

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if

from ._banks import array_bank, fitted_prefix, named_bank, pooling, random_dilations, source_network, summaries
from ._convnet import BaseConvNet
from ._filters import CLASSICAL, RANDOM
from ._geometry import make_window
from ._images import output_dtype, pixel_names
from ._kernels.rocket import MiniRocket, draw_rocket_kernels
from ._network import Network
from ._parallel import Team, thread_count
from ._patches import PatchKMeans, PatchPCA, sample_patches
from ._transform import NetworkTransformer
from ._validation import (
    at_least,
    check_memory,
    check_parameters,
    check_window_fits,
    one_of,
    per_layer,
    physical_memory,
    with_methods,
)
from .layers import Activation, Convolution
from .layers.activation import FUNCTIONS
from .layers.encoding import SUMMARIES, Summary

__all__ = ["ConvFeatures"]

_LEARNED = ("pca", "kmeans")
_SERIES = ("rocket", "minirocket")
_POOLED_BY_DEFAULT = {"kmeans": "mean", "pca": "max", **dict.fromkeys(RANDOM, "max")}
_PASSES = 10  # of k-means over its patches
_SAMPLES = 20  # images whose responses give random biases


def _learns(estimator):
    """Whether there is something to learn from more samples."""
    if estimator._name not in _LEARNED:
        raise AttributeError(
            f"partial_fit needs filters that are learned, 'pca' or 'kmeans', got {estimator.filters!r}"
        )
    return True


class ConvFeatures(NetworkTransformer):
    """Features of images and series by a bank of filters: correlation, activation, pooling.

    The forward pass of a network's first layers with filters that are given, classical, random, learned from patches
    without labels, or taken from a fitted network.

    Parameters
    ----------
    filters : str, array-like, or fitted network, default="random"
        Where the filters come from.

        - "random", "orthonormal": normal numbers; random rotations.
        - "pca", "kmeans": principal components of patches; centres of whitened patches with the distances to them
          (Coates and Ng, 2012).
        - "identity", "mean", "gaussian", "sobel", "prewitt", "scharr", "laplacian", "gabor", "dct": classical ones,
          applied to each channel by itself.
        - "rocket", "minirocket": kernels for series, each with a dilation, a bias and summaries of its own (Dempster et
          al., arXiv 1910.13051 and 2012.08791); only `n_filters`, and for "rocket" `summary`, say more about them.
        - an array ``(filters, rows, columns, channels)``, or ``(filters, rows, columns)`` for one channel; for series
          ``(filters, taps, channels)`` or ``(filters, taps)``.
        - a fitted `ConvNetClassifier` (within `sklearn.frozen.FrozenEstimator` where it will be cloned, as in a grid
          search) or its ``network_``: its layers up to `layer`.
    n_filters : int, default=64
        Number of filters, where the name leaves it open; "pca" and "dct" give at most as many as a patch has numbers,
        "minirocket" the multiple of 84 up to it, at least 84.
    kernel_size : int or (int, int), default=5
        Taps down and across; on a series one number is the window along time.
    stride : int or (int, int), default=1
        Pixels between windows.
    dilation : int, (int, int) or "random", default=1
        Pixels between taps.  "random", for series with a `summary`, draws one for each filter, up to the longest that
        fits, as ROCKET does.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int)), default="same"
        Border, as in `skconv.layers.Convolution`.
    padding_mode : {"constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor", "pattern"}, default="constant"
        What the border is filled with, as in `skconv.layers.Pad`.
    padding_values : float or array-like, default=0
        Of the border, for "constant" and "pattern".
    flip_kernel : bool, default=False
        False gives the cross-correlation, as in neural networks, True the convolution of mathematics.
    bias : None, "shared", "position", "random" or array-like, default=None
        What is added: nothing; minus the response to the mean training image, averaged over positions ("shared") or at
        each position; minus a random quantile of each filter's responses to a training sample; or given numbers
        ``(filters,)`` or ``(rows, columns, filters)``.
    activation : str or None, default="auto"
        As in `skconv.layers.Activation`.  "auto" is "relu" for "random", "orthonormal" and "pca", the triangle
        ``max(0, mean distance - distance)`` for "kmeans" and None for the others; "kmeans" takes "auto" or None.
    pool : {"auto", "max", "mean", "stride", None}, default="auto"
        Pooling.  "auto" is "mean" for "kmeans", "max" for "random", "orthonormal" and "pca", None for the others.
    pool_size : int, (int, int) or "auto", default="auto"
        Window and step of the pooling; one number leaves axes of length 1 alone.  "auto" leaves 4 x 4 windows.
    summary : None, str or tuple of str, default=None
        Numbers over the whole image in place of a pooling: "ppv" (proportion of positive values), "max", "mean",
        "last" (value at the last position).
    layer : None, int or str, default=None
        With a fitted network, the last layer to take, by number or by name such as "activation1"; None is the last
        that gives an image.
    n_patches : int, default=50_000
        Patches that "pca" and "kmeans" learn from.
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        How a row of a two-dimensional X is an image, as in `ConvNetClassifier`.
    random_state : int, RandomState instance or None, default=None
        Of random filters, patches, dilations and biases.
    n_jobs : int or None, default=None
        Threads; None uses as many as BLAS would.  No bit of the result depends on it.

    Attributes
    ----------
    filters_ : ndarray of shape (filters, rows, columns, channels)
        The filters as they are correlated (flipped where `flip_kernel`); not with a fitted network,
        "rocket" or "minirocket".
    filter_names_ : list of str
        A name for each channel of the output.
    image_shape_, output_shape_ : tuple of int
        Shape of a sample and of its features: ``(rows, columns, filters)``, or ``(features,)`` with summaries.
    n_features_in_, feature_names_in_
        As in every estimator.

    See Also
    --------
    skconv.ConvNetClassifier : Filters trained for a task.

    Notes
    -----
    Computed in float64 where X is float64, else in float32.  Working memory is bounded by scikit-learn's
    ``working_memory`` setting, whatever the number of samples.  A sample's features do not depend on its neighbours.

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
            "array-like",
            Network,
            with_methods("fit"),
        ],
        "n_filters": [at_least(1)],
        "kernel_size": [at_least(1), tuple, list],
        "stride": [at_least(1), tuple, list],
        "dilation": [at_least(1), tuple, list, one_of("random")],
        "padding": [one_of("same", "valid"), at_least(0), tuple, list],
        "padding_mode": [str],
        "padding_values": ["array-like", float, int],
        "flip_kernel": ["boolean"],
        "bias": [one_of("shared", "position", "random"), "array-like", None],
        "activation": [one_of("auto", *FUNCTIONS), None],
        "pool": [one_of("auto", "max", "mean", "stride"), None],
        "pool_size": [one_of("auto"), at_least(1), tuple, list],
        "summary": [one_of(*SUMMARIES), tuple, list, None],
        "layer": [Integral, str, None],
        "n_patches": [at_least(1)],
        "image_shape": [one_of("series"), at_least(1), tuple, list, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
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
        padding_values=0,
        flip_kernel=False,
        bias=None,
        activation="auto",
        pool="auto",
        pool_size="auto",
        summary=None,
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
        self.padding_values = padding_values
        self.flip_kernel = flip_kernel
        self.bias = bias
        self.activation = activation
        self.pool = pool
        self.pool_size = pool_size
        self.summary = summary
        self.layer = layer
        self.n_patches = n_patches
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    # Fit

    def _fit_images(self, X, y):
        self._check_values()
        self._rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self._learner, self._rocket, self._seen = None, None, (0, 0.0)
        self.__dict__.pop("filters_", None)
        if self._name in _SERIES:
            return self._fit_series(X)
        network = None if isinstance(self.filters, str) else source_network(self.filters, BaseConvNet)
        if network is not None:
            return self._take_layers(network)
        if self._name in _LEARNED:
            self._learner = PatchPCA() if self._name == "pca" else self._new_kmeans()
            self._learn(X, _PASSES)
        return self._build(X)

    @available_if(_learns)
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
            As `fit`.  The estimator is then as it was.
        """
        if getattr(self, "_learner", None) is None:
            return self.fit(X)
        with self._unchanged_on_error():
            check_parameters(self)
            X, _, _ = self._check_X(X, reset=False)
            X = X.reshape(len(X), *self.image_shape_)
            self._learner, self._rng = deepcopy((self._learner, self._rng))
            self._learn(X, 1)
            self._build(X)
        return self

    @property
    def _name(self):
        """The name of the filters, "" where they are given."""
        return self.filters if isinstance(self.filters, str) else ""

    def _check_values(self):
        sizes = {name: getattr(self, name) for name in ("kernel_size", "stride", "padding", "dilation", "pool_size")}
        for name, value in sizes.items():
            if value not in ("auto", "random"):
                per_layer(name, (value,), 1)
        if self.dilation == "random" and (self.summary is None or self.image_shape_[0] > 1):
            height, width, _ = self.image_shape_
            raise ValueError(
                "dilation='random' needs series (height 1) and a summary, got images of "
                f"{height}x{width} and summary={self.summary!r}"
            )
        own = self.activation in ("auto", None) and self.bias is None and self.dilation != "random"
        if self._name == "kmeans" and not own:
            raise ValueError(
                "filters='kmeans' has its own encoding: activation must be 'auto' or None, bias None, and dilation no "
                f"'random'; got activation={self.activation!r}, bias={self.bias!r}, dilation={self.dilation!r}"
            )

    @staticmethod
    def _check_bytes(what, needed):
        check_memory(what, needed, physical_memory(), "this machine's memory")

    def _window(self, padding):
        """Windows of the filters over an image."""
        height, width, _ = self.image_shape_
        dilation = 1 if self.dilation == "random" else self.dilation
        return make_window(height, width, self.kernel_size, dilation=dilation, padding=padding)

    def _new_kmeans(self):
        if self.n_filters > self.n_patches:
            raise ValueError(f"n_filters={self.n_filters} is more than n_patches={self.n_patches}; use at most as many")
        window = self._window("valid")
        taps = window.rows.kernel * window.columns.kernel * self.image_shape_[2]
        if taps < 2:
            raise ValueError(
                f"kernel_size={self.kernel_size!r}: 'kmeans' needs patches of 2 numbers or more, got {taps}"
            )
        return PatchKMeans(self.n_filters, int(self._rng.integers(2**31)))

    def _learn(self, X, passes):
        """Show patches of the images to the learner."""
        window = self._window("valid")
        check_window_fits("kernel_size", self.kernel_size, window)
        taps = window.rows.kernel * window.columns.kernel * self.image_shape_[2]
        self._check_bytes(f"{self.n_patches} patches of {taps} numbers", 8 * self.n_patches * taps)
        self._learner.partial_fit(sample_patches(X, window, self.n_patches, self._rng), passes)

    def _take_layers(self, network):
        """The first layers of a fitted network."""
        layers, name = fitted_prefix(network, self.layer)
        if network.input_shape != self.image_shape_:
            raise ValueError(f"filters: the fitted network takes images {network.input_shape}, got {self.image_shape_}")
        shape = network.shapes[len(layers)]
        if len(shape) == 1:
            raise ValueError(f"layer={self.layer!r} gives a vector of {shape[0]} numbers; take one that gives an image")
        own = self._new_network([*layers, *self._tail(shape, None)])
        own.fill({**network.named_parameters(), **network.named_state()})
        return self._finish([own], [[f"{name}_{i}" for i in range(shape[-1])]])

    def _build(self, X):
        """Networks of the filters, one for each dilation."""
        if isinstance(self.bias, str) and self.bias != "random":
            self._seen = self._seen[0] + len(X), self._seen[1] + X.sum(axis=0, dtype=np.float64)
        encoder, arrays = [], {}
        if self._name == "kmeans":
            window = self._window("valid")
            weight = self._learner.basis.reshape(-1, window.rows.kernel, window.columns.kernel, self.image_shape_[2])
            encoder, arrays = self._learner.encoder(self.activation == "auto")
            names = [f"kmeans{i}" for i in range(self.n_filters)]
        else:
            weight, names = self._new_bank()
        self.filters_ = weight = np.ascontiguousarray(weight[:, ::-1, ::-1] if self.flip_kernel else weight)
        dilations = np.zeros(len(weight), int)
        if self.dilation == "random":
            dilations = random_dilations(len(weight), weight.shape[2], self.image_shape_[1], self._rng)
        groups = [np.flatnonzero(dilations == dilation) for dilation in np.unique(dilations)]
        networks = [
            self._branch(weight[members], members, int(dilations[members[0]]) or self.dilation, X, encoder, arrays)
            for members in groups
        ]
        return self._finish(networks, [names] if encoder else [[names[i] for i in members] for members in groups])

    def _new_bank(self):
        """Filters that are not k-means's, and their names."""
        if not self._name:
            weight = array_bank(self.filters, self.image_shape_)
            return weight, [f"filter{i}" for i in range(len(weight))]
        if self._name == "pca":
            window = self._window("valid")
            weight = self._learner.filters(
                self.n_filters, (window.rows.kernel, window.columns.kernel, self.image_shape_[2])
            )
            return weight, [f"pca{i}" for i in range(len(weight))]
        return named_bank(self._name, self.n_filters, self.kernel_size, self.image_shape_, self._rng)

    def _convolution(self, weight, dilation, bias=None):
        return Convolution(
            len(weight),
            weight.shape[1:3],
            stride=self.stride,
            dilation=dilation if self.dilation != "random" else (1, dilation),
            padding=self.padding,
            padding_mode=self.padding_mode,
            padding_values=self.padding_values,
            bias=bias,
        )

    def _branch(self, weight, members, dilation, X, encoder, arrays):
        """A network from images to the features of some of the filters."""
        kind, bias = self._bias(weight, members, dilation, X)
        layers = [self._convolution(weight, dilation, kind), *encoder]
        shape = self.image_shape_
        for layer in layers:
            shape = layer.output_shape(shape)
        network = self._new_network([*layers, *self._tail(shape, self._activation)])
        network.fill({"convolution1.weight": weight, "convolution1.bias": bias, **arrays})
        return network

    def _fit_series(self, X):
        """Kernels of ROCKET as networks, one for each dilation; those of MiniRocket have a way of their own."""
        height, length, channels = self.image_shape_
        if height > 1:
            raise ValueError(f"filters={self.filters!r} is for series (height 1), got images of {height}x{length}")
        taps = 11 * channels if self._name == "rocket" else 1
        self._check_bytes(f"{self.n_filters} kernels", 8 * self.n_filters * taps)
        if self._name == "rocket":
            groups = draw_rocket_kernels(self._rng, length, channels, self.n_filters)
            networks, names = [], []
            for dilation, weight, bias in groups:
                layers = [Convolution(len(weight), weight.shape[1:3], dilation=(1, dilation)), Summary(self._kinds)]
                networks.append(self._new_network(layers))
                networks[-1].fill({"convolution1.weight": weight, "convolution1.bias": bias})
                names.append([f"rocket{sum(map(len, names)) + i}" for i in range(len(weight))])
            return self._finish(networks, names)
        if self.summary not in (None, "ppv"):
            raise ValueError(f"summary must be None or 'ppv' for filters='minirocket', got {self.summary!r}")
        self._rocket = MiniRocket(length, channels, self.n_filters, self._rng)
        self._rocket.fit_biases(X[:, 0].astype(output_dtype(X), copy=False), self._rng)
        self.networks_, self.filter_names_ = [], self._rocket.names()
        self._summary_names = [f"{name}_ppv" for name in self.filter_names_]
        return (len(self._summary_names),)

    def _transform(self, X, out):
        if self._rocket is None:
            super()._transform(X, out)
        else:
            with Team(thread_count(self.n_jobs)) as team:
                self._rocket.transform(X[:, 0], out, team)

    @property
    def _kinds(self):
        """The summaries, or None; ROCKET's where none are given."""
        if self.summary is None:
            return ("ppv", "max") if self._name == "rocket" else None
        return summaries(self.summary)

    @property
    def _activation(self):
        """The function behind the filters, or None."""
        automatic = "relu" if self._name in (*RANDOM, "pca") else None
        return automatic if self.activation == "auto" else self.activation

    def _tail(self, shape, activation):
        """Activation, then pooling or summary, for an image of this shape."""
        layers = [] if activation is None else [Activation(activation)]
        if self._kinds is not None:
            return [*layers, Summary(self._kinds)]
        pool = _POOLED_BY_DEFAULT.get(self._name) if self.pool == "auto" else self.pool
        return [*layers, *pooling(pool, self.pool_size, shape)]

    def _responses(self, weight, dilation, images):
        """Outputs of the filters alone, ``(n, rows, columns, filters)``."""
        network = self._new_network([self._convolution(weight, dilation)])
        network.fill({"convolution1.weight": weight})
        out = np.empty((len(images), *network.shapes[1]))
        self._run([network], images, out)
        return out

    def _bias(self, weight, members, dilation, X):
        """Kind of the bias and its numbers."""
        if self.bias is None:
            return None, 0.0
        if not isinstance(self.bias, str):
            return self._given_bias(members, dilation)
        if self.bias == "random":
            images = X[self._rng.permutation(len(X))[:_SAMPLES]].astype(np.float64)
            responses = self._responses(weight, dilation, images)
            image, share = self._rng.integers(0, len(images), len(weight)), self._rng.uniform(0, 1, len(weight))
            pairs = enumerate(zip(image, share, strict=True))
            return "shared", [-np.quantile(responses[i, :, :, f], u) for f, (i, u) in pairs]
        n, total = self._seen
        response = self._responses(weight, dilation, (total / n)[None])[0]
        return self.bias, -response if self.bias == "position" else -response.mean(axis=(0, 1))

    def _given_bias(self, members, dilation):
        bias = check_array(self.bias, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="bias")
        positions = self._convolution(self.filters_, dilation).output_shape(self.image_shape_)
        if bias.shape == positions[2:]:
            return "shared", bias[members]
        if bias.shape == positions:
            return "position", bias[..., members]
        raise ValueError(f"bias must have the shape {positions[2:]} or {positions}, got {bias.shape}")

    def _finish(self, networks, names):
        """Keep what was built, with the names of each network's filters; the shape of its output."""
        self.networks_ = networks
        self.filter_names_ = [name for each in names for name in each]
        if self._kinds is None:
            return networks[0].shapes[-2]
        self._summary_names = [f"{name}_{kind}" for each in names for kind in self._kinds for name in each]
        return (len(self._summary_names),)

    def _names(self, channels):
        if len(self.output_shape_) == 1:
            return self._summary_names
        return pixel_names(self.output_shape_, self.filter_names_, self.image_shape_[0] == 1)
