"""Fitted estimators as ONNX models."""

from __future__ import annotations

from math import prod
from numbers import Integral
from os import PathLike, fspath

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from .._features.pretrained import thawed
from .._files.atomic import replace_file
from .._files.paths import path_text
from .._input.constraints import shown
from .._input.pictures import are_pictures
from .._input.shapes import as_samples, check_like_fitted
from ._estimators import converted_estimator, first_of, has_row, takes_any_size
from ._graph import Graph
from ._nested import last_step, scores_within
from ._targets import Result

__all__ = ["to_onnx"]

_OLDEST, _USUAL, _NEWEST = 18, 20, 28  # opsets of onnx 1.13 (December 2022), 1.15 (October 2023) and 1.23


def to_onnx(estimator, X=None, path=None, *, target_opset=None, zipmap=False, raw_scores=False):
    """Write a fitted estimator as an ONNX model, which gives what its `predict`, `predict_proba` or `transform` gives.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of skconv; or a pipeline or another estimator of scikit-learn, with estimators of skconv in
        it or not, for which skl2onnx does the rest.
    X : array-like, default=None
        Samples, of which shape and dtype count: those of the model's input, for any number of samples.  None is flat
        samples in float32, ``(n, n_features_in_)``.
    path : str or path-like, default=None
        File that the model is written to.
    target_opset : int, default=None
        Version of ONNX's operators, from 18 (onnx 1.13, December 2022) to 28 (onnx 1.23), or to the newest that the
        installed onnx, and for other estimators skl2onnx, has.  None is 20, that of October 2023.
    zipmap : bool, default=False
        Whether a classifier gives a dictionary of probabilities by label for each sample, in place of an array.
    raw_scores : bool, default=False
        Whether a classifier gives the scores of `decision_function` in place of probabilities; for two classes the
        negative score, then the score.

    Returns
    -------
    onnx.ModelProto
        The model, with the input "X" of shape (n, ...).  A classifier has the outputs "label", of shape (n,) or
        (n, n_labels), and "probabilities", (n, n_classes); with `zipmap` "output_label" and "output_probability".
        Others have the output "variable": of a regressor, (n, n_targets) in float64; of a transformer, the shape and
        the dtype of `transform`.  Integer labels are int64.

    Raises
    ------
    ImportError
        If onnx is missing, or skl2onnx where it is needed.
    TypeError
        If ``path`` is neither a str nor a path, or X is one.
    ValueError
        If an argument does not fit, or a part of the estimator has no counterpart in ONNX; the message names the part.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Notes
    -----
    Networks are computed in float32, whatever the dtype of X, since onnxruntime has convolutions in float32 alone; the
    level of the samples is subtracted in float64.  Batch normalisation becomes part of the weights before it.

    What skl2onnx has of scikit-learn's estimators it has within limits: a `VotingClassifier` needs
    ``flatten_transform=False``, a `CalibratedClassifierCV` ``method="sigmoid"``, and single predictions of trees may
    differ where a number lies on a threshold in float32.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.onnx import to_onnx
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X, y)
    >>> exported = to_onnx(model)
    >>> [output.name for output in exported.graph.output]
    ['label', 'probabilities']
    """
    onnx = _imported("onnx")
    path = None if path is None else path_text(path)
    if isinstance(X, (str, PathLike)):
        name = shown(fspath(X))
        raise TypeError(f"X must be samples, got {name}; path={name} writes the model to that file")
    if are_pictures(X):
        raise ValueError("X must be an array, such as images (n, H, W, C): ONNX reads no files, and images of one size")
    estimator = thawed(estimator)
    check_is_fitted(estimator)
    options = {"zipmap": zipmap, "raw_scores": raw_scores}
    for name, value in options.items():
        if value and not is_classifier(estimator):
            raise ValueError(f"{name}={shown(value)} is for classifiers, got {shown(estimator)}")
    if has_row(estimator):
        model = _own_model(estimator, X, _opset(target_opset, onnx.defs.onnx_opset_version()), **options)
    else:
        model = _model_by_skl2onnx(estimator, X, target_opset, **options)
    onnx.checker.check_model(model, full_check=True)
    if path is not None:
        replace_file(path, lambda file: file.write(model.SerializeToString()))
    return model


