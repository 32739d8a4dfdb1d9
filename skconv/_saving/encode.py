"""Values as JSON and arrays.

JSON has numbers, texts, None, truth values and lists for themselves, and for anything else an object with the key
"is".  `decode` reads what each function here writes.
"""

from __future__ import annotations

from inspect import signature
from math import isfinite
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from .._input.constraints import shown
from .._network.network import Network
from .._network.pretrained import PretrainedNetwork
from .classes import ESTIMATORS, FUNCTIONS, PARTS

__all__ = ["TEXTS", "encoded", "parameters_of", "writable_estimator"]

TEXTS = 1 << 25  # most bytes of an array of texts, which has room for the longest in each place

_LARGEST_BITS = 1300  # of an integer: as many digits as `strict_json` reads
_NUMBERS = "biuf"  # kinds of dtypes that files of arrays have


def encoded(value, place, arrays):
    """JSON of ``value``.

    Parameters
    ----------
    value : object
    place : str
        Where the value is in the model, such as "parameters.layers.0.filters"; the name of its array.
    arrays : dict of ndarray
        Arrays by name, to which those of the value are added.

    Raises
    ------
    ValueError
        If a model file cannot have the value.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind in _ENCODERS:
        return _ENCODERS[kind](value, place, arrays)
    if isinstance(value, np.generic):
        return _scalar(value, place)
    if PARTS.get(kind.__name__.lstrip("_")) is kind:
        return _part(value, place, arrays)
    if ESTIMATORS.get(kind.__name__) is kind:
        return writable_estimator(value, place, arrays)
    for name, function in FUNCTIONS.items():
        if value is function:
            return {"is": "function", "name": name}
    raise _refused(value, place)


def _refused(value, place, why="functions, classes of your own and other libraries' objects have no place there"):
    name = place.removeprefix("parameters.")
    return ValueError(f"{name}={shown(value)} cannot be stored in a model file: {why}; change it, or use pickle")


def parameters_of(kind) -> list[str]:
    """Names of the parameters of a class's constructor."""
    return [] if kind.__init__ is object.__init__ else list(signature(kind).parameters)


def _text(value, place, arrays):
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _refused(value, place, "it has halves of characters") from None
    return value


def _integer(value, place, arrays):
    if value.bit_length() > _LARGEST_BITS:
        raise _refused(value, place, "it has too many digits")
    return value


def _float(value, place, arrays):
    return value if isfinite(value) else {"is": "float", "value": str(value)}


def _scalar(value, place):
    if isinstance(value, np.str_):
        return _text(str(value), place, {})
    if value.dtype.kind not in _NUMBERS or value.dtype.itemsize > 8:
        raise _refused(value, place, f"it is of dtype {value.dtype}")
    return {"is": "number", "dtype": value.dtype.name, "value": encoded(value.item(), place, {})}


def _list(value, place, arrays):
    return [encoded(entry, f"{place}.{i}", arrays) for i, entry in enumerate(value)]


def _tuple(value, place, arrays):
    return {"is": "tuple", "values": _list(value, place, arrays)}


def _dict(value, place, arrays):
    pairs = [
        [encoded(key, f"{place}.key", arrays), encoded(entry, f"{place}.{key}", arrays)] for key, entry in value.items()
    ]
    return {"is": "dict", "pairs": pairs}


def _array(value, place, arrays):
    if value.dtype.kind in "OU":
        kind = "object" if value.dtype.kind == "O" else "str"
        if kind == "str" and value.nbytes > TEXTS:
            raise _refused(value, place, f"its texts take more than {TEXTS:,} bytes")
        values = _list(value.ravel().tolist(), place, {})
        return {"is": "texts", "dtype": kind, "shape": list(value.shape), "values": values}
    if value.dtype.kind not in _NUMBERS or value.dtype.itemsize > 8:
        raise _refused(value, place, f"it is of dtype {value.dtype}")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise _refused(value, place, "it has NaN or infinity")
    return {"is": "array", "name": _added(arrays, place, value)}


def _added(arrays, place, value):
    """Add an array; return its name, ``place`` with a number if need be."""
    name = place
    while name in arrays:
        name = f"{place}.{len(arrays)}"
    arrays[name] = value
    return name


def _path(value, place, arrays):
    return {"is": "path", "path": _text(str(value), place, arrays)}


def _random_state(value, place, arrays):
    state = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise _refused(value, place, "of random generators files have MT19937 alone")
    key, position = _array(state["state"]["key"], place, arrays), state["state"]["pos"]
    has_gauss, gauss = state["has_gauss"], state["gauss"]
    return {"is": "random_state", "key": key, "position": position, "has_gauss": has_gauss, "gauss": gauss}


def _part(value, place, arrays):
    kind = type(value)
    own = {name: encoded(getattr(value, name), f"{place}.{name}", arrays) for name in parameters_of(kind)}
    return {"is": "object", "class": kind.__name__.lstrip("_"), "parameters": own}


def _network(value, place, arrays):
    layers = _list(value.layers, f"{place}.layers", arrays)
    for name, array in value.named_arrays().items():
        if not np.isfinite(array).all():
            raise _refused(value, f"{place}.{name}", "it has NaN or infinity")
        if _added(arrays, f"{place}.{name}", array) != f"{place}.{name}":
            raise _refused(value, place, f"there are two arrays called {place}.{name}")
    return {
        "is": "network",
        "name": place,
        "layers": layers,
        "input_shape": list(value.input_shape),
        "dtype": value.dtype.name,
        "frozen": list(value.frozen),
        "scaled": value.moments is not None,
    }


def _pretrained(value, place, arrays):
    names = {name: getattr(value, name) for name in ("input_name", "output_name", "removed")}
    return {"is": "pretrained", "network": _network(value, place, arrays), **names}


def _frozen(value, place, arrays):
    return {"is": "frozen", "estimator": encoded(value.estimator, place, arrays)}


def writable_estimator(value, place, arrays):
    """JSON of an estimator; ``place`` is "" for the one that is saved."""
    before = f"{place}." if place else ""
    names = value.get_params(deep=False)
    parameters = {name: encoded(each, f"{before}parameters.{name}", arrays) for name, each in names.items()}
    state = {name: encoded(each, f"{before}{name.lstrip('_')}", arrays) for name, each in value._stored_state().items()}
    return {"is": "estimator", "class": type(value).__name__, "parameters": parameters, "state": state}


_ENCODERS = {
    int: _integer,
    float: _float,
    str: _text,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    np.ndarray: _array,
    np.memmap: _array,
    type(Path()): _path,
    np.random.RandomState: _random_state,
    Network: _network,
    PretrainedNetwork: _pretrained,
    FrozenEstimator: _frozen,
}
