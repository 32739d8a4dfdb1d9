"""Checkpoints: a file of arrays and JSON, replaced atomically and read without running code."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import CodeType, FunctionType

import numpy as np
from sklearn.base import BaseEstimator

from .._files.atomic import replace_file
from .._input.constraints import InvalidParameterError, at_least, check_arguments, shown
from .._input.keywords import Hinted
from .._input.memory import counted
from .._input.rows import LazyRows
from .._input.versions import Versioned, __version__
from ..layers import activation_functions, activation_objects, padding_modes

__all__ = ["Checkpoint"]

_WITHOUT_EFFECT = {"checkpoint", "callback", "verbose", "n_jobs", "random_state", "initial_weights"}
_LEARNED = ("classes_", "target_mean_", "target_scale_")  # attributes that the encoded targets do not determine
_BEST = {"best_parameters": "parameters", "best_state": "state"}  # arrays that exist after a score: arrays like them
_TRIES = 3
_NAMED = (  # objects that names stand for, and what finds the name
    (padding_modes.PaddingMode, padding_modes.name_of),
    (activation_objects.ActivationFunction, activation_functions.name_of),
)
_SAMPLED = 1 << 26  # bytes of an array in storage that its fingerprint reads


def plain(value, within=()):
    """Nested tuples of strings that identify an object, the same in every process: without addresses.

    A function is identified by its name, and by its code where it cannot be imported by name; an estimator by its class
    and its parameters, a padding mode or an activation function that has a name by that.  ``within`` has the ids of the
    objects around this one.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, os.PathLike)):
        return repr(value)
    if id(value) in within:
        return "within itself"
    within = (*within, id(value))
    if isinstance(value, (type, FunctionType)):
        inside = isinstance(value, FunctionType) and (value.__module__ == "__main__" or "<" in value.__qualname__)
        parts = (value.__code__, value.__defaults__, value.__closure__) if inside else ()
        return value.__module__, value.__qualname__, *(plain(part, within) for part in parts)
    if isinstance(value, CodeType):
        return value.co_code.hex(), value.co_names, plain(value.co_consts, within)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return fingerprint((), value)
    if isinstance(value, dict):
        return "dict", *sorted(((plain(k, within), plain(v, within)) for k, v in value.items()), key=repr)
    if isinstance(value, (set, frozenset)):
        return "set", *sorted((plain(entry, within) for entry in value), key=repr)
    if isinstance(value, (list, tuple)):
        return tuple(plain(entry, within) for entry in value)
    for kind, name_of in _NAMED:
        if isinstance(value, kind) and (name := name_of(value)) is not None:
            return plain(name)
    if hasattr(value, "get_params"):
        return plain(type(value)), plain(value.get_params(deep=False), within)
    if hasattr(value, "cell_contents"):
        return plain(value.cell_contents, within)
    try:
        return plain(value.__reduce_ex__(4), within)
    except TypeError:
        return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))


