"""Model files: a description of an estimator as JSON, and its arrays.

`saving` imports this module, and with it what reads and writes files, only where a model is saved or loaded.
"""

from __future__ import annotations

import numpy as np
import scipy
import sklearn
from sklearn.utils.validation import check_is_fitted

from .._files.errors import ModelFileError
from .._files.paths import path_text
from .._files.safetensors import ArrayFile, write_arrays
from .._files.strict_json import read_json, written_json
from .._input.constraints import check_parameters, shown
from .._input.errstate import quiet
from .._input.versions import __version__
from .classes import ESTIMATORS
from .decode import Decoder
from .encode import writable_estimator

__all__ = ["read_model", "write_model"]

_FORMAT = 1
_KEY = "skconv"  # of the metadata of a file


def write_model(estimator, path):
    """What the method ``save`` of an estimator does."""
    path = path_text(path)
    check_is_fitted(estimator, "image_shape_")
    name = type(estimator).__name__
    if ESTIMATORS.get(name) is not type(estimator):
        raise TypeError(
            f"{name} is a class of your own, which skconv.load could not find; save an estimator of skconv, or use "
            "pickle"
        )
    check_parameters(estimator)
    arrays: dict[str, np.ndarray] = {}
    versions = {"skconv": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    config = {
        "format": _FORMAT,
        "versions": {**versions, "scikit-learn": sklearn.__version__},
        "model": writable_estimator(estimator, "", arrays),
    }
    write_arrays(path, arrays, {_KEY: written_json(config)})


def read_model(path):
    """What `skconv.load` does."""
    with ArrayFile(path) as file, quiet():
        text = file.metadata.get(_KEY)
        if text is None:
            raise ModelFileError("it holds arrays, but no model of skconv")
        try:
            return _model(file, read_json(text, "its description of the model"))
        except (ModelFileError, OSError):
            raise
        except Exception as error:  # a file may hold anything
            raise ModelFileError(f"it holds no model that skconv can have saved: {error}") from error


def _model(file, config):
    if not isinstance(config, dict) or type(config.get("format")) is not int:
        raise ModelFileError("its description of the model has no format")
    versions = config.get("versions")
    version = versions.get("skconv") if isinstance(versions, dict) else None
    if config["format"] != _FORMAT:
        raise ModelFileError(
            f"it is of format {config['format']}, from skconv {shown(version)}, but skconv {__version__} reads format "
            f"{_FORMAT}"
        )
    if config.keys() != {"format", "versions", "model"} or not isinstance(version, str):
        raise ModelFileError(f"its description must have versions and a model, got {shown(sorted(config))}")
    decoder = Decoder(file, version)
    model = decoder.value(config["model"], "the model")
    if type(model) not in ESTIMATORS.values():
        raise ModelFileError(f"it holds {shown(model)}, which is no estimator")
    if decoder.unread:
        raise ModelFileError(f"the model has no array {shown(min(decoder.unread))}")
    return model
