"""Layers made of layers: branches that start from one image and come together again."""

from __future__ import annotations

from .._input.checks import check_input, check_layers
from .._input.constraints import at_place, check_arguments, fitting, one_of
from .._input.searchable import Searchable
from ._base import Layer
from ._branching import Fork, Merge, Switch
from ._nested import Nested
from .convolution import Convolution
from .normalization import BatchNorm

__all__ = ["Parallel", "Residual"]


def named(layers):
    """``(name, layer)`` with a running number per class: convolution1, dense1."""
    counts: dict[str, int] = {}
    for layer in layers:
        name = type(layer).__name__.lower()
        counts[name] = counts.get(name, 0) + 1
        yield f"{name}{counts[name]}", layer


def _names(layers):
    """``(position, name)`` of each layer, where it is a list of layers."""
    return [(i, name) for i, (name, _) in enumerate(named(layers))] if _is_list(layers) else []


def own_layers(layers, name="layers"):
    """Copies of layers, whose parameters are checked first; an error says which layer of which list, the ``name``."""
    check_layers(layers, Layer, name)
    own = []
    for i, layer in enumerate(layers):
        place = f"{name}[{i}] ({type(layer).__name__})"
        check_arguments(layer, place=place)
        with at_place(place):
            own.append(layer.copy())
    return own


def through(layers, shape, name="layers"):
    """Shapes from the input through the layers; an error says which layer of which list, the ``name``."""
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


def to_vector(layers, shape):
    """Shapes `through` the layers of a network, the last a vector's."""
    shapes = through(layers, shape)
    if len(shapes[-1]) != 1:
        raise ValueError(
            f"layers must end in a vector, got an image {shapes[-1]}; put a Flatten or a global pooling at the end"
        )
    return shapes


class Composite(Searchable, Nested):
    """Base of the layers made of layers; not for use."""

    takes = "image"
    merge = "add"

    def branches_on(self, shape) -> list[tuple[str, list[Layer]]]:
        """``(name, layers)`` of each branch on an image of this shape; raises ValueError where they do not fit."""
        raise NotImplementedError

    def list_name(self, number) -> str:
        """The list of layers of a branch, as messages name it."""
        raise NotImplementedError

    def own_lists(self) -> dict[str, list]:
        """The parameters that have layers, with layers of their own."""
        raise NotImplementedError

    def copy(self):
        return type(self)(**{**self.get_params(deep=False), **self.own_lists()})

    def inner(self, shape):
        """``(name, layer, shape of its input)`` of all layers in the branches; the names start with the branch's."""
        for branch, layers in self.branches_on(shape):
            now = shape
            for name, layer in named(layers):
                yield f"{branch}.{name}" if branch else name, layer, now
                now = layer.output_shape(now)

    def listed(self, shape):
        return self.inner(shape)

    def _ends(self, shape, branches):
        """Output shape of each branch; raises ValueError where one is no image or they do not go together."""
        ends = []
        for number, (_, layers) in enumerate(branches):
            ends.append(through(layers, shape, self.list_name(number))[-1])
            if len(ends[-1]) != 3:
                raise ValueError(f"{self.list_name(number)} must give an image, got an output of shape {ends[-1]}")
        add = self.merge == "add"
        if any(end != ends[0] if add else end[:2] != ends[0][:2] for end in ends):
            what = "the same shape" if add else "images of the same size"
            raise ValueError(f"all branches must give {what}, got {' and '.join(map(str, ends))}")
        return ends

    def output_shape(self, shape):
        ends = self._ends(shape, self.branches_on(shape))
        return ends[0] if self.merge == "add" else (*ends[0][:2], sum(end[2] for end in ends))

    def named_steps(self, name, shape):
        branches = self.branches_on(shape)
        ends = self._ends(shape, branches)
        layered = [number for number, (_, layers) in enumerate(branches) if layers]
        steps = [(name, Fork())]
        for number in layered:
            now, (branch, layers) = shape, branches[number]
            for own, layer in named(layers):
                steps += layer.named_steps(".".join(filter(None, (name, branch, own))), now)
                now = layer.output_shape(now)
            if number != layered[-1]:
                steps.append((name, Switch(number, tuple(shape))))
        merge = Merge(self.merge, tuple(end[2] for end in ends), tuple(bool(layers) for _, layers in branches))
        return [*steps, (name, merge)]


class Parallel(Composite):
    """Branches that start from the same image; their results are put together.

    Parameters
    ----------
    branches : list of lists of Layer
        The layers of each branch; an empty list gives the image itself.  Each branch must give an image.
    merge : {"concatenate", "add"}, default="concatenate"
        Channels side by side, in the order of the branches, or the sum.

    Notes
    -----
    The parameters of the second branch's first convolution are ``parallel1.branch2.convolution1.weight`` and so on.
    Backward each branch but the first takes a copy of the image: memory of one image a branch and sample.

    Examples
    --------
    >>> from skconv.layers import Convolution, MaxPool, Parallel
    >>> layer = Parallel([[Convolution(8, 3)], [Convolution(8, 5)], [MaxPool(3, stride=1, padding=1)]])
    >>> layer.output_shape((28, 28, 4))
    (28, 28, 20)
    """

    _parameter_constraints: dict = {
        "branches": [fitting(_are_branches, "a list of lists of layers, at least one of them not empty")],
        "merge": [one_of("concatenate", "add")],
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
    """Layers whose result is added to what they got (He et al., arXiv 1512.03385).

    Parameters
    ----------
    layers : list of Layer
        From an image to an image.
    shortcut : list of Layer, default=None
        The way around them.  None is the image itself where that has the shape of the result, else a 1 x 1 convolution
        with the stride that gives that shape, and batch normalisation.

    Notes
    -----
    Parameters are named ``residual1.convolution1.weight``, those of the shortcut
    ``residual1.shortcut.convolution1.weight``.  An activation after the sum is a layer of its own.

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
        """Layers that make the image like the result; none where it is."""
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
