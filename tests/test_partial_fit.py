"""Chunk by chunk: the best so far, what a pickle holds, and calls that are rejected."""

import copy
import pickle
import re

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score, make_scorer

from skconv import ConvNetClassifier, ConvNetRegressor

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "batch_size": 32, "random_state": 0, "learning_rate_init": 5e-3}
X, Y = (part[:300] for part in load_digits(return_X_y=True))
X = X / 16
X_VAL, Y_VAL = (part[300:450] for part in load_digits(return_X_y=True))
X_VAL = X_VAL / 16
VALIDATION = {"X_val": X_VAL, "y_val": Y_VAL}
CLASSES = np.arange(10)
CASES = {
    **{"adam": {}, "sgd": {"solver": "sgd"}, "rmsprop": {"solver": "rmsprop"}, "adamw": {"solver": "adamw"}},
    **{"muon": {"solver": "muon", "filters": (8, 8)}, "average": {"ema_decay": 0.9}, "dropout": {"dropout": 0.3}},
    **{"noise": {"padding_mode": "noise"}, "donor": {"padding_mode": "donor"}},
    **{"augmentation": {"augment": ["shift", "noise", "mixup"]}, "focal": {"loss": "focal", "solver": "sgd"}},
}


def chunks(n=3, epochs=1):
    """An iterator over pieces of the data, several times."""
    for _ in range(epochs):
        yield from zip(np.array_split(X, n), np.array_split(Y, n), strict=True)


def parameters(model):
    return model.network_.parameters.tobytes(), model.network_.state.tobytes()


def same(a, b):
    """Bit for bit, and the curves."""
    names = ("loss_curve_", "validation_loss_curve_", "validation_scores_", "n_iter_", "stopped_early_")
    return parameters(a) == parameters(b) and all(getattr(a, name) == getattr(b, name) for name in names)


def best_epoch(model):
    """The epoch of the best score, and among equals of the lowest loss."""
    return np.lexsort((-np.array(model.validation_loss_curve_), model.validation_scores_))[-1]


# Validation data


@pytest.mark.parametrize("params", [{}, {"ema_decay": 0.9}, {"scoring": "loss"}, {"scoring": "balanced_accuracy"}])
def test_the_model_is_always_the_best_so_far(params):
    now = []
    model = ConvNetClassifier(**{**SMALL, **params, "learning_rate_init": 0.03})
    model.set_params(callback=lambda info: now.append(parameters(info.estimator)))
    for X_part, y_part in chunks(epochs=5):
        model.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
        scores = model.validation_scores_
        assert len(scores) == len(model.validation_loss_curve_) == len(model.loss_curve_) == len(now)
        assert parameters(model) == now[best_epoch(model)]
        assert model.best_validation_score_ == max(scores)
        if not params:
            assert model.score(X_VAL, Y_VAL) == max(scores)
        if params.get("scoring") == "loss":
            assert scores == [-loss for loss in model.validation_loss_curve_]
    assert best_epoch(model) != len(scores) - 1 or len(set(now)) == len(now)
    assert len({np.argmax(scores[: k + 1]) for k in range(len(scores))}) < len(scores)  # some calls were no progress


def test_training_goes_on_from_the_last_weights_not_from_the_best():
    scores = iter([0.9, 0.1, 0.2, 0.3])
    alone, model = (ConvNetClassifier(**SMALL, scoring=lambda *_: next(scores)) for _ in range(2))
    for X_part, y_part in chunks():
        alone.partial_fit(X_part, y_part, CLASSES)
        model.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
    assert model.loss_curve_ == alone.loss_curve_
    assert parameters(model) != parameters(alone)


def test_a_call_without_validation_data_has_the_last_weights():
    scores = iter([0.9, 0.1, 0.2, 0.3])
    alone, model = (ConvNetClassifier(**SMALL, scoring=lambda *_: next(scores)) for _ in range(2))
    first = None
    for k, (X_part, y_part) in enumerate(chunks(4)):
        alone.partial_fit(X_part, y_part, CLASSES)
        model.partial_fit(X_part, y_part, CLASSES, **({} if k == 2 else VALIDATION))
        first = first or parameters(model)
        assert (parameters(model) == parameters(alone)) == (k in (0, 2))
        assert (parameters(model) == first) == (k != 2)
    assert model.validation_scores_ == [0.9, 0.1, 0.2]
    assert model.n_iter_ == 4


