"""What a fit tells: the function of the user's, lines, and scikit-learn's callbacks."""

import copy
import io
import pickle
import re
import sys
import types

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.training.callbacks import TrainingInfo, Watch, _is_live

SMALL = {"filters": 4, "hidden_layer_sizes": 8, "batch_size": 32, "max_iter": 4, "random_state": 0}
X, Y = (part[:150] for part in load_digits(return_X_y=True))
X = X / 16


class Crash(Exception):
    """What a callback of these tests raises."""


# A function


@pytest.mark.parametrize("estimator", [ConvNetClassifier, ConvNetRegressor])
def test_a_callback_is_told_of_each_epoch(estimator):
    infos = []
    model = estimator(**SMALL, learning_rate="step", callback=infos.append).fit(X, Y)
    assert all(type(info) is TrainingInfo for info in infos)
    assert [info.epoch for info in infos] == [1, 2, 3, 4]
    assert {info.n_epochs for info in infos} == {4}
    assert [info.loss for info in infos] == model.loss_curve_
    assert {(info.validation_loss, info.validation_score) for info in infos} == {(None, None)}
    assert [info.learning_rate for info in infos] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4])
    seconds = [info.seconds for info in infos]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert not model.stopped_early_


def test_a_callback_is_told_of_the_validation():
    infos = []
    model = ConvNetClassifier(**SMALL, early_stopping=True, callback=infos.append).fit(X, Y)
    assert [info.validation_loss for info in infos] == model.validation_loss_curve_
    assert [info.validation_score for info in infos] == model.validation_scores_


def test_an_info_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign to field 'loss'"):
        TrainingInfo(1, 2, 0.5, None, None, 1e-2, 1.0, None).loss = 0


@pytest.mark.parametrize("answer", [True, np.True_])
def test_a_callback_stops(answer):
    model = ConvNetClassifier(**SMALL, callback=lambda info: answer if info.epoch == 2 else None).fit(X, Y)
    assert model.n_iter_ == 2
    assert model.stopped_early_
    assert not model.interrupted_
    half = ConvNetClassifier(**SMALL).fit(X, Y)
    assert model.loss_curve_ == half.loss_curve_[:2]


@pytest.mark.parametrize("answer", [None, False, np.False_])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_callback_goes_on(answer, solver):
    model = ConvNetClassifier(**SMALL, solver=solver, callback=lambda info: answer).fit(X, Y)
    assert model.n_iter_ == 4
    assert not model.stopped_early_


