"""Estimators as nodes, by their class."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import shown
from .._input.images import output_dtype
from .._input.memory import counted
from .._kernels.resize import Resize
from ..classifier import ConvNetClassifier
from ..features import ConvFeatures
from ..layers import DonorPadding, NoisePadding
from ..padding import ImagePadder
from ..pooling import StridedPooling
from ..regressor import ConvNetRegressor
from ..resizing import ImageResizer
from ..shaping import Flatten, ToImages
from . import _minirocket, _operations
from ._borders import bordered
from ._elements import flattened
from ._networks import channels_first, outputs
from ._targets import Result, results

__all__ = ["ESTIMATORS", "OPERATIONS", "converted_estimator", "first_of", "has_row", "takes_any_size"]

ESTIMATORS = (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    ToImages,
)
OPERATIONS = _operations  # whose import adds rows


@singledispatch
def _estimator(estimator, graph, x, sample_shape, dtype, **options) -> list[Result]:
    """Add the nodes of a fitted estimator; return its outputs.

    Parameters
    ----------
    estimator : object
    graph : Graph
    x : str
        Name of the input.
    sample_shape : tuple of int
        Shape of a sample of the input.
    dtype : dtype
        Dtype of the input.
    **options
        Of classifiers.
    """
    raise TypeError(f"{shown(estimator)} is no estimator of skconv")


def has_row(estimator) -> bool:
    """Whether an estimator is of just one of the classes that have nodes of their own."""
    return type(estimator) in ESTIMATORS


def first_of(estimator):
    """What samples come to first: the resizer of an estimator that has one, or the estimator itself."""
    return getattr(estimator, "resizer_", estimator)


def takes_any_size(estimator, sample_shape) -> bool:
    """Whether samples of ``sample_shape`` may have another size than those of the fit."""
    estimator = first_of(estimator)
    return isinstance(estimator, ImageResizer) and len(sample_shape) in (2, 3) and estimator.image_shape_[0] > 1


def converted_estimator(estimator, graph, x, sample_shape, dtype, **options) -> list[Result]:
    """Add the nodes of a fitted estimator of skconv; return its outputs."""
    check_is_fitted(estimator)
    return _estimator(estimator, graph, x, tuple(sample_shape), np.dtype(dtype), **options)


@_estimator.register(ConvNetClassifier)
@_estimator.register(ConvNetRegressor)
def _network(estimator, graph, x, sample_shape, dtype, **options):
    if estimator.n_augmented and estimator._augmenter is not None:
        raise ValueError(
            f"n_augmented={estimator.n_augmented} averages over randomly changed copies of each sample, which has no "
            "counterpart in ONNX; set_params(n_augmented=0)"
        )
    return results(estimator._targets, graph, outputs(estimator.network_, graph, x), **options)


@_estimator.register(ConvFeatures)
@_estimator.register(StridedPooling)
def _features(estimator, graph, x, sample_shape, dtype):
    """In float32, except MiniRocket's additions, which are those of the output's dtype."""
    out = output_dtype(np.empty(0, dtype))
    if first_of(estimator) is not estimator:
        x, dtype = _resizer(first_of(estimator), graph, x, sample_shape, dtype)[0][1:3]
    if getattr(estimator, "_rocket", None) is not None:
        own = graph.in_dtype(out)
        series = own.cast(own.reshape(x, *estimator.image_shape_[1:]), out)
        return _transformed(estimator, graph, _minirocket.features(estimator._rocket, own, series), sample_shape, out)
    parts = [outputs(network, graph, x) for network in estimator.networks_]
    flat = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
    return _transformed(estimator, graph, graph.cast(flat, out), sample_shape, out)


@_estimator.register(ImagePadder)
def _padder(estimator, graph, x, sample_shape, dtype):
    mode, window, shape = estimator._mode, estimator._window, estimator.image_shape_
    if isinstance(mode, (NoisePadding, DonorPadding)):
        raise ValueError(
            f"padding_mode={shown(mode)} draws the border of each image from a random stream of its own, which has no "
            "counterpart in ONNX"
        )
    out = output_dtype(np.empty(0, dtype))
    own = graph.in_dtype(out)
    images = channels_first(own, own.cast(own.reshape(x, *shape), out), shape)
    padded = bordered(mode, own, images, window, shape, {})
    return _transformed(estimator, graph, flattened(own, padded, estimator.output_shape_), sample_shape, out)


@_estimator.register(ImageResizer)
def _resizer(estimator, graph, x, sample_shape, dtype):
    """A model resizes images of one size, which the input has."""
    shape, resized, out = estimator.image_shape_, estimator.output_shape_, output_dtype(np.empty(0, dtype))
    if takes_any_size(estimator, sample_shape):
        shape = (*sample_shape, 1)[:3]
    if shape[2] != resized[2]:
        raise ValueError(
            f"X has {counted(shape[2], 'channel')}, but ImageResizer gives {resized[2]}, which ONNX does not convert"
        )
    own = graph.in_dtype(out)
    images = channels_first(own, own.cast(own.reshape(x, *shape), out), shape)
    resize = Resize(shape[:2], resized[:2], estimator.crop, out)
    if not resize.same:
        images = own.add("MatMul", own.numbers(resize.rows.toarray()), images)
        images = own.add("MatMul", images, own.numbers(resize.columns.toarray().T))
    return _transformed(estimator, graph, flattened(own, images, resized), sample_shape, out)


@_estimator.register(Flatten)
@_estimator.register(ToImages)
def _shape(estimator, graph, x, sample_shape, dtype):
    if dtype == np.float16:
        x, dtype = graph.cast(x, np.float32), np.dtype(np.float32)
    return _transformed(estimator, graph, x, sample_shape, dtype)


def _transformed(transformer, graph, flat, sample_shape, dtype):
    """Output of a transformer for samples of ``sample_shape``, from flat features or from samples of the same size."""
    form = transformer._formed(np.empty((1, *transformer.output_shape_), dtype), sample_shape, transformer.image_shape_)
    return [Result("variable", graph.reshape(flat, *form.shape[1:]), dtype, form.shape[1:])]
