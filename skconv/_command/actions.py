"""What the commands do: train, predict, inspect, export."""

from __future__ import annotations

import csv
import os
import sys
from ast import literal_eval
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import type_of_target

from .. import ConvNetClassifier, ConvNetRegressor, load
from .._files.safetensors import write_arrays
from .._input.constraints import shown
from .._input.memory import counted
from .samples import FileError, read_samples

__all__ = ["export", "inspect", "predict", "train"]


def train(options):
    """Train a network on the samples of a file or a folder, say how good it is on held-out ones, and save it."""
    _check_output(options.model, options.force)
    size = options.size or (None, None)
    samples = read_samples(options.data, target=options.target, shape=(*size, options.channels))
    model, task = _new_model(options, samples.y)
    n = len(samples.names)
    say(f"{counted(n, 'sample')} of shape {samples.X.shape[1:]}, {task}")
    X, X_test, y, y_test = samples.X, None, samples.y, None
    if options.hold_out:
        strata = (
            samples.y if task == "classification" and np.unique(samples.y, return_counts=True)[1].min() > 1 else None
        )
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=options.hold_out, random_state=options.seed, stratify=strata
        )
    interrupted = _fit(model, X, y)
    if X_test is not None:
        score, what = model.score(X_test, y_test), "accuracy" if task == "classification" else "R2"
        say(f"{what} on {counted(len(y_test), 'held-out sample')}: {score:.4f}")
    model.set_params(verbose=0).save(options.model)
    say(f"saved {options.model}, {counted(os.path.getsize(options.model), 'byte')}")
    return 130 if interrupted else 0


def _fit(model, X, y):
    """Fit; return whether Ctrl-C ended the training, whose model is kept then."""
    try:
        model.fit(X, y)
    except KeyboardInterrupt:
        if not hasattr(model, "network_"):
            raise
        say(f"interrupted after {counted(model.n_iter_, 'epoch')}")
        return True
    return False


def _new_model(options, y):
    """A network with the parameters of the options, and the task that the targets, or the options, say."""
    task = options.task or ("regression" if type_of_target(y).startswith("continuous") else "classification")
    kind = ConvNetClassifier if task == "classification" else ConvNetRegressor
    model = kind(random_state=options.seed, verbose=int(not options.quiet))
    return model.set_params(**dict(map(_setting, options.set))), task


def _setting(text):
    """Name and value of ``NAME=VALUE``; a value that is no Python literal is a string."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise FileError(f"--set needs NAME=VALUE, got {shown(text)}")
    try:
        return name, literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def predict(options):
    """Write a line for each sample: its name, the prediction, and the probabilities where they are wanted."""
    model = load(options.model)
    if not hasattr(model, "predict"):
        raise FileError(f"{options.model} is a {type(model).__name__}, which predicts nothing")
    if options.proba and not hasattr(model, "predict_proba"):
        raise FileError(f"{options.model} is a {type(model).__name__}, which has no probabilities")
    if options.out:
        _check_output(options.out, options.force)
    samples = read_samples(options.data, target=options.target, shape=model.image_shape_, labelled=False)
    predicted = model.predict(samples.X)
    columns = predicted.reshape(len(predicted), -1)
    names = ["prediction"] if predicted.ndim == 1 else [f"prediction{i}" for i in range(columns.shape[1])]
    rows = [columns]
    if options.proba:
        rows.append(model.predict_proba(samples.X))
        names += [f"p_{label}" for label in model.classes_]
    with open(options.out, "w", newline="", encoding="utf-8") if options.out else _standard_output() as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sample", *names])
        for name, *parts in zip(samples.names, *rows, strict=True):
            writer.writerow([name, *(value for part in parts for value in part.tolist())])
    return 0


class _standard_output:
    """``with`` on the standard output, which stays open."""

    def __enter__(self):
        return sys.stdout

    def __exit__(self, *error):
        sys.stdout.flush()


def inspect(options):
    """Print what a model file has: the estimator, its shapes, its classes, its training and its layers."""
    model = load(options.model)
    print(model)
    facts = {
        "samples": getattr(model, "image_shape_", None),
        "classes": getattr(model, "classes_", None),
        "epochs": getattr(model, "n_iter_", None),
        "training loss": getattr(model, "loss_", None),
        "best validation score": getattr(model, "best_validation_score_", None),
    }
    for name, value in facts.items():
        if value is not None:
            print(f"{name}: {', '.join(map(str, value)) if np.ndim(value) else value}")
    if hasattr(model, "summary"):
        print(model.summary())
    return 0


def export(options):
    """Write a model as ONNX, or its weights in PyTorch's layouts, by the ending of the new file's name."""
    kind = Path(options.out).suffix.lower()
    if kind not in (".onnx", ".safetensors"):
        raise FileError(f"{options.out} must end in .onnx, or in .safetensors for weights in PyTorch's layouts")
    _check_output(options.out, options.force)
    model = load(options.model)
    if kind == ".onnx":
        from ..onnx import to_onnx

        to_onnx(model, path=options.out)
    else:
        from ..torch import state_dict

        write_arrays(options.out, state_dict(model), {})
    say(f"saved {options.out}, {counted(os.path.getsize(options.out), 'byte')}")
    return 0


def _check_output(path, force):
    """Raise before any work where a file cannot be written, or would be overwritten."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise FileError(f"there is no folder {path.parent} for {path.name}")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"the folder {path.parent} cannot be written to")
    if path.exists() and not force:
        raise FileError(f"{path} exists; --force overwrites it")


def say(text):
    """Print a line for people, on the standard error, so that the standard output has results alone."""
    print(text, file=sys.stderr, flush=True)
