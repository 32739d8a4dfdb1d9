"""What both networks' `fit` and `partial_fit` do: early stopping, divergence, going on."""

from copy import deepcopy

import numpy as np
import pytest
from helpers import assert_rejected, quick_model, same_bits
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

from skconv import ConvNetClassifier

DIGITS = load_digits()
X = DIGITS.data[:300] / 16
Y = DIGITS.target[:300]
TEST = DIGITS.data[300:600] / 16, DIGITS.target[300:600]
quick = quick_model


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(X, Y)


@pytest.fixture(params=["unfitted", "fitted"])
def start(request, fitted):
    return quick() if request.param == "unfitted" else deepcopy(fitted)


def held_out(random_state, fraction, weight=None):
    """The rows that are held out, as the scorer sees them."""
    seen = []
    quick(
        early_stopping=True, validation_fraction=fraction, random_state=random_state, max_iter=1,
        scoring=lambda _, X_val, y_val: seen.append(X_val) or 0.0,
    ).fit(X, Y, weight)  # fmt: skip
    return np.array([np.flatnonzero((sample == X).all(axis=1)).item() for sample in seen[0]])


@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_keeps_the_best_weights(weighted):
    params = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 12}
    noisy = {"learning_rate": "constant", "learning_rate_init": 0.05}
    weight = np.random.default_rng(0).random(300) if weighted else None
    last_was_best = []
    for seed in range(8):
        model = ConvNetClassifier((4, 8), hidden_layer_sizes=16, random_state=seed, **params, **noisy)
        model.fit(X, Y, weight)
        rows = held_out(seed, 0.2, weight)
        X_val, y_val, w_val = X[rows], Y[rows], weight[rows] if weighted else None
        scores = model.validation_scores_
        assert len(scores) == model.n_iter_ == len(model.loss_curve_)
        assert model.best_validation_score_ == max(scores)
        tolerance = 1e-6 if weighted else 0  # the weights are float32 in there
        assert abs(accuracy_score(y_val, model.predict(X_val), sample_weight=w_val) - max(scores)) <= tolerance
        last_was_best.append(scores[-1] == max(scores))
    assert not all(last_was_best)  # or the last weights would do


def test_early_stopping_stops():
    params = {"early_stopping": True, "validation_fraction": 0.2, "tol": 1.0, "n_iter_no_change": 3}
    model = quick(**params, max_iter=50, learning_rate="constant").fit(X, Y)
    assert model.n_iter_ == 4  # the first, and three that were no better by tol
    assert quick(**{**params, "n_iter_no_change": 6}, max_iter=6, learning_rate="constant").fit(X, Y).n_iter_ == 6


@pytest.mark.parametrize("learning_rate", ["one_cycle", "cosine", "step"])
def test_early_stopping_where_the_learning_rate_falls(learning_rate):
    params = {"early_stopping": True, "validation_fraction": 0.2, "tol": 1.0, "n_iter_no_change": 3, "max_iter": 20}
    rates = []
    model = quick(**params, learning_rate=learning_rate, callback=lambda info: rates.append(info.learning_rate))
    model.fit(X, Y)
    assert model.n_iter_ == 4 + 5  # three that were no better by tol, and the last quarter of the schedule
    assert model.stopped_early_
    whole = []
    quick(max_iter=20, learning_rate=learning_rate, callback=lambda info: whole.append(info.learning_rate)).fit(X, Y)
    np.testing.assert_allclose(rates, whole[:4] + whole[15:], rtol=0.05, atol=1e-4)  # of the last of 8 or 10 updates
    assert model.best_validation_score_ == max(model.validation_scores_[4:])
    uncut = quick(**{**params, "n_iter_no_change": 20}, learning_rate=learning_rate).fit(X, Y)
    assert uncut.n_iter_ == 20
    assert not uncut.stopped_early_
    assert uncut.best_validation_score_ == max(uncut.validation_scores_[15:])


def test_early_stopping_can_stop_where_the_number_of_epochs_is_auto():
    images, labels = np.tile(X, (20, 1)), np.tile(Y, 20)
    tiny = {"filters": 2, "kernel_size": 1, "hidden_layer_sizes": (), "batch_size": 90, "random_state": 0}
    stalled = {"early_stopping": True, "scoring": lambda *_: 0.5, "tol": 10.0}
    model = ConvNetClassifier(**tiny, **stalled).fit(images, labels)
    assert model.n_iter_ == 4 + 3  # of ten: three that were no better by tol, and the last quarter
    assert model.stopped_early_
    model = ConvNetClassifier(**tiny, **stalled, max_iter=10).fit(images, labels)
    assert model.n_iter_ == 10  # n_iter_no_change is 10, as given


