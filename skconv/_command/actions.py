"""What the commands do: train, predict, inspect, export."""

from __future__ import annotations

import csv
import io
import os
import sys
from ast import literal_eval
from pathlib import Path

import numpy as np
from sklearn.utils.multiclass import type_of_target

from .. import ConvNetClassifier, ConvNetRegressor, load
from .._files.atomic import replace_file
from .._files.safetensors import write_arrays
from .._input.constraints import shown
from .._input.memory import counted
from .errors import FileError
from .samples import read_samples

__all__ = ["export", "inspect", "predict", "printable", "say", "split", "train"]

_SCORES = {"classification": "accuracy", "regression": "R2"}


def train(options):
    """Train a network on the samples of a file or a folder, say how good it is on held-out ones, and save it."""
    _check_output(options.model, options.force)
    size = options.size or (None, None)
    if (options.size or options.channels) and Path(options.data).suffix.lower() in (".csv", ".npz"):
        raise FileError("--size and --channels are for pictures; --set image_shape=... says what rows of numbers are")
    samples = read_samples(options.data, target=options.target, shape=(*size, options.channels))
    model, task = _new_model(options, samples.y)
    say(f"{counted(len(samples.names), 'sample')} of shape {samples.X.shape[1:]}, {task}")
    held_out = split(samples.y, options.hold_out, options.seed, by_class=task == "classification")
    X, y = samples.X[~held_out], samples.y[~held_out]
    interrupted = _fit(model, X, y)
    n, least = int(held_out.sum()), 1 if task == "classification" else 2  # R2 needs two
    if n >= least:
        score, what = model.score(samples.X[held_out], samples.y[held_out]), _SCORES[task]
        say(f"{what} on {counted(n, 'held-out sample')}: {score:.4f}")
    elif options.hold_out:
        say("no score: there are too few samples to hold some out")
    if samples.features is not None:
        model.feature_names_in_ = np.array(samples.features, dtype=object)
    model.set_params(verbose=0).save(options.model)
    say(f"saved {options.model}, {counted(os.path.getsize(options.model), 'byte')}")
    return 130 if interrupted else 0


def split(y, share, seed, *, by_class):
    """Which samples are held out, (n,): a share of each class, but at least one sample of a class stays."""
    rng = np.random.default_rng(seed)
    groups = np.unique(y, return_inverse=True)[1] if by_class and y.ndim == 1 else np.zeros(len(y), int)
    held_out, wanted, taken = np.zeros(len(y), bool), 0.0, 0
    for k in range(groups.max() + 1):
        rows = rng.permutation(np.flatnonzero(groups == k))
        wanted += share * len(rows)
        n = min(max(round(wanted) - taken, 0), len(rows) - 1)
        held_out[rows[:n]] = True
        taken += n
    return held_out


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
        raise FileError(f"{options.model} holds {type(model).__name__}, which predicts nothing")
    if options.proba and not hasattr(model, "predict_proba"):
        raise FileError(f"{options.model} holds {type(model).__name__}, which has no probabilities")
    if options.out:
        _check_output(options.out, options.force)
    names = vars(model).pop("feature_names_in_", None)  # the columns are taken by name here
    options_of = {"target": options.target, "shape": model.image_shape_, "features": names}
    samples = read_samples(options.data, **options_of, labelled=False)
    predicted = model.predict(samples.X)
    columns = predicted.reshape(len(predicted), -1)
    names_of_columns = ["prediction"] if predicted.ndim == 1 else [f"prediction{i}" for i in range(columns.shape[1])]
    rows = [columns]
    if options.proba:
        rows.append(model.predict_proba(samples.X))
        names_of_columns += [f"p_{label}" for label in model.classes_]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", *names_of_columns])
    for name, *parts in zip(samples.names, *rows, strict=True):
        writer.writerow([name, *(value for part in parts for value in part.tolist())])
    if options.out:
        replace_file(options.out, lambda file: file.write(text.getvalue().encode("utf-8", "surrogateescape")))
    else:
        print(text.getvalue(), end="", flush=True)
    return 0


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
            print(f"{name}: {printable(', '.join(map(str, value)) if np.ndim(value) else str(value))}")
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
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file")
    if path.exists() and not force:
        raise FileError(f"{path} exists; --force overwrites it")


def printable(text) -> str:
    """A text on one line: line ends and control characters, which might change the terminal, as in Python's strings."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def say(text):
    """Print a line for people, on the standard error, so that the standard output has results alone."""
    print(printable(text), file=sys.stderr, flush=True)
