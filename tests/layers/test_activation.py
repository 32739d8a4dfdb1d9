"""Activations against PyTorch's numbers, where numbers are huge, and slopes that are learned."""

import numpy as np
import pytest
from networks import Offset, predicted, run

from skconv._network.network import Network
from skconv.layers import ELU, Activation, Clip, Dense, Flatten, LeakyReLU, PReLU
from skconv.layers.activation_functions import FUNCTIONS

OBJECTS = {repr(each): each for each in (LeakyReLU(0.3), ELU(0.5), ELU(2), Clip(-0.5, 1))}

# Numbers by PyTorch 2.13: the function and its slope at POINTS.  PyTorch has the sixth of hard_sigmoid in float32.
POINTS = [-3.5, -0.7, 0.0, 0.4, 2.0, 6.5]
# fmt: off
SLOPES = {
    "relu": (
        [0.0, 0.0, 0.0, 0.4, 2.0, 6.5],
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    ),
    "leaky_relu": (
        [-0.035, -0.007, 0.0, 0.4, 2.0, 6.5],
        [0.01, 0.01, 0.01, 1.0, 1.0, 1.0],
    ),
    "elu": (
        [-0.969802616577682, -0.50341469620859, 0.0, 0.4, 2.0, 6.5],
        [0.0301973834223185, 0.49658530379141, 1.0, 1.0, 1.0, 1.0],
    ),
    "gelu": (
        [-0.00081420177662439, -0.169374556556151, 0.0, 0.26216869664413, 1.95449973610364, 6.49999999973896],
        [-0.00282176035362462, 0.0233858988663402, 0.5, 0.802729797731654, 1.0852318010782, 1.00000000169505],
    ),
    "tanh": (
        [-0.998177897611199, -0.604367777117163, 0.0, 0.379948962255225, 0.964027580075817, 0.999995479351404],
        [0.00364088472048736, 0.634739589982459, 1.0, 0.855638786081178, 0.0706508248531644, 9.04127675532835e-06],
    ),
    "logistic": (
        [0.0293122307513563, 0.331812227831834, 0.5, 0.598687660112452, 0.880797077977882, 0.998498817743263],
        [0.0284530238797356, 0.221712873293109, 0.25, 0.240260745741529, 0.104993585403507, 0.00149892870856907],
    ),
    "relu6": (
        [0.0, 0.0, 0.0, 0.4, 2.0, 6.0],
        [0.0, 0.0, 0.0, 1.0, 1.0, 0.0],
    ),
    "swish": (
        [-0.102592807629747, -0.232268559482284, 0.0, 0.239475064044981, 1.76159415595576, 6.49024231533121],
        [-0.0702733528277181, 0.176613216526658, 0.5, 0.694791958409064, 1.0907842487849, 1.00824185434896],
    ),
    "hard_swish": (
        [-0.0, -0.268333333333333, 0.0, 0.226666666666667, 1.66666666666667, 6.5],
        [0.0, 0.266666666666667, 0.5, 0.633333333333333, 1.16666666666667, 1.0],
    ),
    "hard_sigmoid": (
        [0.0, 0.383333333333333, 0.5, 0.566666666666667, 0.833333333333333, 1.0],
        [0.0, 0.166666666666667, 0.166666666666667, 0.166666666666667, 0.166666666666667, 0.0],
    ),
    "softplus": (
        [0.0297504182726206, 0.403186048885458, 0.693147180559945, 0.913015252399953, 2.12692801104297,
         6.50150231015975],
        [0.0293122307513563, 0.331812227831834, 0.5, 0.598687660112452, 0.880797077977882, 0.998498817743263],
    ),
    "mish": (
        [-0.104095754486371, -0.267870234795501, 0.0, 0.289030534072363, 1.94395895953399, 6.49997070393984],
        [-0.0727604134432671, 0.184416073256782, 0.6, 0.837017502541796, 1.06931793427949, 1.00005399694485],
    ),
    "LeakyReLU(slope=0.3)": (
        [-1.05, -0.21, 0.0, 0.4, 2.0, 6.5],
        [0.3, 0.3, 0.3, 1.0, 1.0, 1.0],
    ),
    "ELU(alpha=0.5)": (
        [-0.484901308288841, -0.251707348104295, 0.0, 0.4, 2.0, 6.5],
        [0.0150986917111593, 0.248292651895705, 0.5, 1.0, 1.0, 1.0],
    ),
    "ELU(alpha=2)": (
        [-1.93960523315536, -1.00682939241718, 0.0, 0.4, 2.0, 6.5],
        [0.060394766844637, 0.993170607582819, 2.0, 1.0, 1.0, 1.0],
    ),
    "Clip(highest=1, lowest=-0.5)": (
        [-0.5, -0.5, 0.0, 0.4, 1.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
    ),
}
# fmt: on


@pytest.mark.parametrize("activation", SLOPES)
def test_activation_equals_pytorch(activation):
    layer = Activation(OBJECTS.get(activation, activation))
    network = Network([Flatten(), Offset(), layer], (1, len(POINTS), 1), np.float64)
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


# Functions far out, where they are their limits to the last digit, also of the slope; without a warning of overflow.
LIMITS = {
    "relu6": ([0, 0, 6, 6], [0, 0, 0, 0]),
    "swish": ([0, 0, 1e3, 1e4], [0, 0, 1, 1]),
    "hard_swish": ([0, 0, 1e3, 1e4], [0, 0, 1, 1]),
    "hard_sigmoid": ([0, 0, 1, 1], [0, 0, 0, 0]),
    "softplus": ([0, 0, 1e3, 1e4], [0, 0, 1, 1]),
    "mish": ([0, 0, 1e3, 1e4], [0, 0, 1, 1]),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", LIMITS)
def test_limits(activation, dtype):
    network = Network([Flatten(), Offset(), Activation(activation)], (1, 4, 1), dtype)
    y, slope = run(network, np.array([[-1e4, -1e3, 1e3, 1e4]], dtype), np.ones((1, 4)))
    np.testing.assert_array_equal(y[0], LIMITS[activation][0])
    np.testing.assert_array_equal(slope, LIMITS[activation][1])


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_function_that_never_falls_says_so(activation):
    x = np.linspace(-6, 6, 241)
    network = Network([Flatten(), Offset(), Activation(activation)], (1, len(x), 1), np.float64)
    y, _ = run(network, x[None], np.ones((1, len(x))))
    assert Activation(activation).increasing == bool((np.diff(y[0]) >= 0).all())


def test_slopes_are_learned():
    """From values and slopes of 0.7 at places of either sign, to those of the absolute value."""
    network = Network([PReLU(0.7), Flatten(), Dense(2, bias=False)], (1, 1, 2), np.float64)
    network.initialize(np.random.default_rng(0))
    network.named_parameters()["dense1.weight"][...] = np.eye(2)
    X = np.array([[-2.0, 1.0], [3.0, -4.0]])
    for _ in range(100):
        y, _ = run(network, X, np.zeros((2, 2)))
        _, gradient = run(network, X, (y - abs(X)) / 20)
        network.named_parameters()["prelu1.slope"] -= gradient[:2]
    np.testing.assert_allclose(network.named_parameters()["prelu1.slope"], [-1, -1], atol=1e-6)
    np.testing.assert_allclose(run(network, X, np.zeros((2, 2)))[0], abs(X), atol=1e-5)


def test_one_steep_slope_changes_no_bit_of_other_channels():
    X = np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32)
    outputs = []
    for slopes in ([0.3, -0.5, 1.0], [0.3, -0.5, 3.0]):
        network = Network([PReLU(), Flatten()], (2, 4, 3), np.float32)
        network.fill({"prelu1.slope": np.array(slopes)})
        outputs.append(predicted(network, X).reshape(16, 2, 4, 3))
        np.testing.assert_allclose(outputs[-1].ravel(), np.where(X > 0, X, X * np.tile(slopes, 8)).ravel(), rtol=1e-6)
    np.testing.assert_array_equal(outputs[0][..., :2], outputs[1][..., :2])


def test_the_documentation_has_every_function():
    for name, function in FUNCTIONS.items():
        assert f'"{name}"' in Activation.__doc__
        assert function.formula in Activation.__doc__
