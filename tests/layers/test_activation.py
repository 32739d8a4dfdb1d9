"""Activations against PyTorch's numbers, and where numbers are huge."""

import numpy as np
import pytest
from networks import Offset, run

from skconv._network.network import Network
from skconv.layers import Activation, Flatten
from skconv.layers.activation import FUNCTIONS

# Numbers by PyTorch 2.13: the function and its slope at POINTS.
POINTS = [-3.0, -0.7, 0.0, 0.4, 2.0]


SLOPES = {
    "relu": ([0.0, 0.0, 0.0, 0.4, 2.0], [0.0, 0.0, 0.0, 1.0, 1.0]),
    "leaky_relu": ([-0.03, -0.006999999999999999, 0.0, 0.4, 2.0], [0.01, 0.01, 0.01, 1.0, 1.0]),
    "elu": (
        [-0.950212931632136, -0.5034146962085905, 0.0, 0.4, 2.0],
        [0.049787068367863944, 0.4965853037914095, 1.0, 1.0, 1.0],
    ),
    "gelu": (
        [-0.00404969409489031, -0.1693745565561511, 0.0, 0.2621686966441297, 1.9544997361036416],
        [-0.01194564720418392, 0.023385898866340155, 0.5, 0.8027297977316535, 1.085231801078197],
    ),
    "tanh": (
        [-0.9950547536867305, -0.6043677771171635, 0.0, 0.3799489622552249, 0.9640275800758169],
        [0.009866037165440166, 0.6347395899824586, 1.0, 0.8556387860811777, 0.07065082485316443],
    ),
    "logistic": (
        [0.04742587317756678, 0.3318122278318339, 0.5, 0.598687660112452, 0.8807970779778823],
        [0.04517665973091214, 0.22171287329310907, 0.25, 0.24026074574152914, 0.10499358540350662],
    ),
}


@pytest.mark.parametrize("activation", SLOPES)
def test_activation_equals_pytorch(activation):
    network = Network([Flatten(), Offset(), Activation(activation)], (1, len(POINTS), 1), np.float64)
    y, slope = run(network, np.array([POINTS]), np.ones((1, len(POINTS))))
    np.testing.assert_allclose(y[0], SLOPES[activation][0], rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope, SLOPES[activation][1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", sorted(set(FUNCTIONS) - {"identity"}))
def test_activation_of_huge_numbers_is_finite(activation):
    network = Network([Flatten(), Offset(), Activation(activation)], (1, 4, 1), np.float32)
    with np.errstate(all="ignore"):  # as within the estimators' methods
        y, slope = run(network, np.array([[-1e4, -1e3, 1e3, 1e4]], np.float32), np.ones((1, 4)))
    assert np.isfinite(y).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_function_that_never_falls_says_so(activation):
    x = np.linspace(-6, 6, 241)
    network = Network([Flatten(), Offset(), Activation(activation)], (1, len(x), 1), np.float64)
    y, _ = run(network, x[None], np.ones((1, len(x))))
    assert Activation(activation).increasing == bool((np.diff(y[0]) >= 0).all())


def test_the_documentation_has_every_function():
    for name, function in FUNCTIONS.items():
        assert f'"{name}"' in Activation.__doc__
        assert function.formula in Activation.__doc__
