"""What pooling layers share: windows that are taken across, then down, and windows of some rows."""

import numpy as np
import pytest

from skconv.layers import LpPool, MaxPool, MeanPool
from skconv.layers._window_pool import WindowPlan


@pytest.mark.parametrize("kind", [MaxPool, MeanPool, LpPool])
def test_a_large_window_is_taken_across_then_down(kind):
    layer = kind((9, 12), stride=(3, 2), padding=((1, 2), (3, 4)))
    across, down = layer.lower((20, 30, 2))
    assert across.window((20, 30, 2)).output == (20, layer.output_shape((20, 30, 2))[1])
    assert down.output_shape(across.output_shape((20, 30, 2))) == layer.output_shape((20, 30, 2))
    small = kind(8)
    assert small.lower((20, 30, 2)) == [small]


@pytest.mark.parametrize("kind", [MaxPool, MeanPool, LpPool])
def test_some_rows_of_windows(kind):
    """Rows 1 and 2 of the windows start at rows 1 and 3 and end at row 5: no border is left."""
    layer, first, end = kind(3, stride=2, padding=1).strip((9, 7, 2), 1, 3)
    assert (first, end) == (1, 6)
    assert layer.output_shape((5, 7, 2)) == (2, 4, 2)


@pytest.mark.parametrize("layer", [MaxPool(3, stride=1, padding=1), LpPool(3), MeanPool(3)])
def test_a_plan_has_the_windows(layer):
    plan = layer.plan((6, 6, 1), 16, np.dtype(float), training=False, input_gradient=False)
    assert isinstance(plan, WindowPlan)
    assert plan.window == layer.window((6, 6, 1)).trimmed()