def fingerprint(values, *arrays) -> str:
    """Hash, as a hexadecimal string, of values (anything with a repr) and arrays.

    Of an array in storage larger than 64 MiB, only rows at equal distances are read.
    """
    digest = blake2b(repr(values).encode(), digest_size=12)
    for array in arrays:
        shape, step = tuple(array.shape), 1
        if isinstance(array, LazyRows):
            step = max(1, -(-array.nbytes // _SAMPLED))
            array = array[np.arange(0, shape[0], step)]
        digest.update(repr((shape, str(array.dtype), step)).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write(path, arrays, values):
    """Replace the file at ``path`` atomically: readers find the old file or the new one, whole."""
    path, text = Path(path), np.frombuffer(json.dumps(values).encode(), np.uint8)
    for _ in range(_TRIES):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return replace_file(path, lambda file: np.savez(file, **arrays, json=text))
        except FileNotFoundError as error:  # the same fit, started in another process, has removed the part
            reason: OSError = error
        except OSError as error:
            reason = error
            break
    what = f"checkpoint cannot be written ({reason.strerror or reason})"
    raise OSError(reason.errno, what, str(path)) from reason


def remove_parts(path):
    """Remove temporary files beside ``path`` of fits that were killed while writing."""
    for part in path.parent.glob(f"{path.stem}*.part"):
        with suppress(OSError):
            os.unlink(part)


def read(path):
    """``(arrays, values)`` of the file at ``path``, or None where there is none."""
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            return arrays, json.loads(arrays.pop("json").tobytes())
    except FileNotFoundError:
        return None
    except Exception as error:  # a file may hold anything
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    return ValueError(f"checkpoint: {path} cannot be read ({error}); remove it to train from the start")


class Checkpoint(Hinted, Versioned, BaseEstimator):
    """Directory and interval at which the state of a training is written.

    Parameters
    ----------
    path : str or path
        Directory of the files, created if it is missing.
    every : int, default=1
        Number of epochs from one checkpoint to the next.

    Examples
    --------
    >>> from skconv import ConvNetClassifier
    >>> from skconv.training import Checkpoint
    >>> model = ConvNetClassifier(checkpoint=Checkpoint("runs", every=5), random_state=0)
    """

    _parameter_constraints: dict = {"path": [str, os.PathLike], "every": [at_least(1)]}
    _within_model = True

    def __init__(self, path, every=1):
        self.path = path
        self.every = every


def checkpoint_of(estimator):
    """The `Checkpoint` of an estimator, or None; raises where a file could not be identified again or written."""
    given = estimator.checkpoint
    if given is None:
        return None
    checkpoint = given if isinstance(given, Checkpoint) else Checkpoint(given)
    check_arguments(checkpoint)
    if estimator.random_state is None:
        raise InvalidParameterError(
            "checkpoint needs a random_state that can be found again, got random_state=None; use an integer"
        )
    if not os.fspath(checkpoint.path):
        raise InvalidParameterError("checkpoint must be a directory, got ''; '.' is the one that Python runs in")
    path = Path(checkpoint.path)
    there = next((str(folder) for folder in (path, *path.parents) if os.path.exists(folder)), "")
    if there and not os.path.isdir(there):
        what = f"{shown(str(path))}, and {shown(there)} is a file"
        raise InvalidParameterError(f"checkpoint must be a directory, got {what}")
    return checkpoint


class CheckpointFile:
    """The file of one fit, named by a hash of the estimator's parameters and the data.

    Parameters
    ----------
    checkpoint : Checkpoint
    estimator : BaseConvNet
    trainer : Trainer
        Trainer before its first step; its seed represents the estimator's `random_state`, which may be an object.
    *data : ndarray
        Samples, encoded targets, weights and validation data of the fit.
    """

    def __init__(self, checkpoint, estimator, trainer, *data):
        kind, network = type(estimator), trainer.network
        parameters = {k: v for k, v in estimator.get_params(deep=False).items() if k not in _WITHOUT_EFFECT}
        learned = {name: getattr(estimator, name, None) for name in _LEARNED}
        values = plain((kind, __version__, parameters, learned, trainer.seed, network.input_shape))
        name = fingerprint(values, network.parameters, network.state, *(network.moments or ()), *data)
        self.path = Path(checkpoint.path) / f"{kind.__name__.lower()}-{name}.npz"
        self.every = checkpoint.every

    def resume(self, run):
        """Set a run to the state in the file, if there is one; write the file, which shows that it can be written."""
        found = read(self.path)
        if found is not None:
            try:
                arrays, values = found
                check_state(arrays, values, run, self._state(run))
                run.set_state(arrays, values)
                run.trainer.session.set_random_state(arrays["random"])
            except (KeyError, TypeError, ValueError) as error:
                raise _unreadable(self.path, error) from error
        remove_parts(self.path)
        if not run.over:
            write(self.path, *self._state(run))

    def __call__(self, run):
        """Write the state of a run, every ``every`` epochs and at the end."""
        if run.epoch % self.every == 0 or run.over:
            write(self.path, *self._state(run))

    def _state(self, run):
        arrays, values = run.state()
        return {**arrays, "random": run.trainer.session.random_state()}, values


def check_state(arrays, values, run, own):
    """Raise ValueError where arrays and values cannot be a state of ``run``, whose state at the start is ``own``."""
    own_arrays, own_values = own
    _check_arrays(arrays, own_arrays)
    _check_alike("the state", values, own_values)
    epoch, history = values["epoch"], values["history"]
    if (
        not 0 <= epoch <= epoch + values["skipped"] <= run.planned
        or values["updates"] < 0
        or values["seed"] != own_values["seed"]
    ):
        raise ValueError(
            f"epoch must be in 0 to {run.planned}, those skipped included, updates at least 0 and seed "
            f"{own_values['seed']}, got {epoch} and {values['skipped']}, {values['updates']} and {values['seed']}"
        )
    validated = epoch if run.validate is not None else 0
    for name, length in {"loss": epoch, "validation_loss": validated, "scores": validated}.items():
        if len(history[name]) != length:
            raise ValueError(
                f"{name} must have {counted(length, 'number')} after {counted(epoch, 'epoch')}, got "
                f"{len(history[name])}"
            )
    if not min(0, validated - 1) <= history["best"] < max(0, validated):
        raise ValueError(f"best must be the number of one of {counted(validated, 'score')}, got {history['best']}")
    if not np.isfinite(history["loss"]).all():
        raise ValueError(f"loss must be finite, got {shown(history['loss'])}")


def _check_arrays(arrays, own):
    """Raise where names, shapes or dtypes differ from those of ``own``, or a number is not finite."""
    best = {name: own[like] for name, like in _BEST.items()}
    own = own | (best if best.keys() & arrays.keys() else {})
    if arrays.keys() != own.keys():
        raise ValueError(f"it must have the arrays {sorted(own)}, got {sorted(arrays)}")
    for name, found in arrays.items():
        wanted = np.asarray(own[name])
        if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
            raise ValueError(
                f"{name} must have shape {wanted.shape} and dtype {wanted.dtype}, got {found.shape} and {found.dtype}"
            )
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ValueError(f"{name} has NaN or infinity")
        if found.dtype.kind == "i" and (found < 0).any():
            raise ValueError(f"{name} must be at least 0, got {shown(found.tolist())}")


def _check_alike(name, found, own):
    """Raise where a value of JSON does not have the type of ``own``, or is a NaN outside of a list."""
    if isinstance(own, dict):
        if not isinstance(found, dict) or found.keys() != own.keys():
            raise ValueError(f"{name} must have {sorted(own)}, got {shown(found)}")
        for key, value in own.items():
            _check_alike(key, found[key], value)
    elif isinstance(own, list):
        if not isinstance(found, list) or not all(type(number) in (int, float) for number in found):
            raise ValueError(f"{name} must be a list of numbers, got {shown(found)}")
    else:
        kinds = (int, float) if isinstance(own, float) else (type(own),)
        if type(found) not in kinds or found != found:
            raise ValueError(f"{name} must be of type {type(own).__name__}, got {shown(found)}")
