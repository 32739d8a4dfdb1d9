"""Ctrl-C in a training: the last whole update is kept and KeyboardInterrupt goes on; a second one changes nothing."""

import os
import signal
import threading

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder
from skconv._estimators.recipe import Recipe
from skconv._threads.team import Team
from skconv.training._trainer import Trainer

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "batch_size": 32, "max_iter": 6, "random_state": 0}
X, Y = (part[:150] for part in load_digits(return_X_y=True))
X = X / 16
UPDATES = 5  # an epoch
MESSAGE = "training was interrupted in epoch {}; the model has the weights of its last whole update"


class Crash(Exception):
    """What a callback of these tests raises."""


@pytest.fixture(autouse=True)
def handler():
    """Python's own handler, also where the tests run in the background; it must be there afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    now = signal.signal(signal.SIGINT, before)
    assert now is signal.default_int_handler


class Updates:
    """What a network was after each update, and something to do in the midst of one."""

    def __init__(self):
        self.after, self.at, self.do = [], None, None

    def step(self, trainer, *args):
        if len(self.after) + 1 == self.at:
            self.do()
        loss = self.original(trainer, *args)
        average = None if trainer.average is None else trainer.average.values.copy()
        self.after.append((trainer.network.parameters.copy(), trainer.network.state.copy(), average))
        return loss

    def during(self, update, do):
        self.after, self.at, self.do = [], update, do


@pytest.fixture
def updates(monkeypatch):
    spy = Updates()
    spy.original = Trainer.step
    monkeypatch.setattr(Trainer, "step", lambda self, *args: spy.step(self, *args))
    return spy


def press():
    signal.raise_signal(signal.SIGINT)


def press_twice():
    press()
    press()


def crash():
    raise Crash


def network_is(model, parameters, state):
    np.testing.assert_array_equal(model.network_.parameters, parameters)
    np.testing.assert_array_equal(model.network_.state, state)


# The first


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_from_another_thread_at_any_moment(n_jobs, updates):
    model = ConvNetClassifier(**{**SMALL, "max_iter": 1_000_000, "n_jobs": n_jobs})
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(r"\d+")):
        model.fit(X, Y)
    timer.join()
    assert model.interrupted_
    assert not model.stopped_early_
    done = len(updates.after)
    assert model.n_iter_ == len(model.loss_curve_) == -(-done // UPDATES)
    network_is(model, *updates.after[-1][:2])

    updates.during(done + 1, crash)  # the same training again, up to there
    with pytest.raises(Crash):
        ConvNetClassifier(**model.get_params()).fit(X, Y)
    network_is(model, *updates.after[-1][:2])
    assert model.predict(X).shape == Y.shape


@pytest.mark.parametrize("update", [1, 3, UPDATES, UPDATES + 1, 3 * UPDATES - 1])
def test_the_update_under_way_is_finished(update, updates):
    whole = ConvNetClassifier(**SMALL).fit(X, Y)
    assert not whole.interrupted_
    expected = updates.after[update - 1]
    updates.during(update, press)
    model = ConvNetClassifier(**SMALL)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(-(-update // UPDATES))):
        model.fit(X, Y)
    network_is(model, *expected[:2])
    assert len(updates.after) == update
    full = update // UPDATES
    assert model.loss_curve_[:full] == whole.loss_curve_[:full]
    assert model.interrupted_


def test_equals_a_fit_of_fewer_epochs(updates):
    params = {**SMALL, "learning_rate": "constant"}
    shorter = ConvNetClassifier(**{**params, "max_iter": 2}).fit(X, Y)
    updates.during(2 * UPDATES, press)
    model = ConvNetClassifier(**params)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(2)):
        model.fit(X, Y)
    network_is(model, shorter.network_.parameters, shorter.network_.state)
    assert model.loss_curve_ == shorter.loss_curve_


def test_of_an_average_the_average(updates):
    updates.during(7, press)
    model = ConvNetClassifier(**SMALL, ema_decay=0.9)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(2)):
        model.fit(X, Y)
    _, state, average = updates.after[-1]
    network_is(model, average, state)


@pytest.mark.parametrize("when", ["in an update", "in the scorer", "in the callback", "by the callback"])
def test_with_validation_data_the_best_weights_are_kept(when, updates):
    seen, scores = {}, [0.3, 0.6, 0.5, 0.4, 0.7, 0.8]  # the second is the best until the fifth

    def scoring(model, X, y):
        seen[len(seen) + 1] = model.network_.parameters.copy(), model.network_.state.copy()
        if when == "in the scorer" and len(seen) == 4:
            press()
        return scores[len(seen) - 1]

    def callback(info):
        if info.epoch == 4 and when == "in the callback":
            press()
        if info.epoch == 4 and when == "by the callback":
            raise KeyboardInterrupt

    if when == "in an update":
        updates.during(4 * UPDATES + 3, press)
    model = ConvNetClassifier(**SMALL, scoring=scoring, callback=callback)
    begun, scored = (5 if when == "in an update" else 4), (3 if when == "in the scorer" else 4)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(begun) + " or the best on the validation data"):
        model.fit(X, Y, X_val=X, y_val=Y)
    network_is(model, *seen[2])
    assert model.validation_scores_ == scores[:scored]
    assert model.best_validation_score_ == 0.6
    assert len(model.validation_loss_curve_) == scored
    assert model.n_iter_ == len(model.loss_curve_) == begun


def test_before_the_first_validation_the_last_weights_are_kept(updates):
    updates.during(2, press)
    model = ConvNetClassifier(**SMALL, early_stopping=True)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(1) + "$"):
        model.fit(X, Y)
    network_is(model, *updates.after[-1][:2])
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None


@pytest.mark.parametrize("estimator", [ConvNetClassifier, ConvNetRegressor])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("how", [press, None])
def test_lbfgs_keeps_its_last_iteration(estimator, batch_norm, how):
    params = {**SMALL, "solver": "lbfgs", "batch_norm": batch_norm, "batch_size": "auto"}
    shorter = estimator(**{**params, "max_iter": 3}).fit(X, Y)

    def callback(info):
        if info.epoch == 3 and how is None:
            raise KeyboardInterrupt
        if info.epoch == 3:
            how()

    model = estimator(**{**params, "max_iter": 50}, callback=callback)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(3)):
        model.fit(X, Y)
    network_is(model, shorter.network_.parameters, shorter.network_.state)
    assert model.loss_curve_ == shorter.loss_curve_
    assert model.interrupted_


def test_a_callback_may_raise_it(updates):
    def callback(info):
        if info.epoch == 2:
            raise KeyboardInterrupt

    model = ConvNetClassifier(**SMALL, callback=callback)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(2)):
        model.fit(X, Y)
    network_is(model, *updates.after[2 * UPDATES - 1][:2])
    assert model.interrupted_
    assert model.n_iter_ == 2


def test_partial_fit_keeps_the_last_whole_update(updates):
    model = ConvNetClassifier(**SMALL).partial_fit(X, Y, range(10))
    updates.during(2, press)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(2)):
        model.partial_fit(X, Y)
    network_is(model, *updates.after[-1][:2])
    assert len(updates.after) == 2
    updates.during(None, None)
    model.partial_fit(X, Y)
    assert not model.interrupted_
    assert model.n_iter_ == 3


def test_an_interrupted_fit_resumes_from_its_checkpoint(updates, tmp_path):
    whole = ConvNetClassifier(**SMALL).fit(X, Y)
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path)
    for update in (2 * UPDATES + 2, UPDATES + 1):
        updates.during(update, press)
        with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(r"\d")):
            model.fit(X, Y)
    updates.during(None, None)
    model.fit(X, Y)
    network_is(model, whole.network_.parameters, whole.network_.state)
    assert len(updates.after) == 3 * UPDATES
    assert model.loss_curve_ == whole.loss_curve_
    assert not model.interrupted_


# The second, and errors


def fitted(**params):
    model = ConvNetClassifier(**{**SMALL, "max_iter": 2, **params}).fit(X, Y)
    return model, dict(vars(model))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("update", [1, 7])
def test_the_second_one_raises_and_changes_nothing(update, n_jobs, updates):
    model, before = fitted(n_jobs=n_jobs)
    predicted = model.predict_proba(X)
    for each, attributes in ((model, before), (ConvNetClassifier(**SMALL), None)):
        attributes = attributes or dict(vars(each))
        updates.during(update, press_twice)
        with pytest.raises(KeyboardInterrupt):
            each.fit(X[::-1], Y[::-1])
        assert vars(each) == attributes
        assert len(updates.after) == update - 1
    np.testing.assert_array_equal(model.predict_proba(X), predicted)


def test_the_second_one_ends_an_lbfgs_iteration(monkeypatch):
    model, before = fitted(solver="lbfgs")
    gradient = Trainer.gradient

    def interrupted(self, *args, **kwargs):
        press_twice()
        return gradient(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "gradient", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert vars(model) == before


def test_one_outside_the_training_raises_at_once(monkeypatch):
    model, before = fitted()
    monkeypatch.setattr(Recipe, "new_network", lambda *_: press())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert vars(model) == before


@pytest.mark.parametrize("error", [Crash("of the user"), SystemExit(3), GeneratorExit()])
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"early_stopping": True, "ema_decay": 0.9}])
def test_another_error_of_a_callback_changes_nothing(params, error):
    def callback(info):
        if info.epoch == 2:
            raise error

    options = {**SMALL, **params}
    model = ConvNetClassifier(**{**options, "max_iter": 1}).fit(X, Y)
    predicted = model.predict_proba(X)
    model.set_params(callback=callback, max_iter=4)
    before = dict(vars(model))
    with pytest.raises(type(error)) as caught:
        model.fit(X[::-1], Y[::-1])
    assert caught.value is error
    assert vars(model) == before
    np.testing.assert_array_equal(model.predict_proba(X), predicted)
    empty = ConvNetClassifier(**{**options, "callback": callback})
    before = dict(vars(empty))
    with pytest.raises(type(error)):
        empty.fit(X, Y)
    assert vars(empty) == before


# Handlers


def test_python_s_handler_is_back_whatever_happens(updates):
    def asked(info):
        handlers.append(signal.getsignal(signal.SIGINT))

    handlers = []
    ConvNetClassifier(**SMALL, callback=asked).fit(X, Y)
    assert signal.default_int_handler not in handlers
    for do, error in ((crash, Crash), (press_twice, KeyboardInterrupt)):
        updates.during(4, do)
        with pytest.raises(error):
            ConvNetClassifier(**SMALL).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        press()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_handler_of_the_program_s_own_is_left_alone(solver):
    pressed = []

    def own(signum, frame):
        pressed.append(signum)

    def callback(info):
        assert signal.getsignal(signal.SIGINT) is own
        press()

    signal.signal(signal.SIGINT, own)
    try:
        model = ConvNetClassifier(**SMALL, solver=solver, callback=callback).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert pressed == [signal.SIGINT] * model.n_iter_
    assert model.n_iter_ == 6
    assert not model.interrupted_


def test_ignored_signals_stay_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        model = ConvNetClassifier(**SMALL, callback=lambda info: press()).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert not model.interrupted_


def test_fit_in_another_thread():
    results, handlers = [], []

    def train():
        model = ConvNetClassifier(**SMALL, callback=lambda info: handlers.append(signal.getsignal(signal.SIGINT)))
        results.append(model.fit(X, Y))

    threads = [threading.Thread(target=train) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = ConvNetClassifier(**SMALL).fit(X, Y)
    assert len(results) == 2
    for model in results:
        network_is(model, alone.network_.parameters, alone.network_.state)
        assert not model.interrupted_
    assert set(handlers) == {signal.default_int_handler}


def test_a_fit_within_a_callback_leaves_the_outer_handler():
    handlers = []

    def callback(info):
        handlers.append(signal.getsignal(signal.SIGINT))
        ConvNetClassifier(**SMALL).fit(X, Y)
        assert signal.getsignal(signal.SIGINT) == handlers[-1]
        if info.epoch == 2:
            press()

    model = ConvNetClassifier(**SMALL, callback=callback)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(2)):
        model.fit(X, Y)
    assert model.interrupted_
    assert signal.default_int_handler not in handlers


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_in_a_fit_within_a_callback_ends_both(solver, updates):
    inner = ConvNetClassifier(**SMALL)

    def callback(info):
        updates.during(3, press)
        inner.fit(X, Y)

    model = ConvNetClassifier(**SMALL | {"solver": solver}, callback=callback)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(1)):
        model.fit(X, Y)
    assert inner.interrupted_
    assert model.interrupted_
    assert model.n_iter_ == 1


def test_one_that_a_callback_catches_is_the_callback_s():
    def callback(info):
        with pytest.raises(KeyboardInterrupt):
            press()

    model = ConvNetClassifier(**SMALL, callback=callback).fit(X, Y)
    assert not model.interrupted_
    assert model.n_iter_ == SMALL["max_iter"]


# After the last update, no press is lost


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_after_the_training_the_model_is_kept(solver, monkeypatch):
    monkeypatch.setattr(ConvNetClassifier, "_calibrate", lambda *_: press())
    model = ConvNetClassifier(**SMALL | {"solver": solver})
    with pytest.raises(KeyboardInterrupt, match="after the last step of the fit: the estimator is fitted"):
        model.fit(X, Y)
    monkeypatch.undo()
    whole = ConvNetClassifier(**SMALL | {"solver": solver}).fit(X, Y)
    network_is(model, whole.network_.parameters, whole.network_.state)
    assert not model.interrupted_


def test_in_the_very_last_update(updates):
    whole = ConvNetClassifier(**SMALL).fit(X, Y)
    updates.during(SMALL["max_iter"] * UPDATES, press)
    model = ConvNetClassifier(**SMALL)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(6)):
        model.fit(X, Y)
    network_is(model, whole.network_.parameters, whole.network_.state)


# What is around a fit ends


WRAPPERS = {
    "search": lambda model: GridSearchCV(model, {"alpha": [0.0, 1e-4]}, cv=2, error_score=0.0),
    "pipeline": lambda model: make_pipeline(MinMaxScaler(), model),
    "pipelines in a search": lambda model: GridSearchCV(
        make_pipeline(MinMaxScaler(), model), {"convnetclassifier__alpha": [0.0, 1e-4]}, cv=2
    ),
    "bagging": lambda model: BaggingClassifier(model, n_estimators=3),
    "calibration": lambda model: CalibratedClassifierCV(model, cv=2),
    "one against the rest": OneVsRestClassifier,
}


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("update", [3, 3 * 6 + 2])
def test_what_is_around_a_fit_ends(name, update, updates):
    model = WRAPPERS[name](ConvNetClassifier(**SMALL))
    updates.during(update, press)
    with pytest.raises(KeyboardInterrupt, match="training was interrupted in epoch"):
        model.fit(X, Y)
    assert len(updates.after) == update
    assert not hasattr(model, "cv_results_")


def test_scores_of_a_cut_fit_come_from_no_cross_validation(updates):
    updates.during(3, press)
    with pytest.raises(KeyboardInterrupt, match=MESSAGE.format(1)):
        cross_val_score(ConvNetClassifier(**SMALL), X, Y, cv=2, error_score=0.0)
    assert len(updates.after) == 3


# Predictions


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("make", [lambda **params: ConvNetClassifier(**SMALL, **params), ConvFeatures, ImagePadder])
def test_one_while_samples_go_through_raises(make, n_jobs, monkeypatch):
    model = make(n_jobs=n_jobs).fit(X, Y)
    call = model.predict_proba if hasattr(model, "predict_proba") else model.transform
    expected, before = call(X), dict(vars(model))
    run = Team.run

    def pressed(team, function, count):
        def task(i):
            if i == 0:
                press()
            function(i)

        run(team, task, count)

    monkeypatch.setattr(Team, "run", pressed)
    with pytest.raises(KeyboardInterrupt):
        call(X)
    monkeypatch.undo()
    assert vars(model) == before
    np.testing.assert_array_equal(call(X), expected)


# Other threads


def test_predictions_while_another_thread_fits_are_of_one_fit():
    """Two classes and ten, whose labels have other types."""
    few = Y < 2
    sets = [(X, Y), (X[few], np.array(["zero", "one"])[Y[few]])]
    model, labels = ConvNetClassifier(**SMALL | {"max_iter": 1}), [set(y.tolist()) for _, y in sets]
    model.fit(*sets[0])
    regressor = ConvNetRegressor(**SMALL | {"max_iter": 1}).fit(X, Y)
    features = ConvFeatures("orthonormal", n_filters=4).fit(X)
    errors, end = [], threading.Event()

    def predict():
        try:
            while not end.is_set():
                found = set(model.predict(X[:5]).tolist())
                assert any(found <= each for each in labels)
                assert model.predict_proba(X[:20]).shape[1] in (2, 10)
                assert regressor.predict(X[:2]).ndim in (1, 2)
                assert features.transform(X[:2]).shape[1] in (64, 112)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=predict) for _ in range(2)]
    for thread in threads:
        thread.start()
    for k in range(40):
        model.fit(*sets[k % 2])
        regressor.fit(X, np.stack([Y, Y], axis=1) if k % 2 else Y)
        features.set_params(n_filters=4 + 3 * (k % 2)).fit(X)
    end.set()
    for thread in threads:
        thread.join()
    assert not errors
