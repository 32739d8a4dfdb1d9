"""Pretrained networks from ONNX files."""

from __future__ import annotations

from math import prod
from numbers import Integral

import numpy as np

from .._input.constraints import check_arguments, fitting
from .._input.memory import counted
from .._input.overflow import check_finite_array
from .._network.network import Network
from .._network.preprocessing import PREPROCESSING, preprocess
from .._network.pretrained import PretrainedNetwork
from .composition import composed
from .graph import FileGraph
from .interpreter import interpreted
from .reading import parsed

__all__ = ["PretrainedNetwork", "from_onnx"]  # `read_network` is for ConvFeatures

_SMALL = 1 << 22  # parameters that any file may have


def _is_size(value):
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and all(isinstance(each, Integral) and each >= 1 for each in value)
    )


def from_onnx(source, *, image_shape=None, output=None, folder=None, preprocessing=None) -> PretrainedNetwork:
    """Import a pretrained network from an ONNX file.

    Parameters
    ----------
    source : str, path-like or bytes
        The file, or what is in it.
    image_shape : None, (H, W) or (H, W, C), default=None
        Size of the images where the file leaves it open; None takes the file's.
    output : str, default=None
        Name of an output, or of any other result of a node, whose network is imported; None is the first output of real
        numbers.
    folder : str or path-like, default=None
        Folder of the files that the constants of large models are in.  None refuses such models.  No file outside of
        the folder is read.
    preprocessing : None, str or (mean, scale), default=None
        What the network does with samples first: it subtracts a mean and divides by a scale, each a number or one for
        each channel, in the unit of the samples; what the file's network does itself comes after that.  The names are
        usual conventions for images with channels red, green, blue of bytes, which are numbers from 0 to 255 whatever
        their dtype:

        - "imagenet": mean (0.485, 0.456, 0.406) and scale (0.229, 0.224, 0.225) times 255, as for networks of
          torchvision and timm;
        - "tensorflow": 127.5 and 127.5, which gives -1 to 1, as for MobileNet and Inception of Keras;
        - "efficientnet_lite": 127 and 128;
        - "unit": 0 and 255, which gives 0 to 1;
        - "caffe": mean (123.68, 116.779, 103.939) and scale 1, with blue first, as for ResNet-50 and VGG of Keras: the
          channels of the first convolution's weights are reversed.

        None takes samples as they are.  A fit on samples that are at most 1, where the network subtracts and divides as
        for bytes, warns, and so does the reverse.

    Returns
    -------
    PretrainedNetwork
        The network in float32.  Channels are last, so images are ``(n, H, W, C)``.  An output that is an image is
        flattened, through rows, columns, channels; one that is a vector in the file has the file's order.

    Raises
    ------
    ImportError
        If onnx is missing.
    TypeError, ValueError
        If an argument does not fit, the file is no ONNX model, or the network has an operator or a form that
        `skconv.layers` has no counterpart of; the message names the operator and the node.

    Notes
    -----
    The network must be a composition of layers one after another and side by side, which start from one image and come
    together again by a sum, a product or a concatenation: residual, dense, inception and squeeze-and-excitation blocks
    are.  Constants are computed, identities and dropout left out, and a softmax at the end is taken off, also one after
    which probabilities are corrected and become probabilities again.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvFeatures, ConvNetClassifier
    >>> from skconv.onnx import from_onnx, to_onnx
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X, y)
    >>> network = from_onnx(to_onnx(model).SerializeToString())
    >>> network
    <PretrainedNetwork of 8 layers from (8, 8, 1) to (10,), 4,854 parameters, without the softmax at its end>
    >>> ConvFeatures.from_network(network).fit_transform(X).shape
    (1797, 64)
    """
    check_arguments(from_onnx, {"image_shape": image_shape, "preprocessing": preprocessing})
    network = read_network(source, image_shape, output, folder, strict=True)
    preprocess(network, preprocessing)
    return network


def read_network(source, image_shape=None, output=None, folder=None, *, strict=False) -> PretrainedNetwork:
    """As `from_onnx`; unless ``strict``, a file that gives the size of images has that size."""
    model, n_bytes = parsed(source)
    graph = FileGraph(model, folder, output)
    sizes = graph.input_sizes()
    if not strict and sizes is not None and None not in sizes:
        image_shape = None
    found = composed(interpreted(graph, n_bytes, image_shape))
    names = {"input_name": graph.input_name, "output_name": graph.output_name, "removed": found.removed}
    del model, graph  # as large as the file
    _check_sizes(found, n_bytes)
    network = Network(found.layers, found.input_shape, np.float32)
    _fill(network, found)
    return PretrainedNetwork.of(network, **names)


def _fill(network, found):
    """Set all arrays; raises ValueError where one does not fit or is not finite."""
    views = network.named_arrays()
    if views.keys() != found.arrays.keys():
        raise ValueError(f"the network has no values for {sorted(views.keys() - found.arrays.keys())}")
    for name, view in views.items():
        array = found.arrays[name]
        if array.size != view.size:  # weights of dense layers have the shape of those of convolutions
            raise ValueError(f"{name} has the shape {array.shape} in the file, but {view.shape} fits the network")
        with np.errstate(over="ignore", invalid="ignore"):
            view.reshape(array.shape)[...] = array
            total = np.add.reduce(view, axis=None)
        if not np.isfinite(total):  # else each number is; the check itself takes memory
            check_finite_array(name, view, view.dtype)
    network.scale_by(found.moments)


def _check_sizes(found, n_bytes):
    """Raise where the layers need more numbers than a file of this size has."""
    shape, needed = found.input_shape, 0
    for layer in found.layers:
        needed += sum(map(prod, (*layer.parameter_shapes(shape).values(), *layer.state_shapes(shape).values())))
        shape = layer.output_shape(shape)
    if needed > n_bytes + _SMALL:
        raise ValueError(f"the network has {counted(needed, 'number')}, but the file {counted(n_bytes, 'byte')}")


from_onnx._parameter_constraints = {  # type: ignore[attr-defined]
    "image_shape": [fitting(_is_size, "a tuple (H, W) or (H, W, C) of integers of at least 1"), None],
    "preprocessing": PREPROCESSING,
}
