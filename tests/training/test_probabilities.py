"""Softmax and logistic against their closed forms; what smoothing and the focal loss do, undone."""

from math import exp, log

import numpy as np
import pytest

from skconv.training._probabilities import (
    exp_of,
    label_log_probabilities,
    log_odds,
    log_softmax,
    softmax,
    unfocused,
    unsmoothed,
)

OUTPUTS = np.array([[1.5, -0.3, 2.0, 0.1], [0.2, 0.8, -1.0, 0.1], [-0.7, 2.5, 0.4, 0.1]])


def test_softmax():
    rows = OUTPUTS.T
    expected = [[exp(z) / sum(map(exp, row)) for z in row] for row in rows.tolist()]
    np.testing.assert_allclose(softmax(rows), expected, rtol=1e-14)
    np.testing.assert_allclose(log_softmax(rows), np.log(expected), rtol=1e-13)


def test_softmax_of_huge_logits():
    huge = np.array([[1e4, -1e4], [-1e4, -1e4]], np.float32)
    np.testing.assert_array_equal(softmax(huge), [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(log_softmax(huge), [[0, -2e4], [log(0.5)] * 2], rtol=1e-6)


def test_logits_of_labels_go_and_come_back():
    z = np.array([-800.0, -3, 0, 0.5, 30, 800])
    log_p = label_log_probabilities(z)
    np.testing.assert_allclose(log_p[1:4, 0], [log(1 / (1 + exp(-v))) for v in z[1:4]], rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)
    np.testing.assert_allclose(log_odds(log_p), z)


def test_exp_is_bounded():
    bound = np.sqrt(np.finfo(np.float32).max)
    np.testing.assert_allclose(exp_of(np.array([0, 1, 500], np.float32)), [1, exp(1), bound], rtol=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_smoothing_is_undone(share):
    p = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])
    smoothed = (1 - share) * p + share / 3
    np.testing.assert_allclose(np.exp(unsmoothed(np.log(smoothed), share)), p, rtol=1e-9)
    assert unsmoothed(p, 0) is p


def test_the_focal_loss_of_gamma_zero_changes_nothing():
    log_q = log_softmax(OUTPUTS.T)
    np.testing.assert_allclose(unfocused(log_q, 0.0), log_q, rtol=1e-12)
