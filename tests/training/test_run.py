"""A fit from its start to its end: epochs, stopping, interrupts, validation data, scores and temperatures."""

import pickle
from functools import partial
from types import SimpleNamespace

import h5py
import helpers
import numpy as np
import pandas as pd
import pytest
from helpers import quick_model, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, make_scorer, r2_score

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.training._run import History, Run
from skconv.training.schedules import Plateau

DIGITS = load_digits()
X, Y = DIGITS.data[:300] / 16, DIGITS.target[:300]
X_VAL, Y_VAL = DIGITS.data[300:420] / 16, DIGITS.target[300:420]
W_VAL = np.random.default_rng(1).uniform(0.1, 2, 120)
QUICK = {**helpers.QUICK, "max_iter": 4}
quick = partial(quick_model, max_iter=4)


# History


def scored(scores, losses=None):
    """A history whose validation loss, unless given, is the same in all epochs."""
    return History(loss=[0.0] * len(scores), scores=list(scores), validation_loss=list(losses or [1.0] * len(scores)))


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    values=st.lists(st.integers(-3, 3), max_size=9),
    patience=st.integers(1, 5),
    tol=st.sampled_from([0, 1]),
    what=st.sampled_from(["score", "loss", "validation loss", "validation loss of no score"]),
)
def test_stalled_looks_for_the_last_epoch_that_brought_more_than_tol(values, patience, tol, what):
    negative = [-float(v) for v in values]
    history = {
        "score": scored(values),
        "loss": History(loss=negative),
        "validation loss": scored([0.5] * len(values), negative),
        "validation loss of no score": scored([np.nan] * len(values), negative),
    }[what]
    last = max((i for i in range(1, len(values)) if values[i] > max(values[:i]) + tol), default=0)
    assert history.stalled(tol, patience) == (len(values) > patience and len(values) - 1 - last >= patience)


def test_stalled_prefers_the_validation_score():
    falling, rising = [3.0, 2.0, 1.0, 0.5], [1.0, 2.0, 3.0, 4.0]
    assert History(loss=falling, scores=[1, 0, 0, 0], validation_loss=falling).stalled(0, 3)  # no tie with the best
    assert not History(loss=falling, scores=[1, 1, 1, 1], validation_loss=falling).stalled(0, 3)
    assert not History(loss=rising, scores=rising, validation_loss=rising).stalled(0, 3)
    assert not History().stalled(0, 1)


NAN = float("nan")


@pytest.mark.parametrize(
    ("scores", "losses", "best"),
    [
        ([0.1, 0.5, 0.5, 0.3], [4, 3, 2, 1], 2),
        ([0.1, 0.5, 0.5, 0.3], [4, 2, 3, 1], 1),
        ([NAN, 0.5, 0.4], [1, 2, 3], 1),
        ([NAN, -1e300, NAN], [1, 2, 0], 1),
        ([NAN, NAN, NAN], [2, 1, 3], 1),
        ([0.5, 0.5, 0.5], [NAN, 2, NAN], 1),
        ([0.5], [NAN], 0),
    ],
)
def test_the_best_epoch_has_the_highest_score_and_of_equals_the_lowest_loss(scores, losses, best):
    history = History()
    better = [history.add_score(loss, score) for loss, score in zip(losses, scores, strict=True)]
    assert history.best == best
    assert better[best]
    assert not any(better[best + 1 :])


def test_history_takes_finite_losses_only():
    history = History(learning_rate_init=0.5)
    history.add(1.0, SimpleNamespace(parameters=np.ones(2), state=np.ones(1)))
    for loss, parameters in ((np.nan, np.ones(2)), (np.inf, np.ones(2)), (1.0, np.array([1, np.inf]))):
        match = r"the loss became (nan|inf) in epoch 2: the training diverged.*learning_rate_init \(now 0.5\)"
        with pytest.raises(ValueError, match=match):
            history.add(loss, SimpleNamespace(parameters=parameters, state=np.array([np.inf])))
    assert history.loss == [1.0]


# Run, with a trainer that only counts


