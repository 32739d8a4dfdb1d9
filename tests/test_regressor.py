"""ConvNetRegressor as its users see it."""

import pickle
import re
from copy import deepcopy
from functools import partial

import numpy as np
import pandas as pd
import pytest
from helpers import generator, quick_model, same_bits
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.augmentation import Mixup
from skconv.training import Huber
from skconv.training.optimizers import OPTIMIZERS

DIGITS = load_digits()
X, X_TEST = DIGITS.data[:300] / 16, DIGITS.data[300:500] / 16


def ink(samples):
    """How much more there is at the top than at the bottom."""
    images = samples.reshape(-1, 8, 8)
    return images[:, :4].sum(axis=(1, 2)) - images[:, 4:].sum(axis=(1, 2))


Y, Y_TEST = ink(X), ink(X_TEST)
COUNTS = np.random.default_rng(0).poisson(np.exp(Y / 4))
quick = partial(quick_model, kind=ConvNetRegressor, max_iter=3)
FULL = {"batch_size": 10_000, "max_iter": 5}  # every update sees all samples; in float64, since X is
LOSSES = ["squared_error", "absolute_error", "huber", "poisson"]


def targets_for(loss):
    return COUNTS if loss == "poisson" else Y


@pytest.fixture(scope="module")
def learned():
    return ConvNetRegressor((8, 16), hidden_layer_sizes=32, max_iter=40, random_state=0).fit(X, Y)


# Learning


def test_learns(learned):
    assert learned.score(X_TEST, Y_TEST) > 0.9
    assert learned.predict(X_TEST).shape == (200,)
    assert learned.loss_ < 0.1 < learned.loss_curve_[0]
    assert is_regressor(learned)


@pytest.mark.parametrize("solver", [*OPTIMIZERS, "lbfgs"])
def test_every_solver_learns(solver):
    rate = {"rmsprop": 3e-3}.get(solver, 1e-2)
    model = ConvNetRegressor(
        (8, 16), hidden_layer_sizes=16, solver=solver, learning_rate_init=rate, max_iter=30, random_state=0
    )
    assert model.fit(X, Y).score(X_TEST, Y_TEST) > 0.75


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_other_losses_learn(loss):
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, loss=loss, max_iter=40, random_state=0)
    assert model.fit(X, Y).score(X_TEST, Y_TEST) > 0.85


def test_counts_learn():
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, loss="poisson", max_iter=30, alpha=0.01, random_state=0)
    model.fit(X, COUNTS)
    predicted, truth = model.predict(X_TEST), np.exp(Y_TEST / 4)
    assert (predicted > 0).all()
    assert np.corrcoef(np.log(predicted), Y_TEST)[0, 1] > 0.7
    assert np.abs(predicted - truth).mean() < 0.8 * np.abs(COUNTS.mean() - truth).mean()


# What a loss is for: of samples that are all alike, the mean, the median, or the expected count

SKEWED = np.random.default_rng(0).exponential(3.0, 201) ** 2 + 5


