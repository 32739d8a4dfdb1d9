"""What the defaults and the documented settings reach, next to peers.

    python examples/benchmarks/accuracy.py digits [--seeds 1]
    python examples/benchmarks/accuracy.py mnist --data mnist.npz [--setting default] [--seeds 1]
    python examples/benchmarks/accuracy.py skorch --data mnist.npz [--seeds 3]
    python examples/benchmarks/accuracy.py series --data FOLDER [--seeds 3]
    python examples/benchmarks/accuracy.py imbalance --data mnist.npz [--seeds 3]
    python examples/benchmarks/accuracy.py thresholds --data mnist.npz [--seeds 3]
    python examples/benchmarks/accuracy.py calibration --data mnist.npz

"digits": ten stratified, shuffled folds.  "mnist": test accuracy and seconds of each setting.  "skorch": the network of
the defaults in skorch, with the same batches, schedule and epochs.  "series": the ``ucr_*.npz`` of a folder
(train_series, train_labels, test_series, test_labels), against MiniRocket and a ridge classifier.  "imbalance": MNIST
with class 8 cut to 1 %, balanced accuracy with and without ``class_weight="balanced"``, and skorch with weights.
"thresholds": an 8 or none, one sample in 500, as it is, with ``class_weight="balanced"`` and with a threshold tuned by
cross-validation; all from the training part of MNIST.  "calibration": expected calibration error and log loss with and
without temperature scaling, on 5,000 samples of MNIST.

"skorch" and its column in "imbalance" need torch and skorch.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from _common import load_mnist, machine
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import balanced_accuracy_score, log_loss, recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconv import ConvFeatures, ConvNetClassifier
from skconv._estimators.recipe import batch_size
from skconv.augmentation import Crop, Jitter, Rotation, Scaling, Shear, Shift, TimeWarp, Zoom
from skconv.layers import Activation, BatchNorm, Convolution, Flatten, MaxPool

DIGITS = {
    "filters": (16, 32, 64),
    "pool": (None, "max", None),
    "batch_size": 64,
    "max_iter": 58,
    "augment": [Rotation(10), Zoom(0.1), Shift(1 / 16)],
}
SERIES = {
    "image_shape": "series",
    "filters": (16, 32, 64),
    "dilation": 1,
    "pool": "max",
    "global_pool": None,
    "hidden_layer_sizes": (64,),
    "dropout": (0.0, 0.0, 0.3, 0.0),
    "max_iter": 150,
    "augment": [Crop(0.9), Scaling(0.1), Jitter(0.03), TimeWarp(0.1)],
    "n_augmented": 8,
}


def block(filters, pool=False):
    """Convolution, perhaps a maximum, normalisation and activation."""
    return [Convolution(filters, bias=False), *([MaxPool()] if pool else []), BatchNorm(), Activation()]


MNIST = {
    "default": {},
    "augmented": {
        "filters": (32, 64, 128),
        "max_iter": 16,
        "batch_size": 128,
        "augment": [Rotation(10), Shear(10), Zoom(0.1), Shift(2)],
    },
    "small": {
        "layers": [
            *block(8),
            *block(8, pool=True),
            *block(16),
            *block(16, pool=True),
            *block(24, pool=True),
            Flatten(),
        ],
        "max_iter": 20,
        "batch_size": 128,
        "augment": [Rotation(10), Zoom(0.1), Shear(5), Shift(1)],
    },
}


def report(name, scores, seconds):
    """One line: mean and spread of the scores, median of the seconds."""
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    seconds = statistics.median(seconds)
    print(f"{name:36}{statistics.mean(scores):.4f} +- {spread:.4f}   fit {seconds:.2f} s", flush=True)


def timed_fit(model, X, y, **options):
    """Seconds that a fit takes."""
    start = time.perf_counter()
    model.fit(X, y, **options)
    return time.perf_counter() - start


def digits(options):
    """Ten folds at the defaults and with the documented setting."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    for name, params in {"digits, default": {}, "digits, augmented": DIGITS}.items():
        scores, seconds = [], []
        for seed in range(options.seeds):
            for train, test in StratifiedKFold(10, shuffle=True, random_state=seed).split(X, y):
                model = ConvNetClassifier(random_state=seed, **params)
                seconds.append(timed_fit(model, X[train], y[train]))
                scores.append(model.score(X[test], y[test]))
        report(name, scores, seconds)


