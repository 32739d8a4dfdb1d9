"""Parameters written once: a field says the default, what fits and the text, from which a class is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from inspect import cleandoc
from textwrap import indent
from typing import Any, dataclass_transform

__all__ = ["parameter", "parametrized"]

_ATTRIBUTES = "Attributes\n----------\n"


def parameter(default, constraints, text, *, kw_only=True) -> Any:
    """A field of a class that is `parametrized`.

    Parameters
    ----------
    default : object
        A value that nobody changes.
    constraints : list or "no_validation"
        What fits, as in ``_parameter_constraints``.
    text : str
        What stands in the class's docstring: in its first line the types, then sentences that stand alone.
    kw_only : bool, default=True
        Whether the parameter is given by name only.
    """
    return field(default=default, kw_only=kw_only, metadata={"constraints": constraints, "text": cleandoc(text)})


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(parameter,))
def parametrized(cls):
    """Give a class the constructor, the constraints and the documentation of its parameters and those of its bases.

    In its docstring ``{parameters}`` stands for all their texts, ``{attributes}`` for the attributes of its base.  A
    subclass that has a parameter of its base anew, with another default, leaves it where it is in the order.
    """
    text = cls.__doc__ and cleandoc(cls.__doc__)
    cls = dataclass(eq=False, repr=False, match_args=False)(cls)
    cls.__init__.__annotations__ = {}  # a signature is names and defaults
    cls._parameter_constraints = {each.name: each.metadata["constraints"] for each in fields(cls)}
    if text:  # there is none with -OO
        base = next((base for base in cls.__mro__[1:] if "__dataclass_fields__" in vars(base)), object)
        attributes = cleandoc(base.__doc__ or "").partition(_ATTRIBUTES)[2]
        text = text.replace("{parameters}", "\n".join(map(_documented, fields(cls)))).replace(
            "{attributes}", attributes
        )
    cls.__doc__ = text
    return cls


def _documented(each) -> str:
    """A parameter in a docstring of numpydoc's style."""
    kind, _, text = each.metadata["text"].partition("\n")
    default = f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)
    return f"{each.name} : {kind}, default={default}\n{indent(text, '    ')}"
