"""Memory of images: none is overwritten while it is used, concatenations have their parts in place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skconv._network.arena import Planes, Vector, arena_bytes, place

LIVES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)), min_size=1
)


@given(LIVES)
def test_images_in_use_at_the_same_time_share_no_memory(lives):
    images = []
    for *shape, first, last in lives:
        images.append(Planes(tuple(shape), first))
        images[-1].used(last)
    place(images, np.dtype(np.float32))
    for i, image in enumerate(images):
        assert image.cube.shape == (image.shape[2], *image.shape[:2])
        for other in images[:i]:
            if not (other.last < image.first or image.last < other.first):
                assert not np.shares_memory(image.array, other.array)


def test_memory_is_used_again():
    images = [Planes((8, 8, 4), i) for i in range(10)]
    for i, image in enumerate(images):
        image.used(i + 1)
    assert arena_bytes(images, np.dtype(np.float32)) == 2 * 8 * 8 * 4 * 4


def test_parts_of_a_concatenation_are_views_of_it():
    first, second, third = (Planes((3, 3, channels), i) for i, channels in enumerate((2, 1, 4)))
    inner, outer = Planes((3, 3, 3), 3), Planes((3, 3, 7), 4)
    first.join(inner, 0)
    second.join(inner, 2)
    inner.join(outer, 0)
    third.join(outer, 3)
    assert (outer.first, outer.last, second.root) == (0, 4, outer)
    place([first, second, third, inner, outer], np.dtype(np.float64))
    outer.array[...] = np.arange(7)[:, None]
    assert [image.array[:, 0].tolist() for image in (first, second, third)] == [[0, 1], [2], [3, 4, 5, 6]]


def test_rows_are_no_page_apart():
    assert Planes((32, 32, 2), 0).stride % 1024 != 0
    assert Planes((5, 5, 2), 0).stride == 25


def test_a_vector_is_a_block_of_one_sample():
    vector = Vector((6,), 0)
    place([vector], np.dtype(np.float32))
    assert vector.block.shape == (6, 1)
