"""Convolutional features of MNIST: time and memory against PyTorch, accuracy with a linear model.

    python examples/benchmarks/features.py [--data mnist.npz] [--threads 2] [--only time|kmeans|orthonormal]

Time: 64 random filters 5x5, maximum over 4x4, relu, of 10,000 images in float32, against conv2d, max_pool2d and relu of
PyTorch in batches of 500 under inference_mode, in both memory formats; medians of alternating runs.  Without ``torch``
that column is left out.  Memory is the peak of what Python and NumPy allocate.

Accuracy: k-means features (256 filters, 6x6, at three dilations) and random orthonormal filters of all 70,000 images,
with ridge regression, its penalty chosen on the last 10,000 training images with the first 25,000.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc

import numpy as np
from _common import alternate, load_mnist, machine
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from skconv import ConvFeatures, Flatten

try:
    import torch
except ImportError:
    torch = None

RANDOM = {"filters": "random", "n_filters": 64, "kernel_size": 5, "pool": "max", "pool_size": 4, "random_state": 0}
# Patches of 6 x 6 pixels at three scales: 0.991 on validation, where those of neighbouring pixels alone give 0.989.
KMEANS = {"filters": "kmeans", "kernel_size": 6, "pool_size": 5}
ACCURACY = {
    "kmeans": [{**KMEANS, "n_filters": n, "dilation": d} for n, d in ((86, 1), (85, 2), (85, 3))],
    "orthonormal": [{"filters": "orthonormal", "n_filters": 100, "kernel_size": 7, "pool": "mean", "pool_size": 4}],
}
ALPHAS = (0.1, 0.3, 1.0, 3.0)
CHOICE = 25_000  # first training images that the penalty is chosen with


def pytorch(X, filters):
    """The same features by PyTorch, in both memory formats."""
    tasks, layouts = {}, {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
    weight = torch.from_numpy(filters.transpose(0, 3, 1, 2).astype(np.float32))
    weights = {name: weight.contiguous(memory_format=layout) for name, layout in layouts.items()}
    for name, layout in layouts.items():

        def transform(layout=layout, weight=weights[name]):
            parts = []
            with torch.inference_mode():
                for start in range(0, len(X), 500):
                    batch = torch.from_numpy(X[start : start + 500, None]).contiguous(memory_format=layout)
                    response = torch.nn.functional.conv2d(batch, weight, padding=2)
                    parts.append(torch.relu(torch.nn.functional.max_pool2d(response, 4)))
            return torch.cat(parts).permute(0, 2, 3, 1).numpy()

        tasks[f"torch {name}"] = transform
    return tasks


def measure_time(X, threads):
    """Seconds, ratio and the largest difference."""
    model = ConvFeatures(**RANDOM, n_jobs=threads).fit(X)
    tasks = {"skconv": lambda: model.transform(X)}
    if torch is not None:
        tasks |= pytorch(X, model.filters_)
    times = alternate(tasks, seconds=3.0)
    print(f"{len(X)} images, features {model.output_shape_}: ", end="")
    print(", ".join(f"{name} {ms / 1e3:.3f} s" for name, ms in times.items()))
    if torch is not None:
        difference = np.abs(tasks["torch nchw"]() - tasks["skconv"]()).max()
        peer = min(ms for name, ms in times.items() if name != "skconv")
        print(f"ratio skconv / best PyTorch {times['skconv'] / peer:.2f}; largest difference {difference:.1e}")


def measure_memory(X, threads):
    """Peak of what is allocated beside input and output."""
    model = ConvFeatures(**RANDOM, n_jobs=threads).fit(X[:64])
    tracemalloc.start()
    out = model.transform(X)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    size = out.nbytes / 2**20
    print(f"peak memory above input and output {peak - size:.0f} MiB (the output has {size:.0f} MiB)")


def measure_accuracy(name, X, y, X_test, y_test, threads, seed):
    """Test accuracy and seconds of features with ridge regression."""
    start = time.perf_counter()
    features = make_union(
        *(
            make_pipeline(ConvFeatures(**options, random_state=seed, n_jobs=threads), Flatten())
            for options in ACCURACY[name]
        )
    )
    Z = features.fit_transform(X).astype(np.float64)  # such small penalties need the digits
    Z_test = features.transform(X_test)
    transformed = time.perf_counter()
    scores = {}
    for alpha in ALPHAS:
        model = RidgeClassifier(alpha * CHOICE / len(Z)).fit(Z[:CHOICE], y[:CHOICE])
        scores[alpha] = model.score(Z[-10000:], y[-10000:])
    alpha = max(scores, key=scores.get)
    print(f"validation: {scores}")
    chosen = time.perf_counter()
    model = RidgeClassifier(alpha, copy_X=False).fit(Z, y)
    accuracy = model.score(Z_test, y_test)
    done = time.perf_counter()
    print(
        f"{name}: {Z.shape[1]} features, alpha {alpha:g}, test accuracy {accuracy:.4f}; "
        f"features {transformed - start:.0f} s, alpha {chosen - transformed:.0f} s, ridge {done - chosen:.0f} s"
    )


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file; without it, OpenML")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("time", *ACCURACY))
    options = parser.parse_args()
    X, y, X_test, y_test = load_mnist(options.data)
    X, X_test = (np.asarray(each / 255, np.float32) for each in (X, X_test))
    print(machine("torch", threads=options.threads))
    if options.only in (None, "time"):
        if torch is not None:
            torch.set_num_threads(options.threads)
        measure_time(X[:10000], options.threads)
        measure_memory(X[:10000], options.threads)
    with threadpool_limits(options.threads, user_api="blas"):
        for name in ACCURACY:
            if options.only in (None, name):
                measure_accuracy(name, X, y, X_test, y_test, options.threads, options.seed)


if __name__ == "__main__":
    main()
