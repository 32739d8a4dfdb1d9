"""Several labels a sample."""

import pickle
from copy import deepcopy
from functools import partial

import numpy as np
import pandas as pd
import pytest
from helpers import quick_model, same_bits
from scipy import sparse
from scipy.special import expit, log_expit, logit
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import cross_val_score

from skconv import ConvNetClassifier
from skconv.augmentation import Mixup
from skconv.training import BinaryFocal

DIGITS = load_digits()
ALL = np.stack([DIGITS.target % 2 == 0, DIGITS.target > 4, DIGITS.target % 3 == 0], axis=1).astype(int)
X, Y = DIGITS.data[:300] / 16, ALL[:300]
X_TEST, Y_TEST = DIGITS.data[300:600] / 16, ALL[300:600]
quick = partial(quick_model, max_iter=3)


@pytest.fixture(scope="module")
def learned():
    return ConvNetClassifier((8, 16), hidden_layer_sizes=32, max_iter=40, random_state=0).fit(X, Y)


def test_learns(learned):
    assert learned.classes_.tolist() == [0, 1, 2]
    predicted = learned.predict(X_TEST)
    assert predicted.shape == (300, 3)
    assert predicted.dtype == int
    assert set(np.unique(predicted)) == {0, 1}
    assert (predicted == Y_TEST).mean() > 0.85  # the commonest values are right 0.57 of the time
    assert learned.score(X_TEST, Y_TEST) == accuracy_score(Y_TEST, predicted) > 0.65  # all three of a sample


def test_predictions_agree(learned):
    logits, proba = learned.decision_function(X_TEST), learned.predict_proba(X_TEST)
    log_proba = learned.predict_log_proba(X_TEST)
    for output in (logits, proba, log_proba):
        assert output.shape == (300, 3)
        assert output.dtype == np.float64
    np.testing.assert_allclose(proba, expit(logits), rtol=1e-12)
    np.testing.assert_allclose(log_proba, log_expit(logits), rtol=1e-12)
    np.testing.assert_array_equal(learned.predict(X_TEST), proba > 0.5)
    assert learned.predict_proba(X_TEST.astype(np.float32)).dtype == np.float32


def test_log_proba_is_finite_where_proba_is_zero(learned):
    far = X[:20] * 1e6
    assert (learned.predict_proba(far.astype(np.float32)) == 0).any()
    assert np.isfinite(learned.predict_log_proba(far.astype(np.float32))).all()


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "array", "lists", "frame", "bool", "float"])
def test_forms_of_y(kind):
    forms = {
        "csr": sparse.csr_matrix,
        "csc": sparse.csc_matrix,
        "coo": sparse.coo_matrix,
        "array": sparse.csr_array,
        "lists": lambda y: y.tolist(),
        "frame": lambda y: pd.DataFrame(y, columns=list("abc")),
        "bool": lambda y: y.astype(bool),
        "float": lambda y: y.astype(float),
    }
    expected = quick().fit(X, Y)
    model = quick().fit(X, forms[kind](Y))
    assert same_bits(model.predict_proba(X), expected.predict_proba(X))
    assert model.predict(X).dtype == int
    known = {"X_val": X_TEST, "y_val": forms[kind](Y_TEST)}
    assert quick().fit(X, forms[kind](Y), **known).validation_scores_ == (
        quick().fit(X, Y, X_val=X_TEST, y_val=Y_TEST).validation_scores_
    )


def test_sparse_y_held_out():
    params = {"early_stopping": True, "scoring": "f1_macro"}
    dense, thin = quick(**params).fit(X, Y), quick(**params).fit(X, sparse.csr_matrix(Y))
    assert same_bits(dense.network_.parameters, thin.network_.parameters)
    assert dense.validation_scores_ == thin.validation_scores_


def smoothed(model, X, smooth=0.1):
    """Logits of the probabilities that the training has smoothed."""
    return logit((1 - smooth) * model.predict_proba(X) + smooth / 2)


def binary_cross_entropies(logits, y, smooth):
    targets = y * (1 - smooth) + smooth / 2
    return -(targets * log_expit(logits) + (1 - targets) * log_expit(-logits)).mean(axis=1)


def focal_losses(logits, y, gamma):
    p = expit(logits)
    return -(y * (1 - p) ** gamma * log_expit(logits) + (1 - y) * p**gamma * log_expit(-logits)).mean(axis=1)