def test_stopped_early_tells_when_to_stop():
    told, scores = [], [0.1, 0.5, 0.4, 0.50005, 0.3, 0.9, 0.2]
    values = iter(scores)
    model = ConvNetClassifier(**SMALL, scoring=lambda *_: next(values), n_iter_no_change=3)
    for X_part, y_part in chunks(7):
        model.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
        told.append(model.stopped_early_)
    assert told == [False, False, False, False, True, False, False]  # 0.50005 is no progress beyond tol
    assert model.validation_scores_ == scores


def test_an_iterator_with_early_stopping():
    model = ConvNetClassifier(**SMALL, n_iter_no_change=4)
    for X_part, y_part in chunks(epochs=100):
        if model.partial_fit(X_part, y_part, CLASSES, **VALIDATION).stopped_early_:
            break
    assert 5 < model.n_iter_ < 300
    assert model.score(X_VAL, Y_VAL) == model.best_validation_score_ > 0.6


def test_without_validation_data_nothing_stops():
    model = ConvNetClassifier(**SMALL, n_iter_no_change=1, tol=100.0, learning_rate="constant")
    for X_part, y_part in chunks():
        assert not model.partial_fit(X_part, y_part, CLASSES).stopped_early_
    assert model.validation_scores_ is None


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_early_stopping_by_itself_is_for_fit(kind):
    model = kind(**SMALL, early_stopping=True)
    for _ in range(2):
        assert not hasattr(model, "partial_fit")
        with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as caught:
            _ = model.partial_fit
        assert re.match(
            "early_stopping=True is not supported for partial_fit, which holds out none of a chunk; set early_stopping="
            "False and give X_val and y_val to partial_fit",
            str(caught.value.__cause__),
        )
        model.fit(X, Y)
    assert model.set_params(early_stopping=False).partial_fit(X, Y, **VALIDATION).validation_scores_


def test_validation_weights():
    weight = np.random.default_rng(0).uniform(0, 2, len(Y_VAL))
    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES, **VALIDATION, sample_weight_val=weight)
    assert model.validation_scores_ == [pytest.approx(model.score(X_VAL, Y_VAL, weight), rel=1e-12)]
    assert model.validation_scores_ != [model.score(X_VAL, Y_VAL)]


def test_regressor_with_validation_data():
    now = []
    model = ConvNetRegressor(**SMALL, callback=lambda info: now.append(parameters(info.estimator)))
    for X_part, y_part in chunks(epochs=4):
        model.partial_fit(X_part, y_part, **VALIDATION)
        assert parameters(model) == now[best_epoch(model)]
        assert model.score(X_VAL, Y_VAL) == pytest.approx(max(model.validation_scores_), abs=1e-6)


def test_temperature_follows():
    model = ConvNetClassifier(**SMALL, temperature_scaling=True)
    for X_part, y_part in chunks():
        model.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
    assert model.temperature_ != 1


# Pickles


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("validated", [False, True])
def test_a_pickled_model_goes_on_bit_for_bit(name, validated):
    params, data = {**SMALL, **CASES[name]}, VALIDATION if validated else {}
    whole, pickled = ConvNetClassifier(**params), ConvNetClassifier(**params)
    for X_part, y_part in chunks(epochs=2):
        whole.partial_fit(X_part, y_part, CLASSES, **data)
        pickled = pickle.loads(pickle.dumps(pickled.partial_fit(X_part, y_part, CLASSES, **data)))
        assert same(whole, pickled)
    np.testing.assert_array_equal(whole.predict_proba(X_VAL), pickled.predict_proba(X_VAL))


@pytest.mark.parametrize("how", [copy.deepcopy, copy.copy])
def test_copies_go_on_apart(how):
    model = ConvNetClassifier(**SMALL, dropout=0.2, ema_decay=0.9).partial_fit(X, Y, CLASSES, **VALIDATION)
    other = how(model)
    before = parameters(model)
    other.partial_fit(X, Y, **VALIDATION)
    assert parameters(model) == before
    assert model.n_iter_ == 1
    assert same(model.partial_fit(X, Y, **VALIDATION), other)


def test_a_file_goes_on(tmp_path):
    whole = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES)
    joblib.dump(whole, tmp_path / "model")
    assert same(joblib.load(tmp_path / "model").partial_fit(X, Y), whole.partial_fit(X, Y))


