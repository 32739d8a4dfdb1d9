"""What the benchmarks share: alternating measurements, the machine in one line, data."""

from __future__ import annotations

import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path

import numpy as np


def alternate(tasks, seconds=2.0, least=5):
    """Median milliseconds of each task, measured in turn so that the machine's moods fall on all alike.

    Parameters
    ----------
    tasks : dict of str to callable
    seconds : float
        Time for each task.
    least : int
        Runs of each task at least.
    """
    for task in tasks.values():
        for _ in range(3):
            task()
    times = {name: [] for name in tasks}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds * len(tasks) or min(map(len, times.values())) < least:
        for name, task in tasks.items():
            # An untimed start: caches are the task's own, and the threads of the one before have stopped spinning.
            _run_for(0.01, task)
            times[name] += _run_for(0.03, task)
    return {name: 1e3 * statistics.median(values) for name, values in times.items()}


def _run_for(seconds, task):
    """Times of as many runs as fit into some seconds, one at least."""
    times = []
    while not times or sum(times) < seconds:
        begin = time.perf_counter()
        task()
        times.append(time.perf_counter() - begin)
    return times


def machine(*packages, threads=None) -> str:
    """Processor, cores, threads and versions."""
    versions = []
    for package in ("skconv", "numpy", "scipy", "scikit-learn", *packages):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    shown = f", {threads} threads" if threads else ""
    libraries = [f"Python {platform.python_version()}", f"{blas['name']} {blas['version']}", *versions]
    return f"{processor}, {cpu_count()} cores{shown}, " + ", ".join(libraries)


def table(header, rows, markdown=False) -> str:
    """Lines of a table of strings, in columns or as Markdown."""
    if markdown:
        return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row[1:], widths[1:])) for row in (header, *rows)]
    return "\n".join(f"{row[0]:{widths[0]}}  {line}" for row, line in zip((header, *rows), lines, strict=True))


def load_mnist(path=None):
    """``(X_train, y_train, X_test, y_test)`` with images (n, 28, 28) of uint8.

    ``path`` is an ``.npz`` with train_images, train_labels, test_images and test_labels; without one the data come
    from OpenML, and its cache.
    """
    if path is not None:
        with np.load(path) as data:
            return tuple(data[f"{part}_{kind}"] for part in ("train", "test") for kind in ("images", "labels"))
    from sklearn.datasets import fetch_openml

    X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True)
    X, y = X.reshape(-1, 28, 28).astype(np.uint8), y.astype(np.int64)
    return X[:60000], y[:60000], X[60000:], y[60000:]