def constant_model(loss, y, weight=None, **params):
    """One number for all samples: the network sees nothing, and L-BFGS or a long descent finds the optimum."""
    options = {"filters": (), "hidden_layer_sizes": (), "alpha": 0, "batch_size": 1000, "random_state": 0, **params}
    model = ConvNetRegressor(loss=loss, **options)
    return model.fit(np.zeros((len(y), 4)), y, weight).predict(np.zeros((1, 4)))[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_squared_error_finds_the_mean(weighted):
    weight = np.random.default_rng(1).random(201) if weighted else None
    found = constant_model("squared_error", SKEWED, weight, solver="lbfgs")
    assert found == pytest.approx(np.average(SKEWED, weights=weight), rel=1e-6)


def test_absolute_error_finds_the_median():
    found = constant_model("absolute_error", SKEWED, max_iter=600, learning_rate="cosine")
    assert found == pytest.approx(np.median(SKEWED), rel=0.02)
    assert np.median(SKEWED) < 0.7 * SKEWED.mean()


@pytest.mark.parametrize("delta", [0.1, 0.5, 100.0])
def test_huber_lies_between(delta):
    found = constant_model(Huber(delta), SKEWED, solver="lbfgs", tol=1e-10, max_iter=200)
    scale = SKEWED.std()
    grid = np.linspace(SKEWED.min(), SKEWED.max(), 20001)
    residuals = np.abs(SKEWED[:, None] - grid) / scale
    losses = np.where(residuals <= delta, residuals**2 / 2, delta * (residuals - delta / 2)).mean(axis=0)
    assert found == pytest.approx(grid[losses.argmin()], abs=2 * (grid[1] - grid[0]))
    assert np.median(SKEWED) - 1e-6 <= found <= SKEWED.mean() + 1e-6


@pytest.mark.parametrize("factor", [1, 1000])
def test_poisson_finds_the_expected_count(factor):
    counts = factor * COUNTS[:201]
    found = constant_model("poisson", counts, solver="lbfgs", tol=1e-9)
    assert found == pytest.approx(counts.mean(), rel=1e-6)
    groups = np.repeat([0, 1], [100, 101])
    model = ConvNetRegressor(
        loss="poisson", filters=(), hidden_layer_sizes=(), alpha=0, batch_size=1000, solver="lbfgs", tol=1e-9
    )
    model.set_params(max_iter=200, random_state=0).fit(np.eye(2)[groups], counts)
    expected = [counts[groups == g].mean() for g in (0, 1)]
    np.testing.assert_allclose(model.predict(np.eye(2)), expected, rtol=1e-5)


# Targets


@pytest.mark.parametrize("loss", LOSSES)
def test_several_targets(loss):
    y = targets_for(loss)
    both = np.stack([y, y[::-1] * 100], axis=1)
    model = quick(loss=loss).fit(X, both)
    assert model.predict(X).shape == (300, 2)
    assert model.target_mean_.shape == model.target_scale_.shape == (2,)
    assert model.weights_["dense2.bias"].shape == (2,)
    assert model.score(X, both) == pytest.approx(r2_score(both, model.predict(X)))


def test_several_targets_are_learned():
    many = np.stack([Y, -3 * Y + 1000, X.sum(axis=1)], axis=1)
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, max_iter=40, random_state=0).fit(X, many)
    truth = np.stack([Y_TEST, -3 * Y_TEST + 1000, X_TEST.sum(axis=1)], axis=1)
    assert (r2_score(truth, model.predict(X_TEST), multioutput="raw_values") > 0.8).all()


def test_a_column_stays_a_column():
    flat, column = quick().fit(X, Y), quick().fit(X, Y[:, None])
    assert flat.predict(X).shape == (300,)
    assert column.predict(X).shape == (300, 1)
    assert same_bits(flat.predict(X), column.predict(X)[:, 0])


@pytest.mark.parametrize("form", [list, pd.Series, lambda y: y.astype(np.float32), lambda y: y.astype(object)])
def test_forms_of_y(form):
    y = np.round(Y * 4) / 4  # exact in float32
    assert same_bits(quick().fit(X, form(y)).predict(X), quick().fit(X, y).predict(X))


def test_integers():
    counts = DIGITS.target[:300]
    assert same_bits(quick().fit(X, counts).predict(X), quick().fit(X, counts.astype(float)).predict(X))


