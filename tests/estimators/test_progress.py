"""What a training leaves in the estimator, for its attributes and for the next call of partial_fit."""

import numpy as np
import pytest

from skconv import ConvNetClassifier
from skconv._estimators.progress import best_weights, history_of

X, Y = np.random.default_rng(0).random((40, 4, 4), np.float32), np.arange(40) % 3
SMALL = {"filters": 2, "hidden_layer_sizes": (), "batch_size": 10, "random_state": 0}
VALIDATION = {"X_val": X[:10], "y_val": Y[:10]}


def chunked(**validation):
    return ConvNetClassifier(**SMALL).partial_fit(X, Y, range(3), **validation)


def test_progress_has_arrays_of_its_own():
    model = chunked()
    progress = model._progress
    np.testing.assert_array_equal(progress.arrays["parameters"], model.network_.parameters)
    assert not np.shares_memory(progress.arrays["parameters"], model.network_.parameters)
    before = progress.arrays["parameters"].copy()
    model.partial_fit(X, Y)
    np.testing.assert_array_equal(progress.arrays["parameters"], before)
    assert model._progress is not progress
    assert (progress.values["updates"], model._progress.values["updates"]) == (4, 8)


def test_random_numbers_go_on_where_they_were():
    progress = chunked()._progress
    first, second = progress.rng(), progress.rng()
    assert first.bit_generator.state == progress.values["rng"]
    assert first.random() == second.random()


@pytest.mark.parametrize("validation", [{}, VALIDATION])
def test_the_best_weights(validation):
    """Those that scored best, or where nothing was scored those of the network."""
    network, progress = ConvNetClassifier(**SMALL).partial_fit(X, Y, range(3)).network_, chunked(**validation)._progress
    parameters, state = best_weights(progress, network)
    kept = progress.arrays if validation else {"best_parameters": network.parameters, "best_state": network.state}
    np.testing.assert_array_equal(parameters, kept["best_parameters"])
    np.testing.assert_array_equal(state, kept["best_state"])
    assert not np.shares_memory(parameters, kept["best_parameters"])
    np.testing.assert_array_equal(best_weights(None, network)[0], network.parameters)


def test_the_history_is_in_the_attributes():
    model = chunked(**VALIDATION).partial_fit(X, Y, **VALIDATION)
    history, others = history_of(model, True), history_of(model, False)
    assert history.loss == others.loss == model.loss_curve_
    assert (history.scores, others.scores) == (model.validation_scores_, [])
    assert history.scores[history.best] == model.best_validation_score_
    assert history.loss is not model.loss_curve_
