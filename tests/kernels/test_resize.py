"""Resizing against loops and Pillow's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageOps

from skconv._kernels.resize import Resize, triangle_weights


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.4), st.floats(0.6, 1))
def test_weights_are_a_triangle_by_loops(size, out, start, end):
    first, last = start * size, end * size
    step = (last - first) / out
    reach = max(step, 1)
    weights = triangle_weights(size, out, first, last).toarray()
    for i in range(out):
        centre = first + (i + 0.5) * step
        heights = [max(0, 1 - abs(j + 0.5 - centre) / reach) for j in range(size)]
        assert_allclose(weights[i], np.array(heights) / sum(heights), atol=1e-12)


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_images_are_as_pillow_has_them(height, width, down, across, crop):
    image = np.random.default_rng(height * width).random((height, width)).astype(np.float32)
    resize = ImageOps.fit if crop else Image.Image.resize
    expected = np.asarray(resize(Image.fromarray(image), (across, down), Image.Resampling.BILINEAR))
    result = np.empty((down, across, 1))
    Resize((height, width), (down, across), crop)(image[..., None], result)
    assert_allclose(result[..., 0], expected, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_size_is_a_copy(dtype):
    image = np.random.default_rng(0).random((5, 4, 3)).astype(dtype)
    out = np.empty_like(image)
    Resize((5, 4), (5, 4), dtype=dtype)(image, out)
    assert_array_equal(out, image)


def test_double_precision():
    image, out = np.full((7, 5, 2), 1 + 1e-12), np.empty((3, 9, 2))
    Resize((7, 5), (3, 9), dtype=np.float64)(image, out)
    assert_allclose(out, 1 + 1e-12, rtol=1e-15)