class Trainer:
    """Each epoch adds one to the parameters."""

    def __init__(self, losses=(), average=None):
        self.network = SimpleNamespace(parameters=np.zeros(2), state=np.zeros(1), changed=lambda: None)
        self.losses, self.average, self.rates, self.updates = list(losses), average, [], 0

    def averaged(self):
        return self.average.values

    def epoch(self, pieces, total, rate, interrupted):
        assert list(pieces) == ["piece"]
        self.rates += [rate(0.0), rate(0.5)]
        self.network.parameters += 1
        self.network.state += 10
        return self.losses[len(self.rates) // 2 - 1] if self.losses else 1.0


def run_of(trainer, **options):
    options = {"n_epochs": 4, "schedule": lambda done: 8 * (1 - done), "pieces": lambda rng: ["piece"], **options}
    return Run(trainer, History(), np.random.default_rng(0), total=10, **options)


def test_the_schedule_sees_the_share_of_the_training():
    trainer = Trainer()
    run = run_of(trainer)
    run.go(lambda run: False)
    assert trainer.rates == [8, 7, 6, 5, 4, 3, 2, 1]
    assert run.epoch == 4
    assert run.over
    assert [run.stopped, run.asked, run.interrupted] == [False] * 3


def test_a_plateau_lowers_the_rate_and_stops():
    trainer = Trainer()
    run = run_of(
        trainer,
        n_epochs=50,
        schedule=lambda done: 1.0,
        plateau=Plateau(factor=0.1, patience=2, min_factor=0.01).start(),
    )
    run.go(lambda run: False)
    assert [round(rate, 6) for rate in trainer.rates[::2]] == [1, 1, 1, 0.1, 0.1, 0.01, 0.01]
    assert run.stopped


def test_a_plateau_looks_at_the_validation_loss():
    trainer = Trainer()
    values = iter([3.0, 2.0, 1.0, 1.0, 1.0])
    plateau = Plateau(factor=0.5, patience=1).start()
    run = run_of(trainer, n_epochs=5, schedule=lambda _: 1.0, plateau=plateau, validate=lambda: (next(values), 0.0))
    run.go(lambda run: False)
    assert trainer.rates[::2] == [1, 1, 1, 1, 0.5]
    assert not run.stopped  # the score is what would say so


def test_the_best_weights_are_kept_and_put_back():
    trainer = Trainer()
    scores = iter([0.1, 0.5, 0.5, 0.3])
    losses = iter([4.0, 3.0, 2.0, 1.0])
    run = run_of(trainer, validate=lambda: (next(losses), next(scores)))
    run.go(lambda run: False)
    np.testing.assert_array_equal(trainer.network.parameters, 4)
    run.finish()
    np.testing.assert_array_equal(trainer.network.parameters, 3)  # of equals that of the lower loss
    np.testing.assert_array_equal(trainer.network.state, 30)
    assert run.history.scores == [0.1, 0.5, 0.5, 0.3]


def test_a_score_that_is_no_number_is_never_better():
    trainer = Trainer()
    scores = iter([np.nan] * 4)
    run = run_of(trainer, validate=lambda: (1.0, next(scores)), stop=(0.0, 2))
    run.go(lambda run: False)
    assert run.epoch == 3
    assert run.stopped


def cooling(scores, n_epochs, patience=2, losses=None, margin=9.0):
    """A run with these scores and a schedule that falls to zero, and what its callback has seen."""
    trainer, values = Trainer(), zip(losses or [1.0] * len(scores), scores, strict=True)
    options = {"n_epochs": n_epochs, "schedule": lambda done: 1 - done, "stop": (0.0, patience), "cools": True}
    run, seen = run_of(trainer, validate=lambda: next(values), **options), []
    run.history.margin = margin
    run.go(lambda run: seen.append((run.epoch, run.n_epochs, run.over)))
    run.finish()
    return run, seen, trainer


def test_without_progress_a_schedule_that_falls_goes_on_with_its_last_quarter():
    run, seen, trainer = cooling([0.9, 0.8, 0.8, 0.3, 0.4, 0.2], n_epochs=12)
    np.testing.assert_allclose(trainer.rates[::2], 1 - np.array([0, 1, 2, 9, 10, 11]) / 12)
    np.testing.assert_allclose(trainer.rates[1::2], 1 - np.array([0.5, 1.5, 2.5, 9.5, 10.5, 11.5]) / 12)
    assert seen == [(1, 12, False), (2, 12, False), (3, 6, False), (4, 6, False), (5, 6, False), (6, 6, True)]
    assert not run.stopped
    assert run.skipped == 6
    np.testing.assert_array_equal(trainer.network.parameters, 5)  # the best of the last quarter
    assert run.history.best == 4


@pytest.mark.parametrize(
    ("scores", "n_epochs", "best"),
    [
        ([1, 2, 3, 4, 5, 6, 0.2, 0.1], 8, 6),  # no end before the last quarter
        ([1, 2, 3, 4, 5, 6, 0.1, 0.1], 8, 7),  # of equals the lower loss
        ([1, 2, 3, 4, 5, 6, np.nan, np.nan], 8, 5),  # nothing there is defined
        ([1, 2, 3, 4, 5, 6, np.nan, 0.1], 8, 7),
        ([3, 2, 1], 3, 2),
        ([3, 2], 2, 1),
        ([3], 1, 0),
    ],
)
def test_scores_of_the_last_quarter_are_compared(scores, n_epochs, best):
    run, _, trainer = cooling(scores, n_epochs, patience=9, losses=[9 - i for i in range(len(scores))])
    assert run.epoch == len(scores)
    assert run.history.best == best
    np.testing.assert_array_equal(trainer.network.parameters, best + 1)


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.6, 0.5], 1),  # higher by 0.3
        ([0.1, 0.8, 0.8, 0.7, 0.6, 0.5, 0.6, 0.5], 6),  # by 0.2
        ([0.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.7], 7),
        ([0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.7, 0.8], 7),
        ([np.nan, 0.9, 0.8, 0.7, 0.6, 0.5, 0.6, np.nan], 1),
        ([-4.7, -9, -8, -7, -6, -6, -6, -7], 0),  # by 1.3, more than a quarter of it
        ([-4.9, -9, -8, -7, -6, -6, -6, -7], 6),
    ],
)
def test_an_earlier_score_counts_if_it_is_higher_by_more_than_chance_brings(scores, best):
    run, _, trainer = cooling(scores, n_epochs=8, patience=9, margin=0.25)
    assert run.history.best == best
    np.testing.assert_array_equal(trainer.network.parameters, best + 1)


