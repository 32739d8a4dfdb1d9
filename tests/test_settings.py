"""check_estimator at every setting by name: each string that a parameter takes, and each switch, once."""

from unittest import SkipTest

import pytest
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.estimator_checks import estimator_checks_generator

from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    ToImages,
)
from skconv.architectures import ARCHITECTURES
from skconv.augmentation._augmenter import NAMES

NETWORKS = (ConvNetClassifier, ConvNetRegressor)
ESTIMATORS = (*NETWORKS, ConvFeatures, ImagePadder, ImageResizer, StridedPooling, ToImages, Flatten)
QUICK = {"filters": (4, 4), "hidden_layer_sizes": 16, "max_iter": 60}  # of the networks: as many checks, less time
SERIES = {"image_shape": "series"}
NEEDED = {  # what a setting does not go without
    # Of two numbers, as some checks have, these borders make a circle: a pooling over all of it sees them in no order.
    ("padding_mode", "reflect"): {"pool": None},
    ("padding_mode", "wrap"): {"pool": None},
    ("temperature_scaling", True): {"early_stopping": True},
    ("scoring", "loss"): {"early_stopping": True},
    ("nesterovs_momentum", False): {"solver": "sgd"},
    ("dilation", "random"): SERIES | {"global_pool": "ppv", "pool": None},
    ("bias", "random"): SERIES | {"filters": "orthonormal", "global_pool": "ppv"},
    ("filters", "minirocket"): SERIES,
    ("filters", "rocket"): SERIES,
    ("filters", "kmeans"): {"kernel_size": 2, "n_patches": 500},
    ("filters", "pca"): {"kernel_size": 1, "n_patches": 500},
    ("augment", "time_warp"): SERIES,
}
OF_IMAGES = {name for name, kind in NAMES.items() if kind.of_images}  # some checks have series
ON_BOTH = ("solver", "early_stopping")  # other parameters that the networks share are tried on the two in turn
# A sample of weight two is one draw of random numbers, two copies of it are two.
RANDOM = {
    ("layers", "vgg"),  # has dropout
    ("padding_mode", "noise"),
    ("padding_mode", "donor"),
    *(("augment", name) for name in ("auto", *NAMES)),
}
UNFIT = {  # checks whose data are not for the setting
    ("augment", "flip"): "check_classifiers_train",  # two features, which a mirror exchanges
    ("augment", "mixup"): "check_class_weight_classifiers",  # a sample of a heavy class has the labels of a light one
    ("filters", "kmeans"): "check_fit2d_1feature",  # a kernel of two steps
}


def values(estimator, name):
    """What a parameter takes by name, but for its default."""
    if name == "scoring":  # the other names are scikit-learn's scorers
        return ["loss"]
    if name == "warm_start":  # a second fit is another one by definition, which check_supervised_y_2d does not like
        return []
    constraint = estimator._parameter_constraints[name]
    augmentations = {"auto", *NAMES} - OF_IMAGES
    named = {"layers": ARCHITECTURES, "augment": augmentations, "freeze": ("convolution1",)}.get(name, ())
    switches = {True, False} if "boolean" in constraint else set()
    options = {option for part in constraint if isinstance(part, StrOptions) for option in part.options}
    return sorted({*named, *switches, *options} - {getattr(estimator(), name)}, key=str)


def settings():
    """Parameters of ``pytest.param``: an estimator, and the name and the value that it is about."""
    turn = 0
    for estimator in ESTIMATORS:
        for name in estimator._parameter_constraints:
            both = estimator in NETWORKS and name not in ON_BOTH and all(hasattr(kind(), name) for kind in NETWORKS)
            for value in values(estimator, name):
                shared = both and all(value in (*values(kind, name), getattr(kind(), name)) for kind in NETWORKS)
                kind = NETWORKS[turn % 2] if shared else estimator
                turn += shared
                if not shared or estimator is NETWORKS[0]:
                    yield kind, name, value


SETTINGS = [pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{value}") for kind, name, value in settings()]


def test_there_are_many_settings_of_every_estimator():
    assert len(SETTINGS) >= 60
    assert {setting.values[0] for setting in SETTINGS} == set(ESTIMATORS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("kind", "name", "value"), SETTINGS)
def test_check_estimator_at_a_setting(kind, name, value):
    parameters = QUICK if kind in NETWORKS else {"kernel_size": 1} if (name, value) == ("padding", "valid") else {}
    needed = {key: each for key, each in NEEDED.get((name, value), {}).items() if hasattr(kind(), key)}
    parameters = parameters | needed | {name: value}
    failures = {}
    for estimator, check in estimator_checks_generator(kind(**parameters)):
        title = check.func.__name__
        if (name, value) in RANDOM and title == "check_sample_weight_equivalence_on_dense_data":
            continue
        if UNFIT.get((name, value)) == title:
            continue
        try:
            check(estimator)
        except SkipTest:
            assert title == "check_array_api_input"
        except Exception as error:
            failures[title] = repr(error)[:300]
    assert not failures
