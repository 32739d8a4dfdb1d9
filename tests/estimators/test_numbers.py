"""Numbers as targets, without a network."""

from dataclasses import replace

import numpy as np
import pytest

from skconv._estimators.numbers import Numbers
from skconv.training.losses import Poisson, SquaredError

Y = np.array([[1.0, 10], [3, 10], [5, 40], [100, -100]])
WEIGHT = np.array([1.0, 0.5, 0.5, 0])
KNOWN = Y.repeat([2, 1, 1, 0], axis=0)  # what has the same weights


def test_where_numbers_lie():
    targets = Numbers(loss=SquaredError()).measured(Y, WEIGHT)
    np.testing.assert_allclose(targets.mean, KNOWN.mean(axis=0))
    np.testing.assert_allclose(targets.scale, KNOWN.std(axis=0))
    assert targets.n_outputs == 2
    np.testing.assert_allclose(targets.encode(Y), (Y - KNOWN.mean(axis=0)) / KNOWN.std(axis=0))
    assert targets.measured(Y + 1, WEIGHT) is targets  # once for all
    assert targets.attributes == {"target_mean_": targets.mean, "target_scale_": targets.scale}


def test_counts_over_their_mean():
    targets = Numbers(flat=False, loss=Poisson()).measured(Y, WEIGHT)
    assert targets.counts
    np.testing.assert_array_equal(targets.mean, 0)
    np.testing.assert_allclose(targets.scale, KNOWN.mean(axis=0))
    outputs = np.array([[0.0, -1], [2, 0.5]])
    np.testing.assert_allclose(targets.predictions(outputs), np.exp(outputs) * KNOWN.mean(axis=0))


@pytest.mark.parametrize("flat", [True, False])
def test_predictions_are_as_y_was(flat):
    targets = Numbers(flat=flat, mean=np.array([1e9]), scale=np.array([2.0]))
    predicted = targets.predictions(np.array([[0.5], [-1]], np.float32))
    assert predicted.dtype == np.float64
    np.testing.assert_array_equal(predicted, np.array([1e9 + 1, 1e9 - 2]).reshape((2,) if flat else (2, 1)))


def test_the_score_is_r2():
    targets, rng = Numbers(mean=np.zeros(1), scale=np.ones(1)), np.random.default_rng(0)
    outputs, encoded, weight = rng.random((9, 1)), rng.random((9, 1)), rng.random(9)

    def expected(predicted):
        mean = np.average(encoded, axis=0, weights=weight)
        return 1 - weight @ (encoded - predicted) ** 2 / (weight @ (encoded - mean) ** 2)

    assert targets.score(outputs, encoded, weight) == pytest.approx(expected(outputs)[0])
    counts = replace(targets, counts=True)
    assert counts.score(outputs, encoded, weight) == pytest.approx(expected(np.exp(outputs))[0])


def test_r2_needs_two_samples():
    assert [Numbers().fewest_scored(scoring) for scoring in (None, "r2", "loss", max)] == [2, 2, 1, 1]
