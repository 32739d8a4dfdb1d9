"""Private functions and classes of scikit-learn, imported here only."""

from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    make_constraint,
)
from sklearn.utils._set_output import _get_output_config as output_config
from sklearn.utils._set_output import _wrap_data_with_container as in_container
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "check_feature_names_in",
    "in_container",
    "make_constraint",
    "output_config",
]
