"""The matrix of a layer with windows."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import shown
from .._input.memory import check_available
from .._network.network import Network, named

__all__ = ["weight_matrix"]


def weight_matrix(model, layer="convolution1", *, ties=False):
    """Dense matrix of the linear map of a layer from flattened images to flattened outputs, without the bias.

    The matrix of a fully connected layer has no structure.  That of a locally connected layer is zero outside of the
    neurons' windows, and that of a convolution repeats the same weights in every row, shifted.  With groups of channels
    a filter's weights of other groups are zero.

    Parameters
    ----------
    model : ConvNetClassifier or Network
        A fitted estimator with a network, or a network.
    layer : str, default="convolution1"
        Name of a `Convolution`, `LocallyConnected` or `FullyConnected`, as in ``estimator.weights_``.
    ties : bool, default=False
        Whether to return the index of each weight in place of its value.

    Returns
    -------
    ndarray of shape (P * Q * F, H * W * C)
        For an image of H by W with C channels and an output of P by Q with F filters, both flattened channels last.
        Values are in the network's dtype, float32 or float64; with ties int64 indices into the flattened array of the
        layer's weights, -1 where the matrix is always zero.

    Raises
    ------
    ValueError
        If there is no such layer, if its border is not of zeros, or if the matrix would need more memory than the
        machine has.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ConvNetClassifier
    >>> from skconv.inspection import weight_matrix
    >>> X, y = np.random.default_rng(0).random((20, 1, 5)), np.arange(20) % 2
    >>> model = ConvNetClassifier(filters=1, kernel_size=3, max_iter=1).fit(X, y)
    >>> weight_matrix(model, ties=True)
    array([[ 1,  2, -1, -1, -1],
           [ 0,  1,  2, -1, -1],
           [-1,  0,  1,  2, -1],
           [-1, -1,  0,  1,  2],
           [-1, -1, -1,  0,  1]])
    """
    network, spec, shape = _find(model, layer)
    out = spec.output_shape(shape)
    dtype = np.dtype(np.int64) if ties else network.dtype
    what = f"the {prod(out):,} x {prod(shape):,} matrix of {layer}"
    check_available(what, prod(out) * prod(shape) * dtype.itemsize)
    weight = network.named_parameters()[f"{layer}.weight"]
    if ties:
        weight = np.arange(weight.size).reshape(weight.shape)
    if spec.sees_all:
        return weight.reshape(prod(out), prod(shape)).copy()
    matrix = np.full((*out, *shape), -1 if ties else 0, dtype)
    if spec.groups > 1:
        weight = _ungrouped(weight, spec.groups, -1 if ties else 0)
    _scatter(weight, spec.window(shape), matrix)
    return matrix.reshape(prod(out), prod(shape))


def _find(model, name):
    """The network, the layer of that name and the shape of its input."""
    network = model
    if not isinstance(model, Network):
        check_is_fitted(model)
        network = getattr(model, "network_", None)
        if not isinstance(network, Network):
            raise ValueError(f"weight_matrix needs a fitted network, got {type(model).__name__}")
    placed = zip(named(network.layers), network.shapes, strict=False)
    found = {known: (layer, shape) for (known, layer), shape in placed if layer.connections(shape) is not None}
    if name not in found:
        has = ", ".join(found) or "none"
        raise ValueError(f"layer={shown(name)} is not a layer with windows of the network; it has {has}")
    layer, shape = found[name]
    if layer.border(shape) is not None:
        raise ValueError(
            f"layer={shown(name)} has a border with padding_mode={shown(layer.padding_mode)}; only a border of zeros "
            "leaves a matrix of weights alone"
        )
    return network, layer, shape


def _ungrouped(weight, groups, nothing):
    """A weight ``(F, R, S, C // groups)`` as ``(F, R, S, C)``, with ``nothing`` at the channels of other groups."""
    filters, rows, columns, channels = weight.shape
    whole = np.full((groups, filters // groups, rows, columns, groups, channels), nothing, weight.dtype)
    each = np.arange(groups)
    whole[each, :, :, :, each] = weight.reshape(groups, filters // groups, rows, columns, channels)
    return whole.reshape(filters, rows, columns, groups * channels)


def _scatter(weight, window, matrix):
    """Write a weight (F, R, S, C), or (P, Q, F, R, S, C), into ``matrix`` (P, Q, F, H, W, C)."""
    rows, columns = window.rows, window.columns
    for r in range(rows.kernel):
        top, bottom, row = rows.inside(r)
        p = np.arange(top, bottom)[:, None]
        for s in range(columns.kernel):
            left, right, column = columns.inside(s)
            q = np.arange(left, right)
            # Index arrays on both sides of the slice for F put their axes first: the shape is (p, q, F, C).
            places = p, q, slice(None), row + (p - top) * rows.stride, column + (q - left) * columns.stride
            matrix[places] = weight[:, r, s] if weight.ndim == 4 else weight[p, q, :, r, s]
