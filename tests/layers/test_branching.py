"""Steps of branches: where they start, change and come together, against sums and concatenations."""

import numpy as np
import pytest

from skconv._kernels.memory import Arrays
from skconv._network.network import Network
from skconv.layers import Activation, Convolution, Flatten, MaxPool, Parallel, Residual, StridePool
from skconv.layers._branching import Fork, Joint, Merge, Product, Switch, link
from skconv.layers._frame import Frame


def kinds(layers, shape=(8, 8, 2)):
    return [type(step.operation).__name__ for step in Network([*layers, Flatten()], shape, np.float32).steps]


def test_steps_of_a_residual_block():
    assert kinds([Residual([Convolution(2), Activation()])]) == [
        "Fork", "Convolution", "Bias", "Activation", "Merge", "Flatten",
    ]  # fmt: skip
    assert kinds([Residual([Convolution(4)])]) == [
        "Fork", "Convolution", "Bias", "Switch", "Convolution", "BatchNorm", "Merge", "Flatten",
    ]  # fmt: skip


def test_nothing_moves_over_the_ends_of_branches():
    layers = [Convolution(2), Activation(), Parallel([[MaxPool(), Activation()], [StridePool()]]), MaxPool()]
    assert kinds(layers) == [
        "Convolution", "Bias", "Activation", "Fork", "MaxPool", "Activation", "Switch", "StridePool", "Merge",
        "MaxPool", "Flatten",
    ]  # fmt: skip
    assert kinds([Residual([Convolution(2), Activation(), MaxPool()])])[:5] == [
        "Fork", "Convolution", "MaxPool", "Bias", "Activation",
    ]  # fmt: skip


def frame(layer, x, y=None, dx=None, dy=None):
    made = Frame(operation=layer, x=x, dx=dx, dy=dy)
    made.y = y
    return made


def test_the_frames_of_a_group_know_each_other_and_no_others():
    merge, shape = Merge("add", (1, 1), (True, True)), (1, 1, 1)
    operations = [Fork(merge), Activation(), Fork(merge), merge, Switch(0, shape, merge), Activation(), merge]
    frames = [frame(operation, np.full(1, number)) for number, operation in enumerate(operations)]
    link(frames)
    groups = [None if each.group is None else [int(joint.x[0]) for joint in each.group] for each in frames]
    assert groups == [[0, 4, 6], None, [2, 3], [2, 3], [0, 4, 6], None, [0, 4, 6]]


@pytest.mark.parametrize("merge", ["add", "concatenate"])
@pytest.mark.parametrize("layered", [(True, True), (False, True, True), (True, False)])
def test_branches_meet_and_part(merge, layered):
    """Of branches with layers the ends come in, of the others the image itself; the gradients go the way back."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((2, 3, 4, 5))
    ends = [rng.standard_normal(image.shape) if has else image for has in layered]
    layer = Merge(merge, (4,) * len(layered), layered)
    joints = [Joint(None, end, rng.standard_normal(image.shape)) for end, has in zip(ends, layered, strict=True) if has]
    shape = layer.output_shape((2, 3, 4))
    assert shape == ((2, 3, 4) if merge == "add" else (2, 3, 4 * len(layered)))
    y, dy = np.full((*shape, 5), np.nan), rng.standard_normal((*shape, 5))
    merged = frame(layer, joints[-1].x, y, np.full_like(image, np.nan), dy)
    merged.group = [Joint(None, image, None), *joints[:-1], Joint(layer, joints[-1].x, dy)]
    layer.forward(merged, True)
    np.testing.assert_array_equal(y, sum(ends[1:], ends[0]) if merge == "add" else np.concatenate(ends, axis=2))
    parts = [dy] * len(layered) if merge == "add" else np.split(dy, len(layered), axis=2)
    layer.backward(merged)
    np.testing.assert_array_equal(merged.dx, [p for p, has in zip(parts, layered, strict=True) if has][-1])
    # The fork's frame holds the gradient of the first branch with layers, and adds those of the others.
    forked = frame(Fork(layer), image, dx=rng.standard_normal(image.shape))
    forked.group = [None, *joints[:-1], Joint(layer, None, dy)]
    expected = forked.dx + sum(joint.dy for joint in joints[:-1])
    expected += sum(part for part, has in zip(parts, layered, strict=True) if not has)
    forked.operation.backward(forked)
    np.testing.assert_allclose(forked.dx, expected, rtol=0, atol=1e-14)


def test_a_product_sends_each_branch_the_gradient_times_the_others():
    rng = np.random.default_rng(0)
    image, gate, rows = (rng.standard_normal((*size, 5)) for size in ((2, 3, 4), (1, 1, 4), (2, 1, 1)))
    layer = Product((2, 3, 4), (False, True, True))
    y, dy = np.full_like(image, np.nan), rng.standard_normal(image.shape)
    group = [Joint(None, image, None), Joint(None, gate, None), Joint(layer, rows, dy)]
    work = layer.backward_plan(5, True, image.shape[:3]).scratch["backward"]
    assert not layer.backward_plan(5, False).scratch
    found = []
    for at in (rows, gate, image):
        made = frame(layer, rows, y, np.full_like(at, np.nan) if at is not image else np.ones_like(image), dy)
        made.group, made.scratch = group, Arrays(backward=Arrays({k: np.empty(shape) for k, shape in work.items()}))
        found.append(made)
    layer.forward(found[0], True)
    np.testing.assert_allclose(y, image * gate * rows, rtol=0, atol=1e-14)
    layer.backward(found[0])
    layer.write_gradient(found[1], 1)
    layer.add_gradient(found[2], 0)
    expected = [
        (dy * image * gate).sum(axis=(1, 2), keepdims=True),
        (dy * image * rows).sum(axis=(0, 1), keepdims=True),
        1 + dy * gate * rows,
    ]
    for each, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(each.dx, right, rtol=0, atol=1e-13)


def test_a_switch_starts_from_what_the_fork_got():
    rng = np.random.default_rng(0)
    image, dy = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 9, 5))
    merge = Merge("concatenate", (2, 3, 4), (True, True, True))
    layer = Switch(1, (2, 3, 4), merge)
    assert layer.output_shape((7, 7, 7)) == (2, 3, 4)
    made = frame(layer, None, np.full_like(image, np.nan), np.full((2, 3, 3, 5), np.nan))
    made.group = [Joint(None, image, None), Joint(merge, None, dy)]
    layer.forward(made, True)
    np.testing.assert_array_equal(made.y, image)
    layer.backward(made)
    np.testing.assert_array_equal(made.dx, dy[:, :, 2:5])
    for fixed in (layer, merge, Fork(merge)):  # where nobody wants the gradient of the image
        fixed.backward(frame(fixed, image))