def mnist(options):
    """Test accuracy of one setting or of all."""
    X, y, X_test, y_test = load_mnist(options.data)
    for name, params in MNIST.items():
        if options.setting not in (None, name):
            continue
        models = [ConvNetClassifier(random_state=seed, **params) for seed in range(options.seeds)]
        seconds = [timed_fit(model, X, y) for model in models]
        n = len(models[0].network_.parameters)
        report(f"MNIST, {name} ({n:,} parameters)", [model.score(X_test, y_test) for model in models], seconds)


def skorch_model(model, n, seed, weight=None):
    """The network of a fitted model in skorch, untrained.

    PyTorch weights the smoothed part of each target by the class it goes to, so that a rare class is predicted
    everywhere: with weights there is no smoothing.
    """
    import torch
    from fits import skorch_net

    torch.manual_seed(seed)
    net = skorch_net(model, n, model.n_iter_, "channels_last", "batches", batch_size(model, n))
    if weight is not None:
        net.set_params(criterion__weight=torch.tensor(weight, dtype=torch.float32), criterion__label_smoothing=0.0)
    return net


def skorch_arrays(X, y):
    """Images (n, 1, 28, 28) of float32 and integer labels."""
    return X.reshape(len(X), 1, 28, 28).astype(np.float32), y.astype(np.int64)


def skorch(options):
    """The defaults, and the same network in skorch."""
    X, y, X_test, y_test = load_mnist(options.data)
    X, X_test = (part.reshape(len(part), -1).astype(np.float32) / 255 for part in (X, X_test))
    results = {"skconv": ([], []), "skorch": ([], [])}
    for seed in range(options.seeds):
        model = ConvNetClassifier(random_state=seed)
        results["skconv"][1].append(timed_fit(model, X, y))
        results["skconv"][0].append(model.score(X_test, y_test))
        peer = skorch_model(model, len(X), seed)
        results["skorch"][1].append(timed_fit(peer, *skorch_arrays(X, y)))
        results["skorch"][0].append(float(np.mean(peer.predict(skorch_arrays(X_test, y_test)[0]) == y_test)))
    for name, (scores, seconds) in results.items():
        report(f"MNIST, {name}", scores, seconds)


def series(options):
    """Test accuracy on each set of series, default and documented, and MiniRocket with ridge."""
    paths = sorted(Path(options.data).glob("ucr_*.npz"))
    ridge = (StandardScaler(with_mean=False), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)))
    models = {
        "default": lambda seed: ConvNetClassifier(image_shape="series", random_state=seed),
        "documented": lambda seed: ConvNetClassifier(random_state=seed, **SERIES),
        "MiniRocket, ridge": lambda seed: make_pipeline(
            ConvFeatures("minirocket", 10_000, image_shape="series", random_state=seed), *ridge
        ),
    }
    for name, make in models.items():
        means = []
        for path in paths:
            with np.load(path) as file:
                parts = dict(file)
            fitted = [make(seed) for seed in range(options.seeds)]
            seconds = [timed_fit(model, parts["train_series"], parts["train_labels"]) for model in fitted]
            scores = [model.score(parts["test_series"], parts["test_labels"]) for model in fitted]
            report(f"{name}, {path.stem.removeprefix('ucr_')}", scores, seconds)
            means.append(statistics.mean(scores))
        print(f"{name}: mean {statistics.mean(means):.4f}", flush=True)


