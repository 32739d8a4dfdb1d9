"""Estimators as nodes, by their class."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import shown
from ..classifier import ConvNetClassifier
from ..regressor import ConvNetRegressor
from ._networks import outputs
from ._targets import Result, results

__all__ = ["converted_estimator", "has_row"]


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
    return type(estimator) in _estimator.registry and type(estimator) is not object


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