@pytest.mark.parametrize("params", [{}, {"ema_decay": 0.9, "dropout": 0.2, "augment": "noise"}])
def test_a_pickle_does_not_grow_with_the_calls(params):
    model, sizes = ConvNetClassifier(**SMALL, **params), []
    for X_part, y_part in chunks(epochs=6):
        model.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
        sizes.append(len(pickle.dumps(model)))
    assert max(sizes) - sizes[0] < 30 * 3 * len(sizes)  # the numbers of three curves


def test_a_pickle_holds_no_data():
    marked = X.astype(np.float32)
    marked[:, 10] = np.float32(0.123456789)
    validation = X_VAL.astype(np.float32)
    validation[:, 10] = np.float32(0.987654321)
    model = ConvNetClassifier(**SMALL, augment="shift", ema_decay=0.9, temperature_scaling=True)
    for use in (model.fit, model.partial_fit, model.partial_fit):
        use(marked, Y, X_val=validation, y_val=Y_VAL)
        model.predict(marked)
        text = pickle.dumps(model)
        for value in (marked[0, 10], validation[0, 10]):
            assert value.tobytes() not in text
            assert np.float64(value).tobytes() not in text
    assert len(text) < 20 * model.network_.parameters.nbytes


def test_a_fitted_model_keeps_nothing_of_its_calls():
    model = ConvNetClassifier(**SMALL, max_iter=1).partial_fit(X, Y, CLASSES, **VALIDATION)
    larger = len(pickle.dumps(model))
    model.fit(X, Y)
    assert len(pickle.dumps(model)) < larger - 3 * model.network_.parameters.nbytes


# Rejected calls


def rejections():
    nan = X.copy()
    nan[3, 3] = np.nan
    bad = X_VAL.copy()
    bad[3, 3] = np.inf
    return {
        "NaN": ((nan, Y), {}, "contains NaN"),
        "other features": ((X[:, :-1], Y), {}, "X has 63 features"),
        "other image": ((X.reshape(-1, 4, 16), Y), {}, "samples of shape"),
        "lengths": ((X, Y[:-1]), {}, "inconsistent numbers of samples"),
        "unknown label": ((X, Y + 1), {}, "labels .* not in classes"),
        "other classes": ((X, Y, CLASSES[1:]), {}, "not the same as on the last call"),
        "numbers": ((X, Y + 0.5), {}, "Unknown label type"),
        "weights": ((X, Y, None, np.zeros(300)), {}, "all weights are zero|non-zero number"),
        "negative weights": ((X, Y, None, -np.ones(300)), {}, "Negative values"),
        "X_val with an infinity": ((X, Y), {"X_val": bad, "y_val": Y_VAL}, "infinity"),
        "X_val of another shape": ((X, Y), {"X_val": X_VAL[:, 1:], "y_val": Y_VAL}, "63 features"),
        "X_val without y_val": ((X, Y), {"X_val": X_VAL}, "X_val needs y_val"),
        "y_val without X_val": ((X, Y), {"y_val": Y_VAL}, "need X_val"),
        "weights without X_val": ((X, Y), {"sample_weight_val": np.ones(3)}, "need X_val"),
        "y_val of another length": ((X, Y), {"X_val": X_VAL, "y_val": Y_VAL[1:]}, "inconsistent numbers"),
        "y_val of unknown labels": ((X, Y), {"X_val": X_VAL, "y_val": Y_VAL + 5}, "not in classes"),
        "validation weights": (
            (X, Y),
            {**VALIDATION, "sample_weight_val": np.zeros(150)},
            "weights are zero|non-zero number",
        ),
    }


@pytest.mark.parametrize("name", rejections())
@pytest.mark.parametrize("calls", [1, 2])
def test_a_rejected_call_leaves_no_trace(name, calls):
    data, options, match = rejections()[name]
    model, whole = (ConvNetClassifier(**SMALL, dropout=0.2, ema_decay=0.9) for _ in range(2))
    for _ in range(calls):
        model.partial_fit(X, Y, CLASSES, **VALIDATION)
        whole.partial_fit(X, Y, CLASSES, **VALIDATION)
    attributes, pickled = dict(vars(model)), pickle.dumps(model)
    for _ in range(2):
        with pytest.raises(ValueError, match=match):
            model.partial_fit(*data, **options)
        assert vars(model) == attributes
        assert pickle.dumps(model) == pickled
    assert same(model.partial_fit(X, Y, **VALIDATION), whole.partial_fit(X, Y, **VALIDATION))


