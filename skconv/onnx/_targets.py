"""From the outputs of a network to labels, probabilities and numbers, by the kind of targets and the loss."""

from __future__ import annotations

from functools import singledispatch
from math import log
from typing import NamedTuple

import numpy as np

from .._estimators.labels import Labels, LabelSets
from .._estimators.numbers import Numbers
from .._input.constraints import shown
from ..training.losses import BinaryCrossEntropy, BinaryFocal, Focal, Loss, SoftmaxCrossEntropy

__all__ = ["Result", "results"]


class Result(NamedTuple):
    """An output of a model: its name, the node's result, dtype and shape of a sample; a shape of None has no dtype."""

    name: str
    result: str
    dtype: object
    shape: tuple[int, ...] | None


@singledispatch
def results(targets, graph, outputs, *, raw_scores=False, nocl=False) -> list[Result]:
    """Outputs of a model for targets of this kind, from those of its network.

    ``raw_scores`` gives scores in place of probabilities, ``nocl`` the indices of the labels in place of labels.
    """
    raise TypeError(f"targets of the kind {type(targets).__name__} have no counterpart in ONNX")


@results.register(Labels)
def _labels(targets, graph, outputs, *, raw_scores=False, nocl=False):
    logits, n = _logits(targets, graph, outputs), len(targets.classes)
    classes = np.arange(n) if nocl else label_array(targets.classes)
    best = graph.add("ArgMax", logits, axis=1, keepdims=0)
    label = Result("label", graph.add("Gather", classes, best, axis=0), classes.dtype, ())
    if raw_scores:
        scores = logits
        if n == 2:  # the second logit minus the first, and its negative
            scores = graph.add("MatMul", logits, graph.numbers([[1, -1], [-1, 1]]))
        return [label, Result("probabilities", scores, graph.dtype, (n,))]
    return [label, Result("probabilities", graph.add("Softmax", logits, axis=1), graph.dtype, (n,))]


@results.register(LabelSets)
def _label_sets(targets, graph, outputs, *, raw_scores=False, nocl=False):
    logits, shape = _logits(targets, graph, outputs), (len(targets.classes),)
    label = graph.cast(graph.add("Greater", logits, graph.numbers(0)), np.int64)
    scores = logits if raw_scores else graph.add("Sigmoid", logits)
    return [Result("label", label, np.int64, shape), Result("probabilities", scores, graph.dtype, shape)]


@results.register(Numbers)
def _numbers(targets, graph, outputs):
    """In float64, since float32 cannot hold small differences of large targets."""
    if targets.counts:
        most = 0.5 * np.log(np.finfo(graph.dtype).max)
        outputs = graph.add("Exp", graph.add("Min", outputs, graph.numbers(most)))
    scaled = graph.add("Mul", graph.cast(outputs, np.float64), np.asarray(targets.scale, np.float64))
    predicted = graph.add("Add", scaled, np.asarray(targets.mean, np.float64))
    return [Result("variable", predicted, np.float64, (len(targets.mean),))]


def label_array(classes):
    """Labels as an array of int64, float64 or bool, or of strings as objects; raises where ONNX has no such labels."""
    if classes.dtype.kind == "u" and classes.max() > np.iinfo(np.int64).max:
        raise ValueError(f"labels must be below 2**63 in ONNX, got {shown(int(classes.max()))}")
    plain = np.array(classes.tolist())
    if plain.dtype.kind == "U":
        return plain.astype(object)
    if plain.dtype.kind not in "biuf":
        raise ValueError(f"labels must be integers, strings or booleans in ONNX, got {shown(classes.tolist())}")
    return plain.astype({"b": bool, "f": np.float64}.get(plain.dtype.kind, np.int64))


def _logits(targets, graph, outputs):
    """Logits of the probabilities, as `Labels.logits`; what a loss takes back, in float64, since it costs digits."""
    loss = targets.loss
    owner = next(kind for kind in type(loss).__mro__ if "logits" in vars(kind))
    to_logits = _loss_logits.registry.get(owner, _loss_logits.registry[object])
    logits = to_logits(loss, graph, outputs, targets.n_outputs)
    return logits if targets.temperature == 1 else graph.add("Div", logits, graph.numbers(targets.temperature))


@singledispatch
def _loss_logits(loss, graph, outputs, n) -> str:
    """Logits for ``n`` outputs, as the method ``logits`` of the class that has it."""
    raise ValueError(f"loss={shown(loss)} has a method logits of your own, which has no counterpart in ONNX")


@_loss_logits.register(Loss)
def _outputs(loss, graph, outputs, n):
    return outputs


@_loss_logits.register(SoftmaxCrossEntropy)
@_loss_logits.register(Focal)
def _class_logits(loss, graph, outputs, n):
    gamma, share = getattr(loss, "gamma", None), loss.label_smoothing
    if gamma is None and not share:
        return outputs
    double = graph.in_dtype(np.float64)
    log_q = double.add("LogSoftmax", double.cast(outputs, np.float64), axis=-1)
    if gamma is not None:
        log_q = _unfocused(double, log_q, gamma, n)
    return graph.cast(_unsmoothed(double, log_q, share, n), graph.dtype)


@_loss_logits.register(BinaryCrossEntropy)
@_loss_logits.register(BinaryFocal)
def _label_logits(loss, graph, outputs, n):
    """As `_class_logits`, each label and its absence being two classes with the outputs z and 0."""
    if getattr(loss, "gamma", None) is None and not loss.label_smoothing:
        return outputs
    pairs = graph.add("MatMul", graph.reshape(outputs, n, 1), graph.numbers([[1, 0]]))
    logits = _class_logits(loss, graph, pairs, 2)
    return graph.reshape(graph.add("MatMul", logits, graph.numbers([[1], [-1]])), n)


def _unfocused(graph, log_q, gamma, n):
    """As `skconv.training._probabilities.unfocused`; 1 - q is the sum of the others, which costs no digit."""
    q = graph.add("Exp", log_q)
    others = graph.add("MatMul", q, graph.numbers(1 - np.eye(n)))
    rest = graph.add("Max", others, graph.numbers(np.finfo(graph.dtype).tiny))
    steep = graph.add("Mul", graph.add("Mul", q, log_q), graph.numbers(gamma))
    slope = graph.add("Log", graph.add("Sub", rest, steep))
    slope = graph.add("Add", slope, graph.add("Mul", graph.add("Log", rest), graph.numbers(gamma - 1)))
    return graph.add("LogSoftmax", graph.add("Sub", log_q, slope), axis=-1)


def _unsmoothed(graph, log_q, share, n):
    """As `skconv.training._probabilities.unsmoothed`."""
    if not share:
        return log_q
    above = graph.add("Sub", graph.add("Exp", log_q), graph.numbers(share / n))
    likely = graph.add("Div", above, graph.numbers(1 - share))
    least = graph.add("Add", log_q, graph.numbers(log(share)))
    log_p = graph.add("Max", graph.add("Log", graph.add("Max", likely, graph.add("Exp", least))), least)
    return graph.add("LogSoftmax", log_p, axis=-1)
