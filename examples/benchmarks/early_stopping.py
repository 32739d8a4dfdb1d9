"""What early stopping costs on few samples, and what other rules would cost.

    python examples/benchmarks/early_stopping.py [--seeds 4] [--data FOLDER [--sets NAME ...] [--test]]

Trains on some samples of each set and tests on up to 500 others.  Each line has the score (accuracy, or R²) of a fit on
all samples without early stopping, what a rule on a held-out tenth adds to that, and the share of the epochs that it
trains for.  "early_stopping" is the estimators'; the others are read from the curves of a fit to the end.

The sets are scikit-learn's, and the ``.npz`` of a folder (Xtr, ytr, Xte, yte): with floating ytr a regression, with
samples (time, channels) series.  Xte is used with ``--test`` only, so that nothing is chosen on it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _common import machine
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skconv import ConvNetClassifier, ConvNetRegressor

SIZES = (100, 200, 400)


def rank(scores, losses):
    """Epochs from the worst to the best: of equal scores the lower loss is better."""
    return np.lexsort((-np.array(losses), scores))


def stopped(scores, patience=10, tol=1e-4):
    """Epochs until the score has not risen for so many."""
    for epoch in range(patience, len(scores)):
        before, last = scores[: epoch - patience + 1], scores[epoch - patience + 1 : epoch + 1]
        if max(last) <= max(before) + tol:
            return epoch + 1
    return len(scores)


def rules(scores, losses):
    """``name: (epoch whose weights are kept, epochs trained)`` by the curves of a fit to the end."""
    n, cut = len(scores), stopped(scores)
    return {
        "first of the best": (int(np.argmax(scores)), n),
        "ties by the loss": (rank(scores, losses)[-1], n),
        "stop after 10, ties by the loss": (rank(scores[:cut], losses[:cut])[-1], cut),
        "stop after 10, last": (cut - 1, cut),
        "lowest loss": (int(np.argmin(losses)), n),
        "last": (n - 1, n),
    }


def sets(options):
    """``(name, X, y, X_test, y_test)``; without a test set the two last are None."""
    loaders = {"digits": load_digits, "iris": load_iris, "wine": load_wine, "diabetes": load_diabetes}
    for name, load in loaders.items() if not options.test else ():
        X, y = load(return_X_y=True)
        yield name, X / 16 if name == "digits" else StandardScaler().fit_transform(X), y, None, None
    for path in sorted(Path(options.data).glob("*.npz")) if options.data else ():
        with np.load(path) as file:
            if "Xtr" in file:
                X, y, X_test, y_test = (file[key] for key in ("Xtr", "ytr", "Xte", "yte"))
                scale = np.float32(255 if X.dtype == np.uint8 else 1)
                yield path.stem, X / scale, y, *((X_test / scale, y_test) if options.test else (None, None))


def measured(X, y, X_test, y_test, seed):
    """Score without early stopping, and ``name: (gain, share of the epochs)`` of each rule."""
    shape = "series" if X.ndim == 3 else None
    kind = ConvNetRegressor if y.dtype.kind == "f" else ConvNetClassifier
    curve = []
    watched = {"n_iter_no_change": 10**6, "callback": lambda info: curve.append(info.estimator.score(X_test, y_test))}
    plain, whole, model = (
        kind(image_shape=shape, random_state=seed, early_stopping=early, **more).fit(X, y)
        for early, more in ((False, {}), (True, watched), (True, {}))
    )
    base = plain.score(X_test, y_test)
    found = rules(whole.validation_scores_, whole.validation_loss_curve_)
    gains = {name: (curve[epoch] - base, n / whole.n_iter_) for name, (epoch, n) in found.items()}
    return base, gains | {"early_stopping": (model.score(X_test, y_test) - base, model.n_iter_ / whole.n_iter_)}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder of .npz files")
    parser.add_argument("--sets", nargs="*", help="names of sets; without it, all")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--test", action="store_true", help="on the test sets of the folder")
    options = parser.parse_args()
    print(machine(), flush=True)
    total = {}
    for name, X, y, X_test, y_test in sets(options):
        for n in SIZES if options.sets is None or name in options.sets else ():
            runs, strata = [], None if y.dtype.kind == "f" else y
            for seed in range(options.seeds if n <= len(X) - (1 if options.test else 50) else 0):
                split = train_test_split(X, y, train_size=n, stratify=strata, random_state=seed)
                X_rest, y_rest = (X_test, y_test) if options.test else (split[1], split[3])
                runs.append(measured(split[0], split[2], X_rest[:500], y_rest[:500], seed))
            if not runs:
                continue
            print(f"{name}, {n} samples: {np.mean([base for base, _ in runs]):.3f}", flush=True)
            for rule in runs[0][1]:
                gain, share = np.mean([gains[rule] for _, gains in runs], axis=0)
                total.setdefault(rule, []).append((gain, share))
                print(f"    {rule:34}{gain:+.3f}   {share:.2f} of the epochs", flush=True)
    print("mean")
    for rule, values in total.items():
        gain, share = np.mean(values, axis=0)
        print(f"    {rule:34}{gain:+.4f}   {share:.2f} of the epochs")


if __name__ == "__main__":
    main()
