"""What stands behind the filters of `ConvFeatures`, against its formulas."""

import numpy as np
import pytest
from networks import predicted

from skconv._features import encoding
from skconv._features.encoding import SUMMARIES, Summary, Triangle, Whitening
from skconv._network.network import Network
from skconv.layers import Flatten

X = np.random.default_rng(0).standard_normal((20, 6, 7, 5))


def output(layers, X, dtype=np.float64, **state):
    network = Network(layers, X.shape[1:], dtype)
    for name, value in state.items():
        network.named_arrays()[f"whitening1.{name}"][...] = value
    return predicted(network, X.reshape(len(X), -1).astype(dtype))


def test_whitening_is_its_formula():
    scale, shift = np.random.default_rng(1).standard_normal((2, 5))
    found = output([Whitening(9, 0.3), Flatten()], X, scale=scale, shift=shift).reshape(20, 6, 7, 6)
    w = scale * X / np.sqrt((X**2).sum(axis=3, keepdims=True) / 9 + 0.3) - shift
    np.testing.assert_allclose(found[..., :5], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[..., 5], (w**2).sum(axis=3), rtol=1e-12)


@pytest.mark.parametrize("chunk", [1, 1 << 12, 1 << 18])
def test_distances_and_their_triangle(chunk, monkeypatch):
    monkeypatch.setattr(encoding, "_CHUNK_BYTES", chunk)
    distance = np.sqrt(np.abs(X))
    np.testing.assert_allclose(output([Triangle(False), Flatten()], X), distance.reshape(20, -1), rtol=1e-14)
    triangle = np.maximum(0, distance.mean(axis=3, keepdims=True) - distance)
    found = output([Triangle(), Flatten()], X)
    np.testing.assert_allclose(found, triangle.reshape(20, -1), rtol=0, atol=1e-14)
    assert 0.2 < (found == 0).mean() < 0.8


@pytest.mark.parametrize("kinds", [SUMMARIES, ("last",), ("mean", "ppv"), ("max",)])
@pytest.mark.parametrize("shape", [(6, 7, 5), (1, 300, 2), (40, 1, 3)])
def test_summaries_of_the_whole_image(kinds, shape):
    images = np.random.default_rng(2).standard_normal((4, *shape))
    expected = {
        "ppv": (images > 0).mean(axis=(1, 2)),
        "max": images.max(axis=(1, 2)),
        "mean": images.mean(axis=(1, 2)),
        "last": images[:, -1, -1],
    }
    found = output([Summary(kinds)], images)
    np.testing.assert_allclose(found, np.hstack([expected[kind] for kind in kinds]), rtol=0, atol=1e-14)