@pytest.mark.parametrize("name", [name for name in rejections() if "other" not in name and "shape" not in name])
def test_a_rejected_first_call_leaves_no_trace(name):
    data, options, match = rejections()[name]
    model = ConvNetClassifier(**SMALL)
    attributes = dict(vars(model))
    with pytest.raises(ValueError, match=match):
        model.partial_fit(*data[:2], CLASSES, *data[3:], **options)
    assert vars(model) == attributes
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("params", [{"alpha": -1}, {"solver": "fast"}, {"augment": "nonsense"}, {"freeze": "nothing"}])
def test_a_bad_parameter_leaves_no_trace(params):
    model = ConvNetClassifier(**SMALL, **params)
    attributes = dict(vars(model))
    with pytest.raises(ValueError, match=next(iter(params)) + "|nothing"):
        model.partial_fit(X, Y, CLASSES)
    assert vars(model) == attributes


def test_a_loss_that_is_not_finite_leaves_no_trace():
    model = ConvNetClassifier(**SMALL, batch_norm=False).partial_fit(X, Y, CLASSES, **VALIDATION)
    model.set_params(learning_rate_init=1e30)
    attributes, pickled = dict(vars(model)), pickle.dumps(model)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.partial_fit(X, Y, **VALIDATION)
    assert vars(model) == attributes
    assert pickle.dumps(model) == pickled


def test_an_error_in_a_callback_or_a_scorer_leaves_no_trace():
    class Crash(Exception):
        pass

    def crash(*_):
        raise Crash

    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES, **VALIDATION)
    for params in ({"callback": crash}, {"scoring": crash, "callback": None}):
        model.set_params(**params)
        pickled = {**vars(model), **model.get_params()}
        before = parameters(model)
        with pytest.raises(Crash):
            model.partial_fit(X, Y, **VALIDATION)
        assert {**vars(model), **model.get_params()} == pickled
        assert parameters(model) == before


# Changes between calls


@pytest.mark.parametrize("solvers", [("adam", "sgd"), ("sgd", "muon"), ("adam", "adamw"), ("rmsprop", "adam")])
def test_another_solver_goes_on_from_the_weights(solvers):
    model = ConvNetClassifier(**SMALL, solver=solvers[0]).partial_fit(X, Y, CLASSES)
    fresh = ConvNetClassifier(**{**SMALL, "solver": solvers[1]}).set_params(initial_weights=model.weights_)
    fresh.partial_fit(X, Y, CLASSES)
    model.set_params(solver=solvers[1]).partial_fit(X, Y)
    assert model.n_iter_ == 2
    assert model.loss_curve_[1] < model.loss_curve_[0]
    assert model.loss_curve_[1] == pytest.approx(fresh.loss_curve_[0], rel=0.2)  # another order of the samples
    model.partial_fit(X, Y)
    assert model.n_iter_ == 3


def test_another_solver_keeps_the_best():
    scores = iter([0.9, 0.1, 0.2, 0.95])
    model = ConvNetClassifier(**SMALL, scoring=lambda *_: next(scores)).partial_fit(X, Y, CLASSES, **VALIDATION)
    best = parameters(model)
    for solver in ("sgd", "sgd"):
        model.set_params(solver=solver).partial_fit(X, Y, **VALIDATION)
        assert parameters(model) == best
    model.set_params(ema_decay=0.9).partial_fit(X, Y, **VALIDATION)
    assert parameters(model) != best
    assert model.best_validation_score_ == 0.95


def test_another_solver_keeps_the_best_of_before_a_call_without_validation_data():
    scores = iter([0.9, 0.1])
    model = ConvNetClassifier(**SMALL, scoring=lambda *_: next(scores)).partial_fit(X, Y, CLASSES, **VALIDATION)
    best = parameters(model)
    assert parameters(model.partial_fit(X, Y)) != best
    assert parameters(model.set_params(solver="sgd").partial_fit(X, Y, **VALIDATION)) == best


# What can be compared


