"""A package exports what its modules' ``__all__`` has."""

import sys
from importlib import import_module

import pytest

import skconv.augmentation
import skconv.inspection
import skconv.layers
import skconv.training
from skconv._input.exports import exports


def test_names_of_a_package():
    namespace = {"__name__": "package", "_private": 1, "sys": sys, "Second": int, "first": len}
    assert exports(namespace) == ["Second", "first"]


@pytest.mark.parametrize("name", ["augmentation", "inspection", "layers", "training"])
def test_a_package_has_each_name_of_its_modules_once(name):
    package = import_module(f"skconv.{name}")
    homes = {exported: getattr(package, exported).__module__ for exported in package.__all__}
    assert all(home.startswith(f"{package.__name__}.") for home in homes.values())
    for home in set(homes.values()):
        assert set(import_module(home).__all__) == {exported for exported in homes if homes[exported] == home}


def test_what_is_for_users_is_there():
    for package, names in {
        skconv.augmentation: ["Augmentation", "Flip", "Map", "Mixup", "auto", "make_augmenter"],
        skconv.inspection: ["plot_kernels", "summarize", "weight_matrix"],
        skconv.layers: ["Convolution", "Flatten", "Frame", "Layer", "Parameter", "Plan", "StridePool", "he_normal"],
        skconv.training: ["Adam", "Checkpoint", "Huber", "L1Penalty", "Loss", "Optimizer", "Step", "TrainingInfo"],
    }.items():
        assert set(names) <= set(package.__all__)
