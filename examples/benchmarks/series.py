"""MiniRocket features of series, milliseconds and accuracy, against aeon's compiled MiniRocket.

Times: 1,000 random walks of 250 steps, about 10,000 features, float32; aeon's input is float64, which is the faster for
it, and its compilation is not counted.  All in one run, alternating, medians.

Accuracy: the same pipeline for both, the features divided by their standard deviation and a ridge classifier with a
penalty by leave-one-out, on each ``ucr_*.npz`` of a folder (train_series (n, steps, channels), train_labels,
test_series, test_labels), mean over the seeds.

    python examples/benchmarks/series.py --data FOLDER [--threads 2] [--seeds 5]

needs ``aeon`` for its columns; without it they are left out.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from _common import alternate, machine
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skconv import ConvFeatures

try:
    from aeon.transformations.collection.convolution_based import MiniRocket
except ImportError:
    MiniRocket = None

N_FEATURES = 10_000


def ours(seed, threads):
    """Our transformer, of series (n, steps, channels)."""
    return ConvFeatures("minirocket", N_FEATURES, image_shape="series", random_state=seed, n_jobs=threads)


def theirs(seed, threads):
    """aeon's transformer, of series (n, channels, steps)."""
    return MiniRocket(N_FEATURES, n_jobs=threads, random_state=seed)


def as_aeon(X):
    """Series (n, steps, channels) in aeon's order and the type that it is fastest on."""
    return np.ascontiguousarray(X.transpose(0, 2, 1), dtype=np.float64)


def random_walks(n, steps, rng):
    """Standardised random walks (n, steps, 1) of float32."""
    X = rng.standard_normal((n, steps, 1)).cumsum(axis=1)
    return ((X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)).astype(np.float32)


def times(X, threads, seconds):
    """Median milliseconds of ``fit`` and of ``transform``, for one thread and for all."""
    result = {}
    for count in sorted({1, threads}):
        models, data = {"skconv": ours(0, count)}, {"skconv": X}
        if MiniRocket is not None:
            models["aeon"], data["aeon"] = theirs(0, count), as_aeon(X)
        for kind in ("fit", "transform"):
            tasks = {name: partial(getattr(models[name], kind), data[name]) for name in models}
            result[f"{kind}, {count} thread{'s' * (count > 1)}"] = alternate(tasks, seconds)
    return result


def accuracy(model, parts, convert=np.asarray):
    """Share of the test series that a ridge classifier on the model's features gets right."""
    ridge = RidgeClassifierCV(alphas=np.logspace(-3, 3, 10))
    pipeline = make_pipeline(model, StandardScaler(with_mean=False), ridge)
    pipeline.fit(convert(parts["train_series"]), parts["train_labels"])
    return pipeline.score(convert(parts["test_series"]), parts["test_labels"])


def report(title, values, form):
    """One line, with the ratio or the difference to aeon."""
    shown = "".join(f"{name:>8} {value:{form}}" for name, value in values.items())
    if len(values) == 2:
        mine, peer = values.values()
        shown += f"   ratio {mine / peer:.2f}" if form == "8.1f" else f"   difference {mine - peer:+.4f}"
    print(f"{title:24}{shown}", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of ucr_*.npz; without one, times alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each of the tasks")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(machine("aeon", "numba", threads=options.threads))
    print(f"1,000 series of 250 steps, float32, {N_FEATURES:,} features, milliseconds (medians)")
    for title, values in times(
        random_walks(1000, 250, np.random.default_rng(0)), options.threads, options.seconds
    ).items():
        report(title, values, "8.1f")
    if options.data is None:
        return
    print(f"\naccuracy, mean of {options.seeds} seeds")
    means = []
    for path in sorted(options.data.glob("ucr_*.npz")):
        with np.load(path) as file:
            parts = dict(file)
        models = {"skconv": (ours, np.asarray)}
        if MiniRocket is not None:
            models["aeon"] = (theirs, as_aeon)
        with threadpool_limits(options.threads):
            means.append(
                {
                    name: np.mean(
                        [accuracy(make(seed, options.threads), parts, convert) for seed in range(options.seeds)]
                    )
                    for name, (make, convert) in models.items()
                }
            )
        report(path.stem.removeprefix("ucr_"), means[-1], "8.4f")
    if means:
        report("mean", {name: np.mean([row[name] for row in means]) for name in means[0]}, "8.4f")


if __name__ == "__main__":
    main()
