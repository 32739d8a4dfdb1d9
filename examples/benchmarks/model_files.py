"""Sizes of saved models, and the time to save and to load them: model files, pickle, joblib, skops.

    python examples/benchmarks/model_files.py [--repeat 20] [--markdown]

Times are medians, of files that the system has in memory.  A model file waits until it is on the disk before it takes
the place of the old one; the others do not, so "not synced" is the time of a model file without that wait.  skops is
left out where it is not installed.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import joblib
import numpy as np
from _common import machine, table
from sklearn.datasets import load_digits

import skconv
from skconv import ConvFeatures, ConvNetClassifier
from skconv.layers import Dense, Flatten

try:
    import skops.io as skops
except ImportError:
    skops = None


def models():
    """Fitted models by name, from small to large."""
    X, y = load_digits(return_X_y=True)
    yield "digits", ConvNetClassifier(max_iter=1, random_state=0).fit(X, y)
    yield "features, k-means", ConvFeatures("kmeans", 100, random_state=0).fit(X)
    images = np.random.default_rng(0).random((32, 64, 64, 3)).astype(np.float32)
    layers = [Flatten(), Dense(1000), Dense(10)]
    yield "12 million weights", ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(images, y[:32])


def unsynced(model, path):
    """Save without the wait for the disk."""
    with patch.object(os, "fsync"):
        model.save(path)


def pickled(model, path):
    """Save by pickle."""
    with open(path, "wb") as file:
        pickle.dump(model, file, protocol=5)


def unpickled(path):
    """Load by pickle."""
    with open(path, "rb") as file:
        return pickle.load(file)


def ways():
    """``(name, save, load)`` of each way."""
    yield "model file", lambda model, path: model.save(path), skconv.load
    yield "not synced", unsynced, skconv.load
    yield "pickle", pickled, unpickled
    yield "joblib", joblib.dump, joblib.load
    if skops is not None:
        yield "skops", skops.dump, lambda path: skops.load(path, trusted=skconv.trusted_types())


def milliseconds(function, repeat):
    """Median time of a call."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    print(machine())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models():
            for way, save, load in ways():
                path = Path(folder) / way.replace(" ", "_")
                saving = milliseconds(lambda save=save, model=model, path=path: save(model, path), arguments.repeat)
                loading = milliseconds(lambda load=load, path=path: load(path), arguments.repeat)
                size = path.stat().st_size
                rows.append([name, way, f"{size / 1000:,.0f}", f"{saving:.1f}", f"{loading:.1f}"])
    print(table(["model", "way", "kB", "save, ms", "load, ms"], rows, markdown=arguments.markdown))


if __name__ == "__main__":
    main()
