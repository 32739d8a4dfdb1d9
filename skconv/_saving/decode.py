"""Values from the JSON and the arrays of a model file, checked one by one."""

from __future__ import annotations

from inspect import Parameter, signature
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from .._files.errors import ModelFileError
from .._input.constraints import check_arguments, check_parameters, shown
from .._input.versions import __version__
from .._network.network import Network
from .._network.pretrained import PretrainedNetwork
from .classes import ESTIMATORS, FUNCTIONS, PARTS
from .encode import TEXTS, parameters_of

__all__ = ["Decoder"]

_SCALARS = (bool, int, float, str)
_FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_NUMBERS = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
)
_MT19937 = 624  # numbers of the generator's state


class Decoder:
    """Makes the values of one model file.

    Parameters
    ----------
    file : ArrayFile
    version : str
        skconv's version that wrote the file.

    Attributes
    ----------
    unread : set of str
        Names of the arrays that no value has had yet; each belongs to one value.
    """

    def __init__(self, file, version):
        self.file, self.version = file, version
        self.unread = set(file.specs)

    def value(self, node, place):
        """The value that ``node`` of JSON stands for; messages call it ``place``."""
        if node is None or type(node) in _SCALARS:
            return node
        if isinstance(node, list):
            return [self.value(entry, f"{place}[{i}]") for i, entry in enumerate(node)]
        kind = node.get("is")
        keys = _KEYS.get(kind) if isinstance(kind, str) else None
        if keys is None or node.keys() != {"is", *keys}:
            raise ModelFileError(f"{place} is no value of a model file: {shown(node)}")
        return getattr(self, f"_{kind}")(place, *(node[key] for key in keys))

    def _float(self, place, value):
        if not isinstance(value, str) or value not in _FLOATS:
            raise ModelFileError(f"{place} must be one of {', '.join(_FLOATS)}, got {shown(value)}")
        return _FLOATS[value]

    def _number(self, place, dtype, value):
        value = self.value(value, place)
        number = np.dtype(dtype).type(value) if dtype in _NUMBERS and type(value) in (bool, int, float) else None
        if number is None or not (number.item() == value or value != value):
            raise ModelFileError(f"{place}: {shown(value)} is no number of dtype {shown(dtype)}")
        return number

    def _tuple(self, place, values):
        return tuple(self._list(place, values))

    def _list(self, place, values):
        if not isinstance(values, list):
            raise ModelFileError(f"{place} must have a list of values, got {shown(values)}")
        return self.value(values, place)

    def _dict(self, place, pairs):
        pairs = self._list(place, pairs)
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise ModelFileError(f"{place} must have pairs of keys and values")
        found = {_hashable(place, key): entry for key, entry in pairs}
        if len(found) < len(pairs):
            raise ModelFileError(f"{place} has a key twice")
        return found

    def _texts(self, place, dtype, shape, values):
        """Array of texts, or of objects that are scalars."""
        values = self._list(place, values)
        kinds = {"str": lambda value: isinstance(value, str), "object": _is_scalar}
        if not isinstance(dtype, str) or dtype not in kinds or not all(map(kinds[dtype], values)):
            raise ModelFileError(f"{place} must be an array of texts or of scalars, got {shown(values)}")
        if dtype == "str" and len(values) * max(map(len, values), default=0) * np.dtype("U1").itemsize > TEXTS:
            raise ModelFileError(f"{place}: an array of texts, with room for the longest in each place, is too large")
        return np.array(values, dtype).reshape(self.shape(place, shape))

    def shape(self, place, value):
        """Tuple of integers of at least 0."""
        if not isinstance(value, list) or not all(type(size) is int and size >= 0 for size in value):
            raise ModelFileError(f"{place}: a shape must be a list of integers, got {shown(value)}")
        return tuple(value)

    def _array(self, place, name):
        self._take(place, name)
        return self._read(name)

    def _take(self, place, name):
        """Mark an array as read; raise where there is none, or it was read before."""
        if not isinstance(name, str) or name not in self.unread:
            raise ModelFileError(f"{place}: there is no array {shown(name)}, or another value has it")
        self.unread.remove(name)

    def _read(self, name, out=None):
        array = self.file.read(name, out)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"array {shown(name)} has NaN or infinity")
        return array

    def _path(self, place, path):
        if not isinstance(path, str):
            raise ModelFileError(f"{place} must be a path, got {shown(path)}")
        return Path(path)

    def _function(self, place, name):
        if not isinstance(name, str) or name not in FUNCTIONS:
            raise ModelFileError(f"{place} must be one of {', '.join(FUNCTIONS)}, got {shown(name)}")
        return FUNCTIONS[name]

    def _random_state(self, place, key, position, has_gauss, gauss):
        key = self.value(key, place)
        given = isinstance(key, np.ndarray) and key.dtype == np.uint32 and key.shape == (_MT19937,)
        if not given or type(position) is not int or not 0 <= position <= _MT19937:
            raise ModelFileError(f"{place} has no state of the generator MT19937")
        if has_gauss not in (0, 1) or type(has_gauss) is not int or type(gauss) is not float:
            raise ModelFileError(f"{place} has no state of the generator MT19937")
        state = np.random.RandomState(0)
        state.set_state(("MT19937", key, position, has_gauss, gauss))
        return state

    def _object(self, place, name, parameters):
        kind = self._class(place, name, PARTS)
        values = self._parameters(place, kind, parameters)
        part = kind(**values)
        check_arguments(part, values, place=f"{place} ({name})")
        return part

    def _class(self, place, name, known):
        if not isinstance(name, str) or name not in known:
            raise ModelFileError(f"{place}: no class {shown(name)} may be in a model file{self._versions()}")
        return known[name]

    def _versions(self):
        """Part of a message, where the file is from another version."""
        if self.version == __version__:
            return ""
        return f"; it is from skconv {self.version}, this is {__version__}"

    def _parameters(self, place, kind, given):
        """Values of the parameters of a class; those that came after the file was written have their defaults."""
        if not isinstance(given, dict):
            raise ModelFileError(f"{place} must have parameters by name, got {shown(given)}")
        names = parameters_of(kind)
        known = signature(kind).parameters if names else {}
        missing = [name for name in names if name not in given and known[name].default is Parameter.empty]
        unknown = [name for name in given if name not in names]
        if missing or unknown:
            what = f"lacks {shown(missing[0])}" if missing else f"has no {shown(unknown[0])}"
            raise ModelFileError(f"{place}: {kind.__name__} {what}{self._versions()}")
        return {name: self.value(node, f"{place}.{name}") for name, node in given.items()}

    def _network(self, place, name, layers, input_shape, dtype, frozen, scaled):
        shape, layers = self.shape(place, input_shape), self._list(place, layers)
        known = all(type(layer) in PARTS.values() and hasattr(layer, "output_shape") for layer in layers)
        if dtype not in ("float32", "float64") or len(shape) != 3 or not known or not layers or 0 in shape:
            raise ModelFileError(f"{place}: a network has layers, an input of three axes, float32 or float64")
        if not isinstance(name, str) or type(scaled) is not bool:
            raise ModelFileError(f"{place}: a network has a name, and is scaled or not")

        def arrays(shapes):
            for each, wanted in shapes.items():
                self._take(place, f"{name}.{each}")
                self._compare(f"{name}.{each}", np.dtype(dtype), [wanted])
            return lambda each, out: self._read(f"{name}.{each}", out)

        network = Network.filled(layers, shape, dtype, arrays)
        if scaled:
            network.scale_by(self._moments(place, name, shape))
        for each, array in network.named_arrays().items():
            if each.endswith((".variance", ".batches", ".spread")) and (array < 0).any():
                raise ModelFileError(f"array {shown(f'{name}.{each}')} has numbers below 0")
        network.frozen = self._tuple(place, frozen)
        network.check_names(network.frozen)
        return network

    def _compare(self, name, dtype, shapes):
        """Raise where an array of the file has another dtype, or none of these shapes."""
        own = self.file.specs[name]
        if own[0] != dtype or own[1] not in shapes:
            wanted = " or ".join(map(str, shapes))
            raise ModelFileError(
                f"array {shown(name)} must have dtype {dtype} and shape {wanted}, got {own[0]} and {own[1]}"
            )

    def _moments(self, place, name, shape):
        """Level and spread of a network's samples."""
        found = []
        for each in (f"{name}.input.level", f"{name}.input.spread"):
            self._take(place, each)
            self._compare(each, np.dtype(np.float64), [shape[2:], shape] if not found else [found[0].shape])
            found.append(self._read(each))
        return tuple(found)

    def _pretrained(self, place, network, input_name, output_name, removed):
        found = self.value(network, place)
        if type(found) is not Network or type(input_name) is not str or type(output_name) is not str:
            raise ModelFileError(f"{place}: a pretrained network has a network, and names of its input and output")
        if removed not in (None, "softmax"):
            raise ModelFileError(f"{place}: removed must be 'softmax' or None, got {shown(removed)}")
        return PretrainedNetwork.of(found, input_name=input_name, output_name=output_name, removed=removed)

    def _frozen(self, place, estimator):
        found = self.value(estimator, place)
        if type(found) not in ESTIMATORS.values():
            raise ModelFileError(f"{place}: a frozen estimator must hold an estimator")
        return FrozenEstimator(found)

    def _estimator(self, place, name, parameters, state):
        kind = self._class(place, name, ESTIMATORS)
        estimator = kind(**self._parameters(place, kind, parameters))
        check_parameters(estimator)
        if not isinstance(state, dict):
            raise ModelFileError(f"{place}: a state must be an object, got {shown(state)}")
        if state or "." not in place:  # a parameter may be an estimator that is not fitted
            estimator._restore({each: self.value(node, f"{place}.{each}") for each, node in state.items()})
        return estimator


_KEYS = {
    "float": ("value",),
    "number": ("dtype", "value"),
    "tuple": ("values",),
    "dict": ("pairs",),
    "texts": ("dtype", "shape", "values"),
    "array": ("name",),
    "path": ("path",),
    "function": ("name",),
    "random_state": ("key", "position", "has_gauss", "gauss"),
    "object": ("class", "parameters"),
    "network": ("name", "layers", "input_shape", "dtype", "frozen", "scaled"),
    "pretrained": ("network", "input_name", "output_name", "removed"),
    "frozen": ("estimator",),
    "estimator": ("class", "parameters", "state"),
}


def _is_scalar(value):
    return value is None or type(value) in _SCALARS or isinstance(value, np.generic)


def _hashable(place, key):
    if not _is_scalar(key) and not (isinstance(key, tuple) and all(map(_is_scalar, key))):
        raise ModelFileError(f"{place} has a key that is no scalar: {shown(key)}")
    return key
