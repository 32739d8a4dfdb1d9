"""The error of files that do not fit."""

from skconv._command.errors import FileError


def test_it_is_a_value_error():
    assert issubclass(FileError, ValueError)