ANSWERS = {
    "characters written": (12, "12 of type int"),
    "none written": (0, "0 of type int"),
    "text": ("yes", "'yes' of type str"),
    "loss": (np.float32(0.5), "0.5 of type float32"),
    "list": ([], r"\[\] of type list"),
    "array": (np.array([True]), r"array\(\[ True\]\) of type ndarray"),
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("method", ["fit", "lbfgs", "partial_fit"])
def test_a_callback_that_answers_neither_yes_nor_no(kind, method):
    answer, shown = ANSWERS[kind]
    model = ConvNetClassifier(**SMALL, solver="lbfgs" if method == "lbfgs" else "adam", callback=lambda info: answer)
    match = f"callback must return True to end the training, or None or False to go on, got {shown}"
    with pytest.raises(TypeError, match=match):
        model.partial_fit(X, Y, range(10)) if method == "partial_fit" else model.fit(X, Y)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_what_a_file_returns_does_not_end_the_training(tmp_path):
    with open(tmp_path / "log", "w") as log:
        model = ConvNetClassifier(**SMALL, callback=lambda info: log.write(f"{info.loss}\n"))
        with pytest.raises(TypeError, match="callback must return True"):
            model.fit(X, Y)
        model.set_params(callback=lambda info: log.write(f"{info.loss}\n") and None).fit(X, Y)
    assert model.n_iter_ == 4


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_stop_iteration_of_a_callback_is_an_error(solver):
    values = iter([1.0, 2.0])  # next() of an iterator that is at its end
    model = ConvNetClassifier(**SMALL, solver=solver, callback=lambda info: next(values) < 0)
    with pytest.raises(RuntimeError, match="callback raised StopIteration; return True to end the training"):
        model.fit(X, Y)
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_lbfgs_tells_and_stops():
    infos = []
    params = {**SMALL, "solver": "lbfgs", "max_iter": 5}

    def callback(info):
        infos.append((info.epoch, info.n_epochs, info.loss, info.estimator.score(X, Y)))
        return info.epoch == 3

    model = ConvNetClassifier(**params, callback=callback).fit(X, Y)
    assert [(epoch, n, loss) for epoch, n, loss, _ in infos] == [
        (k, 5, loss) for k, loss in enumerate(model.loss_curve_, 1)
    ]
    assert model.n_iter_ == 3
    assert model.stopped_early_
    shorter = ConvNetClassifier(**{**params, "max_iter": 3}).fit(X, Y)
    np.testing.assert_array_equal(model.network_.parameters, shorter.network_.parameters)


def test_partial_fit_tells():
    infos = []
    model = ConvNetClassifier(**SMALL, callback=lambda info: infos.append(info) or True)
    for _ in range(2):
        model.partial_fit(X, Y, range(10))
    assert [(info.epoch, info.n_epochs) for info in infos] == [(1, 1)] * 2
    assert [info.loss for info in infos] == model.loss_curve_
    assert {info.learning_rate for info in infos} == {1e-2}


# NumPy's error handling in what the caller gives

DIVISIONS = ["callback", "callback of L-BFGS", "callback of partial_fit", "scorer", "scorer of partial_fit"]


def divide(*_):
    return float(np.float64(1) / 0 > 0)


def dividing(kind, divide=divide):
    """A function that fits with one of the caller's that divides."""

    def told(info):
        divide(info)

    if "scorer" in kind:
        model, data = ConvNetClassifier(**SMALL, scoring=divide), {"X_val": X, "y_val": Y}
    else:

        def callback(info):
            divide(info)

        model, data = ConvNetClassifier(**SMALL, callback=callback), {}
        model.set_params(solver="lbfgs" if "L-BFGS" in kind else "adam")
    if "partial_fit" in kind:
        return lambda: model.partial_fit(X, Y, range(10), **data)
    return lambda: model.fit(X, Y, **data)


@pytest.mark.parametrize("kind", DIVISIONS)
def test_a_division_by_zero_is_treated_as_the_caller_does(kind):
    fit = dividing(kind)
    before = np.geterr()
    with pytest.warns(RuntimeWarning, match="divide by zero") as caught:
        fit()
    assert {warning.filename for warning in caught} == {__file__}
    with np.errstate(all="raise"):
        with pytest.raises(FloatingPointError, match="divide by zero"):
            fit()
        assert set(np.geterr().values()) == {"raise"}
    with np.errstate(all="ignore"):
        fit()
    called = []
    with np.errstate(divide="call", call=lambda *error: called.append(error)):
        fit()
        assert called
        assert np.geterrcall() is not None
    assert np.geterr() == before


@pytest.mark.parametrize("kind", DIVISIONS)
def test_a_fit_within_is_quiet_and_what_it_calls_is_not(kind):
    inner = dividing(kind)

    def outer(*_):
        with np.errstate(divide="ignore"):
            inner()
        return divide()  # after the fit within, it is the outer caller's again

    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        dividing(kind, outer)()
    with pytest.warns(RuntimeWarning, match="divide by zero") as caught:
        dividing(kind, lambda *_: inner() and 0.0)()
    assert {warning.filename for warning in caught} == {__file__}


def test_a_division_in_a_hook_of_scikit_learn_s(callbacks):
    record = recorder()
    end = record.on_fit_task_end
    record.on_fit_task_end = lambda *args, **options: divide() and end(*args, **options)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        ConvNetClassifier(**SMALL).set_callbacks(record).fit(X, Y)


# The model within


@pytest.mark.parametrize("params", [{}, {"dropout": 0.5}, {"augment": "auto", "n_augmented": 2}, {"n_jobs": 2}])
def test_the_model_of_now_predicts_with_the_weights_of_now(params):
    probabilities, copies = [], []

    def callback(info):
        probabilities.append(info.estimator.predict_proba(X))
        copies.append((copy.deepcopy(info.estimator), pickle.loads(pickle.dumps(clone_without(info.estimator)))))

    model = ConvNetClassifier(**SMALL, learning_rate="constant", callback=callback, **params).fit(X, Y)
    np.testing.assert_array_equal(probabilities[-1], model.predict_proba(X))
    for epoch, (expected, both) in enumerate(zip(probabilities, copies, strict=True), 1):
        for kept in both:  # they have weights of their own
            np.testing.assert_array_equal(kept.predict_proba(X), expected)
        shorter = ConvNetClassifier(**{**SMALL, **params, "learning_rate": "constant", "max_iter": epoch}).fit(X, Y)
        np.testing.assert_array_equal(shorter.predict_proba(X), expected)


def clone_without(estimator):
    """A copy that pickles although its callback does not."""
    return copy.copy(estimator).set_params(callback=None)


def test_the_model_of_now_has_the_average_of_the_weights():
    probabilities, parameters = [], []

    def callback(info):
        probabilities.append(info.estimator.predict_proba(X))
        parameters.append(info.estimator.network_.parameters.copy())

    params = {**SMALL, "learning_rate": "constant", "ema_decay": 0.95}
    model = ConvNetClassifier(**params, callback=callback).fit(X, Y)
    for epoch in (1, 2, 3, 4):
        shorter = ConvNetClassifier(**{**params, "max_iter": epoch}).fit(X, Y)
        np.testing.assert_array_equal(parameters[epoch - 1], shorter.network_.parameters)
        np.testing.assert_array_equal(probabilities[epoch - 1], shorter.predict_proba(X))
    last = ConvNetClassifier(**{**params, "ema_decay": None}).fit(X, Y)
    assert (last.network_.parameters != model.network_.parameters).any()


def test_looking_changes_no_bit():
    def look(info):
        info.estimator.predict(X[:7])
        info.estimator.score(X, Y)
        info.estimator.weights_["convolution1.weight"].sum()

    for params in ({}, {"dropout": 0.3}, {"ema_decay": 0.9, "early_stopping": True}, {"solver": "lbfgs"}):
        alone = ConvNetClassifier(**SMALL, **params).fit(X, Y)
        seen = ConvNetClassifier(**SMALL, **params, callback=look).fit(X, Y)
        np.testing.assert_array_equal(seen.network_.parameters, alone.network_.parameters)
        np.testing.assert_array_equal(seen.network_.state, alone.network_.state)


def test_writing_on_the_weights_of_now_has_no_effect():
    def spoil(info):
        info.estimator.network_.parameters.fill(0)

    alone = ConvNetClassifier(**SMALL).fit(X, Y)
    spoiled = ConvNetClassifier(**SMALL, callback=spoil).fit(X, Y)
    np.testing.assert_array_equal(spoiled.network_.parameters, alone.network_.parameters)


def test_the_estimator_itself_is_not_fitted_before_the_end():
    model = ConvNetClassifier(**SMALL)
    model.set_params(callback=lambda info: fitted.append(hasattr(model, "network_")))
    fitted = []
    model.fit(X, Y)
    assert fitted == [False] * 4


def test_a_clone_has_the_callback():
    infos = []
    clone(ConvNetClassifier(**SMALL, callback=lambda info: infos.append(info))).fit(X, Y)
    assert len(infos) == 4


def test_what_is_not_callable_is_no_callback():
    with pytest.raises(ValueError, match="'callback' parameter of ConvNetClassifier must be a callable or None"):
        ConvNetClassifier(callback="print").fit(X, Y)


def test_scoring_on_a_data_frame_does_not_warn():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    seen = []
    params = {**SMALL, "scoring": "balanced_accuracy", "callback": lambda i: seen.append(i.estimator.score(frame, Y))}
    for data in ({}, {"X_val": frame, "y_val": Y}):
        ConvNetClassifier(**params, early_stopping=True).fit(frame, Y, **data)
    assert len(seen) == 8


# Lines


class Terminal(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self):
        return True


class Tee:
    """A stream that knows little."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        """Nothing to do."""


def notebook():
    """What a notebook's standard output looks like."""
    kind = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    return kind()


LINE = r"Epoch {}: loss \d\.\d{{5}}"


@pytest.mark.parametrize("verbose", [1, True, 2])
@pytest.mark.parametrize("validated", [False, True])
def test_a_line_for_each_epoch(verbose, validated, capsys):
    model = ConvNetClassifier(**SMALL, verbose=verbose, early_stopping=validated).fit(X, Y)
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert len(lines) == 4
    for k, line in enumerate(lines, 1):
        score = f", validation score {model.validation_scores_[k - 1]:.4f}" if validated else ""
        assert re.fullmatch(LINE.format(k) + re.escape(score), line)
        assert f"loss {model.loss_curve_[k - 1]:.5f}" in line


@pytest.mark.parametrize("verbose", [0, False])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_silence(verbose, solver, capsys):
    ConvNetClassifier(**SMALL, verbose=verbose, solver=solver).fit(X, Y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("make", [Terminal, notebook])
def test_one_line_is_kept_up_to_date(make, monkeypatch):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    ConvNetClassifier(**SMALL, verbose=1).fit(X, Y)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    first, *updates = text[:-1].split("\r")
    assert first == ""
    assert len(updates) == 4
    for k, update in enumerate(updates, 1):
        assert re.fullmatch(LINE.format(k) + r", \d+ s left *", update)
    assert ", 0 s left" in updates[-1]


@pytest.mark.parametrize("make", [Terminal, notebook])
def test_verbose_2_prints_lines_there_too(make, monkeypatch):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    ConvNetClassifier(**SMALL, verbose=2).fit(X, Y)
    assert re.fullmatch("".join(LINE.format(k) + "\n" for k in (1, 2, 3, 4)), stream.getvalue())


def test_the_live_line_ends_where_the_fit_fails(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)

    def callback(info):
        if info.epoch == 2:
            raise Crash

    with pytest.raises(Crash):
        ConvNetClassifier(**SMALL, verbose=1, callback=callback).fit(X, Y)
    assert stream.getvalue().endswith("left   \n")


def test_the_time_left_is_measured_from_where_a_fit_is_resumed(monkeypatch, capsys):
    run = types.SimpleNamespace(epoch=90, n_epochs=100, history=types.SimpleNamespace(loss=[0.5], scores=[]))
    clock = iter([0.0, 3.0])
    monkeypatch.setattr("skconv.training.callbacks.perf_counter", lambda: next(clock))
    monkeypatch.setattr("skconv.training.callbacks._is_live", lambda stream: True)
    with Watch(ConvNetClassifier(verbose=1), run) as watch:
        run.epoch = 93
        watch(run)
    assert "7 s left" in capsys.readouterr().out


def test_streams_that_know_little(monkeypatch):
    assert not _is_live(None)  # as where there is no console
    assert not _is_live(Tee())
    assert not _is_live(io.StringIO())
    stream = Tee()
    monkeypatch.setattr(sys, "stdout", stream)
    ConvNetClassifier(**SMALL, verbose=1).fit(X, Y)
    assert stream.text.count("\n") == 4
    monkeypatch.setattr(sys, "stdout", None)
    ConvNetClassifier(**SMALL, verbose=1).fit(X, Y)


def test_partial_fit_counts_on(capsys):
    model = ConvNetClassifier(**SMALL, verbose=2)
    for _ in range(3):
        model.partial_fit(X, Y, range(10))
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Epoch 1",
        "Epoch 2",
        "Epoch 3",
    ]


# scikit-learn's callbacks


@pytest.fixture
def callbacks():
    return pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has callbacks")


def recorder():
    """A callback that follows scikit-learn's protocol; the functions are what it is given."""

    class Recorder:
        def __init__(self):
            self.calls, self.scores, self.stop_at, self.fail_at = [], [], None, None

        def setup(self, estimator, context):
            self.calls.append("setup")

        def teardown(self, estimator, context):
            self.calls.append("teardown")

        def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
            self.calls.append(("begin", context.task_name, context.task_id, len(X), metadata))

        def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
            self.calls.append(("end", context.task_name, context.task_id))
            self.scores.append(accuracy_score(y, fitted_estimator.predict(X)))
            epochs = len(self.scores)
            if self.fail_at == epochs:
                raise Crash
            return self.stop_at == epochs

    return Recorder()


def test_hooks_are_called(callbacks):
    record = recorder()
    seen = []
    model = ConvNetClassifier(**SMALL, callback=lambda info: seen.append(info.estimator.score(X, Y)))
    model.set_callbacks(record).fit(X, Y, np.ones(150))
    assert record.calls[0] == "setup"
    assert record.calls[-1] == "teardown"
    name, task, number, n, metadata = record.calls[1]
    assert (name, task, number, n) == ("begin", "fit", 0, 150)
    assert metadata["sample_weight"].tolist() == [1] * 150
    assert [call for call in record.calls if call[0] == "end"] == [
        *(("end", "epoch", k) for k in range(4)),
        ("end", "fit", 0),
    ]
    assert record.scores[:4] == seen
    assert record.scores[4] == model.score(X, Y)
    assert not [name for name in vars(model) if "callback_fit_ctx" in name or "teardown" in name]


def test_at_the_end_of_the_fit_the_model_is_the_final_one(callbacks):
    record = recorder()
    kept = {}
    end = record.on_fit_task_end

    def on_fit_task_end(estimator, context, *, X=None, y=None, fitted_estimator=None):
        kept[context.task_name] = fitted_estimator.network_.parameters.copy()
        return end(estimator, context, X=X, y=y, fitted_estimator=fitted_estimator)

    record.on_fit_task_end = on_fit_task_end
    scores = iter([0.1, 0.9, 0.2, 0.3])
    for params in ({"ema_decay": 0.95}, {"early_stopping": True, "scoring": lambda *_: next(scores)}):
        model = ConvNetClassifier(**SMALL, **params).set_callbacks(record).fit(X, Y)
        np.testing.assert_array_equal(kept["fit"], model.network_.parameters)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_hook_stops(solver, callbacks):
    record = recorder()
    record.stop_at = 2
    model = ConvNetClassifier(**SMALL, solver=solver).set_callbacks(record).fit(X, Y)
    assert model.n_iter_ == 2
    assert model.stopped_early_


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("where", ["hook", "callback", "data"])
def test_teardown_is_called_where_a_fit_raises(where, fitted, callbacks):
    record = recorder()
    model = ConvNetClassifier(**SMALL)
    if fitted:
        model.fit(X, Y)
    model.set_callbacks(record)
    data, error = (X, Y), Crash

    def crash(info):
        raise Crash

    if where == "hook":
        record.fail_at = 2
    elif where == "callback":
        model.set_params(callback=crash)
    else:
        data, error = (X * np.nan, Y), ValueError
    before = dict(vars(model))
    with pytest.raises(error):
        model.fit(*data)
    assert record.calls[:1] + record.calls[-1:] == (["setup", "teardown"] if where != "data" else [])
    assert vars(model) == before


def test_progress_bar(callbacks, capsys):
    pytest.importorskip("rich")
    model = ConvNetClassifier(**SMALL).set_callbacks(callbacks.ProgressBar())
    model.fit(X, Y)
    out = capsys.readouterr().out
    assert "ConvNetClassifier" in out
    assert "100%" in out


def test_scoring_monitor(callbacks):
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    seen = []
    model = ConvNetClassifier(**SMALL, callback=lambda info: seen.append(info.estimator.score(X, Y)))
    model.set_callbacks(monitor).fit(X, Y)
    rows = monitor.get_logs().data
    assert [row["accuracy"] for row in rows if row["task_name"] == "epoch"] == seen
    assert [row["accuracy"] for row in rows if row["task_name"] == "fit"] == [model.score(X, Y)]
    assert [row["task_id"] for row in rows if row["task_name"] == "epoch"] == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["images", "frame", "labels"])
