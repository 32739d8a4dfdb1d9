"""The parameters of features: what the documentation says of names is what there is."""

import re
from inspect import signature

from skconv import ConvFeatures
from skconv._features.banks import AUTO_ACTIVATION, AUTO_POOL
from skconv._features.filters import CLASSICAL, RANDOM
from skconv._features.patches import LEARNED


def documented(name):
    """Type and text of a parameter in the docstring, on one line."""
    section = ConvFeatures.__doc__.partition("Parameters\n----------\n")[2].partition("\n\nAttributes")[0]
    following = [*signature(ConvFeatures).parameters, None]
    after = following[following.index(name) + 1]
    return " ".join(section.partition(f"{name} : ")[2].partition(f"\n{after} : ")[0].split())


def test_three_parameters_go_without_their_names():
    kinds = {name: each.kind.name for name, each in signature(ConvFeatures).parameters.items()}
    assert [name for name in kinds if kinds[name] == "POSITIONAL_OR_KEYWORD"] == ["filters", "n_filters", "kernel_size"]


def test_every_name_of_filters_is_documented():
    text = documented("filters")
    assert all(f'"{name}"' in text for name in (*RANDOM, *LEARNED, *CLASSICAL))
    assert all(kind.text in text for kind in LEARNED.values())


def test_what_auto_is_is_documented():
    """There are other names between these where more banks are learned."""
    pool, activation = documented("pool"), documented("activation")
    assert re.search(r'is "max" for "random", "orthonormal".* "pca".*, "mean" for "kmeans".*, None for', pool)
    assert re.search(r'"auto" is "relu" for "random", "orthonormal".* "pca".*, and "identity" for the oth', activation)
    assert {"random": "max", "orthonormal": "max", "pca": "max", "kmeans": "mean"}.items() <= AUTO_POOL.items()
    assert {"random": "relu", "orthonormal": "relu", "pca": "relu"}.items() <= AUTO_ACTIVATION.items()
    assert "kmeans" not in AUTO_ACTIVATION
    assert not set(CLASSICAL) & {*AUTO_POOL, *AUTO_ACTIVATION}
