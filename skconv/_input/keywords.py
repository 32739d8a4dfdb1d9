"""Errors of constructors: a keyword that a class does not know may be another library's word for one that it has."""

from __future__ import annotations

from functools import wraps
from inspect import signature

from .hints import keyword_meant

__all__ = ["Hinted", "hinted"]


class Hinted:
    """Mixin of classes whose constructors say which keyword was meant in place of an unknown one."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = hinted(cls.__init__)


def hinted(init):
    """Constructor that does what ``init`` does, and adds to the error of an unknown keyword the one that was meant."""

    @wraps(init)
    def constructor(self, *args, **kwargs):
        try:
            init(self, *args, **kwargs)
        except TypeError as error:
            names = list(signature(init).parameters)[1:]
            unknown = [word for word in kwargs if word not in names]
            meant = keyword_meant(unknown[0], names) if unknown else None
            if meant is None:
                raise
            message = str(error).partition(". Did you mean")[0]  # Python 3.13 guesses too, by spelling alone
            raise TypeError(f"{message}; did you mean {meant}?") from None

    return constructor
