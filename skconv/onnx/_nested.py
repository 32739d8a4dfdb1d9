"""Estimators within estimators, where skl2onnx needs to be told what scikit-learn asks of them."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._input.constraints import shown

__all__ = ["last_step", "scores_within"]


def last_step(estimator):
    """The last estimator of a pipeline, frozen or not, which has skl2onnx's options; others are their own."""
    while isinstance(estimator, (Pipeline, FrozenEstimator)):
        estimator = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator.estimator
    return estimator


def scores_within(estimator) -> dict[int, dict]:
    """Options for skl2onnx, by id: last steps of pipelines that are calibrated give their scores.

    skl2onnx asks the pipeline for scores, which it does not pass on, so that probabilities would be calibrated instead.

    Raises
    ------
    ValueError
        Where a calibration is none that skl2onnx computes as scikit-learn does.
    """
    options = {}
    for each in _estimators_in(estimator, set()):
        if isinstance(each, CalibratedClassifierCV):
            if each.method != "sigmoid":
                raise ValueError(
                    f"CalibratedClassifierCV(method={shown(each.method)}): skl2onnx computes method='sigmoid' alone as "
                    "scikit-learn does"
                )
            for calibrated in each.calibrated_classifiers_:
                last = last_step(calibrated.estimator)
                if isinstance(calibrated.estimator, Pipeline) and hasattr(last, "decision_function"):
                    options[id(last)] = {"raw_scores": True}
    return options


def _estimators_in(value, seen):
    """Yield all estimators in the attributes of an estimator, itself first, and in lists and dictionaries there."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, BaseEstimator):
        yield value
        value = vars(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _estimators_in(each, seen)
