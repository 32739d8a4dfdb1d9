"""Accuracy and fit time on scikit-learn's digits, against MLPClassifier, both at their defaults.

Ten stratified, shuffled folds, pixels divided by 16, the two models in turn on each fold.

    python examples/benchmarks/digits.py [--folds 10] [--seed 0]
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

from _common import machine
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

from skconv import ConvNetClassifier


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    X = X / 16
    models = {"skconv": ConvNetClassifier, "mlp": MLPClassifier}
    accuracy = {name: [] for name in models}
    seconds = {name: [] for name in models}
    print(machine())
    folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
    for train, test in folds.split(X, y):
        for name, model in models.items():
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                fitted = model(random_state=options.seed).fit(X[train], y[train])
            seconds[name].append(time.perf_counter() - start)
            accuracy[name].append(fitted.score(X[test], y[test]))
    for name in models:
        mean, spread = statistics.mean(accuracy[name]), statistics.stdev(accuracy[name])
        print(f"{name:8}accuracy {mean:.4f} +- {spread:.4f}   fit {statistics.median(seconds[name]):.2f} s (median)")
    ratio = statistics.median(a / b for a, b in zip(seconds["skconv"], seconds["mlp"], strict=True))
    print(f"fit time skconv / mlp, median over the folds: {ratio:.2f}")


if __name__ == "__main__":
    main()