def test_what_chance_brings_is_by_the_number_of_validation_samples():
    scores = [0.5 + 0.12, 0.1, 0.1, 0.5]
    for n, best in ((64, 0.5), (81, 0.62)):  # 1/8 and 1/9
        weight = (np.arange(120) < n).astype(float)
        values = iter(scores)
        model = quick(scoring=lambda *_, values=values: next(values))
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)
        assert model.best_validation_score_ == best


def test_no_progress_in_the_last_quarter_changes_nothing():
    run, _, _ = cooling([1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7], n_epochs=12, patience=2)
    assert (run.epoch, run.skipped) == (12, 0)
    run, _, _ = cooling([1, 2, 3, 4, 4, 4, 4, 4, 4], n_epochs=12, patience=2)
    assert (run.epoch, run.skipped) == (9, 3)


def test_a_fit_cut_before_the_last_quarter_has_the_best_so_far():
    trainer, scores = Trainer(), iter([0.1, 0.5, 0.3])
    run = run_of(trainer, n_epochs=12, validate=lambda: (1.0, next(scores)), cools=True)
    run.go(lambda run: run.epoch == 3)
    run.finish()
    np.testing.assert_array_equal(trainer.network.parameters, 2)


def test_stop_after_epochs_without_progress():
    run = run_of(Trainer([3.0, 2.0, 2.0, 2.0, 2.0]), n_epochs=5, stop=(0.1, 2))
    run.go(lambda run: False)
    assert run.stopped
    assert run.epoch == 4


def test_watch_stops():
    run = run_of(Trainer())
    run.go(lambda run: run.epoch == 3)
    assert run.asked
    assert not run.stopped
    assert run.epoch == 3


def test_running_means_are_seen_and_kept():
    average = SimpleNamespace(values=np.array([7.0, 7.0]))
    trainer, seen = Trainer(average=average), []

    def validate():
        seen.append(trainer.network.parameters.copy())
        return 1.0, float(len(seen))

    run = run_of(trainer, validate=validate)
    run.go(lambda run: seen.append(trainer.network.parameters.copy()) and False)
    np.testing.assert_array_equal(seen, 7)
    np.testing.assert_array_equal(trainer.network.parameters, 4)  # training goes on with its own
    run.finish()
    np.testing.assert_array_equal(trainer.network.parameters, 7)
    trainer = Trainer(average=average)
    run = run_of(trainer)
    run.go(lambda run: False)
    run.finish()
    np.testing.assert_array_equal(trainer.network.parameters, 7)


