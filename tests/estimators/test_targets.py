"""The contract of the kinds of targets."""

import numpy as np
import pytest

from skconv._estimators.labels import Labels, LabelSets
from skconv._estimators.numbers import Numbers
from skconv._estimators.targets import Targets

Y = np.arange(3)


@pytest.mark.parametrize("name", ["attributes", "n_outputs"])
def test_the_base_has_no_values(name):
    with pytest.raises(NotImplementedError):
        getattr(Targets(), name)


@pytest.mark.parametrize(("name", "arguments"), [("encode", (Y,)), ("score", (Y, Y, None)), ("predictions", (Y,))])
def test_the_base_asks_its_kinds(name, arguments):
    with pytest.raises(NotImplementedError):
        getattr(Targets(), name)(*arguments)


def test_what_a_kind_does_not_say():
    targets, weight = Targets(), np.array([1.0, 0.0, 2.0])
    assert targets.measured(Y, weight) is targets.calibrated(None, None) is targets
    np.testing.assert_array_equal(targets.strata(Y), 0)
    assert targets.weigh(weight, Y) is weight
    assert targets.fewest_scored("r2") == 1


@pytest.mark.parametrize("targets", [Labels(classes=Y), LabelSets(classes=Y), Numbers(mean=np.zeros(3))])
def test_targets_are_not_changed(targets):
    """Threads that predict share them with one that fits."""
    assert targets.n_outputs == 3
    with pytest.raises(AttributeError, match="cannot assign"):
        targets.loss = None