@pytest.mark.parametrize("weighted", [False, True])
def test_mean_and_scale_of_the_targets(weighted):
    weight = np.random.default_rng(0).random(300) if weighted else None
    model = quick().fit(X, Y, weight)
    mean = np.average(Y, weights=weight)
    assert model.target_mean_[0] == pytest.approx(mean, rel=1e-12)
    assert model.target_scale_[0] == pytest.approx(np.sqrt(np.average((Y - mean) ** 2, weights=weight)), rel=1e-12)
    model = quick(loss="poisson").fit(X, COUNTS, weight)
    assert model.target_mean_[0] == 0
    assert model.target_scale_[0] == pytest.approx(np.average(COUNTS, weights=weight), rel=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("value", [0.0, 3.0, -1e-30, 1e9 + 1 / 3, 1e20 / 3, -1e300])
def test_constant_targets(loss, value):
    model = quick(loss=loss, max_iter=30).fit(X, np.full(300, value))
    assert np.isfinite(model.loss_curve_).all()
    np.testing.assert_allclose(model.predict(X_TEST), value, rtol=0.02, atol=0.3)
    assert model.loss_ < 0.02


def test_constant_counts():
    model = quick(loss="poisson", max_iter=60).fit(X, np.full(300, 7))
    np.testing.assert_allclose(model.predict(X_TEST), 7, rtol=0.1)


def test_one_constant_target_among_others():
    both = np.stack([Y, np.full(300, 5.0)], axis=1)
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, max_iter=30, random_state=0).fit(X, both)
    predicted = model.predict(X_TEST)
    assert r2_score(Y_TEST, predicted[:, 0]) > 0.85
    np.testing.assert_allclose(predicted[:, 1], 5, atol=0.2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("offset", "scale"), [(0, 1e-200), (0, 1e200), (1e9, 1), (-1e12, 1e3), (0, 1e-30)])
def test_offsets_and_scales_do_not_matter(offset, scale, dtype):
    samples, test = X.astype(dtype), X_TEST.astype(dtype)
    plain, moved = quick(max_iter=20).fit(samples, Y), quick(max_iter=20).fit(samples, Y * scale + offset)
    back = (moved.predict(test) - offset) / scale
    np.testing.assert_allclose(back, plain.predict(test), rtol=0, atol=1e-3)
    np.testing.assert_allclose(moved.loss_curve_, plain.loss_curve_, rtol=1e-3)


def test_powers_of_two_change_no_bit():
    plain, scaled = quick().fit(X, Y), quick().fit(X, Y * 2.0**40)
    assert same_bits(plain.network_.parameters, scaled.network_.parameters)
    assert same_bits(plain.predict(X) * 2.0**40, scaled.predict(X))


@pytest.mark.parametrize("batch_size", [64, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_dtypes(dtype, batch_size):
    samples = (X * 16).astype(dtype)
    model = quick(batch_size=batch_size).fit(samples, Y)
    assert model.network_.dtype == (np.float64 if dtype == np.float64 and batch_size == 300 else np.float32)
    assert model.predict(samples).dtype == np.float64


@pytest.mark.parametrize("samples", [X.reshape(-1, 8, 8), X.reshape(-1, 4, 4, 4), X[:, :36]])
def test_forms_of_samples(samples):
    model = quick().fit(samples, Y)
    assert model.predict(samples).shape == (300,)
    frame = pd.DataFrame(samples.reshape(300, -1), columns=[f"p{i}" for i in range(samples[0].size)])
    as_frame = clone(model).set_params(image_shape=model.image_shape_).fit(frame, Y)
    assert same_bits(as_frame.predict(frame), model.predict(samples))
    series = quick(image_shape="series").fit(X, Y)
    assert series.image_shape_ == (1, 64, 1)


# The curve


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_curve_is_the_mean_loss(loss):
    y, weight = targets_for(loss), np.random.default_rng(0).random(300)
    still = {"learning_rate_init": 1e-30, "batch_norm": False, "batch_size": 1000, "max_iter": 1, "standardize": None}
    model = quick(**still, loss=Huber(0.7) if loss == "huber" else loss).fit(X, y, weight)
    predicted, scale = model.predict(X), model.target_scale_[0]
    residual = np.abs(predicted - y) / scale
    losses = {
        "squared_error": residual**2 / 2,
        "absolute_error": residual,
        "huber": np.where(residual <= 0.7, residual**2 / 2, 0.7 * (residual - 0.35)),
        "poisson": (predicted - y * np.log(predicted / scale)) / scale,
    }[loss]
    assert model.loss_ == pytest.approx(np.average(losses, weights=weight), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_score_is_r2(weighted, learned):
    weight = np.random.default_rng(0).random(200) if weighted else None
    expected = r2_score(Y_TEST, learned.predict(X_TEST), sample_weight=weight)
    assert learned.score(X_TEST, Y_TEST, weight) == expected


# Weights


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("params", [{}, {"batch_norm": False, "solver": "sgd"}], ids=str)
def test_weight_equals_repetition(loss, params):
    y, repeats = targets_for(loss), np.random.default_rng(0).integers(0, 4, 300)
    model = quick(**FULL, **params, loss=loss)
    weighted, repeated = (
        clone(model).fit(X, y, repeats),
        clone(model).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats)),
    )
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=0, atol=1e-7 * np.abs(y).max())
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-7)
    assert np.abs(weighted.predict(X) - clone(model).fit(X, y).predict(X)).max() > 1e-4