def test_the_networks_own_weights_come_back_after_an_error():
    trainer = Trainer(average=SimpleNamespace(values=np.array([7.0, 7.0])))
    run = run_of(trainer)
    with pytest.raises(ZeroDivisionError), run.averaged():
        raise ZeroDivisionError
    np.testing.assert_array_equal(trainer.network.parameters, 0)


# Validation data


def keep(seen, X_val=X_VAL):
    """A callback that keeps what each epoch's model says of the validation data, of classes the network's outputs."""

    def callback(info):
        model = info.estimator
        seen.append(model._outputs(X_val) if is_classifier(model) else model.predict(X_val))

    return callback


@pytest.mark.parametrize("params", [{}, {"ema_decay": 0.9}, {"batch_size": 300}, {"n_jobs": 2}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_curves_are_those_of_the_models_of_each_epoch(weighted, params):
    seen, weight = [], W_VAL if weighted else None
    model = quick(callback=keep(seen), label_smoothing=0.2, **params)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)
    assert len(seen) == len(model.validation_scores_) == len(model.validation_loss_curve_) == 4
    for logits, score, loss in zip(seen, model.validation_scores_, model.validation_loss_curve_, strict=True):
        assert score == pytest.approx(accuracy_score(Y_VAL, logits.argmax(axis=1), sample_weight=weight), rel=1e-6)
        log_p = log_softmax(logits.astype(float), axis=1)
        losses = -0.8 * log_p[np.arange(120), Y_VAL] - 0.2 * log_p.mean(axis=1)
        assert loss == pytest.approx(np.average(losses, weights=weight), rel=1e-5)
    assert model.best_validation_score_ == model.validation_scores_[-1]  # of four epochs the last is cool


def test_validation_data_change_nothing_in_training():
    plain = quick().fit(X, Y)
    for params in ({}, {"early_stopping": True}):  # which splits nothing off where there are validation data
        model = quick(**params).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
        assert model.loss_curve_ == plain.loss_curve_
    assert plain.validation_scores_ is None
    assert plain.validation_loss_curve_ is None


@pytest.mark.parametrize("scoring", [None, "loss", "f1_macro"])
def test_the_best_weights_are_restored(scoring):
    last_was_best = []
    for seed in range(4):
        model = quick(max_iter=8, learning_rate="constant", learning_rate_init=0.06, scoring=scoring, random_state=seed)
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
        if scoring == "loss":
            log_p = log_softmax(model._outputs(X_VAL), axis=1)
            found = 0.9 * log_p[np.arange(120), Y_VAL].mean() + 0.1 * log_p.mean()
        elif scoring is None:
            found = model.score(X_VAL, Y_VAL)
        else:
            found = f1_score(Y_VAL, model.predict(X_VAL), average="macro")
        assert found == pytest.approx(max(model.validation_scores_), rel=1e-5)
        last_was_best.append(model.validation_scores_[-1] == max(model.validation_scores_))
    assert not all(last_was_best)  # or the last weights would do


def test_a_weight_of_two_equals_two_samples_in_validation():
    repeats = np.random.default_rng(0).integers(0, 3, 120)
    weighted = quick().fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=repeats)
    repeated = quick().fit(X, Y, X_val=np.repeat(X_VAL, repeats, axis=0), y_val=np.repeat(Y_VAL, repeats))
    np.testing.assert_allclose(weighted.validation_loss_curve_, repeated.validation_loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(weighted.validation_scores_, repeated.validation_scores_, rtol=1e-6)


def test_class_weight_counts_in_validation():
    factors = {label: 0.5 + label / 3 for label in range(10)}
    weight = np.array([factors[label] for label in Y_VAL])
    model = quick(class_weight=factors).fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=W_VAL)
    own = np.array([factors[label] for label in Y])
    by_hand = quick().fit(X, Y, own, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight * W_VAL)
    np.testing.assert_allclose(model.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(model.validation_scores_, by_hand.validation_scores_, rtol=1e-6)


def test_balanced_classes_are_balanced_in_validation():
    seen = []
    rows = np.flatnonzero((Y_VAL > 4) | (np.arange(120) % 3 == 0))
    model = quick(class_weight="balanced", callback=keep(seen, X_VAL[rows]))
    model.fit(X, Y, X_val=X_VAL[rows], y_val=Y_VAL[rows])
    expected = [balanced_accuracy_score(Y_VAL[rows], logits.argmax(axis=1)) for logits in seen]
    np.testing.assert_allclose(model.validation_scores_, expected, rtol=1e-6)


@pytest.mark.parametrize("class_weight", ["balanced", {3: 2.0}, {3: 2.0, 4: 0.5}], ids=str)
def test_validation_data_without_a_class_that_has_a_weight(class_weight):
    rows = Y_VAL != 3
    model = quick(class_weight=class_weight).fit(X, Y, X_val=X_VAL[rows], y_val=Y_VAL[rows])
    assert len(model.validation_scores_) == 4


def test_a_chunk_without_a_class_that_has_a_weight():
    model = quick(class_weight={3: 2.0}).partial_fit(X, Y, classes=range(10))
    model.partial_fit(X[Y != 3], Y[Y != 3])
    assert model.n_iter_ == 2


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_validation_data_of_a_regressor(solver):
    seen, y, y_val = [], X[:, 20:40].sum(axis=1) * 100 + 1e4, X_VAL[:, 20:40].sum(axis=1) * 100 + 1e4
    model = ConvNetRegressor(**QUICK, callback=keep(seen), solver=solver, learning_rate="constant")
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=W_VAL)
    for predicted, score, loss in zip(seen, model.validation_scores_, model.validation_loss_curve_, strict=True):
        assert score == pytest.approx(r2_score(y_val, predicted, sample_weight=W_VAL), abs=1e-5)
        expected = np.average((predicted - y_val) ** 2, weights=W_VAL) / 2 / model.target_scale_[0] ** 2
        assert loss == pytest.approx(expected, rel=1e-4)
    assert model.score(X_VAL, y_val, W_VAL) == pytest.approx(max(model.validation_scores_), abs=1e-5)


