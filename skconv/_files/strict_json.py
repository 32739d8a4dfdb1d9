"""JSON without its loose ends: no duplicate keys, no NaN, no deep nesting, no giant numbers."""

from __future__ import annotations

import json
import re

from .._input.constraints import shown
from .errors import ModelFileError

__all__ = ["read_json", "written_json"]

_DEEPEST = 32  # most arrays and objects within each other; what layers within layers cost doubles with each level
_LONGEST = 400  # most characters of a number: 1e308 as an integer has 309
_MOST = 400_000  # values, which take up to 80 bytes each: 10,000 classes with weights take 220,000
_LONG = 1 << 20  # most bytes of a text that is not ASCII, whose characters may take four times the memory

# A string or a mark.  A string never goes back over its characters, so that the time is linear.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{},:]', re.S)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(data, what):
    """The value that bytes or a text of JSON stand for.

    Parameters
    ----------
    data : bytes or str
    what : str
        What messages call the text.

    Raises
    ------
    ModelFileError
        If the text is no JSON, or has duplicate keys, NaN, infinity, a number of more than 400 characters, more than
        32 levels, more than 400,000 values, or halves of characters.
    """
    try:
        text = data if isinstance(data, str) else _decoded(data)
        del data  # bytes that nobody else has are freed
        _check_structure(text)
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_refuse
        )
        if _SURROGATE.search(text):
            _check_texts(value)
        return value
    except UnicodeError as error:
        raise ModelFileError(f"{what} has what is no character in UTF-8: {error.reason}") from None
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{what} is no JSON that a model file may have: {error}") from None


def written_json(value) -> str:
    """The text, of ASCII characters, that `read_json` reads back; raises ValueError where it would not."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    _check_structure(text)
    return text


def _decoded(data):
    if len(data) > _LONG and not data.isascii():
        raise ValueError(f"more than {_LONG:,} bytes must all be ASCII")
    return data.decode()


def _check_structure(text):
    """Raise where there are too many levels or values, before there is an object for any of them."""
    depth, n = 0, 0
    for token in _TOKEN.finditer(text):
        mark = text[token.start()]
        depth += (mark in "[{") - (mark in "]}")
        n += (mark in "[{,:") + (mark == ":")  # a key counts twice, for what an object takes
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} levels of nesting")
        if n > _MOST:
            raise ValueError(f"more than {_MOST:,} values")


def _check_texts(value):
    """Raise where a text has halves of characters."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, (dict, list)):
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_texts(each)


def _object(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {shown(twice)} twice in one object")
    return found


def _integer(text):
    if len(text) > _LONGEST:
        raise ValueError(f"a number of {len(text):,} characters, more than {_LONGEST}")
    return int(text)


def _float(text):
    if len(text) > _LONGEST:
        raise ValueError(f"a number of {len(text):,} characters, more than {_LONGEST}")
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"the number {text}, beyond the range of floats")
    return number


def _refuse(text):
    raise ValueError(f"{text}, which JSON does not have")
