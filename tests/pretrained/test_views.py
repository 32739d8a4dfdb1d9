"""Axes of tensors on images."""

import itertools

import numpy as np
import pytest

from skconv._pretrained.nodes import Nodes, Unsupported
from skconv._pretrained.views import Atom, View, materialized, to_image, whole

SHAPE = (4, 6, 8)  # of the image


def image_view():
    """The tensor (N, C, H, W) of an image."""
    node = Nodes().new("input", [], SHAPE)
    return View(node, ((Atom("N", 1),), whole("C", 8), whole("H", 4), whole("W", 6)))


def array_of(view):
    """The tensor of a view of the image whose pixels are numbered, by its parts."""
    values = np.zeros(view.shape, int)
    steps = {"N": 0, "H": 6 * 8, "W": 8, "C": 1}
    for i, axis in enumerate(view.axes):
        index = np.zeros(1, int)
        for atom in axis:
            index = (index[:, None] + steps[atom.letter] * atom.step * np.arange(atom.size)).reshape(-1)
        values = values + index.reshape([-1 if j == i else 1 for j in range(len(view.axes))])
    return values


IMAGE = np.arange(4 * 6 * 8).reshape(SHAPE).transpose(2, 0, 1)[None]


def test_a_view_is_the_tensor():
    np.testing.assert_array_equal(array_of(image_view()), IMAGE)


@pytest.mark.parametrize("order", [*itertools.permutations(range(1, 4))])
def test_transposes_and_reshapes_are_those_of_arrays(order):
    wanted = IMAGE.transpose(0, *order)
    view = image_view().transposed((0, *order))
    np.testing.assert_array_equal(array_of(view), wanted)
    for shape in [(1, 192), (1, 2, 96), (1, 1, 4, 1, 48), (1, 2, 2, 2, 2, 2, 6), (1, *wanted.shape[1:], 1)]:
        try:
            reshaped = view.reshaped(shape)
        except Unsupported:
            continue
        np.testing.assert_array_equal(array_of(reshaped), wanted.reshape(shape))
        np.testing.assert_array_equal(array_of(reshaped.reshaped(view.shape)), wanted)
        assert reshaped.reshaped(view.shape) == view


@pytest.mark.parametrize("shape", [(1, 3, 64), (1, 7), (1, 192, 2), (0,), (), (192,)])
def test_reshapes_that_cut_axes_are_refused(shape):
    if shape == (192,):
        assert image_view().reshaped(shape).shape == (192,)
        return
    with pytest.raises(Unsupported, match="a reshape from"):
        image_view().reshaped(shape)


def test_samples_come_first():
    with pytest.raises(Unsupported, match="a reshape with samples that are not the first axis"):
        image_view().transposed((1, 0, 2, 3)).reshaped((8, 24))


def test_constants_on_an_image():
    axes, rng = image_view().axes, np.random.default_rng(0)
    for shape in [(), (6,), (4, 6), (8, 1, 1), (1, 8, 4, 1), (1, 1, 1, 1)]:
        array = rng.standard_normal(shape)
        on_image = np.broadcast_to(to_image(array, axes), SHAPE)
        np.testing.assert_array_equal(on_image, np.broadcast_to(array, (1, 8, 4, 6))[0].transpose(1, 2, 0))
    with pytest.raises(Unsupported, match="which does not fit the tensor"):
        to_image(np.ones((5, 6)), axes)
    with pytest.raises(Unsupported, match="numbers for some parts of an axis"):
        to_image(np.ones((2, 1, 1, 1)), image_view().reshaped((1, 2, 4, 4, 6)).axes)


def test_shuffled_channels_are_a_layer():
    view = image_view()
    assert materialized(Nodes(), view) is view
    shuffled = view.reshaped((1, 2, 4, 4, 6)).transposed((0, 2, 1, 3, 4)).reshaped((1, 8, 4, 6))
    nodes = Nodes()
    found = materialized(nodes, shuffled)
    assert found.node.layer.groups == 2
    assert found.axes == view.axes
    assert materialized(nodes, shuffled).node is found.node