@pytest.mark.parametrize("scoring", [None, "r2"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_validation_sample_of_a_regressor(method, scoring):
    model, weight = ConvNetRegressor(**QUICK, scoring=scoring), np.zeros(9)
    weight[4] = 1
    match = (
        "The validation set is too small: X_val has 1 sample with weight, but R² needs 2; give more, or set scoring="
    )
    for data in (
        {"X_val": X_VAL[:1], "y_val": Y_VAL[:1]},
        {"X_val": X_VAL[:9], "y_val": Y_VAL[:9], "sample_weight_val": weight},
    ):
        with pytest.raises(ValueError, match=match):
            getattr(model, method)(X, Y, **data)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_the_loss_of_one_validation_sample():
    by_loss = ConvNetRegressor(**QUICK, scoring="loss").fit(X, Y, X_val=X_VAL[:1], y_val=Y_VAL[:1])
    assert by_loss.validation_scores_ == [-loss for loss in by_loss.validation_loss_curve_]


@pytest.mark.parametrize("form", ["images", "lists", "frames", "float32"])
def test_forms_of_validation_data(form):
    names = [f"p{i}" for i in range(64)]
    forms = {
        "images": lambda x: x.reshape(-1, 8, 8),
        "lists": lambda x: x.tolist(),
        "frames": lambda x: pd.DataFrame(x, columns=names),
        "float32": lambda x: x.astype(np.float32),
    }
    expected = quick(scoring="accuracy").fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    given_X = forms[form](X) if form == "frames" else X
    model = quick(scoring="accuracy").fit(given_X, Y, X_val=forms[form](X_VAL), y_val=pd.Series(Y_VAL))
    np.testing.assert_allclose(model.validation_loss_curve_, expected.validation_loss_curve_, rtol=1e-6)
    assert model.validation_scores_ == expected.validation_scores_


@pytest.mark.parametrize("params", [{}, {"scoring": "accuracy"}, {"n_jobs": 2, "scoring": "accuracy"}], ids=str)
def test_early_stopping_on_given_data(params):
    model = quick(early_stopping=True, max_iter=30, n_iter_no_change=3, tol=1.0, learning_rate="constant", **params)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.n_iter_ == 4
    assert model.stopped_early_


BAD_VALIDATION = [
    ({"y_val": Y_VAL}, "y_val and sample_weight_val need X_val, got X_val=None"),
    ({"sample_weight_val": W_VAL}, "y_val and sample_weight_val need X_val, got X_val=None"),
    ({"X_val": X_VAL}, "X_val needs y_val, got y_val=None"),
    ({"X_val": X_VAL[:, :63], "y_val": Y_VAL}, "X_val, with .*: X has 63 features, but .* 64"),
    ({"X_val": X_VAL.reshape(-1, 4, 16), "y_val": Y_VAL}, r"X_val, .*: X has samples of shape \(4, 16, 1\), but"),
    ({"X_val": X_VAL[:9], "y_val": Y_VAL}, r"X_val, .*inconsistent numbers of samples: \[9, 120\]"),
    ({"X_val": X_VAL * np.nan, "y_val": Y_VAL}, "X_val, .*: Input X contains NaN"),
    ({"X_val": X_VAL[:0], "y_val": Y_VAL[:0]}, r"X_val, .*0 sample\(s\)"),
    (
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": W_VAL[:9]},
        r"sample_weight_val must be .* 120 numbers .* \(9,\)",
    ),
    ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": -W_VAL}, "sample_weight_val must be .*Negative values"),
    ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": 0 * W_VAL}, "sample_weight_val: all weights are zero"),
]


@pytest.mark.parametrize(("arguments", "match"), BAD_VALIDATION)
@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_validation_data(method, kind, arguments, match):
    model = kind(**QUICK)
    known = {"classes": range(10)} if method == "partial_fit" and kind is ConvNetClassifier else {}
    with pytest.raises(ValueError, match=match):
        getattr(model, method)(X, Y, **known, **arguments)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_validation_labels_that_are_not_known():
    with pytest.raises(ValueError, match=r"y_val has labels \[11\] that are not in classes \[0, 1"):
        quick().fit(X, Y, X_val=X_VAL, y_val=np.where(Y_VAL == 3, 11, Y_VAL))


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize(
    ("params", "arguments", "name"),
    [
        ({"early_stopping": True}, {}, "early_stopping=True"),
        ({}, {"X_val": X_VAL, "y_val": Y_VAL}, "X_val"),
        ({"ema_decay": 0.9}, {}, "ema_decay"),
        ({"clip_norm": 1.0}, {}, "clip_norm"),
        ({"max_norm": 1.0}, {}, "max_norm"),
        ({"augment": "auto"}, {}, "augment"),
        ({"checkpoint": "here"}, {}, "checkpoint"),
        ({"freeze": "dense1"}, {}, "freeze"),
    ],
    ids=str,
)
def test_what_lbfgs_cannot(kind, params, arguments, name):
    model = kind(**QUICK, solver="lbfgs", **params)
    match = f"{name} needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or leave {name} out"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y, **arguments)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_lbfgs_needs_data_in_memory(tmp_path):
    with h5py.File(tmp_path / "X.h5", "w") as file, config_context(working_memory=0.1):
        stored = file.create_dataset("X", data=X)
        match = "an X in storage needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or leave"
        with pytest.raises(ValueError, match=match):
            quick(solver="lbfgs").fit(stored, Y)


def test_a_callback_stops_lbfgs():
    model = quick(solver="lbfgs", max_iter=20, callback=lambda info: info.epoch == 3).fit(X, Y)
    assert model.n_iter_ == 3
    assert model.stopped_early_


def test_lbfgs_at_a_minimum_has_a_loss():
    images, labels = np.zeros((20, 16)), np.arange(20) % 2
    model = ConvNetClassifier(filters=(), hidden_layer_sizes=(), solver="lbfgs", alpha=0).fit(images, labels)
    assert model.n_iter_ == 1
    assert model.loss_ == pytest.approx(np.log(2))


@pytest.mark.parametrize("weighted", [False, True])
def test_scoring_by_name_and_by_callable(weighted):
    seen, weight = [], W_VAL if weighted else None
    arguments = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": weight}
    by_name = quick(scoring="f1_macro", callback=keep(seen)).fit(X, Y, **arguments)
    expected = [f1_score(Y_VAL, z.argmax(axis=1), average="macro", sample_weight=weight) for z in seen]
    np.testing.assert_allclose(by_name.validation_scores_, expected, rtol=1e-6)
    scorer = make_scorer(f1_score, average="macro")
    assert quick(scoring=scorer).fit(X, Y, **arguments).validation_scores_ == by_name.validation_scores_
    negative = quick(scoring="neg_log_loss", label_smoothing=0.0, callback=keep(seen)).fit(X, Y, **arguments)
    log_p = log_softmax(seen[-1].astype(float), axis=1)
    value = -log_loss(Y_VAL, np.exp(log_p), sample_weight=weight)
    assert negative.validation_scores_[-1] == pytest.approx(value, rel=1e-5)


def test_a_function_as_scorer_gets_weights_where_it_takes_them():
    got = []

    def plain(estimator, X_val, y_val):
        got.append((estimator.score(X_val, y_val), y_val))
        return got[-1][0]

    def weighted(estimator, X_val, y_val, sample_weight=None):
        got.append(sample_weight)
        return 0.5

    arguments = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": W_VAL}
    model = quick(scoring=plain).fit(X, Y, **arguments)
    assert model.validation_scores_ == [score for score, _ in got]
    np.testing.assert_array_equal(got[0][1], Y_VAL)
    got.clear()
    quick(scoring=weighted).fit(X, Y, **arguments)
    np.testing.assert_allclose(got, [W_VAL / W_VAL.max()] * 4)
    got.clear()
    quick(scoring=weighted).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert got == [None] * 4


def test_labels_of_scorers_are_the_users():
    names = np.array([f"digit {i}" for i in range(10)])
    scorer = make_scorer(lambda true, predicted: f1_score(true == "digit 3", predicted == "digit 3"))
    model = quick(scoring=scorer).fit(X, names[Y], X_val=X_VAL, y_val=names[Y_VAL])
    found = f1_score(Y_VAL == 3, model.predict(X_VAL) == "digit 3")
    assert found == pytest.approx(max(model.validation_scores_))


# Chunk by chunk


def test_partial_fit_keeps_the_weights_that_were_best():
    model = quick(learning_rate_init=0.1, n_iter_no_change=2, tol=0.05)
    stopped = []
    for _ in range(12):
        model.partial_fit(X, Y, classes=range(10), X_val=X_VAL, y_val=Y_VAL)
        assert model.score(X_VAL, Y_VAL) == max(model.validation_scores_)
        stopped.append(model.stopped_early_)
    scores = model.validation_scores_
    assert len(scores) == len(model.validation_loss_curve_) == model.n_iter_ == 12
    assert scores[-1] < max(scores)
    losses = model.validation_loss_curve_
    expected = [scored(scores[: i + 1], losses[: i + 1]).stalled(0.05, 2) for i in range(12)]
    assert stopped == expected
    assert any(stopped)


def test_training_goes_on_from_the_last_weights_and_not_the_best():
    validated, plain = quick(learning_rate_init=0.05), quick(learning_rate_init=0.05)
    for _ in range(6):
        validated.partial_fit(X, Y, classes=range(10), X_val=X_VAL, y_val=Y_VAL)
        plain.partial_fit(X, Y, classes=range(10))
    assert validated.loss_curve_ == plain.loss_curve_
    validated.partial_fit(X, Y)  # without validation data: the last weights
    plain.partial_fit(X, Y)
    assert same_bits(validated.network_.parameters, plain.network_.parameters)
    assert not validated.stopped_early_


def test_partial_fit_with_running_means():
    model = quick(ema_decay=0.95, learning_rate_init=0.02)
    for _ in range(8):
        model.partial_fit(X, Y, classes=range(10))
    last = quick(learning_rate_init=0.02)
    for _ in range(8):
        last.partial_fit(X, Y, classes=range(10))
    assert model.loss_curve_ == last.loss_curve_  # the training does not see the means
    assert not np.allclose(model.network_.parameters, last.network_.parameters, atol=1e-4)
    copied = pickle.loads(pickle.dumps(model))
    assert same_bits(copied.partial_fit(X, Y).network_.parameters, model.partial_fit(X, Y).network_.parameters)


# Temperature


def smoothed_nll(logits, y, weight, temperature):
    """By its closed form, with the smoothing of the class's documentation."""
    smooth = 1 / (1 + np.count_nonzero(weight))
    log_p = log_softmax(logits.astype(float) / temperature, axis=1)
    losses = -(1 - smooth) * log_p[np.arange(len(y)), y] - smooth * log_p.mean(axis=1)
    return np.average(losses, weights=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_temperature_is_the_best_of_a_grid(weighted):
    weight = W_VAL if weighted else np.ones(120)
    model = quick(max_iter=10, temperature_scaling=True)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)
    logits = model.decision_function(X_VAL) * model.temperature_
    grid = np.exp(np.linspace(-3, 3, 6001))
    losses = [smoothed_nll(logits, Y_VAL, weight, t) for t in grid]
    assert model.temperature_ == pytest.approx(grid[np.argmin(losses)], rel=2e-3)
    assert 0.05 < model.temperature_ < 20
    assert model.temperature_ != 1


def overconfident(**params):
    return ConvNetClassifier(
        (8,), hidden_layer_sizes=32, label_smoothing=0.0, max_iter=150, alpha=0, random_state=0, **params
    )


def test_the_temperature_mends_an_overconfident_network():
    rng = np.random.default_rng(0)
    noisy, noisy_val = (np.where(rng.random(len(y)) < 0.3, rng.integers(0, 10, len(y)), y) for y in (Y, Y_VAL))
    test, labels = DIGITS.data[420:1000] / 16, DIGITS.target[420:1000]
    labels = np.where(rng.random(580) < 0.3, rng.integers(0, 10, 580), labels)
    arguments = {"X_val": X_VAL, "y_val": noisy_val}
    plain = overconfident().fit(X, noisy, **arguments)
    scaled = overconfident(temperature_scaling=True).fit(X, noisy, **arguments)
    assert plain.temperature_ == 1
    assert scaled.temperature_ > 1
    assert same_bits(plain.network_.parameters, scaled.network_.parameters)
    np.testing.assert_array_equal(plain.predict(test), scaled.predict(test))
    before, after = (log_loss(labels, model.predict_proba(test)) for model in (plain, scaled))
    assert after < before
    np.testing.assert_allclose(
        scaled.decision_function(test), plain.decision_function(test) / scaled.temperature_, rtol=1e-12
    )
    np.testing.assert_allclose(np.exp(scaled.predict_log_proba(test)), scaled.predict_proba(test), rtol=1e-9)


def test_temperature_of_a_share_held_out_and_of_two_classes():
    model = quick(early_stopping=True, temperature_scaling=True).fit(X, Y > 4)
    assert model.temperature_ != 1
    margin = model.decision_function(X)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-margin)), rtol=1e-9)


