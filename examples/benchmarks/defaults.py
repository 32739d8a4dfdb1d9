"""The defaults beside other estimators at theirs, on many sets: test accuracy, or R2 of each target.

    python examples/benchmarks/defaults.py results.jsonl --data FOLDER [--seeds 3] [--samples 5000] [--models NAME ...]
    python examples/benchmarks/defaults.py results.jsonl --markdown

Each ``.npz`` of the folder is a set with Xtr, ytr, Xte and yte: images (n, H, W, C), series (n, T, C), or series with
real targets, such as spectra.  scikit-learn's digits are added, the last 797 as the test part.  A training part of more
than ``--samples`` samples is cut, at random by the seed, and a test part after the first 5,000 samples.  Each fit is a
line of the file of results, and a fit whose line is there is not repeated.  ``--markdown`` prints the table of the
lines: means over the seeds, their standard errors where the model depends on the seed, seconds per fit.

The others: an SVC or SVR, a forest, gradient boosting and an MLP on scaled features, for series MiniRocket and a ridge
classifier, for targets ridge and partial least squares with a number of components by cross-validation.  Nothing is
chosen by a test part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from _common import machine, table
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor

TESTED = 5000
PENALTIES = np.logspace(-3, 3, 10)


def classifiers(kind, seed):
    """Classifiers by name, each with whether it takes flat samples."""
    models = {
        "skconv": (ConvNetClassifier(random_state=seed, **_shape(kind)), False),
        "SVC": (make_pipeline(StandardScaler(), SVC(C=10)), True),
        "forest": (RandomForestClassifier(500, random_state=seed), True),
        "boosting": (HistGradientBoostingClassifier(random_state=seed), True),
        "MLP": (make_pipeline(StandardScaler(), MLPClassifier(random_state=seed)), True),
    }
    if kind == "series":
        features = ConvFeatures("minirocket", 10_000, image_shape="series", random_state=seed)
        ridge = RidgeClassifierCV(PENALTIES)
        models["MiniRocket, ridge"] = (make_pipeline(features, StandardScaler(with_mean=False), ridge), False)
    return models


def regressors(kind, seed):
    """Regressors by name, each with whether it takes flat samples."""
    components = GridSearchCV(PLSRegression(), {"n_components": range(1, 21)}, cv=5)
    return {
        "skconv": (ConvNetRegressor(random_state=seed, **_shape(kind)), False),
        "SVR": (make_pipeline(StandardScaler(), MultiOutputRegressor(SVR(C=10))), True),
        "forest": (RandomForestRegressor(500, random_state=seed), True),
        "boosting": (MultiOutputRegressor(HistGradientBoostingRegressor(random_state=seed)), True),
        "MLP": (make_pipeline(StandardScaler(), MLPRegressor(random_state=seed)), True),
        "ridge": (make_pipeline(StandardScaler(), RidgeCV(np.logspace(-6, 3, 19))), True),
        "PLS": (components, True),
    }


def _shape(kind):
    return {"image_shape": "series"} if kind == "series" else {}


SEEDED = {"skconv", "forest", "boosting", "MLP", "MiniRocket, ridge"}


def sets(folder):
    """``(name, kind, Xtr, ytr, Xte, yte)``, smallest first; labels as numbers from 0."""
    paths = sorted(Path(folder).glob("*.npz"), key=lambda path: path.stat().st_size)
    digits = load_digits()
    yield (
        "digits",
        "images",
        digits.images[:1000, ..., None],
        digits.target[:1000],
        *(
            digits.images[1000:, ..., None],
            digits.target[1000:],
        ),
    )
    for path in paths:
        with np.load(path) as file:
            X, y, X_test, y_test = (file[name] for name in ("Xtr", "ytr", "Xte", "yte"))
        if not np.issubdtype(y.dtype, np.floating):
            labels = LabelEncoder().fit(y)
            y, y_test = labels.transform(y), labels.transform(y_test)
        yield path.stem, "series" if X.ndim == 3 else "images", X, y, X_test, y_test


def cut(X, y, n, seed):
    """At most n samples, at random."""
    if len(X) <= n:
        return X, y
    rows = np.random.default_rng(seed).choice(len(X), n, replace=False)
    return X[rows], y[rows]


def measured(model, flat, X, y, X_test, y_test):
    """Score or scores, log loss where there are probabilities, and seconds of the fit."""
    X, X_test = ((part.reshape(len(part), -1) if flat else part) for part in (X, X_test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few iterations, rare classes and the like
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        predicted = model.predict(X_test)
        if np.issubdtype(y.dtype, np.floating):
            scores = r2_score(y_test, predicted, multioutput="raw_values")
            return {"scores": np.atleast_1d(scores).tolist(), "seconds": seconds}
        result = {"scores": [float(np.mean(predicted == y_test))], "seconds": seconds}
        if hasattr(model, "predict_proba"):
            result["log loss"] = log_loss(y_test, model.predict_proba(X_test), labels=np.unique(y))
    return result


def measure(options):
    """Append a line for each fit that has none."""
    done = {(line["set"], line["model"], line["seed"]) for line in lines(options.results)}
    for seed in range(options.seeds):
        for name, kind, X, y, X_test, y_test in sets(options.data):
            numbers = np.issubdtype(y.dtype, np.floating)
            X_test, y_test = X_test[:TESTED], y_test[:TESTED]
            part = cut(X, y, options.samples, seed)
            for model, (estimator, flat) in (regressors if numbers else classifiers)(kind, seed).items():
                skipped = options.models and model not in options.models
                if skipped or (name, model, seed) in done or (seed and model not in SEEDED and len(X) == len(part[0])):
                    continue
                result = measured(estimator, flat, *part, X_test, y_test)
                line = {"set": name, "kind": "numbers" if numbers else kind, "n": len(part[0]), "model": model}
                with open(options.results, "a") as file:
                    file.write(json.dumps({**line, "seed": seed, **result}) + "\n")


def lines(path):
    """The lines of the results so far."""
    return [json.loads(line) for line in open(path)] if Path(path).exists() else []


def shown(group, best):
    """Mean and standard error of the lines of a model on a set; the best mean is bold."""
    if not group:
        return "", None
    means = np.array([line["scores"] for line in group])
    mean, n = float(means.mean()), len(group)
    error = f" ± {means.mean(axis=1).std(ddof=1) / n**0.5:.3f}" if n > 1 else ""
    text = f"{mean:.3f}{error}"
    return (f"**{text}**" if best is not None and mean >= best - 5e-4 else text), mean


def markdown(results):
    """Tables of the sets by kind, each with the mean of each model over the sets."""
    for kind in ("images", "series", "numbers"):
        rows = [line for line in results if line["kind"] == kind]
        names = list(dict.fromkeys(line["model"] for line in rows))
        body, columns = [], {name: [] for name in names}
        for each in dict.fromkeys(line["set"] for line in rows):
            groups = [[line for line in rows if (line["set"], line["model"]) == (each, name)] for name in names]
            means = [shown(group, None)[1] for group in groups]
            best = max(mean for mean in means if mean is not None)
            body.append([f"{each}, {groups[0][0]['n']:,}", *(shown(group, best)[0] for group in groups)])
            for name, mean in zip(names, means, strict=True):
                columns[name].append(mean)
        whole = {name: None not in values for name, values in columns.items()}
        body.append(["mean", *(f"{statistics.mean(columns[n]):.4f}" if whole[n] else "" for n in names)])
        seconds = {name: [line["seconds"] for line in rows if line["model"] == name] for name in names}
        body.append(["seconds per fit", *(f"{statistics.mean(seconds[name]):.2f}" for name in names)])
        losses = {
            name: [line["log loss"] for line in rows if line["model"] == name if "log loss" in line] for name in names
        }
        body.append(["log loss", *(f"{statistics.mean(losses[name]):.3f}" if losses[name] else "" for name in names)])
        print(table([f"{kind}, training samples", *names], body, markdown=True), end="\n\n")


def main():
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="file of lines, one a fit")
    parser.add_argument("--data", help="folder of .npz files")
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="*", help="names of models; without them, all")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.markdown:
        markdown([line for line in lines(options.results) if line["seed"] < options.seeds])
        return
    print(machine(), flush=True)
    measure(options)


if __name__ == "__main__":
    main()
