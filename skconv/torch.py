"""Weights of fitted networks in PyTorch's layouts, and back.

PyTorch itself is needed for ``.pt`` files alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from os import PathLike

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._estimators.convnet import BaseConvNet
from ._files.paths import path_text
from ._files.safetensors import read_arrays
from ._input.constraints import shown
from ._input.memory import counted
from ._input.overflow import check_range
from ._network.torch_layout import entries_of, is_count

__all__ = ["load_state_dict", "state_dict"]

_ORDER = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_PLACES = re.compile(rf"(?:\d+\.)+({'|'.join(_ORDER)})")


def state_dict(model, *, like=None):
    """Weights of a fitted network, with running statistics, in PyTorch's names, layouts and order.

    Parameters
    ----------
    model : ConvNetClassifier or ConvNetRegressor
        A fitted network.
    like : torch.nn.Module or mapping of str to array or tensor, default=None
        A module that has the same layers in the same order, or its state dict.  The result then has its names and
        shapes, and tensors where it has tensors, so that ``module.load_state_dict(state_dict(model, like=module))``
        works.  None gives arrays by the names of `weights_`, with PyTorch's words for the arrays of a layer.

    Returns
    -------
    dict of str to ndarray
        In the order of the layers; in a `Residual` the layers come before those of the shortcut.

        - Convolutions: (filters, channels, rows, columns); transposed: (channels, filters, rows, columns).
        - A `Dense` layer after `Flatten` has its inputs in the order of PyTorch's ``Flatten``, channels first.
        - `BatchNorm`: ``weight``, ``bias``, ``running_mean``, ``running_var`` and ``num_batches_tracked``.
        - Layers that PyTorch does not have, such as `LocallyConnected`, keep skconv's layout.
        - ``input.level`` and ``input.spread`` scale samples before the first layer, see `standardize`; with ``like``
          they are left out unless it has them.

    Raises
    ------
    TypeError
        If ``like`` is neither a module nor a mapping.
    ValueError
        If ``like`` does not fit, with the array that does not.

    Notes
    -----
    A module with these weights gives the outputs of the network, on scaled samples ``(X - level) / spread`` with
    channels first.  `predict_proba` is the softmax of these outputs where `label_smoothing` is 0, the loss is
    "log_loss" and `temperature_` is 1.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.torch import state_dict
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X, y)
    >>> {name: array.shape for name, array in state_dict(model).items()}["convolution1.weight"]
    (4, 1, 3, 3)
    """
    entries, arrays = _entries_of(model)
    if like is None:
        return {entry.theirs: entry.to_torch(arrays[entry.ours]) for entry in entries}
    wanted = (
        like.state_dict() if hasattr(like, "state_dict") else _mapping(like, "like", "a torch.nn.Module or a mapping")
    )
    return {
        name: _as_in(wanted[name], entry.to_torch(arrays[entry.ours]))
        for name, entry in _matched(entries, arrays, wanted, "like")
    }


def load_state_dict(model, weights):
    """Give a fitted network the weights and running statistics of a state dict, such as PyTorch's.

    Parameters
    ----------
    model : ConvNetClassifier or ConvNetRegressor
        A fitted network, which gets the weights in place; `partial_fit` goes on with a new state of the optimiser.
    weights : mapping of str to array or tensor, or path
        The result of `state_dict`, the state dict of a module that has the same layers in the same order, or a file of
        one: ``.safetensors``, or ``.pt`` and ``.pth``, which are read by PyTorch with ``weights_only=True``.  Where no
        name is one of `state_dict`, the order counts; a ``.safetensors`` file has none, so its names must then be the
        numbers of a ``Sequential``, such as "0.weight".  Without ``input.level`` and ``input.spread`` the model
        keeps its own.

    Returns
    -------
    model : ConvNetClassifier or ConvNetRegressor
        The model itself.

    Raises
    ------
    TypeError
        If ``weights`` is neither a mapping nor a path.
    ValueError
        If a number, a shape or a name does not fit; the model is unchanged then.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.torch import load_state_dict, state_dict
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> first = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X, y)
    >>> second = ConvNetClassifier(filters=4, max_iter=1, random_state=1).fit(X, y)
    >>> bool((load_state_dict(second, state_dict(first)).predict(X) == first.predict(X)).all())
    True
    """
    entries, arrays = _entries_of(model)
    in_file = isinstance(weights, (str, PathLike))
    given, ordered = _read(path_text(weights, "weights")) if in_file else (_mapping(weights, "weights"), True)
    network = deepcopy(model.network_)
    filled = {}
    for name, entry in _matched(entries, arrays, given, "weights", ordered):
        numbers = _numbers(given[name], name, network.dtype)
        if entry.ours.endswith((".variance", ".batches", ".spread")) and numbers.min() < 0:
            raise ValueError(f"weights: {name} must be zero or more, got {shown(float(numbers.min()))}")
        filled[entry.ours] = entry.from_torch(numbers, arrays[entry.ours])
    network.fill(filled)
    model.network_ = network
    vars(model).pop("_progress", None)
    return model


def _entries_of(model):
    """`Entry` of each array of a fitted network, and the arrays by our names."""
    if not isinstance(model, BaseConvNet):
        raise TypeError(f"model must be a fitted ConvNetClassifier or ConvNetRegressor, got {shown(model)}")
    check_is_fitted(model)
    return entries_of(model.network_), model.network_.named_arrays()


def _matched(entries, arrays, given, what, ordered=True):
    """``(name, entry)`` of each array of ``given``: by the names of `state_dict`, else by the order; raises."""
    if not any(is_count(name) for name in given):
        entries = [entry for entry in entries if not is_count(entry.theirs)]
    weights = [entry for entry in entries if not entry.theirs.startswith("input.")]
    has_scaling = any(name in ("input.level", "input.spread") for name in given)
    entries = entries if has_scaling else weights
    by_name = {entry.theirs: entry for entry in entries}
    _check_names(by_name, given, what, ordered)
    same = by_name.keys() == set(given)
    pairs = [(name, by_name[name]) for name in given] if same else list(zip(given, entries, strict=False))
    for name, entry in pairs:
        shape, wanted = tuple(given[name].shape), entry.to_torch(arrays[entry.ours]).shape
        if not _fits(shape, wanted):
            raise ValueError(f"{what}: {entry.theirs} needs the shape {wanted}, got {shape} from {shown(name)}")
    if len(given) != len(entries):
        n = len(pairs)
        rest = f"there is nothing for {entries[n].theirs}" if len(entries) > n else f"left is {shown([*given][n])}"
        raise ValueError(
            f"{what} has {counted(len(given), 'array')}, but the network's {counted(len(entries), 'array')}: {rest}"
        )
    return pairs


def _check_names(known, given, what, ordered):
    """Raise where some names are those of `state_dict` and others not, or where neither name nor order says enough."""
    odd = [name for name in given if name not in known]
    if odd and len(odd) < len(given):
        has = ", ".join([*known][:5]) + ", ..." * (len(known) > 5)
        raise ValueError(f"{what}: {shown(odd[0])} is no array of the network, though other names are; it has {has}")
    if odd and not ordered:
        raise ValueError(
            f"{what}: a .safetensors file has no order of its arrays, and {shown(odd[0])} is neither a name of "
            "state_dict nor one of a Sequential, such as '0.weight'; load it in PyTorch and pass module.state_dict()"
        )


def _fits(shape, wanted):
    """Whether shapes are equal, but for axes of 1 that one has more than the other, as for `Conv1d`."""
    short, long = sorted((shape, wanted), key=len)
    if len(short) == len(long):
        return short == long
    return [n for n in short if n != 1] == [n for n in long if n != 1]


def _as_in(wanted, array):
    """``array`` in the shape of ``wanted``, and as a tensor of its dtype if ``wanted`` is one."""
    array = array.reshape(tuple(wanted.shape))
    if not hasattr(wanted, "detach"):
        return array
    import torch

    return torch.from_numpy(array).to(wanted.dtype)


def _numbers(value, name, dtype):
    """The numbers of an array or a tensor in the network's dtype, which are finite."""
    if hasattr(value, "detach"):  # a tensor, perhaps of a dtype that NumPy does not have
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(f"weights: {name} must have finite real numbers, got an array of {array.dtype}")
    check_range(array, dtype, f"weights: {name}", "use smaller numbers")
    return array


