"""Paths that users give."""

from __future__ import annotations

import os

from .._input.constraints import shown

__all__ = ["path_text"]


def path_text(value, name="path") -> str:
    """The text of a path; raises with the argument's name where it is neither a text nor a path, or no file's name."""
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str or a path such as pathlib.Path, got {shown(value)}")
    if not text or "\0" in text:
        raise ValueError(f"{name} must be the name of a file, got {shown(value)}")
    return text
