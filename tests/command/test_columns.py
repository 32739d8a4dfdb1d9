"""Columns of .csv files: features by name, targets, and what does not fit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skconv._command.columns import read_columns
from skconv._command.errors import FileError


@pytest.fixture
def file(tmp_path):
    def written(text, encoding="utf-8"):
        path = tmp_path / "data.csv"
        path.write_text(text, encoding=encoding)
        return path

    return written


@pytest.mark.parametrize(
    ("texts", "y"),
    [(("1", "0"), [1, 0]), (("1.5", "2"), [1.5, 2.0]), (("b", "a"), ["b", "a"])],
)
def test_targets(file, texts, y):
    path = file(f"a,Label,b\n1,{texts[0]},2.5\n\n-3,{texts[1]},1e3\n")
    X, found, names = read_columns(path, None, None, True)
    assert_array_equal(X, [[1, 2.5], [-3, 1000]])
    assert_array_equal(found, y)
    assert names == ["a", "b"]


def test_a_named_target_and_no_target(file):
    path = file("a,y\n1,2\n3,4\n")
    assert_array_equal(read_columns(path, "a", None, True)[1], [1, 3])
    X, y, names = read_columns(path, None, None, False)
    assert_array_equal(X, [[1, 2], [3, 4]])  # all columns, whatever their names are
    assert y is None
    assert names == ["a", "y"]
    assert_array_equal(read_columns(path, "y", None, False)[0], [[1], [3]])


def test_features_are_taken_by_name(file):
    path = file("c,target,a,b\n3,0,1,2\n6,1,4,5\n")
    assert_array_equal(read_columns(path, None, ["a", "b", "c"], False)[0], [[1, 2, 3], [4, 5, 6]])
    with pytest.raises(FileError, match=r"data.csv lacks 'd', on which the model was trained; it has 'c', 'target'"):
        read_columns(path, None, ["a", "d"], False)


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("", None, "needs a line with the names of the columns, and lines of numbers"),
        ("a,b\n", None, "needs a line with the names of the columns, and lines of numbers"),
        (
            "a,b\n1,2\n",
            None,
            "has no column 'y' or 'target' or 'label' or 'class': name one by --target; it has",
        ),
        ("a,y\n1,2\n", "c", "has no column 'c': name one by --target"),
        ("y,target\n1,2\n", None, "has 'y' and 'target': name the target by --target"),
        ("a,a,y\n1,2,3\n", None, "has two columns called 'a'"),
        ("a,y\n1,2\n\n1\n", None, "has 2 columns, but line 4 has 1"),
        ("a,y\n1,2\nx,2\n", None, "must have numbers, got 'x' in column 'a', line 3"),
        ("a,y\n1,2\n1, \n", None, "has no target in column 'y', line 3"),
        (f"a,y\n1,{'2' * 200_000}\n", None, "is no .csv file in UTF-8: field larger than field limit"),
    ],
)
def test_errors(file, text, target, message):
    with pytest.raises(FileError, match=message):
        read_columns(file(text), target, None, True)


def test_a_column_that_is_not_there_in_a_prediction(file):
    with pytest.raises(FileError, match=r"has no column 'z'; it has 'a'"):
        read_columns(file("a\n1\n"), "z", None, False)


def test_another_encoding(file):
    with pytest.raises(FileError, match=r"is no .csv file in UTF-8"):
        read_columns(file("a,y\n1,\xe9\n", "latin-1"), None, None, True)
    assert np.array_equal(read_columns(file("\ufeffa,y\n1,2\n"), None, None, True)[2], ["a"])