def _imported(name):
    """A module of the extra "onnx"."""
    try:
        return __import__(name)
    except ImportError as error:
        raise ImportError(f'needs {name}: pip install "skconv[onnx]"') from error


def _opset(target_opset, newest):
    """The number of the operators' version, no newer than what is installed."""
    newest = min(_NEWEST, newest)
    if target_opset is None:
        return min(_USUAL, newest)
    if not isinstance(target_opset, Integral) or not _OLDEST <= target_opset <= newest:
        raise ValueError(f"target_opset must be an int from {_OLDEST} to {newest}, got {shown(target_opset)}")
    return int(target_opset)


def _own_model(estimator, X, opset, *, zipmap, raw_scores):
    """Model of an estimator of skconv."""
    dtype, sample_shape = _input_of(estimator, X)
    options = {"raw_scores": raw_scores} if is_classifier(estimator) else {}
    graph = Graph()
    results = converted_estimator(estimator, graph, "X", sample_shape, dtype, **options)
    if zipmap:
        results = _zipped(estimator, graph, results)
    for result in results:
        graph.rename(result.result, result.name)
    outputs = [(each.name, each.dtype, each.shape) for each in results]
    return graph.model([("X", dtype, sample_shape)], outputs, opset)


def _input_of(estimator, X):
    """Dtype of the input, and shape of a sample."""
    if X is None:
        return np.dtype(np.float32), (estimator.n_features_in_,)
    X, estimator = as_samples(X), first_of(estimator)
    X = X if hasattr(X, "dtype") else np.asarray(X)
    shape, wanted = tuple(X.shape[1:]), estimator.image_shape_
    if X.dtype.kind not in "biuf" or X.dtype.itemsize > 8:
        raise ValueError(f"X must hold real numbers of up to 64 bits, got dtype {X.dtype}")
    if takes_any_size(estimator, shape):
        return X.dtype, shape
    check_like_fitted(X, shape if len(shape) > 1 else None, wanted, type(estimator).__name__)
    if prod(shape) != prod(wanted) or not shape:
        raise ValueError(f"X has samples of shape {shape}, but {type(estimator).__name__} was fitted on {wanted}")
    return X.dtype, shape


def _zipped(classifier, graph, results):
    """Results with a dictionary for each sample in place of the array of probabilities."""
    label, scores = results
    if label.shape or np.dtype(label.dtype).kind in "bf":
        raise ValueError(
            "zipmap=True needs one label a sample, an integer or a string, since these alone are keys in ONNX, got "
            f"classes_={shown(classifier.classes_.tolist())}"
        )
    keys = {"classlabels_int64s" if label.dtype == np.int64 else "classlabels_strings": classifier.classes_.tolist()}
    zipped = graph.add("ZipMap", scores.result, domain="ai.onnx.ml", **keys)
    return [label._replace(name="output_label"), Result("output_probability", zipped, label.dtype, None)]


def _model_by_skl2onnx(estimator, X, target_opset, *, zipmap, raw_scores):
    """Model of any other estimator of scikit-learn, by skl2onnx."""
    skl2onnx = _imported("skl2onnx")
    opset = _opset(target_opset, skl2onnx.__max_supported_opset__)
    if X is None:
        X = np.zeros((1, estimator.n_features_in_), np.float32)
    options = scores_within(estimator)
    if is_classifier(estimator):
        options[id(last_step(estimator))] = {"zipmap": zipmap, **({"raw_scores": True} if raw_scores else {})}
    return skl2onnx.to_onnx(estimator, X, target_opset=opset, options=options or None)
