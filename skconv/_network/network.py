"""A network: layers on an input shape and one flat vector of parameters.

A model keeps and pickles its network; the arrays to run a network are in a `Session`.  See `docs/design.md`.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .._input.constraints import shown
from .._input.memory import check_available, counted
from .._input.overflow import check_range
from .._input.versions import Versioned
from .._kernels.memory import aligned, split
from .._kernels.products import COLUMNS
from ..layers.composite import named, to_vector
from .fused import FusedConvolution
from .pool import Pool
from .pooled import PooledConvolution, pools
from .scaling import Scaling
from .steps import Step, check_arrays, lower

__all__ = ["Network", "named"]

_TRAINED_COPIES = 5  # least vectors of the parameters' size in training: values, gradient, two moments, scratch


class Network(Versioned):
    """Layers on an input shape.

    Parameters
    ----------
    layers : list of Layer or Operation
        Layers from the image to the output vector; copied, so that later changes of the objects have no effect.
    input_shape : tuple of int
        ``(height, width, channels)``.
    dtype : dtype
        float32 or float64.
    trained : bool, default=False
        Whether the network will be trained, which takes several copies of the parameters.

    Raises
    ------
    ValueError
        If the layers do not fit, or there is no memory for the parameters.

    Attributes
    ----------
    shapes : list of tuple
        Shapes of the input and of every layer's output.
    parameters, state : ndarray of shape (n,)
        All trained numbers, all running statistics.
    moments : (ndarray, ndarray) or None
        Level and spread, of shape (C,) or (H, W, C), by which samples are scaled; None does not scale.
    read : Scaling
        ``read(samples, out)`` writes scaled samples into ``out``.
    multiply_adds, activation_bytes : int
        For one sample: multiplications of the direct method, bytes of the outputs of all steps.
    pool : Pool
        Idle sessions for predictions.
    frozen : tuple of str
        Names of layers that training does not change, layers within them included: "convolution1", "residual2",
        "residual2.shortcut".  Their gradient is zero, their batch normalisation uses and keeps its running statistics,
        and no gradient is computed before the first layer that is trained.
    """

    frozen: tuple[str, ...] = ()
    moments: tuple[np.ndarray, np.ndarray] | None = None

    def __init__(self, layers, input_shape, dtype, *, trained=False):
        self._set_layers(layers, input_shape, dtype)
        self._check_memory(trained)
        self._allocate()

    @classmethod
    def filled(cls, layers, input_shape, dtype, arrays):
        """A network with the arrays that `named_arrays` gives, some of which may be on storage.

        ``arrays(shapes)`` raises where arrays of these shapes, by name, are not those that there are, and returns a
        function ``read(name, out)``.  Nothing of the size of the parameters is allocated before.
        """
        network = object.__new__(cls)
        network._set_layers(layers, input_shape, dtype)
        shapes = network._named([step.parameter_shapes | step.state_shapes for step in network.steps])
        read = arrays(shapes)
        network._allocate()
        for name, view in network.named_arrays().items():
            read(name, view)
        return network

    def _set_layers(self, layers, input_shape, dtype):
        self.input_shape = tuple(input_shape)
        self.dtype = np.dtype(dtype)
        self.layers = [layer.copy() for layer in layers]
        self._lower()

    def _allocate(self):
        self.parameters = aligned((sum(step.n_parameters for step in self.steps),), self.dtype)
        self.state = aligned((sum(step.n_state for step in self.steps),), self.dtype)

    def _lower(self):
        """Set the attributes that follow from the layers."""
        self.shapes = to_vector(self.layers, self.input_shape)
        self.steps, shape = [], self.input_shape
        for name, operation in lower(self.layers, self.input_shape):
            self.steps.append(Step(name, operation, shape))
            shape = self.steps[-1].out
        self.multiply_adds = sum(step.operation.multiply_adds(step.shape) for step in self.steps)
        self.activation_bytes = self.dtype.itemsize * sum(
            prod(step.out) for step in self.steps if not step.operation.in_place
        )
        self.scale_by(self.moments)

    def __repr__(self):
        """Short text, for the repr of estimators with a network as a parameter."""
        return f"<Network of {counted(len(self.layers), 'layer')} from {self.input_shape} to {self.shapes[-1]}>"

    def _check_memory(self, trained):
        """Raise where there is no memory for the parameters, or for a training with a few samples."""
        copies = _TRAINED_COPIES if trained else 1
        largest = max(self.steps, key=lambda step: step.n_parameters)
        n, state = (sum(getattr(step, name) for step in self.steps) for name in ("n_parameters", "n_state"))
        what = f"the network's {counted(n, 'parameter')} ({counted(largest.n_parameters)} in {largest.name})"
        what = what if copies == 1 else f"to train {what}"
        check_available(what, (copies * n + state) * self.dtype.itemsize)
        if not trained:  # prediction may run by strips of the image
            return
        steps, number = self.fused_steps(), COLUMNS * self.dtype.itemsize
        check_arrays(steps, [number * prod(step.out) * (not step.operation.in_place) for step in steps], COLUMNS)

    def __getstate__(self):
        """Layers and arrays without steps, so that a pickle does not depend on how layers are lowered."""
        made = ("shapes", "steps", "multiply_adds", "activation_bytes", "pool", "read")
        return {name: value for name, value in super().__getstate__().items() if name not in made}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._lower()

    def scale_by(self, moments):
        """Set level and spread, of each channel or feature, by which samples are scaled; None does not scale."""
        self.moments = None if moments is None else (moments[0].copy(), moments[1].copy())
        self.read = Scaling(moments, self.input_shape, self.dtype)
        self.changed()

    def scaled_spread(self, deviations):
        """Standard deviations (C,) of the channels after scaling, from those before."""
        if self.moments is None:
            return deviations
        spread = self.moments[1]
        if spread.ndim > 1:  # of 1 and of 0, where a feature is constant
            return np.sqrt((spread > 0).mean(axis=(0, 1)))
        return deviations / np.where(spread > 0, spread, 1)

    def images(self, samples):
        """Scaled copies (n, H, W, C) of samples (n, features)."""
        rows = np.empty(samples.shape, self.dtype)
        self.read(samples, rows)
        return rows.reshape(-1, *self.input_shape)

    def initialize(self, rng):
        """Set initial values of parameters and running statistics."""
        self.parameters.fill(0)
        self.state.fill(0)
        for step, parameters, state in zip(self.steps, *self.views(), strict=True):
            step.operation.initialize(parameters, state, step.shape, rng)
        self.changed()

    def changed(self):
        """Discard sessions and copies that depend on the parameters."""
        self.pool = Pool()

    def cast(self, dtype) -> Network:
        """The network in ``dtype``: the network itself, or a copy that is made once."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype:
            return self
        twins = self.pool.twins
        if dtype not in twins:
            twin = Network(self.layers, self.input_shape, dtype)
            for name, numbers in (("parameters", self.parameters), ("state", self.state)):
                check_range(numbers, dtype, f"{name} of the network", "give X in float64")
                getattr(twin, name)[:] = numbers
            twin.scale_by(self.moments)
            twins[dtype] = twin
        return twins[dtype]

    def fused_steps(self):
        """Steps for prediction, in which a convolution and the operations by rows after it are one step."""
        groups: list[list[Step]] = []
        open_ = False
        for step in self.steps:
            if open_ and step.operation.tile(step.shape):
                groups[-1].append(step)
                open_ = not step.operation.ends_band
            else:
                groups.append([step])
                open_ = step.operation.starts_band
        return [
            group[0]
            if len(group) == 1
            else Step(group[0].name, FusedConvolution([step.operation for step in group]), group[0].shape)
            for group in groups
        ]

    def training_steps(self):
        """Steps for training, in which a convolution and the maximum of its 2 x 2 tiles are one step."""
        steps: list[Step] = []
        for step in self.steps:
            if steps and pools(steps[-1].operation, step.operation, step.shape):
                before = steps[-1]
                steps[-1] = Step(before.name, PooledConvolution(before.operation, step.operation), before.shape)
            else:
                steps.append(step)
        return steps

    def views(self, flat=None, steps=None):
        """Per step, views of the parameters (or of another vector of this size) and of the state, by name."""
        flat = self.parameters if flat is None else flat
        parameters, state, p, s = [], [], 0, 0
        for step in self.steps if steps is None else steps:
            parameters.append(split(flat[p : p + step.n_parameters], step.parameter_shapes))
            state.append(split(self.state[s : s + step.n_state], step.state_shapes))
            p, s = p + step.n_parameters, s + step.n_state
        return parameters, state

    def named_parameters(self) -> dict[str, np.ndarray]:
        """Views of the parameters by ``"layer.name"``, in the order of the flat vector."""
        return self._named(self.views()[0])

    def named_arrays(self) -> dict[str, np.ndarray]:
        """Views by ``"layer.name"`` of all that `fill` takes: parameters, state, level and spread of samples."""
        arrays = self._named([parameters | state for parameters, state in zip(*self.views(), strict=True)])
        if self.moments is not None:
            arrays |= {"input.level": self.moments[0].view(), "input.spread": self.moments[1].view()}
        return arrays

    def _named(self, views):
        return {
            f"{step.name}.{n}": view for step, each in zip(self.steps, views, strict=True) for n, view in each.items()
        }

    def is_frozen(self, step) -> bool:
        """Whether training does not change the step's layer."""
        return any(f"{step.name}.".startswith(f"{name}.") for name in self.frozen)

    def check_names(self, names):
        """Raise where one of ``names`` is no layer with parameters or state, of its own or of layers within it."""
        known: dict[str, None] = {}
        for step in self.steps:
            if step.n_parameters or step.n_state:
                parts = step.name.split(".")
                known.update(dict.fromkeys(".".join(parts[: i + 1]) for i in range(len(parts))))
        if self.moments is not None:
            known["input"] = None  # level and spread of samples, which are never trained
        for name in names:
            if not isinstance(name, str) or name not in known:
                has = ", ".join(known)
                raise ValueError(f"freeze: there is no layer {shown(name)} with parameters; there are {has}")

    def fill(self, arrays):
        """Set parameters, state, level and spread from arrays by ``"layer.name"``; others keep their values."""
        views = self.named_arrays()
        for name in views.keys() & arrays.keys():
            views[name][...] = arrays[name]
        self.scale_by(self.moments)

    def trained(self, flat=None):
        """``(start, Parameter, view)`` of each trained array, in the flat vector or another vector of this size."""
        start = 0
        for step, views in zip(self.steps, self.views(flat)[0], strict=True):
            for name, view in views.items():
                if not self.is_frozen(step):
                    yield start, step.parameters[name], view
                start += view.size

    def decayed(self) -> np.ndarray:
        """1 for trained weights, on which penalties act, 0 for biases, scales, shifts and frozen weights, (n,)."""
        mask = np.zeros_like(self.parameters)
        for _, parameter, view in self.trained(mask):
            view.fill(parameter.decays)
        return mask
