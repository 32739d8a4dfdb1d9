"""Parameters that the classifier and the regressor share: what they may be, and what they mean."""

from __future__ import annotations

from inspect import cleandoc
from numbers import Integral, Real
from os import PathLike

from sklearn.metrics import get_scorer_names

from .._input.constraints import EPSILONS, IMAGE_SHAPES, N_JOBS, at_least, between, one_of
from ..training.schedules import SCHEDULES

__all__ = ["CONSTRAINTS", "documented"]

_PER_LAYER = [tuple, list]

CONSTRAINTS: dict = {
    "filters": [one_of("auto"), at_least(1), *_PER_LAYER],
    "kernel_size": [one_of("auto"), at_least(1), *_PER_LAYER],
    "stride": [at_least(1), *_PER_LAYER],
    "dilation": [one_of("auto"), at_least(1), *_PER_LAYER],
    "padding": [one_of("same", "valid"), at_least(0), *_PER_LAYER],
    "padding_mode": [one_of("constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"), *_PER_LAYER],
    "connectivity": [one_of("shared", "local", "full"), *_PER_LAYER],
    "bias": [one_of("shared", "position"), None, *_PER_LAYER],
    "pool": [one_of("auto", "max", "mean", "stride"), None, *_PER_LAYER],
    "pool_size": [one_of("auto"), at_least(1), *_PER_LAYER],
    "global_pool": [one_of("auto", "mean", "max"), None],
    "hidden_layer_sizes": [one_of("auto"), at_least(1), *_PER_LAYER],
    "activation": [one_of("relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity"), *_PER_LAYER],
    "batch_norm": ["boolean", *_PER_LAYER],
    "dropout": [one_of("auto"), between(0, 1), *_PER_LAYER],
    "layers": [str, list, tuple, None],
    "solver": [one_of("adam", "adamw", "sgd", "rmsprop", "muon", "lbfgs")],
    "alpha": [at_least(0, Real)],
    "l1_ratio": [between(0, 1, closed="both")],
    "max_norm": [at_least(0, Real, closed="neither"), None],
    "clip_norm": [at_least(0, Real, closed="neither"), None],
    "ema_decay": [between(0, 1, closed="neither"), None],
    "batch_size": [one_of("auto"), at_least(1)],
    "learning_rate": [one_of(*SCHEDULES, "plateau")],
    "learning_rate_init": [at_least(0, Real, closed="neither")],
    "warm_up": [between(0, 1)],
    "max_iter": [one_of("auto"), at_least(1)],
    "shuffle": ["boolean"],
    "tol": [at_least(0, Real)],
    "momentum": [between(0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "beta_1": [between(0, 1)],
    "beta_2": [between(0, 1)],
    "epsilon": [EPSILONS],
    "augment": "no_validation",
    "n_augmented": [between(0, 10_000, "both", Integral)],
    "early_stopping": ["boolean"],
    "validation_fraction": [between(0, 1, closed="neither")],
    "scoring": [one_of("loss", *get_scorer_names()), callable, None],
    "n_iter_no_change": [at_least(1)],
    "warm_start": ["boolean"],
    "initial_weights": [dict, None],
    "freeze": [str, *_PER_LAYER],
    "image_shape": IMAGE_SHAPES,
    "checkpoint": [str, PathLike, None],
    "checkpoint_every": [at_least(1)],
    "callback": [callable, None],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "n_jobs": N_JOBS,
}

_SECTIONS = {
    "architecture": """
filters : int, tuple of int or "auto", default="auto"
    Kernels of each convolutional layer; one number is one layer, ``()`` none.  "auto" is a layer for each halving of
    the image that leaves 3 pixels, two at least and four at most, from 16 filters on, or 24 on larger colour images,
    doubled each time; on a series (32, 64, 64, 64), on one of at most 48 samples (32, 64).
kernel_size : int, "auto", or tuple with one entry per layer, default="auto"
    Taps of the kernels.  An entry is a number, for both directions, or ``(down, across)``: ``(3, 5)`` is 3 in the
    first layer and 5 in the second, ``((3, 5), (3, 5))`` is 3 down and 5 across in both.  "auto" is 3, and
    9 on a series, or what fits an image that has become smaller.
stride : int, or tuple with one entry per layer, default=1
    Samples between windows.
dilation : int, "auto", or tuple with one entry per layer, default="auto"
    Samples between taps.  "auto" is 1; from the third layer on, on a series of more than 48 samples, 2, 4, ...
padding : {"same", "valid"}, int, or tuple with one entry per layer, default="same"
    Border around the image.  "same" keeps the size (divided by the stride, rounded up), "valid" has no border.
padding_mode : {"constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"}, or tuple, default="constant"
    What the border holds; a tuple has one entry per layer.  Zeros; the image repeated as in `numpy.pad`; noise; or
    another image.  See `layers.Pad`.  Without effect where ``connectivity="full"``, which has no border.
connectivity : {"shared", "local", "full"}, or tuple with one entry per layer, default="shared"
    Which weights the convolutional layers have.  "shared" is a convolution.  "local" has the same windows with
    weights of their own at each position (`layers.LocallyConnected`), "full" sees the whole image at each position
    (`layers.FullyConnected`): many more weights, for comparison and for images whose parts differ by their place.
bias : {"shared", "position", None}, or tuple with one entry per layer, default="shared"
    What convolutional layers add: a number per filter, a number per filter at each position, nothing.  Where
    ``batch_norm=True`` a shared bias has no effect, so it is left out.
pool : {"auto", "max", "mean", "stride", None}, or tuple with one entry per layer, default="auto"
    How each block shrinks its image: the maximum or the mean of windows, or the top left of each window.  "auto" is
    "max" in as many of the last blocks as leave 3 pixels, so that small images are not pooled away; on a series in the
    first two blocks, on one of at most 48 samples in the second.
pool_size : int, "auto", or tuple with one entry per layer, default="auto"
    Window and step of the pooling; no larger than the image.  "auto" is 2; 4 in the first block of a series of more
    than 600 samples.
global_pool : {"auto", "mean", "max", None}, default="auto"
    What becomes of the last image: the mean or the maximum of each channel, or (None) all of it.  "auto" is the mean
    on a series of more than 48 samples, else all of it.
hidden_layer_sizes : int, tuple of int or "auto", default="auto"
    Units of the fully connected layers before the output.  "auto" is 64, on images
    from 24 pixels on 128, on a series of more than 48 samples none.
activation : {"relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity"}, or tuple, default="relu"
    Of each layer; a tuple has one entry per convolutional layer, or also one per hidden layer.
batch_norm : bool, or tuple with one entry per layer, default=True
    Whether convolutional layers normalise each channel over the batch.
dropout : float, "auto", or tuple, default="auto"
    Share of activations set to zero in training; a tuple as for `activation`.  "auto" is, in a classifier and after the
    last convolutional layer only, 0.2 on images from 24 pixels on and 0.3 on series of more than 48 samples; else, and
    with ``solver="lbfgs"``, 0.
layers : list of Layer or str, default=None
    Layers from `skconv.layers` up to the last vector (one that stands twice is two, each with weights of its own), or
    the name of an architecture (`skconv.architectures`), in place of what the parameters above describe.  The output
    layer is added.
""",
    "training": """
solver : {"adam", "adamw", "sgd", "rmsprop", "muon", "lbfgs"}, default="adam"
    "adamw" shrinks the weights directly instead of by the gradient of the penalty; "lbfgs" is
    `scipy.optimize.minimize` on the whole data, in at most `max_iter` iterations, without `partial_fit` and whatever is
    random in training.
alpha : float, default=1e-4
    Penalty: ``alpha`` times ``(1 - l1_ratio) / 2`` times the sum of squared weights, plus ``alpha * l1_ratio`` times
    the sum of absolute weights, is added to the mean loss.
l1_ratio : float, default=0.0
    Share of the absolute weights in the penalty, in [0, 1]: they bring weights to zero.  With "adamw", which shrinks
    directly, ``alpha`` has to be about ten times as large.
max_norm : float, default=None
    Largest Euclidean norm of a unit's or filter's weights; larger ones are scaled back after each update.
clip_norm : float, default=None
    Largest Euclidean norm of the gradient (with that of the squared weights); a larger one is scaled back.
ema_decay : float, default=None
    Where given, the model has a running mean of the weights with this decay, such as 0.99, not the last weights.
batch_size : int or "auto", default="auto"
    Samples per update.  "auto" is 128 of 40,000 samples and more, 64 of 2500 and more; of fewer a quarter, between 8
    and 32; all of at most 32.  Samples are computed 16 at a time: a smaller batch takes the memory and the time of 16,
    and large images that train one by one cost 16 times what they need.
learning_rate : {"one_cycle", "constant", "cosine", "step", "plateau"}, default="one_cycle"
    Schedule of the learning rate over `max_iter` epochs (see `skconv.training.schedules`).
learning_rate_init : float, default=1e-2
    Its largest value.
warm_up : float, default=0.0
    Share of the training in which the learning rate first rises linearly.
max_iter : int or "auto", default="auto"
    Epochs; "auto" is as many as show 256,000 samples, between 5 (with `early_stopping` 10) and 10, or as give 600
    updates (on a series 300), if that is more.
shuffle : bool, default=True
    Whether each epoch goes through the samples in a new order.
tol : float, default=1e-4
    Improvement that counts for `n_iter_no_change`; for "lbfgs" the largest entry of the gradient at a minimum.
momentum, nesterovs_momentum : float, bool, default=0.9, True
    For "sgd".
beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
    For "adam" and "adamw"; `epsilon`, from 1e-30 to 1e30, for "rmsprop" too.
augment : None, "auto", str, object or list of them, default=None
    Random changes of the training samples, anew in each epoch, from `skconv.augmentation`: "auto" is what is safe for
    most images or series.
n_augmented : int, default=0
    Changed copies over which predictions are averaged, beside the sample itself, at most 10,000; needs `augment`.
    Each takes as long as a prediction without them.
early_stopping : bool, default=False
    Whether to stop when the score on validation data no longer improves; not for `partial_fit`, which takes yours
    alone.  They are those given to `fit`, or else a share of those that have weight, of every class its own.  Wherever
    there are validation data, the model has the weights that were best on them; of equal scores, those of the lower
    validation loss.  Where the learning rate falls over the training ("one_cycle", "cosine", "step"), those are
    compared that come once it is low, in the schedule's last quarter, and a lack of progress leads there before the
    training ends; earlier weights are kept if their score is higher by more than chance brings, the square root of 1
    over the number of validation samples.
validation_fraction : float, default=0.1
    That share, rounded up; where it is scored by R², two samples at least.  Copies of a sample are held out together.
scoring : str, callable or None, default=None
    Score on the validation data: a scorer's name, a scorer, or "loss" for the negative loss.  None is the accuracy of
    a classifier and the R² of a regressor.
n_iter_no_change : int, default=10
    Epochs without improvement after which to stop: of the validation score (of the validation loss, while the score is
    at its best), or of the training loss where there is none and the learning rate is "constant" or "plateau".  Where
    `max_iter` is "auto" a quarter of the epochs, if that is less.
warm_start : bool, default=False
    Whether `fit` goes on from the last solution.
initial_weights : dict of ndarray, default=None
    First values by name, as in `weights_` of another model; what is not named starts at random.
freeze : str or tuple of str, default=()
    Names of layers that stay as they are, such as "convolution1" (see `summary`).
""",
    "running": """
image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
    How a row of a two-dimensional X is an image, channels last.  None takes X of more dimensions as it is, a
    square number of features as a square image, any other as a series, unless names of features such as
    "row0_column0" say more; a `fit` warns where the samples look like something else.  "series" takes ``(n, T)`` and
    ``(n, T, C)`` as series, ``(1, T, C)`` says the channels of a flat one.  A shape that contradicts X of more
    dimensions is an error.
checkpoint : str or path, default=None
    Directory to which the state of the training is written, in a file whose name is made from the parameters and the
    data.  A fit that finds its file goes on from there and ends with the bits of an uninterrupted one.  Needs an
    integer `random_state`.  Written before the first epoch too: a place that cannot be written is known at once.
checkpoint_every : int, default=1
    Epochs between two writings.
callback : callable, default=None
    Called as ``callback(info)`` after each epoch, with a `skconv.training.TrainingInfo`.  The training ends where it
    returns True and goes on where it returns None or False; anything else is an error.
random_state : int, RandomState instance or None, default=None
    Of the weights, the order of the samples, augmentation and dropout.
verbose : int or bool, default=0
    1 keeps one line up to date in a terminal or notebook (and prints a line per epoch elsewhere), 2 prints a line
    per epoch.
n_jobs : int or None, default=None
    Threads; None uses as many as BLAS would.  No bit of the result depends on it.
""",
    "attributes": """
n_features_in_, feature_names_in_
    As in every estimator.
image_shape_ : tuple of int
    ``(height, width, channels)`` of a sample.
n_iter_ : int
    Epochs trained.
loss_, best_loss_ : float
    Mean training loss of the last and of the best epoch.
loss_curve_ : list of float
    Mean training loss of each epoch.
validation_loss_curve_, validation_scores_ : list of float or None
    Loss and score on the validation data after each epoch.
best_validation_score_ : float or None
    The score of the weights that the model has.
interrupted_, stopped_early_ : bool
    Whether Ctrl-C ended the training, after which `fit` raised KeyboardInterrupt; whether a lack of improvement, or
    `callback`, did.
weights_ : dict of ndarray
    All arrays by ``"layer.name"``, such as "convolution1.weight" ``(filters, rows, columns, channels)``; of batch
    normalisation the running "mean" and "variance" too, and the number of "batches" that they have seen.
network_ : Network
    Layers, shapes and parameters.
""",
}


def documented(cls):
    """Put the shared parameters' and attributes' text where a class's docstring names its section in braces."""
    if cls.__doc__:  # there is none with -OO
        text = cleandoc(cls.__doc__)
        for name, section in _SECTIONS.items():
            text = text.replace("{" + name + "}", section.strip("\n"))
        cls.__doc__ = text
    return cls
