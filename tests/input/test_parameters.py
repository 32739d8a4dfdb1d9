"""What is made of parameters that are written once: constructor, constraints and docstring."""

import pickle
import subprocess
import sys
from inspect import Parameter, signature
from typing import Any

import pytest
from sklearn.base import BaseEstimator, clone

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._input.constraints import InvalidParameterError, at_least, check_parameters
from skconv._input.parameters import parameter, parametrized

NETWORKS = [ConvNetClassifier, ConvNetRegressor]


@parametrized
class Base:
    """What two share.

    Attributes
    ----------
    size_ : int
        Size found.
    """

    size: Any = parameter(
        3,
        [at_least(1)],
        """int
        Size of the window.
        It is odd.""",
        kw_only=False,
    )
    kind: Any = parameter(None, "no_validation", "object\nKind of the window.")


@parametrized
class Own(Base, BaseEstimator):
    """One of them.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    """

    rate: Any = parameter(0.5, [float], "float\nRate of the window.")
    kind: Any = parameter("plain", [str], "str\nName of the kind.")


DOCUMENTED = """One of them.

Parameters
----------
size : int, default=3
    Size of the window.
    It is odd.
kind : str, default="plain"
    Name of the kind.
rate : float, default=0.5
    Rate of the window.

Attributes
----------
size_ : int
    Size found."""


def test_the_docstring_has_every_parameter_once():
    assert Own.__doc__ == DOCUMENTED


def test_the_signature_has_names_and_defaults_alone():
    assert str(signature(Own)) == "(size=3, *, kind='plain', rate=0.5)"


def test_the_class_is_an_estimator():
    own = Own(5, rate=0.25)
    assert own.get_params() == {"size": 5, "kind": "plain", "rate": 0.25}
    assert repr(own) == "Own(rate=0.25, size=5)"
    assert clone(own).get_params() == pickle.loads(pickle.dumps(own)).get_params() == own.get_params()
    assert own != Own(5, rate=0.25)
    assert len({own, Own(5)}) == 2
    with pytest.raises(TypeError, match="positional argument"):
        Own(5, "plain")


def test_the_constraints_are_those_of_the_parameters():
    check_parameters(Own())
    with pytest.raises(InvalidParameterError, match="The 'size' parameter of Own must be an int"):
        check_parameters(Own(0))
    with pytest.raises(InvalidParameterError, match="The 'kind' parameter of Own must be an instance of 'str'"):
        check_parameters(Own(kind=None))


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_parameter_of_a_network_has_its_default_its_constraints_and_a_sentence(kind):
    parameters = signature(kind).parameters
    assert set(parameters) == set(kind._parameter_constraints)
    section = kind.__doc__.partition("Parameters\n----------\n")[2].partition("\n\nAttributes")[0]
    for name, given in parameters.items():
        assert given.annotation is Parameter.empty
        head, _, body = section.partition(f"{name} : ")[2].partition("\n    ")
        default = f'"{given.default}"' if isinstance(given.default, str) else repr(given.default)
        assert head.endswith(f", default={default}")
        assert len(body.partition(".")[0].split()) >= 3, name
    assert "{" not in kind.__doc__.partition("Attributes")[2].partition("Examples")[0]


def test_without_docstrings_there_are_parameters():
    code = "from skconv import ConvNetClassifier as C; print(C.__doc__, C(3, loss='focal'), len(C().get_params()) > 50)"
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None ConvNetClassifier(filters=3, loss='focal') True\n"
