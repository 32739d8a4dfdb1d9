"""Every warning names the user's line, whatever lies between: this package's calls, scikit-learn's, joblib's."""

import ast
import inspect
import warnings
from _thread import start_new_thread
from pathlib import Path
from threading import Event

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import skconv
from skconv import ConvNetClassifier, Flatten, StridedPooling, ToImages
from skconv._input.warnings import warn

ROOT = Path(skconv.__file__).parent
X = np.random.default_rng(0).standard_normal((20, 100)).cumsum(axis=1)
Y = np.arange(20) % 2
NETWORK = ConvNetClassifier(filters=2, hidden_layer_sizes=2, max_iter=1, random_state=0)
CALLS = {
    "fit": lambda: NETWORK.fit(X, Y),
    "partial_fit": lambda: ConvNetClassifier(filters=2).partial_fit(X, Y, classes=[0, 1]),
    "transformer": lambda: StridedPooling().fit(X),
    "fit_transform": lambda: ToImages().fit_transform(X),
    "pipeline": lambda: make_pipeline(Flatten(), MinMaxScaler(), NETWORK).fit(X, Y),
    "transformer in a pipeline": lambda: make_pipeline(MinMaxScaler(), ToImages(), StridedPooling()).fit_transform(X),
    "search": lambda: GridSearchCV(NETWORK, {"filters": [2]}, cv=2).fit(X, Y),
    "folds": lambda: cross_val_score(make_pipeline(MinMaxScaler(), NETWORK), X, Y, cv=2),
    "meta-estimator": lambda: OneVsRestClassifier(NETWORK).fit(X, Y),
    "end": lambda: ConvNetClassifier(image_shape="series", solver="lbfgs", max_iter=1, filters=2).fit(X, Y),
    "end in a search": lambda: GridSearchCV(
        ConvNetClassifier(image_shape="series", solver="lbfgs", max_iter=1), {"filters": [2]}, cv=2
    ).fit(X, Y),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_is_at_the_users_line(name):
    lines, first = inspect.getsourcelines(CALLS[name])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name]()
    assert caught
    for warning in caught:
        assert warning.filename == __file__
        assert first <= warning.lineno < first + len(lines)


def test_a_pickle_of_another_version(tmp_path, monkeypatch):
    path = tmp_path / "pooling.joblib"
    joblib.dump(StridedPooling(), path)
    monkeypatch.setattr("skconv._input.versions.__version__", "99.0")
    with pytest.warns(UserWarning, match="Trying to unpickle StridedPooling") as caught:
        joblib.load(path)
    assert [warning.filename for warning in caught] == [__file__]


def test_where_no_line_is_the_users():
    path, done = str(ROOT / "worker.py"), Event()
    frames = {"__name__": "skconv.worker", "warn": warn, "done": done}
    exec(compile("def work():\n    warn('at work', DeprecationWarning)\n    done.set()", path, "exec"), frames)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start_new_thread(frames["work"], ())
        assert done.wait(60)
    assert [(warning.filename, warning.lineno) for warning in caught] == [(path, 2)]


def test_all_warnings_go_the_same_way():
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert calls.count("warnings.warn") == (path == ROOT / "_input" / "warnings.py"), path
