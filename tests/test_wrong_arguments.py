"""Every argument of every public class takes what its words say, and refuses all else by name and value."""

import re
from importlib import import_module
from inspect import isfunction, signature
from numbers import Real

import numpy as np
import pytest
from cases import CASES
from sklearn.base import BaseEstimator, clone
from wrong_values import INF, NAN, VALUES, fits, tried_values, wrong_values

from skconv import ConvNetClassifier, ConvNetRegressor, ImagePadder
from skconv._input.constraints import InvalidParameterError, at_least, between, mismatch, one_of
from skconv.architectures import named_architecture
from skconv.augmentation import Augmentation, Augmenter, auto
from skconv.layers import Activation, Clip, Dense, Flatten, Layer, PaddingMode
from skconv.layers.activation_objects import ActivationFunction
from skconv.training import (
    Checkpoint,
    ClipNorm,
    L1Penalty,
    L2Penalty,
    Loss,
    MaxNorm,
    Optimizer,
    Schedule,
    WeightAverage,
)
from skconv.training.schedules import warmed

X = np.random.default_rng(0).random((8, 6, 6, 2), np.float32)
Y = np.arange(8) % 2
MODULES = ["", ".architectures", ".augmentation", ".inspection", ".layers", ".training"]
PUBLIC = [
    value
    for module in map(import_module, (f"skconv{name}" for name in MODULES))
    for value in map(vars(module).get, module.__all__)
    if callable(value)
]
OWNERS = [value for value in [*PUBLIC, warmed] if getattr(value, "_parameter_constraints", None)]
NEEDED = {  # of what is called directly, what has no default
    Augmenter: {"augmentations": [], "shape": (8, 8, 1), "spread": 1},
    ClipNorm: {"limit": 1},
    L1Penalty: {"alpha": 1, "mask": np.ones(3), "dtype": "float32"},
    L2Penalty: {"alpha": 1, "mask": np.ones(3), "dtype": "float32"},
    MaxNorm: {"views": [np.ones((2, 2))], "limit": 1},
    WeightAverage: {"parameters": np.ones(3)},
    auto: {"shape": (8, 8, 1)},
    named_architecture: {"name": "fcn", "input_shape": (8, 8, 1)},
    warmed: {"schedule": float},
}
every_owner = pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: f"{owner.__module__}.{owner.__name__}")


def shown_alike(value):
    """A value as it must stand in a message; the first hundred characters, of long ones."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return f"an array of shape {value.shape}"
    if isinstance(value, int) and abs(value) > 10**4000:
        return "<int>"
    with np.printoptions(legacy="1.25"):
        return repr(value.item() if isinstance(value, np.generic) else value)[:100]


def made(owner, name, value):
    """An object with one wrong argument, which it takes as it comes."""
    if issubclass(owner, Layer):
        layer = next(case.layer for case in CASES.values() if type(case.layer) is owner)
        return clone(layer).set_params(**{name: value})
    needed = {Checkpoint: {"path": "runs"}, Clip: {"lowest": 0, "highest": 6}}
    return owner(**{**needed.get(owner, {}), name: value})


def use(owner, name, value):
    """Give an object a wrong argument, and the object to a network or another user of it, which checks it."""
    small = {"filters": 2, "hidden_layer_sizes": 2, "random_state": 0}
    if owner in NEEDED:
        owner(**{**NEEDED[owner], name: value})
    elif issubclass(owner, Layer):
        before = Flatten() if owner is Dense else Activation()
        ConvNetClassifier(layers=[before, made(owner, name, value), Flatten()]).fit(X, Y)
    elif issubclass(owner, PaddingMode):
        ImagePadder(1, made(owner, name, value)).fit(X)
    elif issubclass(owner, Loss):
        kinds = {"classes": ConvNetClassifier, "label sets": ConvNetClassifier, "numbers": ConvNetRegressor}
        y = np.eye(2, dtype=int)[Y] if owner.targets == "label sets" else Y
        kinds[owner.targets](**small, loss=made(owner, name, value)).fit(X, y)
    else:
        parameters = {
            ActivationFunction: "activation",
            Augmentation: "augment",
            Checkpoint: "checkpoint",
            Optimizer: "solver",
            Schedule: "learning_rate",
        }
        parameter = next((parameters[kind] for kind in parameters if issubclass(owner, kind)), None)
        given = made(owner, name, value)
        if parameter is None:
            given.fit(X, Y)
        else:
            ConvNetClassifier(**small, **{parameter: given}).fit(X, Y)


def message(owner, name, value):
    """How the message begins."""
    if hasattr(owner, "fit"):
        return rf"The '{name}' parameter of {owner.__name__} must be .* Got {re.escape(shown_alike(value))}.* instead"
    in_list = not isfunction(owner) and issubclass(owner, Layer)
    place = rf"layers\[1\] \({owner.__name__}\)" if in_list else owner.__name__
    return rf"^{place}: {name} must be [^,].*, got {re.escape(shown_alike(value))}"


def checked(owner):
    """The arguments that have constraints; those without any have checks of their own, see `test_bad_names`."""
    known = owner._parameter_constraints
    assert set(known) == set(signature(owner).parameters)
    assert {name for name in known if known[name] == "no_validation"} <= {"augment"}
    return {name: constraints for name, constraints in known.items() if constraints != "no_validation"}


@every_owner
def test_an_argument_takes_what_its_words_say(owner):
    for name, constraints in checked(owner).items():
        for value, right in tried_values(constraints):
            assert (mismatch(constraints, value) is None) == right, (name, value)


def refused(owner):
    """Names and wrong values: a third of the values of each argument, in turn, and all ends of ranges."""
    for number, (name, constraints) in enumerate(checked(owner).items()):
        wrong = wrong_values(constraints)
        yield from ((name, value) for i, value in enumerate(wrong) if i >= len(VALUES) or i % 3 == number % 3)


@every_owner
def test_wrong_arguments_are_named_with_their_values(owner):
    for name, value in refused(owner):
        with pytest.raises(InvalidParameterError, match=message(owner, name, value)):
            use(owner, name, value)


def test_thousands_of_arguments_are_refused():
    assert sum(len(list(refused(owner))) for owner in OWNERS) > 6000


def test_every_argument_of_an_estimator_has_constraints():
    """A class of scikit-learn's kind with arguments is an owner; its bases, for parts of one's own, have none."""
    kinds = {kind for kind in PUBLIC if isinstance(kind, type) and issubclass(kind, BaseEstimator)}
    assert {kind for kind in kinds if signature(kind).parameters} <= set(OWNERS)
    assert len(OWNERS) > 60


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        (at_least(1), [1, np.int8(3)], [0, 1.0, True, None, "1", (1,)]),
        (at_least(0, Real, closed="neither"), [1e-9, 3, np.float32(2)], [0, -1, NAN, INF, False]),
        (between(0, 1), [0, 0.5, np.float64(0.999)], [1, -1e-9, NAN]),
        (between(0, 1, closed="both"), [0, 1], [1 + 1e-9, "0"]),
        (one_of("same", "valid"), ["same", np.str_("valid")], ["Same", "sam", None, b"same"]),
    ],
    ids=str,
)
def test_words_are_read(constraint, right, wrong):
    assert [fits(str(constraint), value) for value in [*right, *wrong]] == [True] * len(right) + [False] * len(wrong)
