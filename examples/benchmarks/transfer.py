"""Photographs of ten classes by a pretrained network: its features, and its last blocks trained further.

    python examples/benchmarks/transfer.py PHOTOGRAPHS.npz NETWORK.onnx [--preprocessing efficientnet_lite]
        [--size 128] [--last residual8] [--cache FOLDER] [--threads 2]

The file has ``Xtr``, ``ytr``, ``Xte``, ``yte``, images (n, H, W, 3) of bytes.  The accuracies are those of the test
photographs, for three ways, each of whose parameters are chosen on the training photographs alone:

- features before the network's output layer, of the photographs enlarged to ``--size``, and logistic regression;
- the default `ConvNetClassifier` from nothing, on the photographs as they are;
- the layers after ``--last`` trained further with a new output layer, those up to it frozen.  The learning rate and its
  decay are chosen with a quarter of the training photographs held out, by a network of the last layers alone on what
  the frozen ones give, which is computed once; the network of the table is trained as a whole.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _common import machine, table
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skconv import ConvFeatures, ConvNetClassifier, ImageResizer
from skconv._network.network import Network, named
from skconv.onnx import from_onnx

STRENGTHS = [1e-4, 1e-3, 1e-2, 1e-1]
TUNED = {"learning_rate_init": [3e-4, 1e-3, 3e-3], "learning_rate_decay": [0.7, 1.0]}
EPOCHS = 5


def features(options, layer, X):
    """Outputs of a layer for photographs, kept in the folder of the cache."""
    path = options.cache / f"{options.network.stem}_{layer}_{options.size}_{len(X)}.npy" if options.cache else None
    if path is not None and path.exists():
        return np.load(path)
    transformer = ConvFeatures.from_onnx(
        options.network, layer, preprocessing=options.preprocessing, resize=options.size, n_jobs=options.threads
    )
    found = transformer.fit(X[:64]).transform(X)
    if path is not None:
        np.save(path, found)
    return found


def after(network, name, shape):
    """Network of the layers after the one of this name, for what it gives."""
    pairs = list(named(network.layers))
    rest = pairs[[each for each, _ in pairs].index(name) + 1 :]
    tail = Network([layer for _, layer in rest], shape, network.dtype)
    now = {old: new for (old, _), (new, _) in zip(rest, named(tail.layers), strict=True)}
    paths = {path: path.partition(".") for path in network.weights}
    tail.fill({f"{now[top]}.{rest}": network.weights[path] for path, (top, _, rest) in paths.items() if top in now})
    return tail


def linear(options, Xtr, ytr, Xte, yte):
    """Accuracy of a linear model on the features before the output layer, and what was chosen."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    search = GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=5)
    search.fit(features(options, None, Xtr), ytr)
    return search.score(features(options, None, Xte), yte), search.best_params_


def tuned(options, Xtr, ytr, Xte, yte):
    """Accuracy of the network whose last layers were trained further, and what was chosen."""
    network = from_onnx(options.network, preprocessing=options.preprocessing)
    images = features(options, options.last, Xtr)
    fixed = {"max_iter": EPOCHS, "random_state": 0, "n_jobs": options.threads}
    model = ConvNetClassifier(layers=after(network, options.last, images.shape[1:]), **fixed)
    held_out = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    search = GridSearchCV(model, TUNED, cv=held_out, refit=False).fit(images, ytr)
    names = [name for name, _ in named(network.layers)]
    frozen = names.index(options.last) + 1
    whole = ConvNetClassifier(layers=network, freeze=frozen, **fixed, **search.best_params_)
    enlarge = ImageResizer(options.size)
    return whole.fit(enlarge.fit_transform(Xtr), ytr).score(enlarge.transform(Xte), yte), search.best_params_


def from_nothing(options, Xtr, ytr, Xte, yte):
    """Accuracy of the default network."""
    return ConvNetClassifier(random_state=0, n_jobs=options.threads).fit(Xtr, ytr).score(Xte, yte), "defaults"


WAYS = {"features, linear model": linear, "last blocks trained further": tuned, "from nothing": from_nothing}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--preprocessing", default="efficientnet_lite")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--last", default="residual8", help="last layer that is frozen")
    parser.add_argument("--cache", type=Path, help="folder for what frozen layers give")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=WAYS)
    options = parser.parse_args()
    with np.load(options.photographs) as file:
        data = [file[name] for name in ("Xtr", "ytr", "Xte", "yte")]
    rows = []
    with threadpool_limits(options.threads):
        for name, way in WAYS.items():
            if options.only in (None, name):
                begin = time.perf_counter()
                score, chosen = way(options, *data)
                rows.append([name, f"{score:.3f}", f"{time.perf_counter() - begin:.0f}", str(chosen)])
                print(*rows[-1], flush=True)
    print(machine("onnx", threads=options.threads))
    print(table(["way", "accuracy", "s", "chosen"], rows))


if __name__ == "__main__":
    main()
