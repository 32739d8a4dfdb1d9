"""What a layer asks for, and what it is given for one block."""

import dataclasses
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from helpers import derived

from skconv.layers import Layer
from skconv.layers._frame import Frame, Plan


def test_plans_share_nothing():
    first, second = Plan(), Plan()
    first.buffers["mask"] = first.scratch["work"] = first.shared["weight"] = (3,)
    assert (second.buffers, second.scratch, second.shared) == ({}, {}, {})
    assert (second.x, second.dy, second.aside, second.temporary) == (None, None, False, 0)


@pytest.mark.parametrize("kind", [Plan, *derived(Plan)], ids=lambda kind: kind.__name__)
def test_every_field_of_a_plan_has_a_type(kind):
    def untyped(hint):
        bare = isinstance(hint, type) and hint in (dict, list, tuple, object) and not get_args(hint)
        return hint is Any or bare or any(untyped(part) for part in get_args(hint))

    hints = get_type_hints(kind)
    assert not [field.name for field in dataclasses.fields(kind) if untyped(hints[field.name])]
    assert hints.keys() == {field.name for field in dataclasses.fields(kind)}


class _Viewing(Layer):
    """A layer whose views are its input."""

    def bind(self, frame):
        return frame.x


def test_a_frame_has_what_it_is_given_and_nothing_else():
    x = np.ones(3)
    frame, other = Frame(operation=Layer(), x=x, dx=None), Frame(operation=Layer())
    assert frame.x is x
    assert all(getattr(other, name) is None for name in Frame.__slots__ if name not in ("aside", "operation"))
    assert Frame(operation=_Viewing(), x=x).bound is x
    with pytest.raises(AttributeError):
        frame.notes = 1


def test_what_is_put_aside_is_done_at_once_where_nobody_else_does_it():
    done, frame = [], Frame(operation=Layer())
    frame.aside(done.append, frame)
    assert done == [frame]
    other = Frame(operation=Layer(), aside=lambda function, frame: done.append("later"))
    other.aside(done.append, other)
    assert done == [frame, "later"]
