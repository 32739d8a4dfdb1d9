"""Optimisers against PyTorch's trajectories."""

import numpy as np
import pytest

from skconv.optimizers import SGD, Adam

START = np.array([0.5, -1.0, 2.0])

# Parameters after some steps on the gradient of `slope`, by PyTorch 2.13.
PYTORCH = {
    "adam": (
        lambda: Adam(3, np.float64),
        0.05,
        {
            1: [0.5499999933333343, -1.04999999875, 1.95000000003125],
            2: [0.5957961343665613, -1.0997381801169215, 1.9001348556024202],
            5: [0.6263499258478145, -1.2437366579513554, 1.7522965052908464],
            10: [0.5513797476496745, -1.4155306580356197, 1.5174516535694655],
        },
    ),
    "adam with its own decays": (
        lambda: Adam(3, np.float64, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
        0.1,
        {
            1: [0.5986842105263158, -1.0997506234413965, 1.9000062496093995],
            2: [0.6450839313362515, -1.1972846057392779, 1.8009629867228105],
            5: [0.5513103515125144, -1.4193949648719277, 1.5162656187290324],
            10: [0.608633805343978, -1.3336753002240107, 1.1170395299518558],
        },
    ),
    "momentum": (
        lambda: SGD(3, np.float64, nesterov=False),
        0.02,
        {
            1: [0.5015, -1.008, 1.68],
            2: [0.5043274324325, -1.023054844928, 1.20233472],
            5: [0.5190161675552982, -1.1005664928432688, -0.1780459833991768],
            10: [0.5539736232588198, -1.2757126187341046, -1.4049182049166615],
        },
    ),
    "nesterov": (
        lambda: SGD(3, np.float64),
        0.02,
        {
            1: [0.50285, -1.0152, 1.3920000000000001],
            2: [0.5068333111378333, -1.036352218397389, 0.927810650112],
            5: [0.5237070882134018, -1.1244834411914062, -0.06956482813837629],
            10: [0.5581232142842547, -1.2906353626103515, -0.9999937859970474],
        },
    ),
    "plain": (
        lambda: SGD(3, np.float64, momentum=0.0),
        0.02,
        {
            1: [0.5015, -1.008, 1.68],
            2: [0.5029774324324999, -1.015854844928, 1.49033472],
            5: [0.5072764082249077, -1.0385526895231754, 1.178177921508724],
            10: [0.514009798413776, -1.073533227643733, 0.932668628709063],
        },
    ),
}


def slope(p):
    return np.array([1.0, 0.3, 2.0]) * p**3 - np.array([0.2, -0.7, 0.0])


@pytest.mark.parametrize("name", PYTORCH)
def test_trajectory_equals_pytorch(name):
    make, rate, expected = PYTORCH[name]
    optimizer, p = make(), START.copy()
    for step in range(1, 11):
        optimizer.start()
        optimizer.update(p, slope(p), rate)
        if step in expected:
            np.testing.assert_allclose(p, expected[step], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [Adam, SGD, lambda n, dtype: SGD(n, dtype, nesterov=False)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slices_equal_the_whole_bit_for_bit(kind, dtype):
    rng = np.random.default_rng(0)
    whole = rng.standard_normal(1003).astype(dtype)
    sliced, start = whole.copy(), whole.copy()
    optimizers = kind(1003, dtype), kind(1003, dtype)
    for _ in range(5):
        gradient = rng.standard_normal(1003).astype(dtype)
        for optimizer in optimizers:
            optimizer.start()
        optimizers[0].update(whole, gradient.copy(), 0.01)
        for part in (slice(700, 1003), slice(0, 251), slice(251, 700)):
            optimizers[1].update(sliced, gradient.copy(), 0.01, part)
        np.testing.assert_array_equal(sliced, whole)
    assert whole.dtype == dtype
    assert (whole != start).all()
