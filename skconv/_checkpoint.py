"""Checkpoints: one file with arrays and JSON, written at once or not at all, and read without running code."""

from __future__ import annotations

import json
import os
import re
from hashlib import blake2b
from pathlib import Path
from tempfile import mkstemp
from types import CodeType, FunctionType

import numpy as np

from ._sources import LazyRows
from ._validation import InvalidParameterError

__all__ = ["Checkpoint", "check_checkpoint", "fingerprint", "plain", "read", "write"]

_WITHOUT_EFFECT = {"checkpoint", "checkpoint_every", "callback", "verbose", "n_jobs", "random_state", "initial_weights"}
_LEARNED = ("classes_", "target_mean_", "target_scale_")  # what the encoded targets, which are looked at, do not tell
_SAMPLED = 1 << 26  # bytes of an array in storage that are looked at


def plain(value, within=()):
    """Numbers, strings and tuples that stand for an object, the same in every process: nothing has an address.

    A function stands for its name, and for its code where it cannot be imported by that; an estimator for its class and
    its parameters.
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
    if hasattr(value, "get_params"):
        return plain(type(value)), plain(value.get_params(deep=False), within)
    if hasattr(value, "cell_contents"):
        return plain(value.cell_contents, within)
    try:
        return plain(value.__reduce_ex__(4), within)
    except TypeError:
        return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))


def fingerprint(values, *arrays) -> str:
    """A name for values (anything with a repr) and arrays; others have another name.

    Of an array in storage larger than 64 MiB, rows at equal distances are looked at.
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
    """Replace the file at ``path``: whoever reads sees the old one or the new one, whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(values).encode(), np.uint8)
    handle, name = mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with open(handle, "wb") as file:
            np.savez(file, **arrays, json=text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read(path):
    """``(arrays, values)`` of the file at ``path``, or None where there is none."""
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            return arrays, json.loads(arrays.pop("json").tobytes())
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever may be in a file
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    return ValueError(f"checkpoint: {path} cannot be read ({error!r}); remove it to train from the start")


def check_checkpoint(estimator):
    """Raise where a fit could not be found again."""
    if estimator.checkpoint is not None and estimator.random_state is None:
        raise InvalidParameterError(
            "checkpoint needs a random_state that can be found again, got random_state=None; use an integer"
        )


class Checkpoint:
    """The file of one fit: found again by the same parameters on the same data.

    Parameters
    ----------
    estimator : BaseConvNet
    trainer : Trainer
        At its start; its seed stands for the estimator's `random_state`, which may be an object.
    *data : ndarray
        What the fit depends on: samples, encoded targets, weights, validation data.
    """

    def __init__(self, estimator, trainer, *data):
        from . import __version__

        kind, network = type(estimator), trainer.network
        parameters = {k: v for k, v in estimator.get_params(deep=False).items() if k not in _WITHOUT_EFFECT}
        learned = {name: getattr(estimator, name, None) for name in _LEARNED}
        values = plain((kind, __version__, parameters, learned, trainer.seed, network.input_shape))
        name = fingerprint(values, network.parameters, network.state, *data)
        self.path = Path(estimator.checkpoint) / f"{kind.__name__.lower()}-{name}.npz"
        self.every = estimator.checkpoint_every

    def resume(self, run):
        """Bring a run to where the file is, if there is one."""
        found = read(self.path)
        if found is None:
            return
        try:
            arrays, values = found
            run.set_state(arrays, values)
            run.trainer.session.set_random_state(arrays["random"])
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(self.path, error) from error

    def __call__(self, run):
        """Write the state of a run, every so many epochs and at the end."""
        if run.epoch % self.every == 0 or run.over:
            arrays, values = run.state()
            write(self.path, {**arrays, "random": run.trainer.session.random_state()}, values)
