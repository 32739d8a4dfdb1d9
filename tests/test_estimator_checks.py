"""scikit-learn's own checks, whole: nothing is expected to fail, nothing but the array API may be skipped."""

from unittest import SkipTest

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skconv import ConvNetClassifier

# Not part of check_estimator: scikit-learn calls them by name on its own estimators.
FOR_CLASSIFIERS = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
]
FOR_TRANSFORMERS = [
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_get_feature_names_out_error",
]


@parametrize_with_checks([ConvNetClassifier()])
def test_check_estimator(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        if check.func.__name__ != "check_array_api_input":
            pytest.fail(f"skipped: {reason}")
        raise


def test_check_estimator_runs_the_long_list():
    # An estimator whose tags do not allow two-dimensional data gets about one check, and passes by that.
    names = {check.func.__name__ for _, check in estimator_checks_generator(ConvNetClassifier())}
    assert len(names) >= 50
    assert {
        "check_classifiers_train",
        "check_sample_weight_equivalence_on_dense_data",
        "check_methods_subset_invariance",
        "check_classifiers_one_label",
        "check_fit2d_1sample",
    } <= names


@pytest.mark.parametrize("name", FOR_CLASSIFIERS)
def test_check_outside_check_estimator(name):
    getattr(estimator_checks, name)("ConvNetClassifier", ConvNetClassifier())


@pytest.mark.parametrize("name", FOR_TRANSFORMERS)
def test_checks_of_transformers_have_nothing_to_check(name):
    assert callable(getattr(estimator_checks, name))
    # A transform, and with it set_output and names of its features, would bring these checks to bear.
    for method in ("transform", "fit_transform", "set_output", "get_feature_names_out"):
        assert not hasattr(ConvNetClassifier(), method)
