"""Strict JSON: what is read, what is refused, and in which time and memory."""

import json
import time
import tracemalloc

import pytest

from skconv._files.errors import ModelFileError
from skconv._files.strict_json import read_json, written_json

VALUES = [
    None,
    True,
    -12,
    10**308,
    0.1,
    5e-324,
    "",
    'quotes " and \\ and é and \U0001f600 and \n',
    [],
    {},
    {"a": [1, {"b": [None, 2.5]}], "": "x"},
    ["[", '{"', "}]" * 100, "\\"],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back(value):
    text = written_json(value)
    assert text.isascii()
    for data in (text, text.encode(), json.dumps(value, ensure_ascii=False, indent=2).encode()):
        found = read_json(data, "it")
        assert found == value
        assert type(found) is type(value)


REFUSED = {
    '{"a": 1, "b": 2, "a": 1}': "it is no JSON that a model file may have: the key 'a' twice in one object",
    "[NaN]": "NaN, which JSON does not have",
    "-Infinity": "-Infinity, which JSON does not have",
    "1e999": "the number 1e999, beyond the range of floats",
    "1" * 401: "a number of 401 characters, more than 400",
    "0." + "1" * 1000: "a number of 1,002 characters",
    "[" * 33 + "]" * 33: "more than 32 levels of nesting",
    "[" * 10**6: "more than 32 levels",
    '{"a":' * 10**5: "more than 32 levels",
    "[" + "0," * 400_000 + "0]": "more than 400,000 values",
    "": "Expecting value",
    "{'a': 1}": "Expecting property name",
    "[1] 2": "Extra data",
    '"a': "Unterminated string",
    '"\x01"': "Invalid control character",
    '"\\ud800"': "is no character in UTF-8: surrogates not allowed",
    '{"\\uDC00": 1}': "is no character in UTF-8",
}


@pytest.mark.parametrize(("text", "match"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_what_is_refused(text, match):
    with pytest.raises(ModelFileError) as caught:
        read_json(text, "it")
    assert match in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "data", [b'"\xff"', b"\xef\xbb\xbf1", "é".encode("utf-16"), b'"' + "é".encode() * 2**20 + b'"']
)
def test_bytes_that_are_no_text(data):
    with pytest.raises(ModelFileError, match=r"it (is no JSON|has what is no character)"):
        read_json(data, "it")


def test_brackets_in_texts_do_not_nest():
    assert read_json(json.dumps(["[" * 1000, '\\"[' * 1000]), "it") == ["[" * 1000, '\\"[' * 1000]


@pytest.mark.parametrize("value", [float("nan"), [[[float("inf")]]], [0] * 500_000], ids=["nan", "inf", "many"])
def test_what_would_not_be_read_is_not_written(value):
    with pytest.raises(ValueError, match=r"Out of range float|more than 400,000 values"):
        written_json(value)


def test_what_large_models_have():
    """10,000 classes with weights that are NumPy's numbers, 30,000 losses and scores, 150,528 names of features."""
    number = {"is": "number", "dtype": "float64", "value": 1.0123456789012345}
    pairs = [[{**number, "dtype": "int64", "value": i}, number] for i in range(10_000)]
    value = [pairs, [f"a class called {i}" for i in range(10_000)], [0.12345678901234567] * 30_000]
    for each in (value, [f"pixel{i}" for i in range(150_528)]):
        text = written_json(each)
        assert len(text) < 3 << 20
        assert read_json(text, "it") == each


def test_time_is_linear_and_memory_bounded():
    hard = [
        '"' + '\\"' * 10**6,
        '"\\' * 10**6,
        '""' * 10**6,
        "\\" * 10**6,
        '{"a":"' * 10**5,
        "-" * 10**6,
        '"\\ud800",' * 10**5,
    ]
    for text in hard:
        start = time.process_time()
        tracemalloc.start()
        with pytest.raises(ModelFileError):
            read_json(text, "it")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * len(text) + 2**21
        assert time.process_time() - start < 60  # quadratic time would be hours
