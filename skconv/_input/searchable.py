"""Lists of objects whose parameters are found, set and searched by name: ``layers__convolution1__filters``."""

from __future__ import annotations

from functools import reduce
from operator import getitem

from sklearn.base import clone

from .constraints import shown

__all__ = ["Searchable"]


class Searchable:
    """Mixin of estimators with parameters that are lists of objects.

    `set_params` never changes an object in a list: it replaces the list by one with a changed copy.
    """

    def _places(self) -> dict[str, tuple]:
        """The place of each object by its name, such as ``{"layers__convolution1": ("layers", 0)}``."""
        raise NotImplementedError

    def _at(self, place):
        """The object at a place."""
        return reduce(getitem, place[1:], getattr(self, place[0]))

    def get_params(self, deep=True):
        """Parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the objects in lists and the parameters of all objects.

        Returns
        -------
        dict
        """
        params = super().get_params(deep=deep)
        for name, place in self._places().items() if deep else ():
            params[name] = part = self._at(place)
            if _has_parameters(part):
                params |= {f"{name}__{key}": value for key, value in part.get_params().items()}
        return params

    def set_params(self, **params):
        """Set parameters by the names of `get_params`.

        Parameters
        ----------
        **params : object

        Returns
        -------
        self : estimator
        """
        for name in sorted(params, key=lambda name: name.count("__")):  # an object before its parameters
            self._set(name, params[name])
        return self

    def _set(self, name, value):
        places = self._places()
        for known, place in places.items():
            own = name.removeprefix(known).removeprefix("__")
            if name in (known, f"{known}__{own}") and (not own or _has_parameters(self._at(place))):
                new = clone(self._at(place)).set_params(**{own: value}) if own else value
                setattr(self, place[0], _replaced(getattr(self, place[0]), place[1:], new))
                return
        head, deep, _ = name.partition("__")
        if deep and head in self._get_param_names() and not _has_parameters(getattr(self, head)):
            valid = [known for known in places if known.startswith(f"{head}__")] or [head]
            raise ValueError(
                f"Invalid parameter {shown(name)} for estimator {shown(self)}. Valid parameters are: {shown(valid)}."
            )
        super().set_params(**{name: value})


def _has_parameters(part) -> bool:
    """Whether ``part`` is an object, not a class, with parameters of its own."""
    return hasattr(part, "get_params") and not isinstance(part, type)


def _replaced(value, place, new):
    """A copy of nested lists or tuples with ``new`` at the index ``place``."""
    if not place:
        return new
    entries = list(value)
    entries[place[0]] = _replaced(entries[place[0]], place[1:], new)
    return type(value)(entries)
