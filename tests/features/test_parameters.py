"""The parameters of features: what the documentation says of names is what there is."""

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
    assert '"max" for "random", "orthonormal" and "pca", "mean" for "kmeans", None for the others' in documented("pool")
    assert '"auto" is "relu" for "random", "orthonormal" and "pca", and "identity" for the oth' in documented(
        "activation"
    )
    assert AUTO_POOL == {"random": "max", "orthonormal": "max", "pca": "max", "kmeans": "mean"}
    assert AUTO_ACTIVATION == {"random": "relu", "orthonormal": "relu", "pca": "relu"}
