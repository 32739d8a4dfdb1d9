"""Objects in place of names: the same bits, parameters that are searched, and classes of one's own."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder
from skconv.augmentation import Augmentation, Noise, Shift
from skconv.layers import (
    ConstantPadding,
    Convolution,
    Dense,
    DonorPadding,
    Flatten,
    Layer,
    NoisePadding,
    Pad,
    PaddingMode,
    PatternPadding,
    SeparableConvolution,
    he_normal,
)
from skconv.training import (
    Adam,
    BinaryCrossEntropy,
    BinaryFocal,
    Constant,
    Cosine,
    Focal,
    Huber,
    Loss,
    Muon,
    OneCycle,
    Optimizer,
    Plateau,
    Poisson,
    RMSProp,
    Schedule,
    SoftmaxCrossEntropy,
    SquaredError,
    Step,
)
from skconv.training.optimizers import OPTIMIZERS

RNG = np.random.default_rng(0)
X, Y = RNG.random((32, 6, 6)), np.arange(32) % 2
SMALL = {"filters": (2, 3), "hidden_layer_sizes": 4, "max_iter": 2, "batch_size": 8, "random_state": 0}


def quick(**params):
    return ConvNetClassifier(**{**SMALL, **params})


def alike(a, b):
    """Whether two fitted models have the same bits."""
    return all(np.array_equal(a.weights_[name], b.weights_[name]) for name in a.weights_)


# Optimisers


class Signs(Optimizer):
    """Steps by the sign of the sum of all gradients."""

    kept = ("total",)

    def __init__(self, scale=1.0):
        self.scale = scale

    def allocate(self, n, dtype, matrices):
        self.total = np.zeros(n, dtype)

    def update(self, parameters, gradient, rate, part=slice(None)):
        self.total[part] += gradient[part]
        parameters[part] -= rate * self.scale * np.sign(self.total[part])


SOLVERS = {name: kind() for name, kind in OPTIMIZERS.items()}


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("penalty", [{}, {"l1_ratio": 0.5, "alpha": 0.01}])
def test_an_optimiser_is_its_name(name, penalty):
    assert alike(quick(solver=SOLVERS[name], **penalty).fit(X, Y), quick(solver=name, **penalty).fit(X, Y))


def test_what_has_no_flat_name_is_reached():
    assert not alike(quick(solver=Muon(momentum=0.5)).fit(X, Y), quick(solver="muon").fit(X, Y))
    assert not alike(quick(solver=RMSProp(decay=0.5)).fit(X, Y), quick(solver="rmsprop").fit(X, Y))
    assert alike(quick(solver=Adam(0.8)).fit(X, Y), quick(beta_1=0.8).fit(X, Y))


def test_the_given_optimiser_keeps_nothing():
    solver = Signs()
    quick(solver=solver).fit(X, Y)
    assert vars(solver) == {"scale": 1.0}


def test_an_optimiser_s_parameters_are_searched():
    model = quick(solver=Adam())
    search = GridSearchCV(model, {"solver__beta_1": [0.5, np.float64(0.9)]}, cv=2).fit(X, Y)
    assert search.best_estimator_.solver.beta_1 == search.best_params_["solver__beta_1"]
    assert model.solver.beta_1 == 0.9
    with pytest.raises(
        ValueError, match=r"Invalid parameter 'solver__beta_1' for .* Valid parameters are: \['solver'\]"
    ):
        quick().set_params(solver__beta_1=0.5)


def test_an_optimiser_of_one_s_own_goes_on(tmp_path):
    model = quick(solver=Signs(0.1), max_iter=4, alpha=0.01, l1_ratio=0.5)
    whole = clone(model).fit(X, Y)

    def killed(info):
        if info.epoch == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        clone(model).set_params(checkpoint=tmp_path, callback=killed).fit(X, Y)
    assert alike(clone(model).set_params(checkpoint=tmp_path).fit(X, Y), whole)
    parts = [clone(model).partial_fit(X, Y, classes=[0, 1]) for _ in range(2)]
    assert alike(parts[0].partial_fit(X, Y), parts[1].set_params(solver=Signs(0.1)).partial_fit(X, Y))
    assert not alike(parts[0].partial_fit(X, Y), parts[1].set_params(solver__scale=0.2).partial_fit(X, Y))


# First values


def test_a_function_gives_the_first_values():
    def names(function):
        layers = [Convolution(3, 3, initializer=function), Flatten(), Dense(4, initializer=function)]
        return quick(layers=layers).fit(X, Y)

    assert alike(names(he_normal), names("he_normal"))
    assert not alike(names(he_normal), names("glorot_uniform"))
    filled = names(lambda weight, rng: weight.fill(0.125))
    assert (
        len(np.unique(filled.weights_["convolution1.weight"])) < names("he_normal").weights_["convolution1.weight"].size
    )
    with pytest.raises(TypeError, match=r"initializer must fill the weight in place and return None, got 0\.5"):
        names(lambda weight, rng: 0.5)
    with pytest.raises(ValueError, match=r"initializer must be a str among .* or a function of \(weight, rng\), got"):
        names(Convolution)


# Schedules


def test_a_schedule_is_its_name():
    for name, schedule in {
        "one_cycle": OneCycle(),
        "step": Step(),
        "cosine": Cosine(),
        "constant": Constant(),
    }.items():
        assert alike(quick(learning_rate=schedule).fit(X, Y), quick(learning_rate=name).fit(X, Y))
    plateau = Plateau(patience=1, tol=1e9)
    named = quick(learning_rate="plateau", n_iter_no_change=2, tol=1e9, max_iter=9, warm_up=0.2).fit(X, Y)
    assert alike(quick(learning_rate=plateau, max_iter=9, warm_up=0.2).fit(X, Y), named)
    assert set(vars(plateau)) == {"factor", "patience", "tol", "min_factor"}
    assert named.stopped_early_


def test_any_function_is_a_schedule():
    rates = []
    model = quick(
        learning_rate=lambda done: np.float32(done < 0.5), callback=lambda info: rates.append(info.learning_rate)
    )
    model.fit(X, Y)
    assert rates == [0.01, 0.0]
    assert not alike(quick(learning_rate=OneCycle(warm_up=0.8)).fit(X, Y), quick().fit(X, Y))
    search = GridSearchCV(quick(learning_rate=Step()), {"learning_rate__milestones": [(0.1,), (0.2, 0.9)]}, cv=2)
    assert search.fit(X, Y).best_estimator_.learning_rate.milestones in [(0.1,), (0.2, 0.9)]


def test_a_schedule_that_gives_no_factors():
    with pytest.raises(ValueError, match=r"learning_rate must give a float in .*, got nan where 50 % of the training"):
        quick(learning_rate=lambda done: np.nan if done == 0.5 else 1.0).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"or a function of the share of the training that is done\. Got the class Step"
    ):
        quick(learning_rate=Step).fit(X, Y)


def test_early_stopping_goes_by_where_a_function_ends():
    options = {"early_stopping": True, "n_iter_no_change": 2, "tol": 1e9, "max_iter": 8}
    assert quick(**options, learning_rate=lambda done: 1.0).fit(X, Y).n_iter_ == 3
    assert quick(**options, learning_rate=lambda done: 1 - done).fit(X, Y).n_iter_ == 5  # and the last quarter


# Losses


class Cubed(Loss):
    """The cube of the absolute error."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def __call__(self, outputs, targets, weight, gradient=None):
        residual = outputs - targets
        if gradient is not None:
            gradient[...] = 3 * self.scale * residual * np.abs(residual) * weight
        return float((self.scale * np.abs(residual) ** 3).sum(axis=0) @ weight)


