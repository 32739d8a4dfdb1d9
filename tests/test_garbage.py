"""What a call has used goes as soon as it ends: nothing stands in circles that wait for Python's collector."""

import gc

import numpy as np
import pytest
from sklearn import config_context

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, ImageResizer, StridedPooling
from skconv.augmentation import Noise
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    LocallyConnected,
    MaxPool,
    Pad,
    Parallel,
    Residual,
    SeparableConvolution,
    SqueezeExcite,
    TransposedConvolution,
)

X = np.random.default_rng(0).uniform(0, 1, (40, 12, 12))
SERIES, LABELS, LARGE = X.reshape(40, 144), np.arange(40) % 2, np.random.default_rng(1).uniform(0, 1, (2, 400, 300))
STRIPS = {"working_memory": 4}


@pytest.fixture
def waiting():
    """A function that calls another one, twice, and returns what the second call leaves to the collector."""
    flags = gc.get_debug()

    def found(call):
        call()  # what is made once in a process
        gc.collect()
        gc.disable()
        call()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return [kind for kind in map(type, gc.garbage) if kind is np.ndarray or kind.__module__.startswith("skconv")]

    yield found
    gc.set_debug(flags)
    gc.garbage.clear()
    gc.enable()


TRANSFORMERS = {
    "resizing": (ImageResizer(5), X),
    "pooling": (StridedPooling("max", 3, stride=2, padding=1, ceil_mode=True), X),
    "features": (ConvFeatures("random", 8, bias="position", padding_mode="reflect", random_state=0), X),
    "kmeans": (ConvFeatures("kmeans", 8, n_patches=200, random_state=0), X),
    "summaries": (ConvFeatures("gabor", 4, padding_mode="noise", global_pool=("ppv", "mean"), random_state=0), X),
    "rocket": (ConvFeatures("rocket", 20, image_shape="series", random_state=0), SERIES),
    "minirocket": (ConvFeatures("minirocket", 84, image_shape="series", random_state=0), SERIES),
    "padder": (ImagePadder(2, "donor"), X),
    "pooling by strips": (StridedPooling("median", 5, stride=2, padding=2), LARGE),
    "features by strips": (ConvFeatures("sobel"), LARGE),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name, waiting):
    transformer, data = TRANSFORMERS[name]
    with config_context(**STRIPS):
        assert not waiting(lambda: transformer.set_params(n_jobs=2).fit(data).transform(data))


MODELS = {
    "default": ConvNetClassifier(),
    "branches": ConvNetClassifier(
        layers=[
            Residual([Convolution(4), BatchNorm()]),
            Parallel([[MaxPool(2)], [Convolution(2, stride=2)]]),
            Flatten(),
            Dense(1),
        ]
    ),
    "borders": ConvNetClassifier(
        layers=[Pad(1, mode) for mode in ("noise", "donor", "wrap", "constant")] + [Flatten(), Dense(1)]
    ),
    "kinds": ConvNetClassifier(
        layers=[
            SeparableConvolution(4),
            Activation(),
            SqueezeExcite(2),
            TransposedConvolution(4),
            LocallyConnected(2),
            Flatten(),
            Dropout(),
            Dense(5),
        ]
    ),
    "L-BFGS": ConvNetRegressor(solver="lbfgs", tol=10),
    "early stopping": ConvNetClassifier(early_stopping=True, augment=[Noise(0.1)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name, waiting):
    def fit():
        model.fit(X, LABELS)
        model.predict(X)
        model.predict(X[:1])
        if hasattr(model, "partial_fit"):
            model.partial_fit(X, LABELS)
            model.predict(X)

    model = MODELS[name].set_params(n_jobs=2, random_state=0, max_iter=3)
    assert not waiting(fit)


def test_what_is_refused(waiting):
    pooling = StridedPooling("median", "global").fit(LARGE)

    def refused():
        with config_context(working_memory=1), pytest.raises(ValueError, match="working_memory"):
            pooling.transform(LARGE)

    assert not waiting(refused)
