"""Patches of images, and what is learned from them, against scikit-learn."""

import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

from skconv._features.patches import PatchKMeans, PatchPCA, sample_patches
from skconv._kernels.geometry import make_window

RNG = np.random.default_rng(0)


def test_patches_are_pieces_of_the_images():
    X = np.arange(3 * 6 * 7 * 2, dtype=np.float32).reshape(3, 6, 7, 2)
    window = make_window(6, 7, (2, 3), dilation=(3, 2))
    patches = sample_patches(X, window, 400, np.random.default_rng(0))
    assert patches.shape == (400, 2, 3, 2)
    assert patches.dtype == np.float64
    pieces = {X[i, t : t + 4 : 3, s : s + 5 : 2].tobytes() for i in range(3) for t in range(3) for s in range(3)}
    assert {patch.astype(np.float32).tobytes() for patch in patches} == pieces


def test_components_equal_scikit_learn_in_chunks_too():
    rng = np.random.default_rng(0)
    patches = rng.standard_normal((500, 12)) @ rng.standard_normal((12, 12)) + 3
    expected = PCA(5).fit(patches).components_
    whole = PatchPCA(5, RNG).partial_fit(patches.reshape(500, 2, 3, 2))
    parts = PatchPCA(5, RNG)
    for chunk in np.split(patches.reshape(500, 2, 3, 2), [100, 130]):
        parts.partial_fit(chunk)
    for learner in (whole, parts):
        filters = learner.filters(5, (2, 3, 2)).reshape(5, -1)
        np.testing.assert_allclose(filters, expected * np.sign((filters * expected).sum(axis=1))[:, None], atol=1e-9)
        assert (filters[np.arange(5), np.abs(filters).argmax(axis=1)] > 0).all()
    assert whole.filters(50, (2, 3, 2)).shape == (12, 2, 3, 2)


def test_whitening_whitens():
    rng = np.random.default_rng(0)
    flat = rng.standard_normal((5000, 9)) @ rng.standard_normal((9, 9)) + 5
    learner = PatchKMeans(4, RNG).partial_fit(flat.reshape(-1, 3, 3, 1))
    centred = flat - flat.mean(axis=1, keepdims=True)
    assert learner.epsilon == pytest.approx((centred**2).mean(), rel=1e-9)
    normalised = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + learner.epsilon)
    w = normalised @ learner.basis.T * learner.scale - learner.shift
    assert w.shape == (5000, 8)
    covariance = np.cov(w.T, bias=True)
    np.testing.assert_allclose(w.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-9)
    variance = np.linalg.eigvalsh(np.cov(normalised.T, bias=True))[:0:-1]
    np.testing.assert_allclose(np.diag(covariance), variance / (variance + 1), atol=1e-9)


def test_centres_are_mini_batch_k_means_of_whitened_patches():
    flat = np.random.default_rng(0).standard_normal((3000, 6))
    learner = PatchKMeans(5, np.random.default_rng(3)).partial_fit(flat.reshape(-1, 2, 3, 1), passes=2)
    centred = flat - flat.mean(axis=1, keepdims=True)
    normalised = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + learner.epsilon)
    w = normalised @ learner.basis.T * learner.scale - learner.shift
    expected = MiniBatchKMeans(5, batch_size=4096, n_init=1, random_state=np.random.default_rng(3).integers(2**31))
    for _ in range(2):
        expected.partial_fit(w)
    np.testing.assert_allclose(learner.kmeans.cluster_centers_, expected.cluster_centers_, atol=1e-8)


def test_constant_patches_are_whitened_to_finite_numbers():
    learner = PatchKMeans(2, RNG).partial_fit(np.ones((10, 2, 2, 1)))
    assert np.isfinite(learner.kmeans.cluster_centers_).all()