def test_loss_curve_is_the_mean_over_labels():
    weight = np.random.default_rng(0).random(300)
    still = {"learning_rate_init": 1e-30, "batch_norm": False, "batch_size": 1000, "max_iter": 1}
    model = quick(**still, label_smoothing=0.2).fit(X, Y, weight)
    expected = np.average(binary_cross_entropies(smoothed(model, X, 0.2), Y, 0.2), weights=weight)
    assert model.loss_ == pytest.approx(expected, rel=1e-9)
    model = quick(**still, loss=BinaryFocal(1.5)).fit(X, Y, weight)
    expected = np.average(focal_losses(model._outputs(X), Y, 1.5), weights=weight)
    assert model.loss_ == pytest.approx(expected, rel=1e-9)


def test_the_focal_loss_learns_and_differs():
    model = ConvNetClassifier((8, 16), hidden_layer_sizes=32, loss="focal", max_iter=40, random_state=0).fit(X, Y)
    assert (model.predict(X_TEST) == Y_TEST).mean() > 0.85
    zero = quick(loss=BinaryFocal(0.0, 0.1), batch_size=300).fit(X, Y)
    np.testing.assert_allclose(zero.loss_curve_, quick(batch_size=300).fit(X, Y).loss_curve_, rtol=1e-9)


def test_a_weight_of_two_equals_two_samples():
    full = {"batch_size": 10_000, "max_iter": 5}
    repeats = np.random.default_rng(0).integers(0, 4, 300)
    weighted = quick(**full).fit(X, Y, repeats)
    repeated = quick(**full).fit(np.repeat(X, repeats, axis=0), np.repeat(Y, repeats, axis=0))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=0, atol=1e-7)
    assert same_bits(quick().fit(X, Y, np.ones(300)).predict_proba(X), quick().fit(X, Y).predict_proba(X))


def test_held_out_share():
    params = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 30, "learning_rate": "constant"}
    model = quick(**params, n_iter_no_change=3, tol=1.0).fit(X, Y)
    assert model.n_iter_ == 4
    assert model.stopped_early_
    assert len(model.validation_scores_) == 4


def test_validation_data_and_the_best_weights():
    seen = []
    model = quick(
        max_iter=8, learning_rate_init=0.05, callback=lambda info: seen.append(info.estimator._outputs(X_TEST))
    )
    weight = np.random.default_rng(0).uniform(0.1, 2, 300)
    model.fit(X, Y, X_val=X_TEST, y_val=Y_TEST, sample_weight_val=weight)
    expected = [accuracy_score(Y_TEST, logits > 0, sample_weight=weight) for logits in seen]
    np.testing.assert_allclose(model.validation_scores_, expected, rtol=1e-6)
    losses = [np.average(binary_cross_entropies(logits, Y_TEST, 0.1), weights=weight) for logits in seen]
    np.testing.assert_allclose(model.validation_loss_curve_, losses, rtol=1e-5)
    assert model.score(X_TEST, Y_TEST, weight) == pytest.approx(max(model.validation_scores_))


def test_temperature():
    model = quick(temperature_scaling=True, max_iter=10).fit(X, Y, X_val=X_TEST, y_val=Y_TEST)
    logits, smooth = model.decision_function(X_TEST) * model.temperature_, 1 / 301
    grid = np.exp(np.linspace(-3, 3, 6001))
    losses = [binary_cross_entropies(logits / t, Y_TEST, smooth).mean() for t in grid]
    assert model.temperature_ == pytest.approx(grid[np.argmin(losses)], rel=2e-3)
    np.testing.assert_allclose(model.predict_proba(X_TEST), expit(logits / model.temperature_), rtol=1e-9)


def test_partial_fit():
    model = ConvNetClassifier((8, 16), hidden_layer_sizes=32, learning_rate_init=5e-3, random_state=0)
    for _ in range(20):
        for start in range(0, 300, 100):
            model.partial_fit(X[start : start + 100], Y[start : start + 100], classes=range(3))
    assert (model.predict(X_TEST) == Y_TEST).mean() > 0.85
    assert model.classes_.tolist() == [0, 1, 2]
    one = quick(max_iter=1, learning_rate="constant", batch_size=300, shuffle=False).fit(X, Y)
    part = clone(one).partial_fit(X, sparse.csr_matrix(Y), classes=range(3))
    assert same_bits(one.network_.parameters, part.network_.parameters)


