"""What all correlations share, and those in groups of channels."""

import numpy as np
import pytest

from skconv._kernels.algorithm import Correlation, Groups
from skconv._kernels.geometry import Axis, Window


@pytest.mark.parametrize(("kind", "groups"), [(Correlation, ()), (Groups, (2,))])
def test_the_bases_are_for_subclasses(kind, groups):
    """What they know without an algorithm: the input as it is, one band, nothing to work in."""
    base = kind(Window(Axis(3, 2), Axis(5, 2)), 2, 2, *groups, 16, np.float32)
    assert (base.stored_rows, base.stored_columns, base.rows_per_band, base.temporary) == (3, 5, 2, 0)
    assert base.scratch == base.gradient_scratch == {}
    for call in (
        lambda: base.prepare(None, None),
        lambda: base.bind(None, None, None),
        lambda: base.run(None, None),
        lambda: base.bind_gradient(None, None, None),
        lambda: base.run_gradient(None, None, None),
    ):
        with pytest.raises(NotImplementedError):
            call()


@pytest.mark.parametrize(
    ("rows", "multiple", "band"), [(100, 1, 7), (3, 1, 3), (3, 2, 2), (1, 2, 2), (5, 4, 4), (9, 8, 7)]
)
def test_bands_are_as_high_as_asked_and_all_rows_together(rows, multiple, band):
    groups = Groups(Window(Axis(9, 3), Axis(4, 2)), 4, 6, 2, 16, np.float32)
    assert groups.fit_bands(rows, multiple) == groups.rows_per_band == band
    covered = [row for start, height in groups.starts() for row in range(start, start + height)]
    assert covered == list(range(7))


def test_weights_by_group():
    groups = Groups(Window(Axis(9, 3), Axis(4, 2)), 4, 6, 2, 16, np.float32)
    weight = np.arange(6 * 3 * 2 * 2).reshape(6, 3, 2, 2)
    by_group = groups.by_group(weight)
    for f in range(6):
        np.testing.assert_array_equal(by_group[f // 3, f % 3], weight[f])
    assert np.shares_memory(groups.by_group(by_group), weight)
