"""Filters learned from patches without labels: principal components, and k-means on whitened patches."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct
from scipy.linalg import eigh

from .._input.overflow import named_overflow
from ..layers import Convolution
from .encoding import Triangle, Whitening

__all__ = ["PatchKMeans", "PatchPCA", "sample_patches"]

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


class PatchPCA:
    """Principal directions of patches, the same whether patches come at once or in chunks."""

    def __init__(self):
        self.moments = Moments()

    def partial_fit(self, patches, passes=1):
        """Add patches ``(n, rows, columns, channels)``."""
        self.moments.add(patches.reshape(len(patches), -1))
        return self

    def filters(self, n, shape):
        """The first ``n`` directions, or all if there are fewer, as filters ``(n, *shape)``."""
        _, directions = self.moments.components()
        return directions[:n].reshape(-1, *shape)


class PatchKMeans:
    """Centres of normalised and whitened patches (A. Coates and A. Y. Ng, Learning feature representations, 2012).

    Contrast and whitening are taken from the first chunk of patches, centres from all.
    """

    def __init__(self, n_clusters, seed):
        self.batch = max(_BATCH, n_clusters)
        from sklearn.cluster import MiniBatchKMeans  # not at the top, since the import takes 60 ms

        self.kmeans = MiniBatchKMeans(n_clusters, batch_size=self.batch, n_init=1, random_state=seed)
        self.basis = None

    def partial_fit(self, patches, passes=1):
        """Add patches ``(n, rows, columns, channels)``, at least as many as there are centres."""
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
