"""Checks of targets, classes and weights, with messages that have their names."""

from __future__ import annotations

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .._input.constraints import InvalidParameterError, shown
from .._input.memory import counted

__all__ = ["check_class_weight", "check_classes", "check_labels", "check_numbers", "check_weight", "class_indices"]

_LABELS = "labels of shape (n,), all strings or all numbers, or indicators of shape (n, labels)"
_NUMBERS = "real numbers of shape (n,) or (n, targets)"


def check_labels(y, name="y"):
    """Labels or indicators as an array, or a sparse matrix; raises for missing labels, and strings among others."""
    if y is None:
        return None  # scikit-learn raises
    if isinstance(y, (list, tuple)):
        _check_alike(y, name)  # NumPy would convert all labels to strings
    y = _as_array(y, name, _LABELS)
    if y.dtype.kind == "O":
        entries = y.ravel().tolist()
        _check_none_missing(entries, name)
        _check_alike(entries, name)
        if entries and not isinstance(entries[0], (str, bytes)):
            raise ValueError(
                f"Unknown label type: {name} has dtype object, but no strings: {shown(entries[0])} is of type "
                f"{type(entries[0]).__name__}; give it the dtype that its labels have, such as {name}.astype(int)"
            )
    elif y.dtype.kind in "mM":
        _check_none_missing(y.ravel(), name)
    return _finite(y, name)


def check_numbers(y, name="y"):
    """Targets of a regression as an array of finite numbers."""
    if y is None:
        return None  # scikit-learn raises
    y = _as_array(y, name, _NUMBERS)
    if issparse(y):
        raise ValueError(f"{name} must be dense, got a sparse matrix; use {name}.toarray()")
    return _finite(_real(y, name, _NUMBERS), name)


def check_classes(classes):
    """Sorted unique classes, (n_classes,), from a list or array of all classes."""
    classes = list(classes) if isinstance(classes, (set, frozenset)) else classes
    wanted = "a list or an array of all labels that will ever come"
    if isinstance(classes, (str, bytes, dict)) or not (hasattr(classes, "__len__") or hasattr(classes, "__array__")):
        raise ValueError(f"classes must be {wanted}, got {shown(classes)}")
    if len(classes) == 0:
        raise ValueError("classes must name every class that will ever come, got none")
    classes = check_labels(classes, "classes")
    if issparse(classes) or classes.ndim != 1:
        raise ValueError(f"classes must be {wanted}, got an array of shape {classes.shape}")
    try:
        check_classification_targets(classes)
    except ValueError as error:
        raise ValueError(f"classes must be {wanted}, got {shown(classes.tolist())}: {error}") from None
    return np.unique(classes)


def class_indices(y, classes, name="y"):
    """Index of each label of ``y``, (n,) or (n, 1), in the sorted ``classes``; raises where a label is no class."""
    if y.ndim > 1 and y.shape[1] != 1:
        raise ValueError(
            f"{name} should be a 1d array, or indicators 0 and 1, got an array of shape {y.shape} with values "
            f"{shown(np.unique(y)[:5].tolist())} instead"
        )
    y = column_or_1d(y, warn=True)
    if (y.dtype.kind in "OSU") == (classes.dtype.kind in "OSU"):
        index = np.searchsorted(classes, y)
        index[index == len(classes)] = 0
        unknown = classes[index] != y
    else:
        index, unknown = None, np.ones(len(y), bool)
    if np.any(unknown):
        raise ValueError(
            f"{name} has labels {shown(np.unique(y[unknown])[:5].tolist())} that are not in classes "
            f"{shown(classes.tolist())}"
        )
    return index


def check_class_weight(class_weight, classes):
    """Raise where a weight by class is not finite or below 0, or keys are no classes while classes have no weight."""
    if not isinstance(class_weight, dict):
        return
    for value in class_weight.values():
        if not isinstance(value, Real) or not 0 <= value < np.inf:
            raise InvalidParameterError(
                "class_weight must be a finite number of zero or more for every class, got "
                f"{shown(value)} in {shown(class_weight)}"
            )
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    missing = [label for label in known if label not in class_weight]
    if unknown and missing:
        raise ValueError(
            f"class_weight has {shown(unknown)}, which are not in classes {shown(known)}, and nothing for "
            f"{shown(missing)}: these are not in class_weight"
        )


def check_weight(weight, n, name="sample_weight"):
    """Weights (n,), at least 0 and not all 0, divided by the largest, since only ratios matter."""
    if weight is None:
        return np.ones(n)
    wanted = f"None or {counted(n, 'number')} of zero or more, one per sample"
    if isinstance(weight, Real) or (isinstance(weight, np.ndarray) and weight.ndim == 0):
        weight = np.full(n, weight)  # one weight for all samples, as in scikit-learn
    weight = _as_array(weight, name, wanted)
    if issparse(weight):
        raise ValueError(f"{name} must be {wanted}, got a sparse matrix; use {name}.toarray()")
    weight = _real(weight, name, wanted).astype(np.float64)
    if weight.shape != (n,):
        raise ValueError(f"{name} must be {wanted}, got an array of shape {weight.shape}")
    _finite(weight, name)
    if weight.min() < 0:
        raise ValueError(
            f"{name} must be {wanted}, got {shown(float(weight.min()))}: Negative values in data passed to `{name}`"
        )
    if not weight.any():
        raise ValueError(f"{name}: all weights are zero, so no sample counts; one must be above")
    return weight / weight.max()


def _as_array(values, name, wanted):
    """An array of one or two axes, or a sparse matrix, of any dtype."""
    try:
        array = check_array(
            values, accept_sparse="csr", ensure_2d=False, dtype=None, ensure_all_finite=False, ensure_min_samples=0,
            ensure_min_features=0, input_name=name,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{name} must be {wanted}, got {shown(values)}: {reason}") from None
    if array.ndim == 0:
        raise ValueError(f"{name} must be {wanted}, got {shown(values)}")
    return array


def _real(array, name, wanted):
    """An array of a number type, also from numbers in an array of objects."""
    if array.dtype.kind == "O":
        for value in array.ravel().tolist():
            if not isinstance(value, Real):
                raise ValueError(f"{name} must be {wanted}, got {shown(value)}")
        try:
            return array.astype(np.float64)
        except OverflowError:
            raise ValueError(f"{name} must be {wanted} that float64 can hold, got a larger integer") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be {wanted}, got {shown(array[:1].tolist())} of dtype {array.dtype}")
    return array


def _finite(array, name):
    """The array; raises where a number is NaN or infinite."""
    if array.dtype.kind == "f":
        assert_all_finite(array.data if issparse(array) else array, input_name=name)
    return array


def _check_none_missing(entries, name):
    for i, value in enumerate(entries):
        if value is None or type(value).__name__ in ("NAType", "NaTType") or _is_nan(value):
            raise ValueError(f"Input {name} contains NaN: a label is missing, {shown(value)} at position {i}")


def _is_nan(value):
    return isinstance(value, (Real, np.generic)) and value != value


def _check_alike(entries, name):
    """Raise where strings are mixed with other labels; entries that are sequences are not looked at."""
    first: dict[type, object] = {}
    for value in entries:
        if not isinstance(value, (list, tuple, np.ndarray)):
            first.setdefault(next((kind for kind in (str, bytes) if isinstance(value, kind)), object), value)
    if len(first) > 1:
        _check_none_missing(entries, name)
        one, other, *_ = first.values()
        raise ValueError(f"{name} must be {_LABELS}, got both {shown(one)} and {shown(other)}; make strings of all")
