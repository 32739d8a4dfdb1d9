"""First values of weights: moments and bounds."""

import numpy as np
import pytest
from scipy.stats import kstest

from skconv.layers.initializers import glorot_uniform, he_normal, initialize


@pytest.mark.parametrize("shape", [(200, 300), (64, 3, 5, 16)])
def test_he_normal_has_variance_two_over_the_inputs(shape):
    weight = np.zeros(shape)
    he_normal(weight, np.random.default_rng(0))
    deviation = np.sqrt(2 / np.prod(shape[1:]))
    assert weight.std() == pytest.approx(deviation, rel=0.03)
    assert kstest(weight.ravel() / deviation, "norm").pvalue > 0.01


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), [((200, 300), 300, 200), ((64, 3, 5, 16), 240, 960)])
def test_glorot_uniform_fills_its_bounds(shape, fan_in, fan_out):
    weight = np.zeros(shape)
    glorot_uniform(weight, np.random.default_rng(0))
    bound = np.sqrt(6 / (fan_in + fan_out))
    assert abs(weight).max() <= bound
    assert weight.var() == pytest.approx(2 / (fan_in + fan_out), rel=0.03)
    assert kstest(weight.ravel() / bound, "uniform", args=(-1, 2)).pvalue > 0.01


@pytest.mark.parametrize(("name", "function"), [("he_normal", he_normal), ("glorot_uniform", glorot_uniform)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_by_name_in_place(name, function, dtype):
    weight, same = np.zeros((4, 3, 3, 2), dtype), np.zeros((4, 3, 3, 2), dtype)
    initialize(name, weight, np.random.default_rng(5))
    function(same, np.random.default_rng(5))
    np.testing.assert_array_equal(weight, same)
    assert (weight != 0).all()