def test_a_loss_is_its_name():
    labels = np.eye(2, dtype=int)[Y]
    for y, name, loss in [
        (Y, "log_loss", SoftmaxCrossEntropy(0.1)),
        (Y, "focal", Focal(label_smoothing=0.1)),
        (labels, "log_loss", BinaryCrossEntropy(0.1)),
        (labels, "focal", BinaryFocal(2.0, 0.1)),
    ]:
        assert alike(quick(loss=loss).fit(X, y), quick(loss=name).fit(X, y))
    for name, loss in {"squared_error": SquaredError(), "huber": Huber(1.0), "poisson": Poisson()}.items():
        assert alike(ConvNetRegressor(**SMALL, loss=loss).fit(X, Y), ConvNetRegressor(**SMALL, loss=name).fit(X, Y))
    assert ConvNetRegressor(loss=Poisson()).__sklearn_tags__().target_tags.positive_only


def test_a_loss_s_parameters_are_searched():
    search = GridSearchCV(quick(loss=Focal()), {"loss__gamma": [0.5, 3.0]}, cv=2).fit(X, Y)
    assert search.best_estimator_.loss.gamma == search.best_params_["loss__gamma"]


def test_a_loss_of_one_s_own():
    model = ConvNetRegressor(**{**SMALL, "max_iter": 60}, loss=Cubed())
    assert model.fit(X, Y).score(X, Y) > 0.5
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    model.loss.scale = 5.0
    assert again.fit(X, Y).loss_ == clone(again).fit(X, Y).loss_
    assert alike(clone(model).set_params(loss__scale=1.0).fit(X, Y), again)