def test_weight_equals_repetition_of_several_targets():
    both, repeats = np.stack([Y, 100 * X.sum(axis=1)], axis=1), np.random.default_rng(0).integers(0, 4, 300)
    weighted = quick(**FULL).fit(X, both, repeats)
    repeated = quick(**FULL).fit(np.repeat(X, repeats, axis=0), np.repeat(both, repeats, axis=0))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("params", [{}, FULL, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_unit_weights_change_no_bit(loss, params):
    y, model = targets_for(loss), quick(loss=loss, **params)
    plain = clone(model).fit(X, y)
    for weight in (np.ones(300), 1, [1] * 300):
        weighted = clone(model).fit(X, y, weight)
        assert same_bits(weighted.network_.parameters, plain.network_.parameters)
        assert same_bits(weighted.predict(X), plain.predict(X))


def test_zero_weight_equals_removal():
    keep = np.arange(300) % 3 > 0
    wild = np.where(keep, Y, 1e6)
    some, fewer = quick(**FULL).fit(X, wild, keep), quick(**FULL).fit(X[keep], Y[keep])
    np.testing.assert_allclose(some.predict(X), fewer.predict(X), rtol=0, atol=1e-6)


# Stopping


def test_early_stopping_splits_off_a_share():
    params, seen = {"early_stopping": True, "validation_fraction": 0.2}, []
    quick(**params, scoring=lambda _, X_val, y_val: seen.append((X_val, y_val)) or 0.0).fit(X, Y)
    assert len(seen[0][1]) == 60
    params["learning_rate"] = "constant"
    model = quick(**params, max_iter=12, learning_rate_init=0.05).fit(X, Y)
    assert model.score(*seen[0]) == pytest.approx(max(model.validation_scores_), abs=1e-5)
    stopped = quick(**params, max_iter=50, n_iter_no_change=3, tol=1e9).fit(X, Y)
    assert stopped.n_iter_ == 4
    assert stopped.stopped_early_


def test_scoring_by_name():
    y_val = Y_TEST
    model = quick(scoring="neg_mean_absolute_error").fit(X, Y, X_val=X_TEST, y_val=y_val)
    assert max(model.validation_scores_) == pytest.approx(-np.abs(model.predict(X_TEST) - y_val).mean(), rel=1e-6)


def test_divergence():
    model = quick(solver="sgd", batch_norm=False, learning_rate="constant", learning_rate_init=1e20)
    for loss in LOSSES:
        with pytest.raises(ValueError, match=r"the loss became (nan|inf) in epoch \d+: the training diverged"):
            model.set_params(loss=loss, max_iter=30).fit(X * 1e15, targets_for(loss))
        assert not hasattr(model, "network_")


# Going on


def test_warm_start_goes_on_in_the_same_units():
    model = quick(warm_start=True, learning_rate="constant", max_iter=10).fit(X, Y)
    first, mean = model.loss_, model.target_mean_
    model.fit(X, Y + 0.1)
    assert model.target_mean_ is mean
    assert model.loss_ < first
    with pytest.raises(ValueError, match="y has 2 targets, but the model has 1"):
        model.fit(X, np.stack([Y, Y], axis=1))
    model.set_params(loss="huber").fit(X, Y)
    match = "loss='poisson' cannot go on with what another loss has learned: 'poisson' sees counts, .* call fit"
    with pytest.raises(ValueError, match=match):
        model.set_params(loss="poisson").fit(X, COUNTS)
    assert model.set_params(warm_start=False).fit(X, COUNTS).target_mean_[0] == 0
    with pytest.raises(ValueError, match="loss='huber' cannot go on"):
        model.set_params(loss="huber").partial_fit(X, COUNTS)


def test_partial_fit_learns():
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, learning_rate_init=5e-3, random_state=0)
    for _ in range(20):
        for start in range(0, 300, 100):
            model.partial_fit(X[start : start + 100], Y[start : start + 100])
    assert model.score(X_TEST, Y_TEST) > 0.85
    assert model.n_iter_ == 60
    assert model.target_mean_[0] == pytest.approx(Y[:100].mean())  # of the first chunk


def test_partial_fit_at_once_is_one_epoch_of_fit():
    fit = quick(max_iter=1, learning_rate="constant", batch_size=300, shuffle=False).fit(X, Y)
    part = clone(fit).partial_fit(X, Y)
    assert same_bits(fit.network_.parameters, part.network_.parameters)
    assert same_bits(fit.predict(X), part.predict(X))
    column = clone(fit).partial_fit(X, Y[:, None])
    assert column.predict(X).shape == (300, 1)


def test_partial_fit_takes_chunks_of_no_counts():
    model = quick(loss="poisson").partial_fit(X, COUNTS)
    model.partial_fit(X[:50], np.zeros(50), X_val=X[:40], y_val=np.zeros(40))
    assert model.n_iter_ == 2


def test_rejected_partial_fit_leaves_no_trace():
    model, reference = quick().partial_fit(X, Y), quick().partial_fit(X, Y)
    for call, match in (
        (lambda: model.partial_fit(X, np.stack([Y, Y], axis=1)), "y has 2 targets, but the model has 1"),
        (lambda: model.partial_fit(X, Y * np.nan), "Input y contains NaN"),
        (lambda: model.partial_fit(X[:, :63], Y), "X has 63 features, but ConvNetRegressor is expecting 64"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
    assert same_bits(model.partial_fit(X, Y).network_.parameters, reference.partial_fit(X, Y).network_.parameters)


# scikit-learn's habits


@pytest.mark.parametrize("loss", LOSSES)
def test_copies(loss):
    model = quick(loss=loss).partial_fit(X, targets_for(loss))
    for copied in (pickle.loads(pickle.dumps(model)), deepcopy(model)):
        assert same_bits(copied.predict(X), model.predict(X))
        copied.partial_fit(X, targets_for(loss))
    assert model.n_iter_ == 1
    fresh = clone(model)
    assert not hasattr(fresh, "network_")
    assert fresh.get_params() == model.get_params()


def test_threads_and_neighbours_change_no_bit(learned):
    predicted = learned.predict(X)
    for n_jobs in (1, 2):
        model = clone(learned).set_params(n_jobs=n_jobs).fit(X, Y)
        assert same_bits(model.predict(X), predicted)
    assert same_bits(learned.predict(X[17:18]), predicted[17:18])


def test_parameters_are_those_of_the_classifier_but_for_the_losses():
    own, other = set(ConvNetRegressor().get_params()), set(ConvNetClassifier().get_params())
    assert own <= other
    assert other - own == {"label_smoothing", "temperature_scaling", "class_weight"}
    different = {
        name for name in own & other if getattr(ConvNetRegressor(), name) != getattr(ConvNetClassifier(), name)
    }
    assert different == {"loss"}
    assert repr(ConvNetRegressor()) == "ConvNetRegressor()"
    assert set(vars(ConvNetRegressor())) == own


def test_docstring_has_no_section_left():
    for kind in (ConvNetRegressor, ConvNetClassifier):
        assert not re.search(r"\{(architecture|training|running|attributes)\}", kind.__doc__)
        for name in kind().get_params():
            assert re.search(rf"\b{name}\b", kind.__doc__), name


def test_search_and_transformed_target():
    search = GridSearchCV(quick(), {"loss": ["squared_error", "huber"]}, cv=2).fit(X, Y)
    assert np.isfinite(search.best_score_)
    model = TransformedTargetRegressor(quick(max_iter=10), func=np.log1p, inverse_func=np.expm1).fit(X, COUNTS)
    assert model.predict(X).shape == (300,)


def test_mixup_mixes_targets():
    model = ConvNetRegressor((8, 16), hidden_layer_sizes=32, max_iter=40, augment=Mixup(0.2), random_state=0)
    assert model.fit(X, Y).score(X_TEST, Y_TEST) > 0.7


@pytest.mark.parametrize("use", ["predict", "weights_", "summary", "score"])
def test_unfitted(use):
    model = quick()
    with pytest.raises(NotFittedError, match="ConvNetRegressor instance is not fitted yet"):
        model.predict(X) if use == "predict" else model.score(X, Y) if use == "score" else getattr(model, use)()


# Errors


@pytest.mark.parametrize(
    ("params", "y", "match"),
    [
        ({"loss": "poisson"}, Y, r"loss='poisson' needs targets of zero or more, got .*-\d.*; use another loss"),
        (
            {"loss": "poisson"},
            np.r_[-1.0, 1.0, np.zeros(298)],
            "loss='poisson' needs targets of zero or more, got .*-1.0",
        ),
        ({"loss": "poisson"}, np.zeros(300), "loss='poisson' needs counts that are not all zero"),
        ({"loss": "poisson"}, np.stack([COUNTS, 0 * COUNTS], axis=1), "loss='poisson' needs counts that are not all"),
        ({}, np.full(300, np.nan), "Input y contains NaN"),
        ({}, np.full(300, np.inf), "Input y contains infinity"),
        ({}, Y[:9], r"inconsistent numbers of samples: \[300, 9\]"),
        ({}, None, "requires y to be passed"),
        ({}, np.array(["three"] * 300, object), "y must be real numbers .*, got .three."),
        ({}, Y * 1j, "Complex data not supported"),
    ],
)
def test_bad_targets(params, y, match):
    for method in ("fit", "partial_fit"):
        model = quick(**params)
        with pytest.raises(ValueError, match=match):
            getattr(model, method)(X, y)
        assert set(vars(model)) == set(model.get_params(deep=False))


def test_counts_without_weight():
    weight = (COUNTS == 0).astype(float)
    with pytest.raises(ValueError, match="loss='poisson' needs counts that are not all zero, got a target of zeros"):
        quick(loss="poisson").fit(X, COUNTS, weight)


def test_negative_counts_in_validation():
    with pytest.raises(ValueError, match=r"loss='poisson' needs targets of zero or more, got .* in y_val"):
        quick(loss="poisson").fit(X, COUNTS, X_val=X_TEST, y_val=Y_TEST)
    with pytest.raises(ValueError, match=r"y_val has 2 targets, but the model has 1"):
        quick().fit(X, Y, X_val=X_TEST, y_val=np.stack([Y_TEST, Y_TEST], axis=1))


@pytest.mark.parametrize(
    ("name", "value"),
    [("loss", "mse"), ("loss", None), ("loss", "log_loss"), ("loss", 0), ("loss", -1.0)]
    + [("scoring", "r3"), ("solver", "newton"), ("filters", 0), ("l1_ratio", 1.5)],
)
def test_bad_parameters(name, value):
    match = rf"The '{name}' parameter of ConvNetRegressor must be .*\. Got {re.escape(repr(value))} instead"
    with pytest.raises(ValueError, match=match):
        quick(**{name: value}).fit(X, Y)


def test_counts_in_a_column_are_warned_of():
    X, y = generator(0).standard_normal((30, 6, 6)), np.arange(30.0)[:, None]
    model = ConvNetRegressor(4, loss="poisson", max_iter=2, random_state=0)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        column = model.fit(X, y).predict(X)
    np.testing.assert_array_equal(column[:, 0], model.fit(X, y[:, 0]).predict(X))
    assert model.fit(X, np.hstack([y, y + 1])).predict(X).shape == (30, 2)
