"""What ``augment="auto"`` takes and what it gains, on parts of training sets.

    python examples/benchmarks/augmentation.py [--samples 300] [--seeds 3] [--data FILE.npz ...]

Each line is a set and a number of samples to learn from: accuracy without and with the changes on up to 1,000 other
samples of the training part, the mean gain with its standard error over the splits, the ratio of the times, and the
changes that were taken in each split.  Without files, scikit-learn's digits, and the same digits in the left or the
right half of an image, with the half as the class, which bear no flip from left to right.  Files have Xtr and ytr, or
train_images and train_labels; their test parts are not read.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _common import machine
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconv import ConvNetClassifier


def sets(files):
    """``(name, images (n, H, W, C), labels)``."""
    if files:
        for path in files:
            with np.load(path) as data:
                X, y = (data["Xtr"], data["ytr"]) if "Xtr" in data else (data["train_images"], data["train_labels"])
            yield Path(path).stem, X.reshape(*X.shape[:3], -1), y
        return
    digits, y = load_digits().images[..., None], load_digits().target
    yield "digits", digits, y
    side, wide = np.arange(len(y)) % 2, np.zeros((len(y), 8, 16, 1))
    for image, digit, right in zip(wide, digits, side, strict=True):
        image[:, 8 * right : 8 * right + 8] = digit
    yield "left or right", wide, side


def timed(augment, X, y, X_test, y_test, seed):
    """``(accuracy, seconds, augmentations)`` of a fit."""
    model, start = ConvNetClassifier(augment=augment, random_state=seed, image_shape=X.shape[1:]), time.perf_counter()
    model.fit(X, y)
    return model.score(X_test, y_test), time.perf_counter() - start, model.augmentations_


def main():
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[300])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="*", default=[])
    options = parser.parse_args()
    print(machine())
    print(f"{'set':<24} {'n':>5} {'none':>7} {'auto':>7} {'gain':>7} {'+-':>6} {'time':>5}  taken")
    for name, X, y in sets(options.data):
        for n in options.samples:
            scores, seconds, taken = [], [], []
            for seed in range(options.seeds):
                parts = train_test_split(
                    X, y, train_size=n, test_size=min(1000, len(y) - n), stratify=y, random_state=seed
                )
                X_train, X_test, y_train, y_test = parts
                results = [timed(augment, X_train, y_train, X_test, y_test, seed) for augment in (None, "auto")]
                scores.append([score for score, _, _ in results])
                seconds.append([second for _, second, _ in results])
                taken.append(", ".join(map(repr, results[1][2])) or "none")
            (none, auto), gains = np.mean(scores, axis=0), np.diff(scores, axis=1)
            error = gains.std(ddof=1) / len(gains) ** 0.5 if len(gains) > 1 else np.nan
            ratio = np.sum(seconds, axis=0)[1] / np.sum(seconds, axis=0)[0]
            print(
                f"{name:<24} {n:>5} {none:>7.4f} {auto:>7.4f} {auto - none:>+7.4f} {error:>6.4f} {ratio:>5.1f}  ",
                end="",
            )
            print("; ".join(taken), flush=True)


if __name__ == "__main__":
    main()
