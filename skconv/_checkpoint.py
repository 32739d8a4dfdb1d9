"""Checkpoints: one file with arrays and JSON, written at once or not at all, and read without running code."""

from __future__ import annotations

import json
import os
import zipfile
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from ._validation import InvalidParameterError

__all__ = ["Checkpoint", "fingerprint", "read", "write"]

_WITHOUT_EFFECT = {"checkpoint", "checkpoint_every", "callback", "verbose", "n_jobs"}
_SAMPLED = 1 << 26  # bytes of X that are looked at; of larger data, rows at equal distances


def fingerprint(parameters, version, *arrays) -> str:
    """A name for parameters (anything with a repr) and data; other parameters or data have another name.

    Of an array larger than 64 MiB, rows at equal distances are looked at.
    """
    digest = blake2b(digest_size=12)
    digest.update(repr((version, sorted(parameters.items()))).encode())
    for array in arrays:
        shape = tuple(array.shape)
        step = max(1, -(-int(np.prod(shape)) * array.dtype.itemsize // _SAMPLED))
        digest.update(repr((shape, str(array.dtype), step)).encode())
        rows = array[np.arange(0, shape[0], step)] if shape else array
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()


def write(path, arrays, values):
    """Replace the file at ``path``: whoever reads sees the old one or the new one, whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(values).encode(), np.uint8)
    with NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".part", delete=False) as file:
        try:
            np.savez(file, **arrays, json=text)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def read(path):
    """``(arrays, values)`` of the file at ``path``, or None where there is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            return arrays, json.loads(arrays.pop("json").tobytes())
    except FileNotFoundError:
        return None
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
        raise ValueError(f"checkpoint: {path} cannot be read ({error}); remove it to train from the start") from error


class Checkpoint:
    """The file of one fit: found again by the same parameters on the same data.

    Parameters
    ----------
    estimator : BaseConvNet
    seed : int
        Drawn from its `random_state`, which may be an object.
    *data : ndarray
        What the fit depends on: samples, targets, weights, validation data.
    """

    def __init__(self, estimator, seed, *data):
        if estimator.random_state is None:
            raise InvalidParameterError(
                "checkpoint needs a random_state that can be found again, got random_state=None; use an integer"
            )
        parameters = {k: v for k, v in estimator.get_params(deep=False).items() if k not in _WITHOUT_EFFECT}
        for name in ("initial_weights",):
            given = parameters.pop(name)
            if given is not None:
                parameters[name] = fingerprint({}, "", *(np.asarray(given[key]) for key in sorted(given)))
        from . import __version__

        kind = type(estimator).__name__
        name = fingerprint({**parameters, "random_state": seed}, (kind, __version__), *data)
        self.path = Path(estimator.checkpoint) / f"{kind.lower()}-{name}.npz"
        self.every = estimator.checkpoint_every

    def resume(self, run):
        """Bring a run to where the file is, if there is one."""
        found = read(self.path)
        if found is not None:
            arrays, values = found
            run.set_state(arrays, values)
            run.trainer.session.set_random_state(arrays["random"])

    def __call__(self, run):
        """Write the state of a run, every so many epochs and at the end."""
        if run.epoch % self.every == 0 or run.stopped or run.epoch == run.n_epochs:
            arrays, values = run.state()
            write(self.path, {**arrays, "random": run.trainer.session.random_state()}, values)