def _mapping(value, name, wanted="a path or a mapping"):
    named = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if not named or not all(hasattr(each, "shape") for each in value.values()):
        raise TypeError(f"{name} must be {wanted} of names to arrays or tensors, got {shown(value)}")
    return value


def _read(path):
    """State dict of a file, and whether its order is that of the layers."""
    kind = path.rsplit(".", 1)[-1].lower()
    if kind == "safetensors":
        arrays, metadata = read_arrays(path)
        if "skconv" in metadata:
            raise ValueError(f"weights: {shown(path)} is a model file; read it by skconv.load")
        return _in_order(arrays)
    if kind not in ("pt", "pth"):
        raise ValueError(f"weights must be a file .safetensors, .pt or .pth, got {shown(path)}")
    try:
        import torch
    except ImportError as error:
        raise ImportError(".pt files need PyTorch, pip install torch; .safetensors files need nothing") from error
    return _mapping(torch.load(path, map_location="cpu", weights_only=True), "weights"), True


def _in_order(arrays):
    """Arrays by the places of a ``Sequential`` in their names, and whether all names have such places."""
    if not all(map(_PLACES.fullmatch, arrays)):
        return arrays, False

    def place(name):
        *numbers, last = name.split(".")
        return [*map(int, numbers)], _ORDER.index(last)

    return {name: arrays[name] for name in sorted(arrays, key=place)}, True