def test_scores_on_other_validation_data_are_not_compared():
    X_new, X_new_val = (1 - part.reshape(-1, 8, 8).swapaxes(1, 2).reshape(-1, 64) for part in (X, X_VAL))
    model = ConvNetClassifier(**{**SMALL, "filters": 8}, max_iter=10, n_iter_no_change=3).fit(X, Y, **VALIDATION)
    before = model.score(X_new_val, Y_VAL)
    curve = list(model.loss_curve_)
    for call in range(1, 6):
        model.partial_fit(X_new, Y, X_val=X_new_val, y_val=Y_VAL)
        assert len(model.validation_scores_) == len(model.validation_loss_curve_) == call
        assert model.score(X_new_val, Y_VAL) == max(model.validation_scores_) == model.best_validation_score_
        assert not model.stopped_early_ or call > 3
    assert model.score(X_new_val, Y_VAL) > before + 0.3
    assert model.loss_curve_[: len(curve)] == curve
    assert model.n_iter_ == len(curve) + 5


CHANGES = {
    "weights": ({}, {**VALIDATION, "sample_weight_val": np.linspace(0.5, 1, 150)}),
    "labels": ({}, {"X_val": X_VAL, "y_val": Y_VAL[::-1]}),
    "fewer": ({}, {"X_val": X_VAL[1:], "y_val": Y_VAL[1:]}),
    "one number": ({}, {"X_val": np.r_[X_VAL[:-1], X_VAL[-1:] + 0.01], "y_val": Y_VAL}),
    "scoring": ({"scoring": "f1_macro"}, VALIDATION),
    "loss": ({"label_smoothing": 0.3}, VALIDATION),
    "copies": ({"n_augmented": 2}, VALIDATION),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_else_cannot_be_compared(method, name):
    params, data = CHANGES[name]
    model = ConvNetClassifier(**SMALL, scoring="accuracy", augment="shift", max_iter=3)
    known = {} if method == "fit" else {"classes": CLASSES}
    getattr(model, method)(X, Y, **known, **VALIDATION)
    once = len(model.validation_scores_)
    model.partial_fit(X, Y, **VALIDATION)
    assert len(model.validation_scores_) == once + 1
    model.set_params(**params).partial_fit(X, Y, **data)
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 1
    model.partial_fit(X, Y)
    assert len(model.validation_scores_) == 1
    model = pickle.loads(pickle.dumps(model)).partial_fit(X, Y, **data)
    assert len(model.validation_scores_) == 2


def test_a_scorer_is_the_same_after_a_pickle():
    model = ConvNetClassifier(**SMALL, scoring=make_scorer(f1_score, average="macro"))
    for call in range(1, 4):
        model = pickle.loads(pickle.dumps(model.partial_fit(X, Y, CLASSES, **VALIDATION)))
        assert len(model.validation_scores_) == call


def test_other_numbers_count_from_the_next_call():
    model, other = (ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES) for _ in range(2))
    other.set_params(learning_rate_init=1e-7, alpha=0.0)
    before = other.network_.parameters.copy()
    other.partial_fit(X, Y)
    model.partial_fit(X, Y)
    assert np.abs(other.network_.parameters - before).max() < 1e-4
    assert parameters(model) != parameters(other)


def test_another_augmentation_counts_from_the_next_call():
    model = ConvNetClassifier(augment="shift", **SMALL).partial_fit(X, Y, CLASSES)
    plain = copy.deepcopy(model).set_params(augment=None).partial_fit(X, Y)
    noisy = copy.deepcopy(model).set_params(augment="noise").partial_fit(X, Y)
    same = copy.deepcopy(model).partial_fit(X, Y)
    weights = {each.network_.parameters.tobytes() for each in (plain, noisy, same)}
    assert len(weights) == 3


def test_an_average_begins_with_the_weights_of_now():
    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES)
    before = model.network_.parameters.copy()
    model.set_params(ema_decay=0.999999, learning_rate_init=1e-6).partial_fit(X, Y)
    assert 0 < np.abs(model.network_.parameters - before).max() < 1e-3


def test_average():
    last, model = ConvNetClassifier(**SMALL), ConvNetClassifier(**SMALL, ema_decay=0.9)
    seen, steps = None, 0
    for X_part, y_part in chunks(10):  # one update each
        last.partial_fit(X_part, y_part, CLASSES)
        model.partial_fit(X_part, y_part, CLASSES)
        if seen is not None:
            decay = min(0.9, (1 + steps) / (10 + steps))
            seen = seen + (1 - decay) * (last.network_.parameters - seen)
            np.testing.assert_allclose(model.network_.parameters, seen, atol=1e-5)
        seen, steps = model.network_.parameters.astype(float), steps + 1
    assert model.loss_curve_ == last.loss_curve_


