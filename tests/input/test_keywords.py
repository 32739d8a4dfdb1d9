"""Keywords of other libraries, in the errors of constructors."""

import pickle
from inspect import signature

import pytest
from sklearn.base import clone

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, StridedPooling
from skconv._input.hints import _KEYWORDS, keyword_meant
from skconv._input.keywords import Hinted, hinted
from skconv.augmentation import Noise
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    DepthToSpace,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Pad,
    SpatialDropout,
    Upsample,
)
from skconv.training import SGD, Adam, OneCycle, RMSProp, Step

MEANT = [
    (Activation, "function", "activation"),
    (LeakyReLU, "negative_slope", "slope"),
    (Upsample, "scale_factor", "factor"),
    (DepthToSpace, "upscale_factor", "block_size"),
    (DepthToSpace, "blocksize", "block_size"),
    (Dropout, "rate", "dropout"),
    (SpatialDropout, "p", "dropout"),
    (Pad, "mode", "padding_mode"),
    (Pad, "value", "padding_mode"),
    (ImagePadder, "pad_width", "padding"),
    (ImagePadder, "constant_values", "padding_mode"),
    (StridedPooling, "method", "pool"),
    (StridedPooling, "mode", "pool"),
    (ConvFeatures, "n_components", "n_filters"),
    (ConvFeatures, "seed", "random_state"),
    (BatchNorm, "momentum", "decay"),
    (BatchNorm, "eps", "epsilon"),
    (Convolution, "out_channels", "filters"),
    (Convolution, "use_bias", "bias"),
    (Convolution, "kernelsize", "kernel_size"),
    (Dense, "out_features", "units"),
    (ConvNetClassifier, "epochs", "max_iter"),
    (ConvNetClassifier, "optimizer", "solver"),
    (ConvNetRegressor, "weight_decay", "alpha"),
    (Adam, "betas", "beta_1"),
    (SGD, "nesterov", "nesterovs_momentum"),
    (RMSProp, "rho", "decay"),
    (Step, "gamma", "factor"),
    (OneCycle, "pct_start", "warm_up"),
    (Noise, "scales", "scale"),
]


@pytest.mark.parametrize(("kind", "word", "ours"), MEANT)
def test_an_unknown_keyword_is_named_in_our_words(kind, word, ours):
    needed = {name: 3 for name, each in signature(kind).parameters.items() if each.default is each.empty}
    message = rf"\w+\.__init__\(\) got an unexpected keyword argument '{word}'; did you mean {ours}\?$"
    with pytest.raises(TypeError, match=message):
        kind(**needed, **{word: 1})


def test_what_looks_like_nothing_has_python_s_error():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'colour'$"):
        Dropout(colour="red")
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'filters'$"):
        Convolution()
    with pytest.raises(TypeError, match="takes no arguments"):
        Flatten(rate=1)


def test_every_word_stands_for_a_parameter_of_some_class():
    kinds = {kind for kind, _, _ in MEANT}
    known = {name for kind in kinds for name in signature(kind).parameters}
    others = {"multiplier", "initializer", "dilation", "start_factor", "ratio", "p", "values"}  # of other layers
    assert {name for names in _KEYWORDS.values() for name in names} <= known | others


def test_the_keyword_that_is_meant():
    assert keyword_meant("rate", ["dropout"]) == "dropout"
    assert keyword_meant("rate", ["units"]) is None
    assert keyword_meant("mode", ["pool", "padding_mode"]) == "padding_mode"
    assert keyword_meant("initialiser", ["initializer", "bias"]) == "initializer"


def test_signatures_clones_and_pickles_are_as_they_were():
    assert str(signature(Dropout)) == "(dropout=0.5)"
    assert str(signature(Flatten)) == "()"
    assert Dropout.__init__.__name__ == "__init__"
    for layer in (Dropout(0.2), Flatten(), Activation("tanh")):
        assert repr(clone(layer)) == repr(pickle.loads(pickle.dumps(layer))) == repr(layer)


def test_a_class_of_one_s_own_has_hints_too():
    class Shrink(Layer):
        def __init__(self, factor=1.0):
            self.factor = factor

    with pytest.raises(TypeError, match=r"unexpected keyword argument 'gamma'; did you mean factor\?"):
        Shrink(gamma=2)

    class Plain(Hinted):
        pass

    assert Plain.__init__ is object.__init__
    assert hinted(Shrink.__init__).__wrapped__ is Shrink.__init__
