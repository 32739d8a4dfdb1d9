"""The closed list of what model files may name."""

from inspect import isabstract

import pytest
from helpers import derived

import skconv
from skconv import layers, training
from skconv._saving.classes import ESTIMATORS, FUNCTIONS, PARTS, PICKLED
from skconv._saving.encode import parameters_of
from skconv.augmentation import Augmentation, Map
from skconv.layers import Layer, Operation, PaddingMode
from skconv.training import Loss, Optimizer, Schedule

BASES = {Layer, Operation, PaddingMode, Augmentation, Map, Loss, Optimizer, Schedule}


def test_all_public_parts_are_in_the_list():
    for base in BASES:
        for kind in derived(base):
            public = any(
                getattr(package, kind.__name__, None) is kind for package in (layers, training, skconv.augmentation)
            )
            assert (PARTS.get(kind.__name__) is kind) == (kind not in BASES) or not public, kind


def test_all_estimators_are_in_the_list():
    public = {name for name in skconv.__all__ if hasattr(getattr(skconv, name), "fit")}
    assert set(ESTIMATORS) == public
    assert all(ESTIMATORS[name] is getattr(skconv, name) for name in public)


def test_names_are_short_and_classes_are_of_the_package():
    for table in (PARTS, ESTIMATORS, FUNCTIONS):
        for name, kind in table.items():
            assert name.isidentifier()
            assert not name.startswith("_")
            assert kind.__module__.startswith("skconv.")
    assert not set(PICKLED) & {*PARTS.values(), *ESTIMATORS.values()}
    assert set(FUNCTIONS) == {"fan_in_uniform", "glorot_uniform", "he_normal"}


@pytest.mark.parametrize("name", PARTS)
def test_parameters_of_parts_are_attributes_with_constraints(name):
    kind = PARTS[name]
    assert not isabstract(kind)
    assert set(parameters_of(kind)) >= set(kind._parameter_constraints)
    if not hasattr(kind, "_get_param_names"):
        assert set(kind._parameter_constraints) == set(parameters_of(kind))