def test_after_fit_it_goes_on_from_the_fitted_weights():
    model = ConvNetClassifier(**SMALL, max_iter=3).fit(X, Y)
    fitted, curve = model.network_.parameters.copy(), list(model.loss_curve_)
    model.set_params(learning_rate_init=1e-8).partial_fit(X, Y)
    assert 0 < np.abs(model.network_.parameters - fitted).max() < 1e-5
    assert model.loss_curve_[:3] == curve
    assert model.n_iter_ == 4


def test_after_fit_with_validation_data_the_best_stays():
    scores = iter([0.2, 0.9, 0.3, 0.1, 0.95])
    model = ConvNetClassifier(**SMALL, max_iter=3, scoring=lambda *_: next(scores)).fit(X, Y, **VALIDATION)
    best = parameters(model)
    assert parameters(model.partial_fit(X, Y, **VALIDATION)) == best
    assert parameters(model.partial_fit(X, Y, **VALIDATION)) != best
    assert model.validation_scores_ == [0.2, 0.9, 0.3, 0.1, 0.95]


def test_fit_begins_anew():
    model = ConvNetClassifier(**SMALL, max_iter=2).partial_fit(X, Y, CLASSES, **VALIDATION)
    assert same(model.fit(X, Y), ConvNetClassifier(**SMALL, max_iter=2).fit(X, Y))
    assert model.validation_scores_ is None


def test_clone_begins_anew():
    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES)
    assert same(clone(model).partial_fit(X, Y, CLASSES), model)


def test_class_weight_by_dict_is_sample_weight():
    factors = {k: 1.0 + (k == 3) for k in range(10)}
    weighted = ConvNetClassifier(**SMALL, class_weight=factors)
    equal = ConvNetClassifier(**SMALL)
    for X_part, y_part in chunks():
        weight = 1.0 + (y_part == 3)
        weighted.partial_fit(X_part, y_part, CLASSES)
        equal.partial_fit(X_part, y_part, CLASSES, weight)
        np.testing.assert_allclose(weighted.network_.parameters, equal.network_.parameters, atol=1e-6)


@pytest.mark.parametrize("fitted", [False, True])
def test_class_weight_balanced_needs_all_of_y(fitted):
    model = ConvNetClassifier(**SMALL, max_iter=1, class_weight="balanced")
    if fitted:
        model.fit(X, Y)
    attributes = dict(vars(model))
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        model.partial_fit(X, Y, CLASSES)
    match = r"class_weight='balanced' is not supported for partial_fit, .*use the weights of .*compute_class_weight"
    assert re.match(match, str(error.value.__cause__))
    assert vars(model) == attributes


def test_a_chunk_without_some_classes():
    few = Y < 3
    model = ConvNetClassifier(**SMALL).partial_fit(X[few], Y[few], CLASSES, **VALIDATION)
    assert model.predict_proba(X).shape == (300, 10)


def test_weights_of_zero_take_no_part():
    weight = (np.arange(300) < 200).astype(float)
    part = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES, weight)
    rest = ConvNetClassifier(**SMALL).partial_fit(X[:200], Y[:200], CLASSES)
    assert parameters(part) == parameters(rest)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr("skconv._network.widths.MIN_BLOCK_WORK", 1)
    params = {**SMALL, "batch_size": 128, "dropout": 0.2, "augment": "shift"}
    one, two = (ConvNetClassifier(**params, n_jobs=n) for n in (1, 2))
    for X_part, y_part in chunks(2, epochs=2):
        one.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
        two.partial_fit(X_part, y_part, CLASSES, **VALIDATION)
        assert same(one, two)


def test_chunks_of_other_sizes():
    model = ConvNetClassifier(**SMALL)
    for rows in (slice(0, 100), slice(100, 101), slice(101, 104), slice(104, 300)):
        model.partial_fit(X[rows], Y[rows], CLASSES)
    assert model.n_iter_ == 4
    assert np.isfinite(model.loss_curve_).all()


def test_random_state_object_is_asked_once():
    rng = np.random.RandomState(0)
    model = ConvNetClassifier(**{**SMALL, "random_state": rng}).partial_fit(X, Y, CLASSES)
    state = rng.get_state()[2]
    model.partial_fit(X, Y)
    assert rng.get_state()[2] == state
    expected = ConvNetClassifier(**SMALL).partial_fit(X, Y, CLASSES).partial_fit(X, Y)
    assert same(model, expected)
