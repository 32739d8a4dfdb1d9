"""Test accuracy on MNIST after two epochs at the defaults, fit time, and peak memory above the data.

python examples/benchmarks/mnist.py [--data mnist.npz] [--epochs 2] [--seed 0]
"""

from __future__ import annotations

import argparse
import resource
import time

from _common import load_mnist, machine

from skconv import ConvNetClassifier


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file; without it, OpenML")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    X, y, X_test, y_test = load_mnist(options.data)
    print(machine())
    small = ConvNetClassifier(max_iter=1, random_state=0).fit(X[:200], y[:200])  # imports and BLAS are there
    small.predict(X_test[:200])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model = ConvNetClassifier(max_iter=options.epochs, random_state=options.seed).fit(X, y)
    fitted = time.perf_counter()
    accuracy = model.score(X_test, y_test)
    done = time.perf_counter()
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{options.epochs} epochs: test accuracy {accuracy:.4f}, fit {fitted - start:.1f} s, ", end="")
    print(f"predict {done - fitted:.2f} s, peak memory {peak:.0f} MB above the data")
    print(model.summary())


if __name__ == "__main__":
    main()
