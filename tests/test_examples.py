"""The examples run, and scikit-learn's tools work on the estimator."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
SMALL = {"filters": (4, 8), "hidden_layer_sizes": 16, "max_iter": 12, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


def test_there_are_examples():
    assert EXAMPLES, "the folder examples/ has no script"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # with so few epochs
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path, tmp_path, monkeypatch, capsys):
    """In this process, which has imported everything, and on one thread: small data get nothing from more."""
    monkeypatch.setenv("SKCONV_EXAMPLE_QUICK", "1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    with threadpool_limits(1), pyplot.rc_context():
        try:
            run_path(str(path), run_name="__main__")
        finally:
            pyplot.close("all")
    assert capsys.readouterr().out.strip(), "an example prints what it found"


def test_pipeline_cross_validates(digits):
    X, y = digits
    pipeline = make_pipeline(MinMaxScaler(), ConvNetClassifier(**SMALL))
    scores = cross_val_score(pipeline, X, y, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.6  # of 200 digits


def test_cross_val_predict_of_probabilities(digits):
    X, y = digits
    proba = cross_val_predict(ConvNetClassifier(**SMALL), X / 16, y, cv=3, method="predict_proba")
    assert proba.shape == (300, 10)
    assert (proba.argmax(axis=1) == y).mean() > 0.6


def test_grid_search_in_two_processes(digits):
    X, y = digits
    pipeline = make_pipeline(MinMaxScaler(), ConvNetClassifier(**{**SMALL, "max_iter": 6}))
    grid = {
        "convnetclassifier__kernel_size": [3, (3, 5), ((1, 3), (3, 1))],
        "convnetclassifier__stride": [1, (1, 2)],
        "convnetclassifier__filters": [(4, 8), [2, 4]],
    }
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (12,)
    assert len(set(scores)) > 1  # the parameters reach the network
    assert search.best_score_ == scores.max() > 0.3
    best = search.best_estimator_[-1]
    assert {f"convnetclassifier__{key}": getattr(best, key) for key in ("kernel_size", "stride", "filters")} == (
        search.best_params_
    )
    alone = search.best_estimator_.predict_proba(X[:20])
    repeated = GridSearchCV(pipeline, {k: [v] for k, v in search.best_params_.items()}, cv=2).fit(X, y)
    assert repeated.best_score_ == search.best_score_  # a worker's model is the main process's
    assert np.array_equal(repeated.predict_proba(X[:20]), alone)


def test_convolutions_see_what_a_linear_model_cannot():
    # The class is the direction of one short bar anywhere in the image: pixel by pixel the classes are alike.
    rng = np.random.default_rng(0)
    images, y = np.zeros((400, 8, 8), np.float32), rng.integers(0, 2, 400)
    for image, label in zip(images, y, strict=True):
        row, column = rng.integers(1, 7, 2)
        bar = (slice(row - 1, row + 2), column) if label else (row, slice(column - 1, column + 2))
        image[bar] = 1
    model = ConvNetClassifier(**{**SMALL, "max_iter": 20}).fit(images[:300], y[:300])
    linear = LogisticRegression().fit(images[:300].reshape(300, -1), y[:300])
    assert model.score(images[300:], y[300:]) > 0.95
    assert linear.score(images[300:].reshape(100, -1), y[300:]) < 0.9
