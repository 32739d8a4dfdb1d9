"""Parameters of a class as fields with default, constraints and documentation."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from inspect import cleandoc
from textwrap import indent
from typing import Any, dataclass_transform

from .keywords import hinted

__all__ = ["parameter", "parametrized"]

_ATTRIBUTES = "Attributes\n----------\n"


def parameter(default, constraints, text, *, kw_only=True) -> Any:
    """A field of a class that is `parametrized`.

    Parameters
    ----------
    default : object
        An immutable value.
    constraints : list or "no_validation"
        Constraints as in ``_parameter_constraints``.
    text : str
        Entry of the class's docstring: the types in the first line, then the description.
    kw_only : bool, default=True
        Whether the parameter is keyword-only.
    """
    return field(default=default, kw_only=kw_only, metadata={"constraints": constraints, "text": cleandoc(text)})


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(parameter,))
def parametrized(cls):
    """Class decorator that makes constructor, constraints and documentation of all parameters, inherited ones too.

    In the docstring ``{parameters}`` stands for the texts of all parameters, ``{attributes}`` for the attributes of the
    base class.  A parameter that a subclass defines again keeps its place in the order.
    """
    text = cls.__doc__ and cleandoc(cls.__doc__)
    cls = dataclass(eq=False, repr=False, match_args=False)(cls)
    cls.__init__.__annotations__ = {}  # so that signatures show names and defaults only
    cls.__init__ = hinted(cls.__init__)
    cls._parameter_constraints = {each.name: each.metadata["constraints"] for each in fields(cls)}
    if text:  # `python -OO` has no docstrings
        base = next((base for base in cls.__mro__[1:] if "__dataclass_fields__" in vars(base)), object)
        attributes = cleandoc(base.__doc__ or "").partition(_ATTRIBUTES)[2]
        text = text.replace("{parameters}", "\n".join(map(_documented, fields(cls)))).replace(
            "{attributes}", attributes
        )
    cls.__doc__ = text
    return cls


def _documented(each) -> str:
    """Entry of a parameter in a numpydoc docstring."""
    kind, _, text = each.metadata["text"].partition("\n")
    default = f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)
    return f"{each.name} : {kind}, default={default}\n{indent(text, '    ')}"