def test_mixup_mixes_labels():
    model = ConvNetClassifier((8, 16), hidden_layer_sizes=32, max_iter=40, augment=Mixup(0.2), random_state=0)
    assert (model.fit(X, Y).predict(X_TEST) == Y_TEST).mean() > 0.8


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_solvers(solver):
    model = ConvNetClassifier((8, 16), hidden_layer_sizes=32, solver=solver, max_iter=40, random_state=0).fit(X, Y)
    assert (model.predict(X_TEST) == Y_TEST).mean() > 0.8


def test_pickle_clone_and_scores(learned):
    assert same_bits(pickle.loads(pickle.dumps(learned)).predict_proba(X), learned.predict_proba(X))
    assert same_bits(clone(learned).fit(X, Y).predict_proba(X), learned.predict_proba(X))
    scores = cross_val_score(quick(max_iter=15), X, Y, cv=3, scoring="f1_macro")
    assert scores.min() > f1_score(Y, np.ones_like(Y), average="macro") - 0.05


def test_threads_change_no_bit():
    assert same_bits(quick(n_jobs=1).fit(X, Y).predict_proba(X), quick(n_jobs=2).fit(X, Y).predict_proba(X))


def test_warm_start():
    model = quick(warm_start=True, learning_rate="constant").fit(X, Y)
    first = model.loss_
    assert model.fit(X, Y).loss_ < first
    match = r"y must be an indicator matrix of 3 labels, 0 or 1, got shape \(\d+, 2\)"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y[:, :2])


def test_one_label_a_sample_after_several():
    model = quick().fit(X, Y)
    model.fit(X, DIGITS.target[:300])
    assert model.predict_proba(X).shape == (300, 10)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda m: m.set_params(class_weight="balanced").fit(X, Y),
            "class_weight='balanced' is for one label a sample, but y has several; use sample_weight",
        ),
        (
            lambda m: m.set_params(class_weight={0: 2.0}).fit(X, Y),
            r"class_weight=\{0: 2.0\} is for one label a sample, but y has several; use sample_weight",
        ),
        (lambda m: m.fit(X, Y + np.arange(3)), "y should be a 1d array"),  # several classes in each column
        (lambda m: m.fit(X, Y[:9]), r"inconsistent numbers of samples: \[300, 9\]"),
        (lambda m: m.partial_fit(X, Y), "classes must be passed on the first call to partial_fit"),
        (
            lambda m: m.partial_fit(X, Y, classes=range(4)),
            r"y must be an indicator matrix of 4 labels, 0 or 1, got shape \(300, 3\) with values \[0, 1\]",
        ),
        (
            lambda m: m.fit(X, Y, X_val=X, y_val=Y[:, :2]),
            r"y_val must be an indicator matrix of 3 labels, 0 or 1, got shape \(300, 2\)",
        ),
        (
            lambda m: m.fit(X, Y, X_val=X, y_val=2 * Y),
            r"y_val must be an indicator matrix of 3 labels, 0 or 1, got shape \(300, 3\) with values .*2",
        ),
        (
            lambda m: m.fit(X, Y, X_val=X, y_val=Y[:, 0]),
            r"y_val must be an indicator matrix of 3 labels, 0 or 1, got shape \(300,\)",
        ),
    ],
)
def test_errors(call, match):
    model = quick()
    with pytest.raises(ValueError, match=match):
        call(model)
    assert set(vars(model)) == set(model.get_params(deep=False))


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (Y[:, :2], r"y must be an indicator matrix of 3 labels, 0 or 1, got shape \(300, 2\)"),
        (DIGITS.target[:300], r"y must be an indicator matrix of 3 labels, 0 or 1, got shape \(300,\)"),
    ],
)
def test_a_rejected_chunk_leaves_no_trace(labels, match):
    model, reference = (quick().partial_fit(X, Y, classes=range(3)) for _ in range(2))
    before = deepcopy(model.loss_curve_)
    with pytest.raises(ValueError, match=match):
        model.partial_fit(X, labels)
    assert model.loss_curve_ == before
    assert same_bits(model.partial_fit(X, Y).network_.parameters, reference.partial_fit(X, Y).network_.parameters)
