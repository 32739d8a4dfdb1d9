"""Filters learned from patches without labels: principal components, and k-means on whitened patches."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct
from scipy.linalg import eigh

from .._input.constraints import shown
from .._input.memory import counted
from .._input.overflow import named_overflow
from .._saving.classes import pickled
from ..layers import Convolution
from .encoding import Triangle, Whitening

__all__ = ["LEARNED", "PatchKMeans", "PatchPCA", "sample_patches"]

_CONTRAST = 1.0  # share of patches' mean variance added to the variance of each: noise in flat patches stays small
_WHITENING = 1.0  # added to the variances of normalised patches
_BATCH = 4096


def sample_patches(X, window, n, rng) -> np.ndarray:
    """Patches ``(n, rows, columns, channels)`` in float64 at random places of random images ``(n, H, W, C)``."""
    rows, columns = window.rows, window.columns
    image = rng.integers(0, len(X), n)[:, None, None]
    top = rng.integers(0, rows.size - rows.span + 1, n)[:, None, None]
    left = rng.integers(0, columns.size - columns.span + 1, n)[:, None, None]
    down = np.arange(rows.kernel)[:, None] * rows.dilation
    across = np.arange(columns.kernel) * columns.dilation
    return X[image, top + down, left + across].astype(np.float64)


@pickled
class Moments:
    """Mean and covariance of vectors that come in chunks."""

    def __init__(self):
        self.n, self.total, self.products = 0, 0.0, 0.0

    def add(self, vectors):
        """Add vectors ``(n, size)``."""
        self.n += len(vectors)
        self.total = self.total + vectors.sum(axis=0)
        self.products = self.products + vectors.T @ vectors

    @property
    def mean(self):
        """Mean vector."""
        return self.total / self.n

    def components(self):
        """Variances in falling order, and principal directions as rows, with positive largest entries."""
        if not np.isfinite(self.products).all():
            raise ValueError("patches of X have values too large for their squares in float64; scale X")
        variance, vectors = eigh(self.products / self.n - np.outer(self.mean, self.mean))
        vectors = vectors.T[::-1]
        largest = np.abs(vectors).argmax(axis=1)
        return np.maximum(variance[::-1], 0), vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]


class Learner:
    """Base class of banks that are learned from patches.

    Parameters
    ----------
    n_filters : int
    rng : numpy.random.Generator

    Attributes
    ----------
    text : str
        In the documentation of `ConvFeatures`.
    pool, activation : str
        Pooling and activation after the filters if those of `ConvFeatures` are "auto".
    encodes : bool
        Whether `encoder` has layers, which take the place of bias and activation.
    copies : int
        Arrays of the patches' size that there are at a time: as drawn, in float64, and what is computed from them.
    """

    text = ""
    pool = "max"
    activation = "relu"
    encodes = False
    copies = 2

    @staticmethod
    def check(n_filters, n_patches, kernel_size, taps):
        """Raise ValueError where patches of ``taps`` numbers do not suffice."""

    @staticmethod
    def n_features(n_filters, taps) -> int:
        """Number of channels with features, of patches of ``taps`` numbers."""
        return min(n_filters, taps)

    def partial_fit(self, patches, passes=1):
        """Add patches ``(n, rows, columns, channels)``; return the learner."""
        raise NotImplementedError

    def filters(self, n, shape) -> np.ndarray:
        """The filters ``(filters, *shape)`` of the convolution."""
        raise NotImplementedError

    def encoder(self, encode):
        """Layers from the filters' outputs to features or, without ``encode``, to what these are made of; arrays."""
        return [], {}


@pickled
class PatchPCA(Learner):
    """Principal directions of patches, the same whether patches come at once or in chunks."""

    text = "principal components of patches"

    def __init__(self, n_filters, rng):
        self.moments = Moments()

    def partial_fit(self, patches, passes=1):
        """Add patches ``(n, rows, columns, channels)``; return the learner."""
        self.moments.add(patches.reshape(len(patches), -1))
        return self

    def filters(self, n, shape):
        """The first ``n`` directions, or all if there are fewer, as filters ``(n, *shape)``."""
        _, directions = self.moments.components()
        return directions[:n].reshape(-1, *shape)


