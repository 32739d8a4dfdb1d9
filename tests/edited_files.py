"""Model files whose description or arrays are changed, with nothing else damaged."""

import json

import pytest

import skconv
from skconv._files.errors import ModelFileError
from skconv._files.safetensors import read_arrays, write_arrays

GONE = object()


def rewritten(path, change):
    """Write a file again after ``change(config, arrays)``."""
    arrays, metadata = read_arrays(path)
    config = json.loads(metadata["skconv"])
    change(config, arrays)
    write_arrays(path, arrays, {"skconv": json.dumps(config)})


def setting(place, value):
    """A change that sets, or with ``GONE`` removes, what is at a place such as "model.state.best"."""

    def change(config, _):
        *path, last = place.split(".")
        for name in path:
            config = config[int(name) if isinstance(config, list) else name]
        if value is GONE:
            del config[last]
        else:
            config[int(last) if isinstance(config, list) else last] = value

    return change


def array(name, value):
    """A change that sets, or with ``GONE`` removes, an array."""

    def change(_, arrays):
        arrays.pop(name) if value is GONE else arrays.__setitem__(name, value)

    return change


def both(*changes):
    """Several changes, one after the other."""

    def change(config, arrays):
        for each in changes:
            each(config, arrays)

    return change


def assert_refused(model, folder, change, match):
    """Raise unless the changed file of a model is refused with a message that matches and names the file."""
    path = folder / "model.skconv"
    model.save(path)
    rewritten(path, change)
    with pytest.raises(ModelFileError, match=match) as caught:
        skconv.load(path)
    assert str(caught.value).startswith(f"{path}: ")
