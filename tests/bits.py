"""Hashes of seeded models: ``python tests/bits.py > before``, the same after a change that moves code, then ``diff``.

Each line is the name of a model and a hash of the bits of its weights, its losses and its predictions.  On one machine,
with the same versions of NumPy and its BLAS, a change that moves code changes no line.
"""

import hashlib
import pickle
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, ImageResizer, StridedPooling, layers
from skconv.augmentation import Rotation, Zoom

DIGITS, LABELS = (values[:300] for values in load_digits(return_X_y=True))
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((120, 16, 16, 3), dtype=np.float32)
COLOURS = np.argmax(IMAGES.mean(axis=(1, 2)), axis=1)
LARGE = RANDOM.random((24, 40, 40, 3), dtype=np.float32)
SERIES = RANDOM.standard_normal((80, 90, 3)).cumsum(axis=1)
SLOPES = SERIES[:, -1, :2] - SERIES[:, 0, :2]
QUICK = {"max_iter": 3, "random_state": 0}
SHAPED = {"image_shape": (8, 8), **QUICK}
WIDE = [
    layers.Convolution(64),
    layers.Activation(),
    layers.Convolution(64),
    layers.Activation(),
    layers.GlobalMeanPool(),
]
NORMED = [
    layers.Convolution(8, bias=False), layers.BatchNorm(), layers.Activation(), layers.MaxPool(), layers.Flatten(),
    layers.Dense(16), layers.Activation("gelu"), layers.Dropout(0.2),
]  # fmt: skip
MANY = [
    layers.Residual([layers.Convolution(3), layers.LayerNorm(), layers.Activation("gelu")]), layers.SqueezeExcite(2),
    layers.SeparableConvolution(8), layers.MeanPool(), layers.LocallyConnected(4), layers.Flatten(),
]  # fmt: skip


def classifiers():
    """Name, estimator, X, y of classifiers."""
    for solver in ("adam", "adamw", "sgd", "rmsprop", "muon", "lbfgs"):
        yield f"solver {solver}", ConvNetClassifier(solver=solver, **SHAPED), DIGITS, LABELS
    for rate in ("constant", "cosine", "plateau", "step"):
        yield f"rate {rate}", ConvNetClassifier(learning_rate=rate, **SHAPED), DIGITS, LABELS
    for name in ("tanh", "logistic", "gelu"):
        yield f"activation {name}", ConvNetClassifier(activation=name, **SHAPED), DIGITS, LABELS
    yield "focal", ConvNetClassifier(loss="focal", class_weight="balanced", **SHAPED), DIGITS, LABELS
    yield "early", ConvNetClassifier(early_stopping=True, temperature_scaling=True, **SHAPED), DIGITS, LABELS
    yield "averaged", ConvNetClassifier(ema_decay=0.9, l1_ratio=0.5, max_norm=1.0, **SHAPED), DIGITS, LABELS
    yield "augmented", ConvNetClassifier(augment="auto", **SHAPED), DIGITS, LABELS
    yield "augmenter", ConvNetClassifier(augment=[Rotation(10), Zoom(0.1)], **SHAPED), DIGITS, LABELS
    yield "position", ConvNetClassifier(bias="position", padding_mode="edge", **SHAPED), DIGITS, LABELS
    yield "local", ConvNetClassifier(connectivity="local", **SHAPED), DIGITS, LABELS
    yield "labels", ConvNetClassifier(**SHAPED), DIGITS, np.stack([LABELS > 4, LABELS % 2 == 0], axis=1).astype(int)
    yield "colour", ConvNetClassifier(**QUICK), IMAGES, COLOURS
    yield "threads", ConvNetClassifier(n_jobs=2, batch_size=64, **QUICK), IMAGES, COLOURS
    yield "wide", ConvNetClassifier(layers=WIDE, batch_size=32, **QUICK), IMAGES, COLOURS
    yield "normed", ConvNetClassifier(layers=NORMED, batch_size=32, **QUICK), IMAGES, COLOURS
    yield "many", ConvNetClassifier(layers=MANY, batch_size=32, **QUICK), IMAGES, COLOURS
    yield "large", ConvNetClassifier(batch_size=8, **QUICK), LARGE, np.arange(24) % 2
    yield "float64", ConvNetClassifier(batch_size=300, **SHAPED), DIGITS.astype(np.float64), LABELS


def regressors():
    """Name, estimator, X, y of regressors."""
    yield "series", ConvNetRegressor(image_shape="series", **QUICK), SERIES, SLOPES
    for loss in ("huber", "absolute_error"):
        yield f"loss {loss}", ConvNetRegressor(loss=loss, image_shape="series", **QUICK), SERIES, SLOPES
    yield "poisson", ConvNetRegressor(loss="poisson", **SHAPED), DIGITS, LABELS
    yield "regressor lbfgs", ConvNetRegressor(solver="lbfgs", **SHAPED), DIGITS, LABELS


def transformers():
    """Name, transformer, X."""
    for filters in ("sobel", "gabor", "kmeans", "pca"):
        yield f"features {filters}", ConvFeatures(filters, random_state=0), IMAGES
    yield "features rocket", ConvFeatures("rocket", image_shape="series", random_state=0), SERIES
    yield "features random", ConvFeatures(n_filters=8, random_state=0), IMAGES
    yield "pooling", StridedPooling(pool="max"), IMAGES
    yield "resizing", ImageResizer(5), IMAGES
    yield "borders", ImagePadder(padding_mode="noise"), IMAGES


def digest(*parts):
    """Hash of arrays and numbers, to the bit."""
    found = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part)
        found.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return found.hexdigest()[:16]


def of_network(model, X):
    """Hash of a fitted network: weights, curves, outputs of many and of one, and those of its pickle."""
    again = pickle.loads(pickle.dumps(model))
    outputs = getattr(model, "predict_proba", model.predict)(X), getattr(again, "predict_proba", again.predict)(X[:1])
    return digest(*(model.weights_[name] for name in sorted(model.weights_)), model.loss_curve_, *outputs)


def checkpointed(folder):
    """Hash of a fit that goes on from a checkpoint, after a first one that ended early."""
    path = Path(folder) / "fit.npz"
    settings = {"image_shape": (8, 8), "random_state": 0, "checkpoint": path}
    ConvNetClassifier(max_iter=2, **settings).fit(DIGITS, LABELS)
    return of_network(ConvNetClassifier(max_iter=4, **settings).fit(DIGITS, LABELS), DIGITS)


def main():
    """Print a line for each model."""
    warnings.simplefilter("ignore")
    for name, model, X, y in (*classifiers(), *regressors()):
        print(f"{name}: {of_network(model.fit(X, y), X)}", flush=True)
    model = ConvNetClassifier(**SHAPED)
    for rows in (slice(0, 150), slice(150, 300)):
        model.partial_fit(DIGITS[rows], LABELS[rows], classes=np.unique(LABELS))
    print(f"partial_fit: {of_network(model, DIGITS)}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"checkpoint: {checkpointed(folder)}")
    for name, transformer, X in transformers():
        print(f"{name}: {digest(transformer.fit(X).transform(X))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