def imbalance(options):
    """Balanced accuracy where one class is rare."""
    X, y, X_test, y_test = load_mnist(options.data)
    X, X_test = (part.reshape(len(part), -1).astype(np.float32) / 255 for part in (X, X_test))
    rare = np.flatnonzero(y == 8)
    kept = np.sort(np.r_[np.flatnonzero(y != 8), rare[: len(rare) // 100]])[:: options.every]
    X, y = X[kept], y[kept]
    print(f"{len(y)} samples, {np.sum(y == 8)} of class 8")
    results = {}
    for seed in range(options.seeds):
        models = {
            "skconv, no weights": {},
            "skconv, balanced": {"class_weight": "balanced"},
            "skconv, balanced, no smoothing": {"class_weight": "balanced", "label_smoothing": 0.0},
        }
        for name, params in models.items():
            model = ConvNetClassifier(random_state=seed, **params)
            seconds = timed_fit(model, X, y)
            results.setdefault(name, []).append((balanced_accuracy_score(y_test, model.predict(X_test)), seconds))
        try:
            peer = skorch_model(model, len(X), seed, len(y) / (10 * np.bincount(y)))
        except ImportError:
            continue
        seconds = timed_fit(peer, *skorch_arrays(X, y))
        predicted = peer.predict(skorch_arrays(X_test, y_test)[0])
        results.setdefault("skorch, weighted loss", []).append((balanced_accuracy_score(y_test, predicted), seconds))
    for name, pairs in results.items():
        report(name, *map(list, zip(*pairs, strict=True)))


def thresholds(options):
    """What is found of one sample in 500: recall, balanced accuracy and the area under the ROC curve."""
    X, y, _, _ = load_mnist(options.data)
    y = y == 8
    results = {}
    for seed in range(options.seeds):
        order = np.random.default_rng(seed).permutation(len(y))
        rare, common = order[y[order]], order[~y[order]]
        train, test = np.r_[rare[:20], common[:9980]], np.r_[rare[20:2020], common[9980:19980]]
        plain = ConvNetClassifier(random_state=seed)
        models = {
            "as it is": plain,
            "balanced": ConvNetClassifier(class_weight="balanced", random_state=seed),
            "threshold tuned": TunedThresholdClassifierCV(plain, cv=3, random_state=seed),
        }
        for name, model in models.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of the rare class that is never predicted
                model.fit(X[train], y[train])
            predicted, area = model.predict(X[test]), roc_auc_score(y[test], model.predict_proba(X[test])[:, 1])
            scores = recall_score(y[test], predicted), balanced_accuracy_score(y[test], predicted), area
            results.setdefault(name, []).append(scores)
    for name, scores in results.items():
        recall, balanced, area = np.mean(scores, axis=0)
        print(f"{name:20}recall {recall:.3f}   balanced accuracy {balanced:.3f}   area under the curve {area:.3f}")


def calibration_error(probabilities, y, bins=15):
    """Mean distance of confidence and accuracy over bins of confidence (Guo et al., arXiv 1706.04599)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((confidence - right)[which == k].sum()) for k in range(bins)]
    return sum(gaps) / len(y)


def calibration(options):
    """Expected calibration error with and without temperature scaling, and without label smoothing."""
    X, y, X_test, y_test = load_mnist(options.data)
    X, y = X[:5000], y[:5000]
    for smoothing in (0.0, 0.1):
        for scaled in (False, True):
            model = ConvNetClassifier(
                label_smoothing=smoothing, early_stopping=True, temperature_scaling=scaled, random_state=0
            ).fit(X, y)
            p = model.predict_proba(X_test)
            print(
                f"label_smoothing={smoothing}, temperature {model.temperature_:.2f}: calibration error "
                f"{calibration_error(p, y_test):.4f}, log loss {log_loss(y_test, p):.4f}",
                flush=True,
            )


TASKS = {task.__name__: task for task in (digits, mnist, skorch, series, imbalance, thresholds, calibration)}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", help="an .npz file, or a folder of them for series; without it, OpenML")
    parser.add_argument("--setting", choices=MNIST, help="of MNIST; without it, all")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="every so many samples, for imbalance")
    options = parser.parse_args()
    print(machine("torch", "skorch"))
    TASKS[options.task](options)


if __name__ == "__main__":
    main()