def test_a_loss_for_other_targets():
    message = r"loss=BinaryFocal\(\) is for label sets, but y has classes"
    with pytest.raises(ValueError, match=message):
        quick(loss=BinaryFocal()).fit(X, Y)
    with pytest.raises(ValueError, match=r"loss=Focal\(\) is for classes, but y has numbers"):
        ConvNetRegressor(loss=Focal()).fit(X, Y)
    with pytest.raises(ValueError, match=r"'loss' parameter .* or a loss of skconv.training\. Got the class Focal"):
        quick(loss=Focal).fit(X, Y)


# Padding modes


class Nearest(PaddingMode):
    """The nearest pixel, which "edge" is too, times a number."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fill(self, image, border):
        left = border.left.shape[1]
        for strip, row in ((border.top, 0), (border.bottom, -1)):
            strip[:, left : left + image.shape[1]] = self.factor * image[row]
            strip[:, :left] = self.factor * image[row, :1]
            strip[:, left + image.shape[1] :] = self.factor * image[row, -1:]
        border.left[...] = self.factor * image[:, :1]
        border.right[...] = self.factor * image[:, -1:]

    def add_gradient(self, image, border, gradient):
        left, width = border.left.shape[1], image.shape[1]
        for strip, row in ((border.top, 0), (border.bottom, -1)):
            gradient[row] += self.factor * strip[:, left : left + width].sum(axis=0)
            gradient[row, 0] += self.factor * strip[:, :left].sum(axis=(0, 1))
            gradient[row, -1] += self.factor * strip[:, left + width :].sum(axis=(0, 1))
        gradient[:, 0] += self.factor * border.left.sum(axis=1)
        gradient[:, -1] += self.factor * border.right.sum(axis=1)


class Detached(Nearest):
    detached = True


@pytest.mark.parametrize("base", [ConstantPadding, PatternPadding, NoisePadding, DonorPadding])
def test_a_fill_of_one_s_own_counts_in_a_mode_of_the_package(base):
    class Filled(base):
        detached = True
        fill = Nearest(2.0).fill

        def __init__(self):
            super().__init__(*([[[0.0]]] if base is PatternPadding else []))

    class Same(Nearest):
        detached = True

    modes, images = (Filled(), Same(2.0)), X[..., None]
    np.testing.assert_array_equal(*(ImagePadder(1, mode).fit_transform(images) for mode in modes))
    np.testing.assert_array_equal(*(ConvFeatures("sobel", padding_mode=m).fit_transform(images) for m in modes))
    models = [quick(padding_mode=mode).fit(X, Y) for mode in modes]
    assert alike(*models)
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in models))


@pytest.mark.parametrize("padding", [1, ((2, 0), (1, 3))])
def test_a_mode_of_one_s_own_is_the_one_that_it_does_again(padding):
    def fitted(mode, kind=Convolution):
        layers = [Convolution(2), kind(3, padding=padding, padding_mode=mode), Pad(padding, mode), Flatten()]
        return quick(layers=layers, batch_size=32).fit(X, Y)  # in double precision

    for kind in (Convolution, SeparableConvolution):
        ours, theirs = fitted("edge", kind), fitted(Nearest(), kind)
        for name, array in ours.weights_.items():
            np.testing.assert_allclose(theirs.weights_[name], array, atol=1e-6, err_msg=name)
    assert not np.allclose(fitted(Detached()).weights_["convolution1.weight"], ours.weights_["convolution1.weight"])
    images = X[..., None]
    np.testing.assert_array_equal(
        ImagePadder(padding, Nearest()).fit_transform(images), ImagePadder(padding, "edge").fit_transform(images)
    )
    features = [ConvFeatures("sobel", padding_mode=mode).fit_transform(images) for mode in (Nearest(), "edge")]
    np.testing.assert_array_equal(*features)


def test_a_mode_s_parameters_are_searched():
    model = quick(padding_mode=Nearest(), connectivity=("local", "shared"))
    search = GridSearchCV(model, {"padding_mode__factor": [0.5, np.float64(2)]}, cv=2).fit(X, Y)
    best = search.best_estimator_
    assert best.padding_mode.factor == search.best_params_["padding_mode__factor"]
    assert model.padding_mode.factor == 1.0
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.predict_proba(X), best.predict_proba(X))
    best.padding_mode.factor = 9.0  # the model has a copy
    np.testing.assert_array_equal(again.predict_proba(X), best.predict_proba(X))


def test_each_layer_s_mode_is_searched_by_its_name():
    model = quick(layers=[Convolution(3, padding_mode=Nearest()), Flatten()])
    grid = {"layers__convolution1__padding_mode__factor": [0.5, 2.0], "layers__convolution1__filters": [2, 3]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y)
    best = search.best_estimator_.layers[0]
    assert best.padding_mode.factor == search.best_params_["layers__convolution1__padding_mode__factor"]
    assert model.layers[0].padding_mode.factor == 1.0


def test_a_mode_of_one_s_own_goes_on(tmp_path):
    model = quick(padding_mode=Nearest(0.5), max_iter=4, checkpoint=tmp_path)

    def killed(info):
        if info.epoch == 2:
            raise RuntimeError("killed")

    whole = clone(model).set_params(checkpoint=None).fit(X, Y)
    with pytest.raises(RuntimeError, match="killed"):
        clone(model).set_params(callback=killed).fit(X, Y)
    assert alike(clone(model).fit(X, Y), whole)
    assert len(list(tmp_path.iterdir())) == 1
    clone(model).set_params(padding_mode__factor=0.7).fit(X, Y)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(ValueError, match=r"layer 1 is .*factor=0\.5.*, and would be .*factor=0\.7"):
        clone(model).set_params(checkpoint=None).partial_fit(X, Y, classes=[0, 1]).set_params(
            padding_mode__factor=0.7
        ).partial_fit(X, Y)


# Methods that are missing, or return something else

MISSING = {
    r"Loss needs a method __call__\(outputs, targets, weight, gradient=None\)": {"loss": Loss()},
    r"Optimizer needs a method update\(parameters, gradient, rate, part\)": {"solver": Optimizer()},
    r"Schedule needs a method __call__\(done\)": {"learning_rate": Schedule()},
    r"Augmentation needs a method draw\(n, shape, rng\)": {"augment": Augmentation()},
    r"PaddingMode needs a method fill\(image, border\)": {"padding_mode": PaddingMode()},
}


def regressor(**params):
    return ConvNetRegressor(**{**SMALL, **params})


@pytest.mark.parametrize("message", MISSING)
def test_a_base_says_what_a_subclass_needs(message):
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        regressor(**MISSING[message]).fit(X, Y)


def returning(base, method, value, *arguments):
    """An object of a subclass of ``base`` whose method does the same and returns ``value``."""

    def changed(self, *given, **named):
        getattr(base, method)(self, *given, **named)
        return value

    return type(f"Own{base.__name__}", (base,), {method: changed})(*arguments)


RETURNED = {
    r"OwnSquaredError\.__call__ must return a number, got None": {"loss": returning(SquaredError, "__call__", None)},
    r"OwnHuber\.__call__ must return a number, got array": {"loss": returning(Huber, "__call__", np.ones(2))},
    r"OwnHuber\.encode must work in place and return None, got": {"loss": returning(Huber, "encode", np.ones(2))},
    r"OwnAdam\.update must work in place and return None, got": {"solver": returning(Adam, "update", np.ones(3))},
    r"OwnAdam\.lengths must work in place and return None, got 1": {
        "solver": returning(Adam, "lengths", 1), "l1_ratio": 0.5
    },
    r"OwnNoise\.draw must return an array of numbers, \([78], \.\.\.\), got None": {
        "augment": returning(Noise, "draw", None)
    },
    r"OwnShift\.draw must return an array of numbers, \([78], 2, 3\), got an array of shape \(8, 3\)": {
        "augment": returning(Shift, "draw", np.zeros((8, 3)))
    },
    r"OwnNoise\.change must work in place and return None, got an array": {
        "augment": returning(Noise, "change", np.zeros((8, 6, 6, 1)))
    },
    r"learning_rate must give a float .*, got None where 0 % .* are done, from OwnCosine\(\)": {
        "learning_rate": returning(Cosine, "__call__", None)
    },
}  # fmt: skip


@pytest.mark.parametrize("message", RETURNED)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_a_method_returns_is_named(message, early_stopping):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        regressor(**RETURNED[message], early_stopping=early_stopping).fit(X, Y)


def test_logits_of_another_shape():
    match = r"OwnSoftmaxCrossEntropy\.logits must return an array of numbers, \(\d+, 2\), got"
    for value in (None, np.ones(2)):
        model = quick(loss=returning(SoftmaxCrossEntropy, "logits", value)).fit(X, Y)
        with pytest.raises(TypeError, match=match):
            model.predict_proba(X)
        with pytest.raises(TypeError, match=match):
            quick(loss=model.loss, early_stopping=True, temperature_scaling=True).fit(X, Y)


class Forgetful(SquaredError):
    """A loss that binds the name of the gradient to an array of its own."""

    def __call__(self, outputs, targets, weight, gradient=None):
        gradient = (outputs - targets) * weight
        return float((gradient * (outputs - targets)).sum())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_gradient_that_is_not_written_is_named(solver):
    match = (
        r"^Forgetful\.__call__ must write into the array gradient, which is NaN before, got \d+ numbers? of \d+ that"
    )
    with pytest.raises(TypeError, match=match):
        regressor(loss=Forgetful(), solver=solver).fit(X, Y)


class Doubled(Layer):
    """A layer of which one pass, or both, return an array."""

    def __init__(self, returns="forward"):
        self.returns = returns

    def forward(self, frame, training):
        return np.multiply(frame.x, 2, out=frame.y) if self.returns == "forward" else frame.y.fill(0)

    def backward(self, frame):
        return np.multiply(frame.dy, 2, out=frame.dx)


@pytest.mark.parametrize("method", ["forward", "backward"])
@pytest.mark.parametrize("n", [8, 32])
def test_a_layer_that_returns_an_array(method, n):
    model = quick(layers=[Convolution(2), Doubled(method), Flatten()], batch_size=n)
    with pytest.raises(
        TypeError, match=rf"^Doubled\.{method} must work in place and return None, got an array of shape"
    ):
        model.fit(X, Y)
