"""Validation data: which are held out, what is learned without them, and scores that are no numbers."""

from functools import partial

import h5py
import helpers
import numpy as np
import pytest
from helpers import quick_model
from sklearn import config_context
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from skconv import ConvNetClassifier, ConvNetRegressor

DIGITS = load_digits()
X, Y = DIGITS.data[:300] / 16, DIGITS.target[:300]
X_VAL, Y_VAL = DIGITS.data[300:420] / 16, DIGITS.target[300:420]
QUICK = {**helpers.QUICK, "max_iter": 4}
quick = partial(quick_model, max_iter=4)
NAN = float("nan")


def quick_regressor(**params):
    return ConvNetRegressor(**{**QUICK, **params})


def held_out(model, X, y, *args, **kwargs):
    """Samples and targets that a fit holds out, as its scorer sees them."""
    seen = []
    model.set_params(early_stopping=True, scoring=lambda _, X_val, y_val: seen.append((X_val, y_val)) or 0.0)
    model.fit(X, y, *args, **kwargs)
    return seen[0]


def numbered(n):
    """Samples of which each holds its own number."""
    return np.repeat(np.arange(n)[:, None], 4, axis=1) / n


def rows_of(samples, n):
    """The numbers of such samples."""
    return np.round(samples[:, 0] * n).astype(int)


# Which samples are held out


def test_the_share_of_the_samples_that_is_held_out():
    for fraction in (0.1, 0.25, 0.5):
        samples, labels = held_out(quick(validation_fraction=fraction), X, Y)
        assert len(samples) == len(labels) == np.ceil(300 * fraction)
        expected = np.bincount(Y) * fraction
        assert np.abs(np.bincount(labels, minlength=10) - expected).max() <= 1.5
    assert len(held_out(quick_regressor(), X, Y)[0]) == 30


