"""The estimators of skconv within those of scikit-learn: shape calculators and converters for skl2onnx."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.frozen import FrozenEstimator

from .._features.pretrained import thawed
from .._input.constraints import shown
from .._input.images import output_dtype
from ..regressor import ConvNetRegressor
from ._estimators import ESTIMATORS, converted_estimator, takes_any_size
from ._graph import Graph

__all__ = ["register"]

_OPTIONS = {  # of classifiers, as skl2onnx has them for those of scikit-learn
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
    "raw_scores": [True, False],
}


def register():
    """Let skl2onnx convert the estimators of skconv; nothing happens where skl2onnx is missing."""
    try:
        from skl2onnx import update_registered_converter
        from skl2onnx._supported_operators import sklearn_operator_name_map as known
    except ImportError:
        return
    for kind in ESTIMATORS:
        options = _OPTIONS if issubclass(kind, ClassifierMixin) else None
        update_registered_converter(kind, f"Skconv{kind.__name__}", _set_types, _convert, options=options)
    if FrozenEstimator not in known:
        own = {"parser": _parse_frozen, "options": _OPTIONS}
        update_registered_converter(FrozenEstimator, "SkconvFrozenEstimator", _set_types, _convert, **own)


def _parse_frozen(scope, model, inputs, custom_parsers=None):
    """A frozen estimator is the estimator in it."""
    from skl2onnx._parse import parse_sklearn

    return parse_sklearn(scope, model.estimator, inputs, custom_parsers)


def _set_types(operator):
    """Set the types of the operator's outputs."""
    scope = operator.scope_inst
    for variable, result in zip(operator.outputs, _results(scope, operator, scope, Graph()), strict=True):
        variable.set_type(_type_of(result.dtype)([operator.inputs[0].get_first_dimension(), *result.shape]))


def _convert(scope, operator, container):
    """Add the nodes of an estimator to a model that skl2onnx makes."""
    graph = Graph(prefix=f"{scope.get_unique_variable_name('skconv')}_")
    for variable, result in zip(operator.outputs, _results(scope, operator, container, graph), strict=True):
        graph.rename(result.result, variable.onnx_name)
    graph.add_to(container)


def _results(scope, operator, settings, graph):
    """Outputs of the estimator, in types that other converters of skl2onnx take; ``settings`` has the options."""
    estimator = thawed(operator.raw_operator)
    dtype, sample_shape, x = _input_of(operator, estimator, graph)
    options = {}
    if isinstance(estimator, ClassifierMixin):
        asked = settings.get_options(operator.raw_operator, {"raw_scores": False, "nocl": False}, fail=False)
        options = {name: asked[name] for name in ("raw_scores", "nocl")}
    results = converted_estimator(estimator, graph, x, sample_shape, dtype, **options)
    return [
        _retyped(graph, result, kind) for result, kind in zip(results, _kinds(estimator, results, dtype), strict=True)
    ]


def _kinds(estimator, results, dtype):
    """Dtypes of the outputs: integer labels are int64, numbers have the precision of the input."""
    number = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    if isinstance(estimator, ClassifierMixin):
        return [_label_kind(estimator, results[0].dtype), number]
    return [number] if isinstance(estimator, ConvNetRegressor) else [result.dtype for result in results]


def _label_kind(classifier, dtype):
    """Dtype of the labels, which are integers or strings in skl2onnx."""
    if np.dtype(dtype).kind == "f" and (classifier.classes_ != np.floor(classifier.classes_)).any():
        raise ValueError(f"labels must be integers or strings in skl2onnx, got {shown(classifier.classes_.tolist())}")
    return np.dtype(object if np.dtype(dtype).kind == "O" else np.int64)


def _retyped(graph, result, dtype):
    """The result in another dtype."""
    if result.dtype == dtype:
        return result
    return result._replace(result=graph.cast(result.result, dtype), dtype=dtype)


def _input_of(operator, estimator, graph):
    """Dtype and sample shape of the operator's input, and its name; several inputs are columns side by side."""
    first, *others = operator.inputs
    dtype, shape = _dtype_of(first.type), tuple(first.type.shape[1:])
    if others:
        dtype = output_dtype(np.empty(0, np.result_type(*(_dtype_of(each.type) for each in operator.inputs))))
        columns = [graph.cast(each.onnx_name, dtype) for each in operator.inputs]
        return dtype, (estimator.n_features_in_,), graph.add("Concat", *columns, axis=1)
    known = all(isinstance(size, int) for size in shape)
    fits = known and (prod(shape) == estimator.n_features_in_ or takes_any_size(estimator, shape))
    return dtype, shape if fits and shape else (estimator.n_features_in_,), first.onnx_name


def _dtype_of(kind):
    """Dtype of a type of skl2onnx."""
    from onnx.helper import tensor_dtype_to_np_dtype
    from skl2onnx.common.data_types import guess_proto_type

    return tensor_dtype_to_np_dtype(guess_proto_type(kind))


def _type_of(dtype):
    """skl2onnx's class of tensors of a dtype."""
    from skl2onnx.common import data_types

    names = {"float32": "Float", "float64": "Double", "object": "String", "bool": "Boolean", "uint8": "UInt8"}
    name = np.dtype(dtype).name
    return getattr(data_types, f"{names.get(name, name.capitalize())}TensorType")
