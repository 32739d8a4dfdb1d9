"""Samples from ``.csv`` files whose first line has the names of the columns."""

from __future__ import annotations

import csv

import numpy as np

from .._input.constraints import shown
from .._input.memory import counted
from .errors import FileError

__all__ = ["read_columns"]

_TARGETS = ("y", "target", "label", "class")  # names that are taken for the target where none is given


def read_columns(path, target, features, labelled):
    """Numbers (n, features), targets (n,) or None, and the names of the features.

    Parameters
    ----------
    path : Path
    target : str or None
        Column of the targets; None is the only one with a name such as "target".
    features : list of str or None
        Columns of the features, in this order; None is all others.
    labelled : bool
        Whether targets are needed.
    """
    header, rows = _read(path)
    if labelled:
        target = _target_of(header, target, path)
    elif target is not None and target not in header:
        raise FileError(f"{path} has no column {shown(target)}; it has {_list(header)}")
    names = [name for name in header if name != target] if features is None else list(features)
    missing = [name for name in names if name not in header]
    if missing:
        raise FileError(f"{path} lacks {_list(missing)}, on which the model was trained; it has {_list(header)}")
    places = [header.index(name) for name in names]
    X = np.array([[_number(row[i], path, header[i], line) for i in places] for line, row in rows])
    y = _targets([(line, row[header.index(target)]) for line, row in rows], path, target) if labelled else None
    return X, y, names


def _read(path):
    """Names of the columns, and ``(number of the line, texts)`` of each row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header, *rows = [(reader.line_num, row) for row in reader if row] or [(0, [])]
    except (csv.Error, UnicodeDecodeError) as error:
        raise FileError(f"{path} is no .csv file in UTF-8: {error}") from None
    header = header[1]
    if not rows:
        raise FileError(f"{path} needs a line with the names of the columns, and lines of numbers")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise FileError(f"{path} has two columns called {shown(twice[0])}")
    for line, row in rows:
        if len(row) != len(header):
            raise FileError(f"{path} has {counted(len(header), 'column')}, but line {line} has {len(row)}")
    return header, rows


def _target_of(header, target, path):
    """Name of the column of targets."""
    if target in header:
        return target
    found = [name for name in header if name.lower() in _TARGETS] if target is None else []
    if len(found) == 1:
        return found[0]
    if found:
        raise FileError(f"{path} has {' and '.join(map(shown, found))}: name the target by --target")
    wanted = " or ".join(map(shown, [target] if target else _TARGETS))
    raise FileError(f"{path} has no column {wanted}: name one by --target; it has {_list(header)}")


def _list(names):
    """At most ten names, for a message."""
    return ", ".join(map(shown, names[:10])) + ", ..." * (len(names) > 10)


def _number(text, path, column, line):
    try:
        return float(text)
    except ValueError:
        raise FileError(f"{path} must have numbers, got {shown(text)} in column {shown(column)}, line {line}") from None


def _targets(texts, path, target):
    """Whole numbers, else real numbers, else strings."""
    for line, text in texts:
        if not text.strip():
            raise FileError(f"{path} has no target in column {shown(target)}, line {line}")
    values = [text for _, text in texts]
    for kind in (int, float):
        try:
            return np.array([kind(text) for text in values])
        except ValueError:
            continue
    return np.array(values)
