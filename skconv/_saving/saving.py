"""``save`` of every estimator, and `load`."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np

from .._input.constraints import SHAPES, at_least, check_value, fitting, one_of, shown
from .._input.memory import counted

__all__ = ["SIZES", "Saveable", "load"]

_FORMS = one_of("default", "pandas", "polars")


def _are_names(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and all(isinstance(name, str) for name in value.tolist())


def _is_output_config(value):
    return isinstance(value, dict) and all(k == "transform" and _FORMS.is_satisfied_by(v) for k, v in value.items())


def _are_sizes(value):
    return isinstance(value, tuple) and 1 <= len(value) <= 3 and all(type(size) is int and size > 0 for size in value)


SIZES = fitting(_are_sizes, "a tuple of one to three ints of at least 1")


class Saveable:
    """Mixin of estimators that model files hold.

    A class names in ``_stored`` the attributes that a fit sets and a file keeps, with constraints; those that follow
    from others are set by `_restore`.
    """

    _stored: ClassVar[dict[str, list]] = {
        "n_features_in_": [at_least(1)],
        "feature_names_in_": [fitting(_are_names, "an array of names")],
        "image_shape_": [SHAPES],
        "_sklearn_output_config": [fitting(_is_output_config, 'a dict such as {"transform": "pandas"}')],
    }
    _may_lack: ClassVar[frozenset[str]] = frozenset({"feature_names_in_", "_sklearn_output_config"})

    def save(self, path):
        """Write the fitted estimator to a file, from which `skconv.load` reads it without running code.

        The file has the safetensors layout, with parameters, classes, names and shapes as JSON in its header.  A file
        of the same name is replaced as a whole, or stays as it is where anything goes wrong.

        Parameters
        ----------
        path : str or path-like
            Any name; a usual end is ``.skconv``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is of a class of your own, or ``path`` is neither a str nor a path.
        ValueError
            If a parameter is no value that a file can have, such as a function or a layer of your own.
        OSError
            If the file cannot be written.
        """
        from .model_file import write_model

        write_model(self, path)

    def _stored_state(self) -> dict[str, Any]:
        """Attributes that a file keeps, by name."""
        return {name: vars(self)[name] for name in self._stored if name in vars(self)} | _requests(self)

    def _restore(self, state):
        """Set the attributes of a file's state; raise where they do not fit."""
        requests = state.pop("metadata_requests", {})
        for name, value in state.items():
            if name not in self._stored:
                raise ValueError(f"{type(self).__name__} has no attribute {shown(name)}")
            check_value(name, value, self._stored[name])
        missing = self._stored.keys() - state.keys() - self._may_lack
        if missing:
            raise ValueError(f"{type(self).__name__} lacks the attribute {shown(min(missing))}")
        vars(self).update(state)
        if self.n_features_in_ != prod(self.image_shape_):
            raise ValueError(f"n_features_in_={self.n_features_in_} does not fit image_shape_={self.image_shape_}")
        names = state.get("feature_names_in_")
        if names is not None and len(names) != self.n_features_in_:
            raise ValueError(
                f"feature_names_in_ has {counted(len(names), 'name')} for {counted(self.n_features_in_, 'feature')}"
            )
        _set_requests(self, requests)


def _requests(estimator):
    """What `set_fit_request` and the like have set, by method and argument."""
    if "_metadata_request" not in vars(estimator):
        return {}
    routing = estimator.get_metadata_routing()
    methods = {name: getattr(each, "requests", None) for name, each in vars(routing).items()}
    return {"metadata_requests": {name: dict(found) for name, found in methods.items() if found}}


def _set_requests(estimator, requests):
    check_value("metadata_requests", requests, [dict])
    if not requests:
        return
    routing = estimator.get_metadata_routing()
    for method, found in requests.items():
        own = getattr(routing, method).requests
        for name, alias in found.items():
            if name not in own or not (alias is None or isinstance(alias, (bool, str))):
                raise ValueError(f"metadata_requests: {method} has no argument {shown(name)} with {shown(alias)}")
            getattr(routing, method).add_request(param=name, alias=alias)
    estimator._metadata_request = routing


def load(path):
    """The estimator that ``save`` has written to a file.

    A file is data: no class, function or module is imported or called because a file names it, so that files may come
    from anybody.  Everything in it is checked before it is used.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    estimator : object
        With the parameters and the attributes of the one that was saved, and the same predictions, bit for bit.

    Raises
    ------
    ModelFileError
        If the file is damaged, holds something else, or comes from a newer version, whose number the message has.
    OSError
        If the file cannot be opened or read.
    TypeError
        If ``path`` is neither a str nor a path.

    Examples
    --------
    >>> import os, tempfile
    >>> import skconv
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = skconv.ConvNetClassifier(max_iter=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "digits.skconv")
    ...     model.save(path)
    ...     loaded = skconv.load(path)
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    from .model_file import read_model

    return read_model(path)