def test_the_split_is_that_of_the_seed():
    splits = [held_out(quick(random_state=seed), X, Y)[0].tobytes() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_held_out_are_samples_with_weight(kind):
    images, labels = numbered(200), np.arange(200) % 2
    weight = (np.random.default_rng(0).random(200) < 0.3).astype(float)
    rows = rows_of(held_out(kind(**QUICK), images, labels, weight)[0], 200)
    assert len(rows) == np.ceil(0.1 * weight.sum())
    assert weight[rows].all()


def test_held_out_are_samples_of_classes_with_weight():
    labels = np.repeat([0, 1, 2], 50)
    rows = rows_of(held_out(quick(class_weight={0: 1.0, 1: 0.0, 2: 2.0}), numbered(150), labels)[0], 150)
    assert set(labels[rows]) == {0, 2}
    assert len(rows) == 10


def test_samples_without_weight_change_no_bit_of_the_split():
    weight = np.arange(300) % 3 > 0
    some, fewer = quick(early_stopping=True).fit(X, Y, weight), quick(early_stopping=True).fit(X[weight], Y[weight])
    assert some.validation_scores_ == fewer.validation_scores_
    assert some.network_.parameters.tobytes() == fewer.network_.parameters.tobytes()


@pytest.mark.filterwarnings("ignore:not even the only training sample of 3")
def test_a_class_with_one_sample_of_weight_is_trained_on():
    weight = np.ones(300)
    weight[np.flatnonzero(Y == 3)[1:]] = 0
    _, labels = held_out(quick(), X, Y, weight)
    assert 3 not in labels
    assert quick(early_stopping=True).fit(X, Y, weight).n_iter_ == 4


@pytest.mark.parametrize("kind", ["two classes", "three classes", "regressor"])
def test_bagging_with_early_stopping_on_few_samples(kind):
    if kind == "regressor":
        model = BaggingRegressor(quick_regressor(early_stopping=True, max_iter=1), 60, random_state=0)
        model.fit(X[:30], Y[:30])
    else:
        images, labels = load_iris(return_X_y=True)
        rows = np.r_[0:15, 50:65] if kind == "two classes" else np.r_[0:10, 50:60, 100:110]
        model = BaggingClassifier(quick(early_stopping=True, max_iter=1), 60, random_state=0)
        model.fit(images[rows], labels[rows])
    assert all(len(member.validation_scores_) == 1 for member in model.estimators_)


def test_bagging_of_few_samples_of_which_one_is_alone_in_its_class():
    labels = np.r_[np.zeros(5, int), 1]
    for seed in range(20):
        weight = np.bincount(np.random.default_rng(seed).integers(0, 5, 5), minlength=6)
        weight[5] = 2
        model = quick(early_stopping=True, max_iter=1, random_state=seed).fit(X[:6], labels, weight)
        assert model.validation_scores_ is not None


# Splits that cannot serve


def test_a_regressor_holds_out_two_samples_to_score_on():
    X_val, y_val = held_out(quick_regressor(), X[:10], Y[:10])
    assert len(X_val) == 1  # a scorer of one's own may do with one
    model = quick_regressor(early_stopping=True).fit(X[:10], Y[:10])
    assert np.isfinite(model.validation_scores_).all()
    assert len(y_val) == 1


def test_ten_samples_of_a_regressor_are_learned_with_early_stopping():
    """Two of them are held out; early weights are no better because R² of two is less far below zero."""
    for seed in range(5):
        rows = np.random.default_rng(seed).integers(0, 1797, 10)
        images = DIGITS.data[rows] / 16
        y = images[:, :32].sum(axis=1)
        model = ConvNetRegressor(early_stopping=True, random_state=seed).fit(images, y)
        assert model.score(images, y) > 0.7


@pytest.mark.parametrize(("kind", "n", "least"), [("classifier", 1, 1), ("regressor", 2, 2), ("regressor", 1, 2)])
def test_too_few_samples_to_split(kind, n, least):
    model = {"classifier": quick, "regressor": quick_regressor}[kind](early_stopping=True)
    match = (
        f"early_stopping=True holds out {least} or more to score on and keeps one of every class to train on; that "
        f"takes more than {n} sample{'s' * (n != 1)} with weight, copies counted once. Give more, give X_val, or"
    )
    with pytest.raises(ValueError, match=match):
        model.fit(X[:n], Y[:n])
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_a_fraction_that_leaves_none_to_train_on():
    match = "validation_fraction=0.9 of 3 samples leaves none to train on; change it, or set early_stopping=False"
    with pytest.raises(ValueError, match=match):
        quick_regressor(early_stopping=True, validation_fraction=0.9).fit(X[:3], Y[:3])


@pytest.mark.parametrize(
    ("model", "weighted"), [(quick_regressor(), [7]), (quick_regressor(), [7, 9]), (quick(), [3, 4]), (quick(), [5])]
)
def test_too_few_samples_with_weight(model, weighted):
    weight = np.zeros(300)
    weight[weighted] = 1
    with pytest.raises(ValueError, match=f"that takes more than {len(weighted)} sample"):
        model.set_params(early_stopping=True).fit(X, Y, weight)


def test_copies_are_held_out_together():
    samples, _ = held_out(quick(), np.tile(X[:100], (3, 1)), np.tile(Y[:100], 3))
    assert (np.unique(samples, axis=0, return_counts=True)[1] == 3).all()
    with pytest.raises(ValueError, match="that takes more than 40 samples with weight, copies counted once"):
        quick(early_stopping=True).fit(np.ones((40, 4)), np.arange(40) % 2)


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_a_weight_of_two_is_two_copies_with_early_stopping_too(kind):
    model = kind(early_stopping=True, max_iter=40)
    check_sample_weight_equivalence_on_dense_data(kind.__name__, model)


# What is learned without them


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_scale_of_the_targets_is_that_of_the_training_part(loss):
    images, y = numbered(100), np.random.default_rng(0).poisson(3.0, 100).astype(float)
    rows = rows_of(held_out(quick_regressor(loss=loss), images, y)[0], 100)
    rest = np.setdiff1d(np.arange(100), rows)
    moved = y.copy()
    moved[rows] += 100
    for targets in (y, moved):
        model = quick_regressor(loss=loss, early_stopping=True).fit(images, targets)
        scale = y[rest].mean() if loss == "poisson" else y[rest].std()
        assert model.target_scale_ == pytest.approx(scale)
        assert model.target_mean_ == pytest.approx(0 if loss == "poisson" else y[rest].mean())


def test_targets_without_weight_do_not_scale():
    y = np.linspace(0, 1, 300)
    y[::3] = 1e12
    model = quick_regressor().fit(X, y, np.arange(300) % 3 > 0)
    assert model.target_scale_ == pytest.approx(np.delete(y, np.s_[::3]).std())


def test_classes_are_balanced_without_them():
    labels = (Y > 6).astype(int)
    samples, _ = held_out(quick(), X, labels)
    rows = [int(np.flatnonzero((sample == X).all(axis=1))[0]) for sample in samples]
    rest, weight = np.setdiff1d(np.arange(300), rows), np.ones(300)
    for part in (rows, rest):
        counts = np.bincount(labels[part])
        weight[part] = (len(part) / (2 * counts))[labels[part]]
    given = {"X_val": X[rows], "y_val": labels[rows], "sample_weight_val": weight[rows]}
    by_hand = quick(batch_size=300).fit(X[rest], labels[rest], weight[rest], **given)
    model = quick(class_weight="balanced", early_stopping=True, batch_size=300).fit(X, labels)
    np.testing.assert_allclose(model.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(model.validation_scores_, by_hand.validation_scores_, rtol=1e-6)


# Balance


def test_balanced_classes_see_the_weights_of_samples():
    check_sample_weight_equivalence_on_dense_data("ConvNetClassifier", ConvNetClassifier(class_weight="balanced"))


def test_balance_by_weight():
    weight = np.random.default_rng(0).uniform(0.1, 2, 300)
    sums = np.bincount(Y, weight)
    expected = (weight.sum() / (10 * sums))[Y] * weight
    one_batch = {"batch_size": 300}
    model = quick(class_weight="balanced", **one_batch).fit(X, Y, weight)
    np.testing.assert_allclose(model.loss_curve_, quick(**one_batch).fit(X, Y, expected).loss_curve_, rtol=1e-9)


def test_a_class_without_weight_takes_no_part_in_the_balance():
    weight, labels = (Y != 3).astype(float), Y.copy()
    model = quick(class_weight="balanced", batch_size=300).fit(X, labels, weight)
    counts = np.bincount(labels[labels != 3])
    expected = np.where(labels == 3, 0, (len(Y) / (9 * np.maximum(counts, 1)))[labels])
    np.testing.assert_allclose(model.loss_curve_, quick(batch_size=300).fit(X, Y, expected).loss_curve_, rtol=1e-9)


# The spread of the samples, by which augmentation measures


@pytest.mark.parametrize("stored", [False, True])
def test_the_spread_of_many_samples_follows_no_order(tmp_path, stored):
    samples = np.zeros((5000, 4))
    samples[::2] = 1
    with h5py.File(tmp_path / "X.h5", "w") as file:
        given_X = file.create_dataset("X", data=samples, chunks=(100, 4)) if stored else samples
        with config_context(working_memory=0.05):
            params = {"augment": "noise", "image_shape": (2, 2), "standardize": None}
            model = ConvNetClassifier((), hidden_layer_sizes=2, max_iter=1, **params)
            model.fit(given_X, np.arange(5000) % 2)
    np.testing.assert_allclose(model._augmenter.spread, 0.5, rtol=1e-12)


def test_the_spread_leaves_held_out_samples_out():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((100, 4)) * 10 ** rng.uniform(0, 2, (100, 1))
    samples, _ = held_out(quick(), images, np.arange(100) % 2)
    rest = images[~np.isin(images[:, 0], samples[:, 0])]
    assert len(rest) == 90
    model = quick(early_stopping=True, augment="noise", standardize=None).fit(images, np.arange(100) % 2)
    np.testing.assert_allclose(model._augmenter.spread, rest.std(), rtol=1e-9)


# Scores are the model's


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_scores_are_means_over_the_copies_of_predictions(kind, method):
    given, copied = {"X_val": X_VAL, "y_val": Y_VAL}, {"augment": "shift", "n_augmented": 3}
    known = {"classes": range(10)} if (kind, method) == (ConvNetClassifier, "partial_fit") else {}
    model = getattr(kind(**QUICK, **copied), method)(X, Y, **known, **given)
    score = accuracy_score if kind is ConvNetClassifier else r2_score
    assert model.best_validation_score_ == pytest.approx(score(Y_VAL, model.predict(X_VAL)), rel=1e-6)
    alone = getattr(kind(**QUICK, augment="shift"), method)(X, Y, **known, **given)
    assert alone.loss_curve_ == model.loss_curve_
    assert alone.validation_loss_curve_ != model.validation_loss_curve_


def test_the_temperature_is_that_of_the_mean_over_the_copies():
    given = {"X_val": X_VAL, "y_val": Y_VAL}
    params = {"augment": "shift", "n_augmented": 3, "scoring": "loss", "label_smoothing": 0.0, "max_iter": 10}
    model = quick(**params, temperature_scaling=True).fit(X, Y, **given)
    logits = model.decision_function(X_VAL) * model.temperature_

    def loss(t):
        z = logits / t
        log_p = z - z.max(axis=1, keepdims=True)
        log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        return -(120 / 121 * log_p[np.arange(120), Y_VAL] + log_p.mean(axis=1) / 121).mean()

    grid = np.exp(np.linspace(-2, 2, 2001))
    assert model.temperature_ == pytest.approx(grid[np.argmin([loss(t) for t in grid])], rel=3e-3)


# Scores that are no numbers


def scorer_of(values):
    values = iter(values)
    return lambda *_: next(values)


@pytest.mark.parametrize("no_number", [NAN, np.inf, -np.inf, np.float32("inf")], ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_score_that_is_not_defined_at_first_is_no_best(no_number, method):
    seen = []
    scores = scorer_of([no_number, 0.3, 0.2, no_number])
    model = quick(scoring=scores, learning_rate="constant", callback=lambda i: seen.append(i.estimator.weights_))
    if method == "fit":
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    else:
        warned(model)
        for _ in range(3):
            model.partial_fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.best_validation_score_ == 0.3
    for name, array in model.weights_.items():
        np.testing.assert_array_equal(array, seen[1][name])


@pytest.mark.parametrize("score", [None, "0.5", [0.5], 1j, np.array([0.5])], ids=str)
def test_a_score_that_is_no_number(score):
    match = f"scoring must return a number, got .* of type {type(score).__name__} from scoring=<function scorer_of"
    with pytest.raises(ValueError, match=match):
        quick(scoring=scorer_of([score])).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)


@pytest.mark.parametrize("score", [1, True, np.float32(0.5), np.array(0.5)], ids=str)
def test_a_score_of_any_kind_of_number(score):
    model = quick(scoring=scorer_of([score] * 9)).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.best_validation_score_ == float(score)


def test_partial_fit_with_scores_that_are_not_defined_at_first():
    model = quick(scoring=scorer_of([NAN, 0.2, 0.4, NAN]))
    best = None
    for call in range(4):
        model.partial_fit(X, Y, classes=range(10), X_val=X_VAL, y_val=Y_VAL) if call else warned(model)
        best = model.network_.parameters.copy() if call == 2 else best
    assert model.best_validation_score_ == 0.4
    np.testing.assert_array_equal(model.network_.parameters, best)


def warned(model):
    with pytest.warns(UserWarning, match="scoring=.* gave NaN or infinity in every epoch"):
        model.partial_fit(X, Y, classes=range(10), X_val=X_VAL, y_val=Y_VAL)


@pytest.mark.parametrize("no_number", [NAN, np.inf, -np.inf])
def test_where_no_score_is_defined_the_loss_decides(no_number):
    params = {"max_iter": 8, "learning_rate": "constant", "learning_rate_init": 0.06, "random_state": 2}
    match = (
        "scoring=<function .* gave NaN or infinity in every epoch, so the model has the weights of the lowest "
        "validation loss; choose a score that is defined on the validation data, such as 'loss'"
    )
    with pytest.warns(UserWarning, match=match) as warnings:
        model = quick(**params, scoring=lambda *_: no_number).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert len(warnings) == 1
    assert warnings[0].filename == __file__
    np.testing.assert_array_equal(model.validation_scores_, no_number)
    np.testing.assert_equal(model.best_validation_score_, no_number)
    by_loss = quick(**params, scoring="loss").fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert np.argmin(by_loss.validation_loss_curve_) < 7  # or the last weights would do
    np.testing.assert_array_equal(model.network_.parameters, by_loss.network_.parameters)


@pytest.mark.filterwarnings("ignore:Only one class is present in y_true:sklearn.exceptions.UndefinedMetricWarning")
def test_roc_auc_of_one_class():
    ones = np.flatnonzero(Y_VAL == 1)
    model = quick(scoring="roc_auc", max_iter=2)
    with pytest.warns(UserWarning, match="scoring='roc_auc' gave NaN or infinity in every epoch, so the model"):
        model.fit(X, Y == 1, X_val=X_VAL[ones], y_val=Y_VAL[ones] == 1)
    assert np.isfinite(model.validation_loss_curve_).all()
