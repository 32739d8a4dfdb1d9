"""Weights of their own at every position."""

import numpy as np
import pytest
from connected import GEOMETRIES, assert_same_lesson, chain, noise, passes, twin
from networks import predicted
from sklearn.base import clone

from skconv.layers import Convolution, LocallyConnected


def test_only_a_convolution_has_groups():
    assert "groups" not in LocallyConnected(2).get_params()
    assert LocallyConnected(2).groups == 1


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_local_with_tied_weights_is_shared(geometry):
    options, shape = GEOMETRIES[geometry]
    shared = chain(Convolution, options, shape)
    local = twin(LocallyConnected, options, shape, shared, shared.named_parameters()["convolution2.weight"])
    images, R = noise(21, np.prod(shape)), noise(21, 4, seed=2)
    (expected, wanted), (actual, gradients) = passes(shared, images, R), passes(local, images, R)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(predicted(local, images), expected, rtol=0, atol=1e-12)
    gradients["locallyconnected1.weight"] = gradients["locallyconnected1.weight"].sum(axis=(0, 1))
    assert_same_lesson(gradients, wanted)


def test_each_position_starts_like_a_kernel_of_its_own():
    layer, shape = LocallyConnected(5, (3, 2)), (6, 7, 4)
    for name, bound in {
        "fan_in_uniform": 1 / np.sqrt(3 * 2 * 4),
        "glorot_uniform": np.sqrt(6 / (3 * 2 * 4 + 5 * 3 * 2)),
    }.items():
        weight = np.zeros(layer.parameter_shapes(shape)["weight"])
        clone(layer).set_params(initializer=name).initialize({"weight": weight}, {}, shape, np.random.default_rng(0))
        largest = abs(weight).max(axis=(2, 3, 4, 5))
        assert (largest <= bound).all()
        assert (largest > 0.9 * bound).all()
        assert len(np.unique(weight)) == weight.size
    clone(layer).set_params(initializer="he_normal").initialize({"weight": weight}, {}, shape, np.random.default_rng(0))
    assert weight.std() == pytest.approx(np.sqrt(2 / (3 * 2 * 4)), rel=0.05)
