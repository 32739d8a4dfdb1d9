"""The command ``python -m skconv``, run in this process."""

import json
import statistics
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier, __main__, __version__

MODELS = ("ConvNetClassifier", "MLPClassifier")
FOLDS = 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One quick run with everything it can write."""
    folder = tmp_path_factory.mktemp("main")
    arguments = ["--quick", "--folds", str(FOLDS), "--seed", "3"]
    arguments += ["--json", str(folder / "figures.json"), "--plot", str(folder / "plot.png")]
    lines = []
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setattr("builtins.print", lambda *values, **_: lines.extend(" ".join(map(str, values)).splitlines()))
        code = __main__.main(arguments)
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return SimpleNamespace(code=code, lines=lines, figures=figures, png=folder / "plot.png")


def test_exit_code_and_options(finished):
    assert finished.code == 0
    assert finished.figures["options"] == {"folds": FOLDS, "seed": 3, "quick": True}
    assert finished.figures["samples"] == 500
    assert tuple(finished.figures["models"]) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_json_figures_follow_from_the_folds(finished, name):
    model = finished.figures["models"][name]
    folds = model["folds"]
    assert {key: len(values) for key, values in folds.items()} == {
        "accuracy": FOLDS,
        "fit_seconds": FOLDS,
        "predict_seconds": FOLDS,
    }
    assert model["accuracy_mean"] == pytest.approx(sum(folds["accuracy"]) / FOLDS)
    assert model["accuracy_spread"] == pytest.approx(np.std(folds["accuracy"], ddof=1))
    assert model["fit_seconds_median"] == statistics.median(folds["fit_seconds"]) > 0
    assert model["predict_seconds_median"] == statistics.median(folds["predict_seconds"]) > 0


@pytest.mark.parametrize("name", MODELS)
def test_json_confusion_is_of_all_test_samples(finished, name):
    model = finished.figures["models"][name]
    counts = np.array(model["confusion"])
    y = load_digits().target[:500]
    assert counts.sum(axis=1).tolist() == np.bincount(y).tolist()
    # Both folds have 250 samples, so their mean accuracy is that of all.
    assert np.trace(counts) / 500 == pytest.approx(model["accuracy_mean"])


def test_json_accuracy_is_that_of_the_same_folds_by_hand(finished):
    X, y = load_digits(return_X_y=True)
    X, y = X[:500] / 16, y[:500]
    train, test = next(StratifiedKFold(FOLDS, shuffle=True, random_state=3).split(X, y))
    score = ConvNetClassifier(random_state=3).fit(X[train], y[train]).score(X[test], y[test])
    assert finished.figures["models"]["ConvNetClassifier"]["folds"]["accuracy"][0] == score


def test_json_parameters_and_environment(finished):
    models = finished.figures["models"]
    assert models["MLPClassifier"]["parameters"] == 64 * 100 + 100 + 100 * 10 + 10
    assert models["ConvNetClassifier"]["parameters"] == (
        9 * 16 + 2 * 16 + 9 * 16 * 32 + 2 * 32 + 512 * 64 + 64 + 64 * 10 + 10
    )
    assert finished.figures["versions"]["skconv"] == __version__
    assert set(finished.figures["versions"]) == {"python", "skconv", "numpy", "scipy", "scikit-learn"}
    assert finished.figures["threads"] == 1


def test_printed_lines_fit_a_terminal_and_name_the_figures(finished):
    text = "\n".join(finished.lines)
    assert max(map(len, finished.lines)) <= 80
    progress = [line for line in finished.lines if line.startswith("fold ")]
    assert len(progress) == FOLDS
    for name in MODELS:
        row = next(line.split() for line in finished.lines if line.startswith(name + " "))
        model = finished.figures["models"][name]
        assert row[1] == f"{model['accuracy_mean']:.4f}"
        assert row[2] == f"{model['accuracy_spread']:.4f}"
        assert row[5] == f"{model['parameters']:,}"
    errors = 500 - np.trace(finished.figures["models"]["ConvNetClassifier"]["confusion"])
    assert f"errors: {errors} of 500" in text
    assert f"skconv {__version__}" in text


def test_plot_is_a_picture_with_something_in_it(finished):
    image = pytest.importorskip("matplotlib.image").imread(finished.png)
    assert image.shape[0] > 500
    assert image.shape[1] > 1000
    assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 100


def test_confusions_count_recalls_and_the_most_frequent_errors():
    y = np.repeat(np.arange(10), 4)
    predicted = y.copy()
    predicted[[32, 33, 4]] = 1, 1, 7  # two eights read as one, one one as seven
    text = __main__._confusions(y, SimpleNamespace(predicted=predicted))
    assert "errors: 3 of 40" in text
    assert text.splitlines()[-1].strip() == "8 -> 1: 2, 1 -> 7: 1"
    row = next(line.split() for line in text.splitlines() if line.startswith("  8"))
    assert row == ["8", ".", "2", ".", ".", ".", ".", ".", ".", "2", ".", "0.5000"]


def test_confusions_without_errors():
    y = np.arange(10)
    assert __main__._confusions(y, SimpleNamespace(predicted=y)).endswith("none")


def test_a_terminal_gets_one_line_that_changes(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    __main__._update("fold 1")
    __main__._update("fold 1: done", done=True)
    assert capsys.readouterr().out == "\r\033[Kfold 1\r\033[Kfold 1: done"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "argument --folds: must be at least 2, got 1"),
        (["--folds", "175"], "argument --folds: must be at most 174, the size of the smallest class; got 175"),
        (["--quick", "--folds", "100"], "argument --folds: must be at most 46"),
        (["--folds", "many"], "argument --folds: invalid int value: 'many'"),
        (["--seed", "-1"], "argument --seed: must be from 0 to 2**32 - 1, got -1"),
        (["--seed", "4294967296"], "argument --seed: must be from 0 to 2**32 - 1, got 4294967296"),
        (["--seed", "x"], "argument --seed"),
        (["--json", "no/such/figures.json"], "argument --json: the directory 'no/such' does not exist"),
        (["--json", "."], "argument --json: '.' is a directory"),
        (["--plot", "no/such/plot.png"], "argument --plot: the directory 'no/such' does not exist"),
        (["--plot", "plot.pdf"], "argument --plot: must end in .png, got 'plot.pdf'"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(__main__, "_run", lambda *_: pytest.fail("it went on to train"))
    with pytest.raises(SystemExit) as stopped:
        __main__.main(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "usage: python -m skconv" in error


def test_plot_without_matplotlib_names_the_extra_before_training(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(__main__, "_run", lambda *_: pytest.fail("it went on to train"))
    with pytest.raises(SystemExit) as stopped:
        __main__.main(["--plot", str(tmp_path / "plot.png")])
    assert stopped.value.code == 2
    assert 'argument --plot: needs matplotlib: pip install "skconv[plot]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "folds", "samples"), [([], 10, 1797), (["--quick"], 3, 500), (["--quick", "--folds", "5"], 5, 500)]
)
def test_default_folds(arguments, folds, samples):
    parser = __main__._parser()
    options = parser.parse_args(arguments)
    X, _ = __main__._load(parser, options)
    assert (options.folds, len(X), X.max()) == (folds, samples, 1.0)


def test_interrupt(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "_run", interrupted)
    assert __main__.main(["--quick"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
