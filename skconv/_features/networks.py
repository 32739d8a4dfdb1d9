"""The networks of `ConvFeatures`: filters, biases and layers from its parameters."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.base import clone
from sklearn.utils import assert_all_finite

from .._input.checks import check_window_fits
from .._input.constraints import shown
from .._input.images import output_dtype
from .._input.memory import check_available, counted
from .._input.names import pixel_names
from .._kernels.geometry import make_window
from .._network.network import Network
from .._network.preprocessing import warn_of_range
from .._threads.team import Team, thread_count
from ..layers import Activation, Convolution, Flatten
from .banks import (
    AUTO_ACTIVATION,
    AUTO_POOL,
    array_bank,
    check_kernels,
    check_patches,
    named_bank,
    pooling,
    random_dilations,
)
from .encoding import Summary
from .minirocket import MiniRocket
from .parameters import Parameters
from .patches import LEARNED, sample_patches
from .pretrained import first_layers, network_of
from .rocket import draw_rocket_kernels
from .stored import FeatureState

__all__ = ["FeatureBuilder"]

_SAMPLES = 20  # images whose responses give random biases


class FeatureBuilder(Parameters, FeatureState):
    """Base class of `ConvFeatures`, which makes its networks; `fit` is in the subclass."""

    @property
    def _name(self):
        """Name of the filters, "" for an array or a network."""
        return self.filters if isinstance(self.filters, str) else ""

    @property
    def _takes_layers(self):
        """Whether ``filters`` is a network or an estimator, whose first layers are used."""
        return isinstance(self.filters, Network) or hasattr(self.filters, "fit")

    @property
    def _by_image(self):
        return self._takes_layers

    def _known_shape(self, n_features):
        """``(height, width, channels)`` of the images of the network in ``filters``, or as the base class."""
        if self._takes_layers:
            shape = network_of(self.filters, "filters").input_shape
            if prod(shape) == n_features:
                return shape
        return super()._known_shape(n_features)

    def _window(self, padding):
        """`Window` of the filters over the images."""
        height, width, _ = self.image_shape_
        dilation = 1 if self.dilation == "random" else self.dilation
        return make_window(height, width, self.kernel_size, dilation=dilation, padding=padding)

    def _patch_shape(self):
        """``(rows, columns, channels)`` of patches."""
        window = self._window("valid")
        return window.rows.kernel, window.columns.kernel, self.image_shape_[2]

    def _new_learner(self):
        kind, taps = LEARNED[self._name], prod(self._patch_shape())
        kind.check(self.n_filters, self.n_patches, self.kernel_size, taps)
        return kind(self.n_filters, self._rng)

    def _learn(self, X, passes):
        """Fit the learner to random patches of images X (n, H, W, C)."""
        window = self._window("valid")
        check_window_fits("kernel_size", self.kernel_size, window)
        taps = prod(self._patch_shape())
        check_patches(self._name, int(self.n_patches), int(self.n_filters), self.kernel_size, taps)
        self._learner.partial_fit(sample_patches(X, window, self.n_patches, self._rng), passes)

    def _take_layers(self, X):
        """Make the network of the first layers of a fitted network; return the shape of its output."""
        network = network_of(self.filters, "filters")
        warn_of_range(network, X)
        layers, name, shape = first_layers(network, self.layer, self.image_shape_)
        names = [f"{name}_{i}" for i in range(shape[-1])]
        image = len(shape) == 3
        if not image and (self.global_pool is not None or self.pool not in ("auto", None)):
            raise ValueError(
                f"layer={shown(name)} gives a vector of {counted(shape[0], 'number')}, nothing to pool: pool and "
                f"global_pool must be None, got pool={shown(self.pool)}, global_pool={shown(self.global_pool)}"
            )
        tail = [*self._tail(shape, "identity"), Flatten()] if image else []
        own = Network([*layers, *tail], self.image_shape_, network.dtype)
        own.scale_by(network.moments)
        own.fill(network.named_arrays())
        if image:
            return self._finish([own], [names])
        self.networks_, self.filter_names_, self._summary_names = [own], names, names
        return shape

    def _build(self, X):
        """Make networks of the filters, one for each dilation; return the shape of the output."""
        if self._bias_kind in (True, "position"):
            self._seen = self._seen[0] + len(X), self._seen[1] + X.sum(axis=0, dtype=np.float64)
        weight, names = self._new_bank()
        encoder, arrays = [], {}
        if self._learner is not None:
            encoder, arrays = self._learner.encoder(self.activation == "auto")
        self.filters_ = weight = (weight[:, ::-1, ::-1] if self.flip_kernel else weight).copy()
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
        """Weight ``(filters, rows, columns, channels)``, and names of the features."""
        if not self._name:
            weight = array_bank(self.filters, self.image_shape_)
            return weight, [f"filter{i}" for i in range(len(weight))]
        if self._learner is not None:
            shape = self._patch_shape()
            n = self._learner.n_features(self.n_filters, prod(shape))
            return self._learner.filters(self.n_filters, shape), [f"{self._name}{i}" for i in range(n)]
        return named_bank(self._name, int(self.n_filters), self.kernel_size, self.image_shape_, self._rng)

    def _convolution(self, weight, dilation, bias=False):
        return Convolution(
            len(weight),
            weight.shape[1:3],
            stride=self.stride,
            dilation=dilation if self.dilation != "random" else (1, dilation),
            padding=self.padding,
            padding_mode=clone(self.padding_mode, safe=False),
            bias=bias,
        )

    def _branch(self, weight, members, dilation, X, encoder, arrays):
        """Network from images to the features of the filters with indices ``members``."""
        kind, bias = self._bias(weight, members, dilation, X)
        layers = [self._convolution(weight, dilation, kind), *encoder]
        shape = self.image_shape_
        for layer in layers:
            shape = layer.output_shape(shape)
        network = self._new_network([*layers, *self._tail(shape, self._activation)])
        network.fill({"convolution1.weight": weight, "convolution1.bias": bias, **arrays})
        return network

    def _fit_series(self, X):
        """Make ROCKET's networks, one for each dilation, or a `MiniRocket`; return the shape of the output."""
        height, length, channels = self.image_shape_
        if height > 1:
            raise ValueError(f"filters={shown(self.filters)} is for series (height 1), got images of {height}x{length}")
        check_kernels(self._name, int(self.n_filters), channels, len(self._kinds or ("ppv",)))
        if self._name == "rocket":
            groups = draw_rocket_kernels(self._rng, length, channels, self.n_filters)
            networks, names = [], []
            for dilation, weight, bias in groups:
                layers = [Convolution(len(weight), weight.shape[1:3], dilation=(1, dilation)), Summary(self._kinds)]
                networks.append(self._new_network(layers))
                networks[-1].fill({"convolution1.weight": weight, "convolution1.bias": bias})
                names.append([f"rocket{sum(map(len, names)) + i}" for i in range(len(weight))])
            return self._finish(networks, names)
        if self.global_pool not in (None, "ppv"):
            raise ValueError(
                f"global_pool must be None or 'ppv' for filters='minirocket', got {shown(self.global_pool)}"
            )
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
        """Names of the summaries, or None; for ROCKET its own by default."""
        if self.global_pool is None:
            return ("ppv", "max") if self._name == "rocket" else None
        return (self.global_pool,) if isinstance(self.global_pool, str) else tuple(self.global_pool)

    @property
    def _bias_kind(self):
        """``bias`` as True, False, "position" or "random"; "given" for an array."""
        if isinstance(self.bias, (bool, np.bool_)):
            return bool(self.bias)
        return self.bias if isinstance(self.bias, str) else "given"

    @property
    def _activation(self):
        """Name of the activation after the filters."""
        return AUTO_ACTIVATION.get(self._name, "identity") if self.activation == "auto" else self.activation

    def _tail(self, shape, activation):
        """Layers after the filters, for images of ``shape``: activation, then pooling or summary."""
        layers = [] if activation == "identity" else [Activation(activation)]
        if self._kinds is not None:
            return [*layers, Summary(self._kinds)]
        pool = AUTO_POOL.get(self._name) if self.pool == "auto" else self.pool
        return [*layers, *pooling(pool, self.pool_size, shape)]

    def _responses(self, weight, dilation, images):
        """Outputs ``(n, rows, columns, filters)`` of the filters without bias and activation."""
        network = self._new_network([self._convolution(weight, dilation)])
        network.fill({"convolution1.weight": weight})
        what = f"bias={shown(self.bias)} with what the filters give for {counted(len(images), 'image')}"
        check_available(what, len(images) * prod(network.shapes[1]) * np.dtype(float).itemsize)
        out = np.empty((len(images), *network.shapes[1]))
        self._run([network], images, out)
        return out

    def _bias(self, weight, members, dilation, X):
        """Parameter ``bias`` of the convolution, and the values of its bias."""
        kind = self._bias_kind
        if not kind:
            return False, 0.0
        if kind == "given":
            return self._given_bias(members, dilation)
        if kind == "random":
            images = X[self._rng.permutation(len(X))[:_SAMPLES]].astype(np.float64)
            responses = self._responses(weight, dilation, images)
            image, share = self._rng.integers(0, len(images), len(weight)), self._rng.uniform(0, 1, len(weight))
            pairs = enumerate(zip(image, share, strict=True))
            return True, [-np.quantile(responses[i, :, :, f], u) for f, (i, u) in pairs]
        n, total = self._seen
        response = self._responses(weight, dilation, (total / n)[None])[0]
        return kind, -response if kind == "position" else -response.mean(axis=(0, 1))

    def _given_bias(self, members, dilation):
        bias = np.asarray(self.bias, np.float64)
        assert_all_finite(bias, input_name="bias")
        positions = self._convolution(self.filters_, dilation).output_shape(self.image_shape_)
        if bias.shape == positions[2:]:
            return True, bias[members]
        if bias.shape == positions:
            return "position", bias[..., members]
        raise ValueError(f"bias must have the shape {positions[2:]} or {positions}, got {bias.shape}")

    def _finish(self, networks, names):
        """Set networks and names of filters, given for each network; return the shape of the output."""
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
