"""The error of a file that holds no model."""

import skconv
from skconv._files.errors import ModelFileError


def test_the_error_is_a_value_error_of_the_package():
    assert skconv.ModelFileError is ModelFileError
    assert issubclass(ModelFileError, ValueError)
    assert not issubclass(ModelFileError, OSError)
