"""A network that was trained elsewhere."""

from __future__ import annotations

import numpy as np

from .._input.memory import counted
from .network import Network

__all__ = ["PretrainedNetwork"]


class PretrainedNetwork(Network):
    """A network from an ONNX file, which `skconv.onnx.from_onnx` makes.

    It stands where a fitted network does: ``ConvFeatures.from_network(pretrained)`` gives the outputs of its last layer
    but one, or of another one, and ``ConvNetClassifier(layers=pretrained)`` trains it further for other classes.

    Attributes
    ----------
    layers : list of Layer
        Layers from the image to the output vector.
    input_shape : (int, int, int)
        ``(height, width, channels)`` of a sample.
    weights : dict of ndarray
        All arrays by ``"layer.name"``, read-only: parameters and running statistics.
    moments : (ndarray, ndarray) or None
        Level and spread of each channel, which the network subtracts and divides by first; `scale_by` sets others.
    input_name, output_name : str
        Names of the input and the output in the file.
    removed : str or None
        Function at the end of the file's network that is left out, "softmax": the outputs are scores then.
    """

    input_name: str
    output_name: str
    removed: str | None

    @classmethod
    def of(cls, network, *, input_name, output_name, removed) -> PretrainedNetwork:
        """The arrays and layers of a network, with what a file says of it."""
        pretrained = object.__new__(cls)
        vars(pretrained).update(vars(network), input_name=input_name, output_name=output_name, removed=removed)
        return pretrained

    def __sklearn_clone__(self):
        """Clones of estimators share the network, which none of them changes; a grid search does not copy it."""
        return self

    def __repr__(self):
        removed = f", without the {self.removed} at its end" if self.removed else ""
        return (
            f"<PretrainedNetwork of {counted(len(self.layers), 'layer')} from {self.input_shape} to {self.shapes[-1]}, "
            f"{counted(len(self.parameters), 'parameter')}{removed}>"
        )

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """All arrays by ``"layer.name"``, read-only: parameters and running statistics."""
        arrays = self.named_arrays()
        for array in arrays.values():
            array.flags.writeable = False
        return arrays