@pickled
class PatchKMeans(Learner):
    """Centres of normalised and whitened patches (A. Coates and A. Y. Ng, Learning feature representations, 2012).

    Contrast and whitening are taken from the first chunk of patches, centres from all.
    """

    text = "centres of whitened patches, with features from the distances to the centres (Coates and Ng, 2012)"
    pool = "mean"
    encodes = True
    copies = 5  # coefficients, squares, whitened

    def __init__(self, n_filters, rng):
        self.batch = max(_BATCH, n_filters)
        from sklearn.cluster import MiniBatchKMeans  # not at the top, since the import takes 60 ms

        seed = int(rng.integers(2**31))
        self.kmeans = MiniBatchKMeans(n_filters, batch_size=self.batch, n_init=1, random_state=seed)
        self.basis = None

    @staticmethod
    def check(n_filters, n_patches, kernel_size, taps):
        """Raise ValueError where there are more centres than patches, or patches of one number."""
        if n_filters > n_patches:
            raise ValueError(
                f"n_filters={counted(n_filters)} is more than n_patches={counted(n_patches)}; use at most as many"
            )
        if taps < 2:
            raise ValueError(
                f"kernel_size={shown(kernel_size)}: 'kmeans' needs patches of 2 numbers or more, got {taps}"
            )

    @staticmethod
    def n_features(n_filters, taps):
        """Number of centres."""
        return n_filters

    def partial_fit(self, patches, passes=1):
        """Add patches ``(n, rows, columns, channels)``, at least as many as there are centres; return the learner."""
        flat = patches.reshape(len(patches), -1)
        if self.basis is None:
            self._learn_whitening(flat)
        whitened = self._normalised(flat @ self.basis.T) * self.scale - self.shift
        for _ in range(passes):
            for part in np.array_split(whitened, max(1, len(whitened) // self.batch)):
                self.kmeans.partial_fit(part)
        return self

    def _learn_whitening(self, flat):
        """Set the contrast, the principal directions of normalised patches and their scales."""
        self.taps = flat.shape[1]
        self.basis = dct(np.eye(self.taps), norm="ortho", axis=0)[1:]  # all cosines but the constant one
        coefficients = flat @ self.basis.T
        with named_overflow("filters='kmeans'", coefficients.dtype):
            squares = float((coefficients**2).sum())
        self.epsilon = max(_CONTRAST * squares / flat.size, float(np.finfo(np.float32).tiny))
        moments = Moments()
        moments.add(self._normalised(coefficients))
        variance, directions = moments.components()
        self.basis = directions @ self.basis
        self.scale = 1 / np.sqrt(variance + _WHITENING)
        self.shift = directions @ moments.mean * self.scale

    def _normalised(self, coefficients):
        return coefficients / np.sqrt((coefficients**2).sum(axis=1, keepdims=True) / self.taps + self.epsilon)

    def filters(self, n, shape):
        """Principal directions ``(directions, *shape)`` of normalised patches."""
        return self.basis.reshape(-1, *shape)

    def encoder(self, encode):
        """Layers from coefficients in ``basis`` to features or, without ``encode``, distances; arrays by name."""
        centres = self.kmeans.cluster_centers_
        layers = [
            Whitening(self.taps, self.epsilon),
            Convolution(len(centres), 1, padding="valid"),
            Triangle(encode),
        ]
        # |w - c|**2 = |w|**2 - 2 c w + |c|**2, from the channels w and |w|**2
        products = np.column_stack([-2 * centres, np.ones(len(centres))])
        arrays = {
            "whitening1.scale": self.scale,
            "whitening1.shift": self.shift,
            "convolution2.weight": products[:, None, None, :],
            "convolution2.bias": (centres**2).sum(axis=1),
        }
        return layers, arrays


LEARNED: dict[str, type[Learner]] = {"pca": PatchPCA, "kmeans": PatchKMeans}
