"""scikit-learn's own checks, whole: nothing is expected to fail or skipped, but for the array API."""

from unittest import SkipTest

import pytest
from helpers import every_check
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    ToImages,
)

CLASSIFIERS = [ConvNetClassifier()]
REGRESSORS = [ConvNetRegressor()]
TRANSFORMERS = [
    ConvFeatures(),
    ConvFeatures("pca", kernel_size=1, n_patches=500),
    ConvFeatures("orthonormal", global_pool=("ppv", "max"), bias="random", dilation="random", image_shape="series"),
    ConvFeatures("minirocket", image_shape="series"),
    ConvFeatures("rocket", image_shape="series"),
    ConvFeatures("sobel", resize=5),
    Flatten(),
    ImagePadder(),
    ImagePadder(padding_mode="noise"),
    ImagePadder(padding_mode="donor"),
    ImageResizer(size=5),
    ImageResizer(),
    StridedPooling(),
    ToImages(),
]

# Not part of check_estimator: scikit-learn calls them by name on its own estimators.
FOR_ALL = [
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


def name_of(estimator):
    return type(estimator).__name__


@every_check([*CLASSIFIERS, *REGRESSORS, *TRANSFORMERS])
def test_check_estimator(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"skipped: {reason}")


def test_arrays_of_other_libraries_are_not_promised():
    """So the check of the array API is the one that is left out."""
    for estimator in [*CLASSIFIERS, *REGRESSORS, *TRANSFORMERS]:
        assert not estimator.__sklearn_tags__().array_api_support


# An estimator whose tags do not allow two-dimensional data gets about one check, and passes by that.
LONG_LISTS = {
    "classifiers": (
        CLASSIFIERS,
        50,
        {
            "check_classifiers_train",
            "check_sample_weight_equivalence_on_dense_data",
            "check_methods_subset_invariance",
            "check_classifiers_one_label",
            "check_classifiers_multilabel_representation_invariance",
            "check_classifiers_multilabel_output_format_predict",
            "check_classifiers_multilabel_output_format_predict_proba",
            "check_classifiers_multilabel_output_format_decision_function",
            "check_class_weight_classifiers",
            "check_fit2d_1sample",
        },
    ),
    "regressors": (
        REGRESSORS,
        50,
        {
            "check_regressors_train",
            "check_regressors_int",
            "check_regressor_multioutput",
            "check_regressors_no_decision_function",
            "check_sample_weight_equivalence_on_dense_data",
            "check_methods_subset_invariance",
            "check_fit2d_1sample",
        },
    ),
    "transformers": (
        TRANSFORMERS,
        40,
        {
            "check_transformer_general",
            "check_transformer_data_not_an_array",
            "check_transformer_preserve_dtypes",
            "check_methods_subset_invariance",
            "check_fit2d_1sample",
            "check_fit2d_1feature",
        },
    ),
}


@pytest.mark.parametrize("kind", LONG_LISTS)
def test_check_estimator_runs_the_long_list(kind):
    estimators, least, among_them = LONG_LISTS[kind]
    for estimator in estimators:
        names = {check.func.__name__ for _, check in estimator_checks_generator(estimator)}
        assert len(names) >= least
        assert among_them <= names


@pytest.mark.parametrize("name", FOR_ALL)
@pytest.mark.parametrize("estimator", [*CLASSIFIERS, *REGRESSORS, *TRANSFORMERS], ids=name_of)
def test_check_outside_check_estimator(estimator, name):
    getattr(estimator_checks, name)(name_of(estimator), estimator)


# Checks of data frames also fit with names and transform without, and the reverse.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@pytest.mark.parametrize("name", FOR_TRANSFORMERS)
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_check_of_transformers_outside_check_estimator(estimator, name):
    getattr(estimator_checks, name)(name_of(estimator), estimator)


@pytest.mark.parametrize("estimator", [*CLASSIFIERS, *REGRESSORS], ids=name_of)
def test_a_network_is_no_transformer(estimator):
    # A transform, and with it set_output and names of its features, would bring those checks to bear.
    for method in ("transform", "fit_transform", "set_output", "get_feature_names_out"):
        assert not hasattr(estimator, method)


@pytest.mark.parametrize("estimator", [*CLASSIFIERS, *REGRESSORS, *TRANSFORMERS], ids=name_of)
def test_tags_of_the_input(estimator):
    tags = estimator.__sklearn_tags__().input_tags
    assert (tags.two_d_array, tags.three_d_array, tags.sparse) == (True, True, False)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
def test_only_counts_are_positive_only(loss):
    assert ConvNetRegressor(loss=loss).__sklearn_tags__().target_tags.positive_only == (loss == "poisson")