def test_temperature_of_right_answers_alone_is_finite():
    images = np.repeat(np.eye(2), 20, axis=0)
    model = ConvNetClassifier(filters=(), hidden_layer_sizes=8, temperature_scaling=True, random_state=0)
    model.fit(images, np.repeat([0, 1], 20), X_val=images[::10], y_val=np.repeat([0, 1], 2))
    assert np.exp(-4) <= model.temperature_ <= np.exp(4)
    assert 0.5 < model.predict_proba(images)[0, 0] < 1


def test_temperature_needs_validation_data():
    model = quick(temperature_scaling=True, callback=lambda info: pytest.fail("it has trained"))
    match = "temperature_scaling=True needs validation data: pass X_val, or set early_stopping=True"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_temperature_in_partial_fit():
    model = quick(temperature_scaling=True, filters=(8, 16), hidden_layer_sizes=(32,))
    model.partial_fit(X, Y, classes=range(10), X_val=X_VAL, y_val=Y_VAL)
    first = model.temperature_
    model.partial_fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.temperature_ != first != 1
    second = model.temperature_
    assert model.partial_fit(X, Y).temperature_ == second  # nothing to measure it on


# First values


def test_initial_weights_that_are_not_the_networks():
    with pytest.raises(
        ValueError, match=r"initial_weights has 'dense9.weight', but the network has convolution1.weight, "
    ):
        quick(initial_weights={"dense9.weight": np.ones(3)}).fit(X, Y)
    match = r"initial_weights\['dense2.bias'\] has shape \(3,\), but the network's has \(10,\)"
    with pytest.raises(ValueError, match=match):
        quick(initial_weights={"dense2.bias": np.ones(3)}).fit(X, Y)


def test_initial_weights_of_another_model():
    first = quick().fit(X, Y)
    still = quick(initial_weights=first.weights_, learning_rate_init=1e-30, max_iter=1).fit(X, Y)
    for name, array in first.network_.named_parameters().items():
        np.testing.assert_allclose(still.weights_[name], array, atol=1e-6)
    part = {"convolution1.weight": first.weights_["convolution1.weight"], "dense1.bias": [1, 2, 3, 4, 5]}
    model = quick(initial_weights=part, learning_rate_init=1e-30, max_iter=1).fit(X, Y)
    np.testing.assert_allclose(model.weights_["dense1.bias"], [1, 2, 3, 4, 5])
    assert not np.allclose(model.weights_["dense2.weight"], first.weights_["dense2.weight"], atol=1e-3)
