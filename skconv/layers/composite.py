"""Layers made of layers: branches that start from one image and are merged."""

from __future__ import annotations

from .._input.checks import check_input, check_layers
from .._input.constraints import at_place, check_arguments, fitting, one_of
from .._input.searchable import Searchable
from ._base import Layer
from ._branching import Fork, Merge, Product, Switch
from ._nested import Nested
from .convolution import Convolution
from .normalization import BatchNorm

__all__ = ["Parallel", "Residual"]


def named(layers):
    """Yield ``(name, layer)``, with names numbered by class: convolution1, dense1."""
    counts: dict[str, int] = {}
    for layer in layers:
        name = type(layer).__name__.lower()
        counts[name] = counts.get(name, 0) + 1
        yield f"{name}{counts[name]}", layer


def _names(layers):
    """``(index, name)`` of each layer; empty if ``layers`` is no list."""
    return [(i, name) for i, (name, _) in enumerate(named(layers))] if _is_list(layers) else []


def own_layers(layers, name="layers"):
    """Copies of layers, with checked parameters; an error has the index of the layer in the list called ``name``."""
    check_layers(layers, Layer, name)
    own = []
    for i, layer in enumerate(layers):
        place = f"{name}[{i}] ({type(layer).__name__})"
        check_arguments(layer, place=place)
        with at_place(place):
            own.append(layer.copy())
    return own


def through(layers, shape, name="layers"):
    """Shapes of the input and of every output; an error has the index of the layer in the list called ``name``."""
    shapes = [tuple(shape)]
    for i, layer in enumerate(layers):
        with at_place(f"{name}[{i}] ({type(layer).__name__})"):
            images = sum(len(each) == 3 for each in shapes)
            check_input(layer.takes, shapes[-1], layers[:images])
            shapes.append(layer.output_shape(shapes[-1]))
    return shapes


def _is_list(value):
    return isinstance(value, (list, tuple))


def _are_branches(value):
    return _is_list(value) and all(map(_is_list, value)) and any(map(len, value))


_WANTED = {  # of branches, by how they are merged
    "add": "the same shape",
    "concatenate": "images of the same size",
    "multiply": "the same shape, but for axes of length 1",
}


def _fit(merge, ends):
    """Whether images of these shapes can be merged."""
    sizes = [set(axis) - ({1} if merge == "multiply" else set()) for axis in zip(*ends, strict=True)]
    return all(len(axis) <= 1 for axis in (sizes[:2] if merge == "concatenate" else sizes))


def to_vector(layers, shape):
    """Shapes `through` the layers of a network; raises where the last output is no vector."""
    shapes = through(layers, shape)
    if len(shapes[-1]) != 1:
        raise ValueError(
            f"layers must end in a vector, got an image {shapes[-1]}; put a Flatten or a global pooling at the end"
        )
    return shapes


class Composite(Searchable, Nested):
    """Base class of layers made of branches of layers."""

    takes = "image"
    merge = "add"

    def branches_on(self, shape) -> list[tuple[str, list[Layer]]]:
        """``(name, layers)`` of each branch on images of ``shape``; raises ValueError where the layers do not fit."""
        raise NotImplementedError

    def list_name(self, number) -> str:
        """Name of the list of layers of branch ``number``, for messages."""
        raise NotImplementedError

    def own_lists(self) -> dict[str, list]:
        """Parameters that hold layers, by name, with copies of the layers."""
        raise NotImplementedError

    def copy(self):
        return type(self)(**{**self.get_params(deep=False), **self.own_lists()})

    def inner(self, shape):
        """``(name, layer, input shape)`` of all layers in the branches; names start with the name of the branch."""
        for branch, layers in self.branches_on(shape):
            now = shape
            for name, layer in named(layers):
                yield f"{branch}.{name}" if branch else name, layer, now
                now = layer.output_shape(now)

    def listed(self, shape):
        return self.inner(shape)

    def _ends(self, shape, branches):
        """Output shape of each branch; raises ValueError where an output is no image or outputs cannot be merged."""
        ends = []
        for number, (_, layers) in enumerate(branches):
            ends.append(through(layers, shape, self.list_name(number))[-1])
            if len(ends[-1]) != 3:
                raise ValueError(f"{self.list_name(number)} must give an image, got an output of shape {ends[-1]}")
        if not _fit(self.merge, ends):
            raise ValueError(f"all branches must give {_WANTED[self.merge]}, got {' and '.join(map(str, ends))}")
        return ends

    def _merge(self, branches, ends) -> Merge:
        """The operation at the end of branches whose outputs have the shapes ``ends``."""
        layered = tuple(bool(layers) for _, layers in branches)
        if self.merge == "multiply":
            return Product(tuple(map(max, zip(*ends, strict=True))), layered)
        return Merge(self.merge, tuple(end[2] for end in ends), layered)

    def output_shape(self, shape):
        branches = self.branches_on(shape)
        ends = self._ends(shape, branches)
        return self._merge(branches, ends).output_shape(ends[-1])

    def named_steps(self, name, shape):
        branches = self.branches_on(shape)
        merge = self._merge(branches, self._ends(shape, branches))
        layered = [number for number, has in enumerate(merge.layered) if has]
        steps = [(name, Fork(merge))]
        for number in layered:
            now, (branch, layers) = shape, branches[number]
            for own, layer in named(layers):
                steps += layer.named_steps(".".join(filter(None, (name, branch, own))), now)
                now = layer.output_shape(now)
            if number != layered[-1]:
                steps.append((name, Switch(number, tuple(shape), merge)))
        return [*steps, (name, merge)]


