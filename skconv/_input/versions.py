"""Pickles with the version that made them, and a warning of what has changed since."""

from __future__ import annotations

from inspect import Parameter, signature

from sklearn.exceptions import InconsistentVersionWarning

from .constraints import shown
from .warnings import warn

__all__ = ["InconsistentPickleWarning", "Versioned", "__version__"]

__version__ = "0.1.0"

_KEY, _UNKNOWN = "_skconv_version", "unknown"


class InconsistentPickleWarning(InconsistentVersionWarning):
    """scikit-learn's warning, with skconv's versions and sentences on the parameters that differ."""

    def __init__(self, name, current, original, changes):
        super().__init__(estimator_name=name, current_sklearn_version=current, original_sklearn_version=original)
        self.changes = changes

    def __str__(self):
        return " ".join(
            [
                f"Trying to unpickle {self.estimator_name} from version {self.original_sklearn_version} when using "
                f"version {self.current_sklearn_version} of skconv. This might lead to breaking code or invalid "
                "results. Use at your own risk.",
                *self.changes,
            ]
        )


class Versioned:
    """Mixin of objects that warn when they are unpickled from another version, and have this version's parameters.

    A parameter that the pickle lacks has its default, and the warning names it.
    """

    _within_model = False  # whether the object is part of a model, which warns of the version: then only changes warn

    def __getstate__(self):
        return {**(super().__getstate__() or {}), _KEY: __version__}

    def __setstate__(self, state):
        state = dict(state or {})
        original, name = state.pop(_KEY, _UNKNOWN), type(self).__name__
        later, changes = _parameters_since(type(self), state, original != __version__)
        self.__dict__.update(state | later)
        if changes or (original != __version__ and not self._within_model):
            warn(InconsistentPickleWarning(name, __version__, original, changes))


def _parameters_since(kind, state, other_version):
    """Defaults of the parameters that a state lacks, and sentences on these and on parameters that were removed."""
    if not hasattr(kind, "_get_param_names"):
        return {}, []
    # Parsing the signature of `object.__init__`, which is text, leaves 50 kB of garbage.
    now = {} if kind.__init__ is object.__init__ else signature(kind.__init__).parameters
    later, changes = {}, []
    for name in kind._get_param_names():
        if name not in state:
            if now[name].default is Parameter.empty:
                raise ValueError(f"the pickle of {kind.__name__} has no parameter '{name}', which has no default")
            later[name] = now[name].default
    if later:
        changes.append(f"It lacks {', '.join(f'{name}, taken as {shown(value)}' for name, value in later.items())}.")
    gone = [name for name in state if not (name in now or name[0] == "_" or name[-1] == "_")] if other_version else []
    if gone:
        changes.append(f"No longer known, and without effect: {', '.join(f'{n}={shown(state[n])}' for n in gone)}.")
    return later, changes
