"""Softmax cross-entropy against its closed form, PyTorch and finite differences."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv.losses import SoftmaxCrossEntropy, softmax

LOGITS = np.array([[1.5, -0.3, 2.0, 0.1], [0.2, 0.8, -1.0, 0.1], [-0.7, 2.5, 0.4, 0.1]])
TARGETS, WEIGHT = np.array([0, 2, 1, 1]), np.array([0.1, 0.4, 0.2, 0.3])

# cross_entropy(reduction="none", label_smoothing=s), weighted and summed, and its gradient, by PyTorch 2.13.
PYTORCH = {
    0.0: (
        1.09410124167276,
        [
            [-0.02771092792887261, 0.01956103779760528, 0.15978479080421124, 0.09999999999999999],
            [0.01970107042830931, 0.05876460514469775, -0.1920447836960859, -0.2],
            [0.008009857500563294, -0.07832564294230303, 0.03225999289187468, 0.09999999999999999],
        ],
    ),
    0.1: (
        1.1364345750060934,
        [
            [-0.021044261262205953, 0.006227704464271946, 0.15311812413754453, 0.09000000000000001],
            [0.016367737094975972, 0.045431271811364415, -0.17871145036275257, -0.18000000000000002],
            [0.00467652416722996, -0.05165897627563635, 0.025593326225208008, 0.09000000000000001],
        ],
    ),
    0.3: (
        1.2211012416727598,
        [
            [-0.007710927928872613, -0.020438962202394724, 0.1397847908042112, 0.06999999999999998],
            [0.009701070428309304, 0.01876460514469774, -0.15204478369608587, -0.14],
            [-0.0019901424994367076, 0.0016743570576970021, 0.01225999289187467, 0.06999999999999998],
        ],
    ),
}


def closed_form(logits, target, smooth):
    normalizer = log(sum(exp(z) for z in logits))
    return normalizer - (1 - smooth) * logits[target] - smooth * sum(logits) / len(logits)


@pytest.mark.parametrize("smooth", PYTORCH)
def test_equals_pytorch(smooth):
    gradient = np.full(LOGITS.shape, np.nan)
    value = SoftmaxCrossEntropy(smooth)(LOGITS, TARGETS, WEIGHT, gradient)
    assert isinstance(value, float)
    assert value == pytest.approx(PYTORCH[smooth][0], rel=1e-14)
    np.testing.assert_allclose(gradient, PYTORCH[smooth][1], rtol=1e-12, atol=1e-15)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(classes=st.integers(1, 6), n=st.integers(1, 9), smooth=st.sampled_from([0.0, 0.1, 0.9]), seed=st.integers(0, 99))
def test_equals_the_closed_form(classes, n, smooth, seed):
    rng = np.random.default_rng(seed)
    logits, targets, weight = 5 * rng.standard_normal((classes, n)), rng.integers(0, classes, n), rng.uniform(0, 1, n)
    expected = sum(w * closed_form(z, k, smooth) for z, k, w in zip(logits.T, targets, weight, strict=True))
    assert SoftmaxCrossEntropy(smooth)(logits, targets, weight) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("smooth", [0.0, 0.2])
def test_gradient_equals_finite_differences(smooth):
    loss, step = SoftmaxCrossEntropy(smooth), 1e-6
    gradient = np.empty_like(LOGITS)
    loss(LOGITS, TARGETS, WEIGHT, gradient)
    for i, j in np.ndindex(LOGITS.shape):
        change = np.zeros_like(LOGITS)
        change[i, j] = step
        numeric = (loss(LOGITS + change, TARGETS, WEIGHT) - loss(LOGITS - change, TARGETS, WEIGHT)) / (2 * step)
        assert gradient[i, j] == pytest.approx(numeric, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("smooth", [0.0, 0.1])
def test_huge_logits_are_finite(dtype, smooth):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [0, 0]], dtype)
    gradient = np.empty_like(logits)
    value = SoftmaxCrossEntropy(smooth)(logits, np.array([0, 0]), np.array([0.5, 0.5], dtype), gradient)
    assert value == pytest.approx(1e4 if smooth == 0 else 0.5 * 1e4 * smooth + 0.5 * (2e4 - 1e4 * smooth), rel=1e-6)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(gradient[0, 1], 0.5 * (smooth - 1 - smooth / 3) if smooth else -0.5, atol=1e-1 * smooth)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("huge", [1e4, 1e30])
def test_a_column_of_weight_zero_adds_nothing(huge):
    logits = np.concatenate([LOGITS, [[huge, -huge], [-huge, huge], [0, -huge]]], axis=1)
    targets, weight = np.append(TARGETS, [1, 2]), np.append(WEIGHT, [0, 0])
    loss = SoftmaxCrossEntropy(0.1)
    gradient, expected = np.full(logits.shape, np.nan), np.full(LOGITS.shape, np.nan)
    assert loss(logits, targets, weight, gradient) == loss(LOGITS, TARGETS, WEIGHT, expected)
    np.testing.assert_array_equal(gradient, np.pad(expected, ((0, 0), (0, 2))))


def test_softmax():
    expected = [[exp(z) / sum(map(exp, column)) for z in column] for column in LOGITS.T]
    np.testing.assert_allclose(softmax(LOGITS).T, expected, rtol=1e-14)
    out = np.empty_like(LOGITS)
    assert softmax(LOGITS, out) is out
    np.testing.assert_array_equal(out, softmax(LOGITS))


def test_softmax_of_huge_logits():
    np.testing.assert_array_equal(softmax(np.array([[1e4, -1e4], [-1e4, -1e4]], np.float32)), [[1, 0.5], [0, 0.5]])