def test_scoring_monitor_sees_data_as_they_were_given(kind, callbacks):
    pandas = pytest.importorskip("pandas")
    samples = {"images": X.reshape(-1, 8, 8, 1), "frame": pandas.DataFrame(X).rename(columns=str), "labels": X}[kind]
    labels = np.array(list("abcdefghij"))[Y] if kind == "labels" else Y
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    model = ConvNetClassifier(**SMALL).set_callbacks(monitor).fit(samples, labels)
    assert monitor.get_logs().data[0]["accuracy"] == model.score(samples, labels)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_in_a_search(n_jobs, callbacks):
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    model = ConvNetClassifier(**{**SMALL, "max_iter": 3}).set_callbacks(monitor)
    search = GridSearchCV(model, {"filters": [2, 4]}, cv=2, n_jobs=n_jobs, error_score="raise").fit(X, Y)
    assert search.best_estimator_.n_iter_ == 3
    logs = monitor.get_logs(select="all")
    rows = [row for log in logs for row in log.data if row["task_name"] == "epoch"]
    assert len(rows) == 3 * (2 * 2 + 1)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_of_a_search(n_jobs, callbacks, capsys):
    pytest.importorskip("rich")
    model = ConvNetClassifier(**{**SMALL, "max_iter": 2})
    search = GridSearchCV(model, {"filters": [2, 4]}, cv=2, n_jobs=n_jobs, error_score="raise")
    if not hasattr(search, "set_callbacks"):
        pytest.skip("this scikit-learn's searches do not tell of themselves")
    search.set_callbacks(callbacks.ProgressBar(max_propagation_depth=None)).fit(X, Y)
    out = capsys.readouterr().out
    assert "GridSearchCV" in out
    assert "ConvNetClassifier" in out


def test_callbacks_in_a_pipeline(callbacks):
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), ConvNetClassifier(**SMALL).set_callbacks(monitor)).fit(X, Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == 4
    assert monitor.get_logs().data[0]["accuracy"] == pipeline.score(X, Y)
    if hasattr(pipeline, "set_callbacks"):
        monitor = callbacks.ScoringMonitor(scoring="accuracy")
        make_pipeline(StandardScaler(), ConvNetClassifier(**SMALL)).set_callbacks(monitor).fit(X, Y)


def test_a_resumed_fit_tells_of_the_rest(callbacks, tmp_path):
    record = recorder()
    record.fail_at = 3
    model = ConvNetClassifier(**SMALL, checkpoint=tmp_path).set_callbacks(record)
    with pytest.raises(Crash):
        model.fit(X, Y)
    rest = recorder()
    model.set_callbacks(rest).fit(X, Y)
    assert [call for call in rest.calls if call[0] == "end"] == [
        *(("end", "epoch", k) for k in range(2)),
        ("end", "fit", 0),
    ]
