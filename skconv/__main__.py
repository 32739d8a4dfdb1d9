"""A command that compares ConvNetClassifier and MLPClassifier on the same folds of scikit-learn's digits."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

from . import ConvNetClassifier, __version__
from ._threads.team import thread_count
from .inspection import plot_hardest, plot_kernels, plot_learning_curve

__all__ = ["main"]

_MODELS = {"ConvNetClassifier": ConvNetClassifier, "MLPClassifier": MLPClassifier}
_QUICK_FOLDS, _QUICK_SAMPLES = 3, 500


@dataclass
class _Run:
    """Results of one model on the folds, and its last fit."""

    predicted: np.ndarray
    probabilities: np.ndarray
    accuracy: list[float] = field(default_factory=list)
    fit_seconds: list[float] = field(default_factory=list)
    predict_seconds: list[float] = field(default_factory=list)
    model: Any = None

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        if isinstance(self.model, ConvNetClassifier):
            return self.model.network_.parameters.size
        return sum(array.size for array in (*self.model.coefs_, *self.model.intercepts_))


def main(arguments=None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, default=None
        The command's arguments; None takes those of the process.

    Returns
    -------
    int
        The exit code: 0, or 130 after Ctrl-C.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        X, y = _load(parser, options)
        runs = _run(X, y, options)
        print(f"{_table(runs)}\n\n{_confusions(y, runs['ConvNetClassifier'])}\n\n{_environment_line()}")
        if options.json:
            options.json.write_text(json.dumps(_figures(y, runs, options), indent=2) + "\n", encoding="utf-8")
        if options.plot:
            _plot(X, y, runs, options.plot)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


# Arguments


def _parser():
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m skconv",
        description="Train ConvNetClassifier and scikit-learn's MLPClassifier, both at their defaults, on the same "
        "stratified folds of the digits that come with scikit-learn, and compare them.",
    )
    parser.add_argument("--folds", type=int, metavar="N", help=f"folds (default: 10, or {_QUICK_FOLDS} with --quick)")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the folds and the models (default: 0)")
    parser.add_argument("--quick", action="store_true", help=f"only the first {_QUICK_SAMPLES} samples")
    parser.add_argument("--json", type=_output, metavar="FILE", help="write all figures, also those of each fold")
    parser.add_argument("--plot", type=_picture, metavar="FILE.png", help="draw the results (needs matplotlib)")
    return parser


def _seed(text):
    """A seed that NumPy takes."""
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**32 - 1, got {seed}")
    return seed


def _output(text):
    """Path of a file in an existing directory."""
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"the directory {str(path.parent)!r} does not exist")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a directory")
    return path


def _picture(text):
    """Path of a PNG file; raises without matplotlib."""
    path = _output(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"must end in .png, got {text!r}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise argparse.ArgumentTypeError('needs matplotlib: pip install "skconv[plot]"') from None
    return path


def _load(parser, options):
    """Samples and labels of the digits; sets and checks the number of folds."""
    X, y = load_digits(return_X_y=True)
    if options.quick:
        X, y = X[:_QUICK_SAMPLES], y[:_QUICK_SAMPLES]
    if options.folds is None:
        options.folds = _QUICK_FOLDS if options.quick else 10
    smallest = np.bincount(y).min()
    if options.folds < 2:
        parser.error(f"argument --folds: must be at least 2, got {options.folds}")
    if options.folds > smallest:
        parser.error(
            f"argument --folds: must be at most {smallest}, the size of the smallest class; got {options.folds}"
        )
    return X / 16, y


# Training


def _run(X, y, options):
    """Fit and test both models on every fold; return ``{name: _Run}``."""
    runs = {name: _Run(np.empty_like(y), np.empty((len(y), 10))) for name in _MODELS}
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    for i, (train, test) in enumerate(folds.split(X, y)):
        line = f"fold {i + 1:2} of {options.folds}:"
        for name, run in runs.items():
            _update(f"{line} {name} ...")
            _run_fold(name, run, X, y, train, test, options.seed)
            line += f" {name} {run.accuracy[-1]:.4f}{'' if name == list(runs)[-1] else ','}"
        _update(line, done=True)
    if sys.stdout.isatty():
        _update("")
    else:
        print()
    return runs


def _run_fold(name, run, X, y, train, test, seed):
    """Fit and predict on one fold, and add accuracy and times to ``run``."""
    run.model = _MODELS[name](random_state=seed)
    with warnings.catch_warnings():
        if name == "MLPClassifier":  # its default of 200 epochs may end before it converges
            warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        run.model.fit(X[train], y[train])
        fitted = time.perf_counter()
    begin = time.perf_counter()
    run.predicted[test] = run.model.predict(X[test])
    run.predict_seconds.append(time.perf_counter() - begin)
    run.fit_seconds.append(fitted - start)
    run.probabilities[test] = run.model.predict_proba(X[test])
    run.accuracy.append(float(np.mean(run.predicted[test] == y[test])))


def _update(line, done=False):
    """Print a line over the last one on a terminal; elsewhere print a line only once it is ``done``."""
    if sys.stdout.isatty():
        print(f"\r\033[K{line}", end="", flush=True)
    elif done:
        print(line, flush=True)


# Results


def _table(runs):
    """Table of accuracies and times, with a row per model."""
    rows = [f"{'model':<18} accuracy  spread  fit (s)  predict (s)  parameters"]
    rows.append("-" * len(rows[0]))
    for name, run in runs.items():
        mean, spread = statistics.mean(run.accuracy), statistics.stdev(run.accuracy)
        fit, predict = statistics.median(run.fit_seconds), statistics.median(run.predict_seconds)
        rows.append(f"{name:<18} {mean:8.4f}  {spread:6.4f}  {fit:7.2f}  {predict:11.4f}  {run.parameters:10,}")
    folds = len(run.accuracy)
    return "\n".join([*rows, f"mean and standard deviation of the accuracy, median of the times, over {folds} folds"])


def _confusions(y, run, most=6):
    """Counts of true by predicted digit with the recalls, and the most frequent errors."""
    counts = confusion_matrix(y, run.predicted, labels=np.arange(10))
    lines = [
        "ConvNetClassifier, test samples of all folds: true digits down, predicted across",
        "   " + "".join(f"{digit:5}" for digit in range(10)) + "   recall",
    ]
    for digit, row in enumerate(counts):
        cells = "".join(f"{count or '.':>5}" for count in row)
        lines.append(f"{digit:3}{cells}   {row[digit] / row.sum():6.4f}")
    errors = [(counts[t, p], t, p) for t in range(10) for p in range(10) if t != p and counts[t, p]]
    errors.sort(key=lambda error: (-error[0], error[1], error[2]))
    shown = ", ".join(f"{t} -> {p}: {count}" for count, t, p in errors[:most]) or "none"
    total = sum(count for count, _, _ in errors)
    return "\n".join(
        [*lines, f"errors: {total} of {len(y)}; the most frequent (true -> predicted: times):", f"  {shown}"]
    )


def _environment():
    """Versions, machine and threads."""
    packages = {"skconv": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    return {
        "versions": {"python": platform.python_version(), **packages, "scikit-learn": sklearn.__version__},
        "machine": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "threads": thread_count(),
    }


def _environment_line():
    """Text of `_environment`."""
    found = _environment()
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return f"{versions}\n{found['machine']}, {found['cpus']} CPUs, {found['threads']} threads"


def _figures(y, runs, options):
    """All results, for a JSON file."""
    models = {}
    for name, run in runs.items():
        models[name] = {
            "accuracy_mean": statistics.mean(run.accuracy),
            "accuracy_spread": statistics.stdev(run.accuracy),
            "fit_seconds_median": statistics.median(run.fit_seconds),
            "predict_seconds_median": statistics.median(run.predict_seconds),
            "parameters": run.parameters,
            "folds": {key: getattr(run, key) for key in ("accuracy", "fit_seconds", "predict_seconds")},
            "confusion": confusion_matrix(y, run.predicted, labels=np.arange(10)).tolist(),
        }
    asked = {"folds": options.folds, "seed": options.seed, "quick": options.quick}
    return {"options": asked, "samples": len(y), "models": models, **_environment()}


def _plot(X, y, runs, path):
    """Learning curves and kernels of the last fold; the hardest digits of all test folds."""
    from matplotlib.figure import Figure

    ours = runs["ConvNetClassifier"]
    figure = Figure(figsize=(13, 9), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[4, 5])
    left, right = top.subfigures(1, 2, width_ratios=[2, 1])
    for ax, run in zip(left.subplots(1, 2), runs.values(), strict=True):
        plot_learning_curve(run.model, ax)
    left.suptitle(
        "Learning curves of the last fold (label smoothing keeps ConvNetClassifier's above 0.5)", fontsize="medium"
    )
    plot_kernels(ours.model, figure=right)
    plot_hardest(ours.model, X, y, probabilities=ours.probabilities, figure=bottom)
    bottom.suptitle("ConvNetClassifier's hardest digits, in the test samples of all folds")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(main())