def test_early_stopping_trains_on_the_rest():
    model = quick(early_stopping=True, validation_fraction=0.2, max_iter=1, n_iter_no_change=1, batch_size=300)
    rows = held_out(0, 0.2)
    rest, y_rest = np.delete(X, rows, axis=0), np.delete(Y, rows)
    stopped, plain = model.fit(X, Y), quick(max_iter=1, batch_size=300).fit(rest, y_rest)
    np.testing.assert_allclose(stopped.loss_curve_, plain.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(stopped.predict_proba(X), plain.predict_proba(X), rtol=1e-6)


def test_constant_learning_rate_stops_without_progress():
    params = {"max_iter": 20, "n_iter_no_change": 2, "tol": 1e9}
    assert quick(learning_rate="constant", **params).fit(X, Y).n_iter_ == 3
    assert quick(learning_rate="one_cycle", **params).fit(X, Y).n_iter_ == 20
    assert quick(learning_rate="constant", **{**params, "tol": 0.0}).fit(X, Y).n_iter_ > 5


def test_divergence(start):
    params = {"batch_norm": False, "solver": "sgd", "learning_rate": "constant", "learning_rate_init": 1e20}
    start.set_params(max_iter=20, **params)
    match = r"the loss became (nan|inf) in epoch 1: the training diverged\. Lower learning_rate_init \(now 1e\+20\)"
    assert_rejected(start, lambda model: model.fit(X, Y), match)
    assert_rejected(start, lambda model: model.fit(X, Y), "or scale X, for example by MinMaxScaler or StandardScaler")
    start.set_params(batch_size=300)
    later = r"the loss became (nan|inf) in epoch [2-9]"
    assert_rejected(start, lambda model: model.fit(X, Y), later)
    start.set_params(early_stopping=True, validation_fraction=0.2)
    assert_rejected(start, lambda model: model.fit(X, Y), later)


def test_divergence_in_partial_fit(start):
    params = {"batch_norm": False, "solver": "sgd", "learning_rate_init": 1e20}
    start.set_params(**params)
    if hasattr(start, "network_"):
        start.set_params(learning_rate_init=1e-3).fit(X, Y).set_params(learning_rate_init=1e20)
    epoch = 1 + getattr(start, "n_iter_", 0)
    known = range(10)
    match = rf"the loss became (nan|inf) in epoch {epoch}: .* learning_rate_init \(now 1e\+20\)"
    assert_rejected(start, lambda model: model.partial_fit(X, Y, classes=known), match)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_X_beyond_the_range_of_float32(start, solver):
    start.set_params(solver=solver)
    match = r"Input X contains infinity or a value too large for dtype\('float32'\)"
    assert_rejected(start, lambda model: model.fit(X * 1e200, Y), match)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_divergence_in_the_last_step(start, method):
    # The loss before the one and only step is fine; the weights after it are not.
    start.set_params(max_iter=1, batch_size=300, learning_rate="constant", learning_rate_init=1e39)
    extra = {"classes": range(10)} if method == "partial_fit" else {}
    assert_rejected(start, lambda model: getattr(model, method)(X.astype(np.float32), Y, **extra), "diverged")


def test_warm_start_goes_on():
    model = quick(warm_start=True, max_iter=3, learning_rate="constant").fit(X, Y)
    first, network = list(model.loss_curve_), model.network_
    model.fit(X, Y)
    assert model.loss_curve_[0] < first[0]
    assert model.loss_ < first[-1]
    assert model.n_iter_ == 3
    assert model.network_ is not network
    cold = clone(model).set_params(warm_start=False).fit(X, Y).fit(X, Y)
    assert cold.loss_curve_ == first


def test_warm_start_needs_the_same_problem():
    model = quick(warm_start=True).fit(X, Y)
    classes = r"warm_start=True needs the classes of the last fit, \[0, .*9\], got \["
    assert_rejected(model, lambda model: model.fit(X, Y + 1), classes)
    assert_rejected(model, lambda model: model.fit(X[Y < 9], Y[Y < 9]), classes)
    assert_rejected(model, lambda model: model.fit(X[:, :63], Y), "X has 63 features, but .* is expecting 64 features")
    assert_rejected(model, lambda model: model.fit(X.reshape(-1, 4, 16), Y), r"was fitted on \(8, 8, 1\)")
    expected = model.predict_proba(X)
    diverging = model.set_params(learning_rate_init=1e30, batch_size=16)
    assert_rejected(diverging, lambda model: model.fit(X * 1e30, Y), "diverged")
    assert same_bits(model.predict_proba(X), expected)


def test_partial_fit_learns():
    model = ConvNetClassifier((4, 8), hidden_layer_sizes=16, learning_rate_init=5e-3, random_state=0)
    for _ in range(15):
        for start in range(0, 300, 100):
            model.partial_fit(X[start : start + 100], Y[start : start + 100], classes=range(10))
    assert model.score(*TEST) > 0.8
    assert model.n_iter_ == len(model.loss_curve_) == 45
    assert model.loss_ < model.loss_curve_[0]
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)


