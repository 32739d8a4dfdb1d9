"""A layer as the matrix that it is."""

from __future__ import annotations

from math import prod

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import shown
from .._input.memory import check_available
from .._network.network import Network, named

__all__ = ["weight_matrix"]


def weight_matrix(model, layer="convolution1", *, ties=False):
    """The dense matrix that does to a flattened image what a layer does to the image, but for the bias.

    A fully connected layer is any matrix.  A locally connected one has zeros outside of its neurons' windows, and in a
    convolution what is left is the same few numbers in every row, shifted: that is what a convolutional network saves.
    Groups of channels put zeros between what a filter sees.

    Parameters
    ----------
    model : ConvNetClassifier or Network
        A fitted estimator with a network, or a network.
    layer : str, default="convolution1"
        Name of a `Convolution`, `LocallyConnected` or `FullyConnected`, as in ``estimator.weights_``.
    ties : bool, default=False
        Whether to tell which weight stands where, in place of its value.

    Returns
    -------
    ndarray of shape (P * Q * F, H * W * C)
        For an image of H by W with C channels and an output of P by Q with F filters, both flattened channels last.
        Values are in the network's dtype, float32 or float64.  With ties they are int64: the place of the weight in the
        flattened array of the layer's weights, -1 where there is no weight and so always a zero.

    Raises
    ------
    ValueError
        Where there is no such layer, where its border holds something else than zeros, or where the matrix would need
        more memory than the machine has.
    sklearn.exceptions.NotFittedError
        Where the estimator is not fitted.

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
            f"layer={shown(name)} has a border with padding_mode={shown(layer.padding_mode)} and "
            f"padding_values={shown(layer.padding_values)}; only a border of zeros leaves a matrix of weights alone"
        )
    return network, layer, shape


def _ungrouped(weight, groups, nothing):
    """A weight ``(F, R, S, C // groups)`` as ``(F, R, S, C)``, with ``nothing`` where a filter sees no channel."""
    filters, rows, columns, channels = weight.shape
    whole = np.full((groups, filters // groups, rows, columns, groups, channels), nothing, weight.dtype)
    each = np.arange(groups)
    whole[each, :, :, :, each] = weight.reshape(groups, filters // groups, rows, columns, channels)
    return whole.reshape(filters, rows, columns, groups * channels)


def _scatter(weight, window, matrix):
    """The weights of each tap to where it lies: ``weight`` is (F, R, S, C), or (P, Q, F, R, S, C)."""
    rows, columns = window.rows, window.columns
    for r in range(rows.kernel):
        top, bottom, row = rows.inside(r)
        p = np.arange(top, bottom)[:, None]
        for s in range(columns.kernel):
            left, right, column = columns.inside(s)
            q = np.arange(left, right)
            # Indexed arrays on both sides of F put (p, q) first: (p, q, F, C).
            places = p, q, slice(None), row + (p - top) * rows.stride, column + (q - left) * columns.stride
            matrix[places] = weight[:, r, s] if weight.ndim == 4 else weight[p, q, :, r, s]
