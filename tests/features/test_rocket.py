"""The kernels of ROCKET."""

import numpy as np
import pytest

from skconv._features.rocket import draw_rocket_kernels


def test_kernels_of_rocket():
    groups = draw_rocket_kernels(np.random.default_rng(0), 200, 1, 3000)
    dilations = [dilation for dilation, _, _ in groups]
    assert dilations == sorted(set(dilations))
    assert (min(dilations), max(dilations)) == (1, 33)  # (200 - 1) / 6 for kernels of seven taps
    weights = np.concatenate([weight for _, weight, _ in groups])
    biases = np.concatenate([bias for _, _, bias in groups])
    assert weights.shape == (3000, 1, 11, 1)
    np.testing.assert_allclose(weights.sum(axis=(1, 2, 3)), 0, atol=1e-12)
    lengths = (weights != 0).sum(axis=(1, 2, 3))
    assert {7, 9, 11} == set(lengths)
    for taps in (7, 9, 11):
        outside = weights[lengths == taps][:, 0, : (11 - taps) // 2]
        assert not outside.any()
        assert (lengths == taps).mean() == pytest.approx(1 / 3, abs=0.03)
    assert (abs(biases) < 1).all()
    assert biases.std() == pytest.approx(3**-0.5, abs=0.02)


def test_kernels_of_rocket_see_some_channels():
    groups = draw_rocket_kernels(np.random.default_rng(0), 200, 6, 500)
    seen = np.concatenate([(weight != 0).any(axis=(1, 2)).sum(axis=1) for _, weight, _ in groups])
    assert seen.min() == 1
    assert 4 <= seen.max() <= 6
