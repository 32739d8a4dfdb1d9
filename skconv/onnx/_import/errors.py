"""The error of what an import cannot do."""

from __future__ import annotations

__all__ = ["Unsupported"]


class Unsupported(ValueError):
    """A form of an operator that has no counterpart among the layers; the interpreter adds the node's name."""