def test_partial_fit_knows_classes_it_has_not_seen():
    model = quick().partial_fit(X[Y < 3], Y[Y < 3], classes=[9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    assert model.classes_.tolist() == list(range(10))
    assert model.predict_proba(X).shape == (300, 10)
    model.partial_fit(X, Y)
    model.partial_fit(X, Y, classes=range(10))
    assert model.n_iter_ == 3


def test_partial_fit_goes_on_after_fit():
    model = quick(max_iter=10, learning_rate_init=1e-3).fit(X, Y)
    loss, curve = model.loss_, list(model.loss_curve_)
    model.partial_fit(X, Y)
    assert model.loss_curve_[:10] == curve
    assert model.loss_ < loss + 0.1 < curve[0]
    assert model.n_iter_ == 11
    again = clone(model).fit(X, Y)
    model.fit(X, Y)  # which starts anew
    assert same_bits(model.network_.parameters, again.network_.parameters)
    assert model.n_iter_ == 10


def test_partial_fit_at_once_is_one_epoch_of_fit():
    fit = quick(max_iter=1, learning_rate="constant", batch_size=300, shuffle=False).fit(X, Y)
    part = clone(fit).partial_fit(X, Y, classes=range(10))
    assert same_bits(fit.network_.parameters, part.network_.parameters)
    assert fit.loss_curve_ == part.loss_curve_


def test_partial_fit_first_call_needs_classes():
    model = quick()
    assert_rejected(model, lambda m: m.partial_fit(X, Y), "classes must be passed on the first call to partial_fit")
    assert_rejected(model, lambda m: m.partial_fit(X, Y, classes=[]), "classes")


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda m: m.partial_fit(X, Y + 5), r"y has labels \[10, 11, 12, 13, 14\] that are not in classes"),
        (lambda m: m.partial_fit(X, Y - 1), r"y has labels \[-1\] that are not in classes \[0, 1"),
        (lambda m: m.partial_fit(X, Y.astype(str)), "y has labels .* that are not in classes"),
        (lambda m: m.partial_fit(X, Y, classes=range(9)), r"7, 8\] is not the same as on the last call"),
        (lambda m: m.partial_fit(X, Y, classes=list("ab")), r"classes=\['a', 'b'\] is not the same"),
        (lambda m: m.partial_fit(X[:, :63], Y), "X has 63 features, but ConvNetClassifier is expecting 64"),
        (lambda m: m.partial_fit(X.reshape(-1, 4, 16), Y), r"shape \(4, 16, 1\), but .* was fitted on \(8, 8, 1\)"),
    ],
)
def test_rejected_partial_fit_leaves_no_trace(call, match, fitted):
    reference = quick().partial_fit(X, Y, classes=range(10))
    model = deepcopy(reference)
    for candidate in (model, deepcopy(fitted)):
        assert_rejected(candidate, call, match)
    model.partial_fit(X, Y)
    reference.partial_fit(X, Y)
    assert same_bits(model.network_.parameters, reference.network_.parameters)


def test_first_partial_fit_rejected():
    model = quick()
    assert_rejected(model, lambda m: m.partial_fit(X, Y, classes=range(3)), r"labels \[3, 4, 5, 6, 7\]")