class Parallel(Composite):
    """Branches of layers that start from the same image and whose outputs are concatenated, added or multiplied.

    Parameters
    ----------
    branches : list of lists of Layer
        Layers of each branch; an empty list gives the image itself.  Each branch must give an image.
    merge : {"concatenate", "add", "multiply"}, default="concatenate"
        Concatenation of channels, in the order of the branches, the sum or the product.  In a product a branch with one
        row and column, or with one channel, is repeated: it is a gate on the channels, or on the positions.

    Notes
    -----
    Parameters have names such as ``parallel1.branch2.convolution1.weight``.  Each branch but the first takes a copy of
    the image, in memory of its own.

    Examples
    --------
    >>> from skconv.layers import Convolution, MaxPool, Parallel
    >>> layer = Parallel([[Convolution(8, 3)], [Convolution(8, 5)], [MaxPool(3, stride=1, padding=1)]])
    >>> layer.output_shape((28, 28, 4))
    (28, 28, 20)

    A gate on channels, with activations of your choice:

    >>> from skconv.layers import Activation, GlobalMeanPool
    >>> gate = [GlobalMeanPool(keepdims=True), Convolution(8, 1), Activation(), Convolution(32, 1)]
    >>> layer = Parallel([[], [*gate, Activation("hard_sigmoid")]], "multiply")
    >>> layer.output_shape((28, 28, 32))
    (28, 28, 32)
    """

    _parameter_constraints: dict = {
        "branches": [fitting(_are_branches, "a list of lists of layers, at least one of them not empty")],
        "merge": [one_of("concatenate", "add", "multiply")],
    }

    def __init__(self, branches, merge="concatenate"):
        self.branches = branches
        self.merge = merge

    def branches_on(self, shape):
        return [(f"branch{i}", list(branch)) for i, branch in enumerate(self.branches, 1)]

    def list_name(self, number):
        return f"branches[{number}]"

    def _places(self):
        branches = [_names(branch) for branch in self.branches]
        return {f"branch{i + 1}__{name}": ("branches", i, j) for i, names in enumerate(branches) for j, name in names}

    def own_lists(self):
        return {"branches": [own_layers(branch, self.list_name(i)) for i, branch in enumerate(self.branches)]}


class Residual(Composite):
    """Layers whose output is added to their input (He et al., arXiv 1512.03385).

    Parameters
    ----------
    layers : list of Layer
        Layers from an image to an image.
    shortcut : list of Layer, default=None
        Layers of the shortcut.  None is the input itself if it has the shape of the output, else a 1 x 1 convolution
        with the stride that gives this shape, and batch normalisation.

    Notes
    -----
    Parameters have names such as ``residual1.convolution1.weight``, those of the shortcut
    ``residual1.shortcut.convolution1.weight``.  An activation after the sum is a separate layer.

    Examples
    --------
    >>> from skconv.layers import Activation, BatchNorm, Convolution, Residual
    >>> layers = [Convolution(8, bias=False), BatchNorm(), Activation(), Convolution(8, bias=False), BatchNorm()]
    >>> Residual(layers).output_shape((14, 14, 8))
    (14, 14, 8)
    >>> [name for name, _, _ in Residual([Convolution(8, stride=2)]).inner((14, 14, 4))]
    ['convolution1', 'shortcut.convolution1', 'shortcut.batchnorm1']
    """

    _parameter_constraints: dict = {
        "layers": [fitting(lambda value: _is_list(value) and len(value) > 0, "a list of at least one layer")],
        "shortcut": [fitting(_is_list, "a list of layers"), None],
    }

    def __init__(self, layers, shortcut=None):
        self.layers = layers
        self.shortcut = shortcut

    def branches_on(self, shape):
        shortcut = self._projection(shape) if self.shortcut is None else self.shortcut
        return [("", list(self.layers)), ("shortcut", list(shortcut))]

    def list_name(self, number):
        return ("layers", "shortcut")[number]

    def _places(self):
        layers = {name: ("layers", i) for i, name in _names(self.layers)}
        return layers | {f"shortcut__{name}": ("shortcut", i) for i, name in _names(self.shortcut)}

    def own_lists(self):
        shortcut = None if self.shortcut is None else own_layers(self.shortcut, "shortcut")
        return {"layers": own_layers(self.layers), "shortcut": shortcut}

    def _projection(self, shape):
        """Layers of the default shortcut; empty if input and output have the same shape."""
        end = through(self.layers, shape)[-1]
        if len(end) != 3 or end == tuple(shape):
            return []
        stride = tuple(-(-size // kept) for size, kept in zip(shape[:2], end[:2], strict=True))
        projection = Convolution(end[2], (1, 1), stride=stride, bias=False)
        if projection.output_shape(shape) != end:
            raise ValueError(
                f"no stride of a 1 x 1 convolution makes an image of {end} from one of {tuple(shape)}; pass "
                "Residual(layers, shortcut=[...])"
            )
        return [projection, BatchNorm()]
