"""The parameters that the networks share: what each is by default, what it may be, and what it means."""

from __future__ import annotations

from numbers import Integral, Real
from os import PathLike
from typing import Any

from sklearn.metrics import get_scorer_names

from .._input.constraints import EPSILONS, IMAGE_SHAPES, N_JOBS, at_least, between, fitting, function_of, one_of
from .._input.parameters import parameter, parametrized
from ..layers.activation import ACTIVATIONS
from ..training._checkpoint import Checkpoint
from ..training.optimizers import OPTIMIZERS, Optimizer
from ..training.schedules import SCHEDULES

__all__ = ["Parameters"]

_PER_LAYER = [tuple, list]
_CHECKPOINT = fitting(lambda value: isinstance(value, Checkpoint), "a skconv.training.Checkpoint")
_SOLVERS = one_of(*OPTIMIZERS, "lbfgs")
_OPTIMIZER = fitting(lambda value: isinstance(value, Optimizer), "an optimiser of skconv.training")


@parametrized
class Parameters:
    """Parameters of the convolutional networks, each of which says what its `loss` is.

    Attributes
    ----------
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
    """

    filters: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, tuple of int or "auto"
        Kernels of each convolutional layer; one number is one layer, ``()`` none.  "auto" is a layer for each halving
        of the image that leaves 3 pixels, two at least and four at most, from 16 filters on, or 24 on larger colour
        images, doubled each time; on a series (32, 64, 64, 64), on one of at most 48 samples (32, 64).""",
        kw_only=False,
    )
    kernel_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Taps of the kernels.  An entry is a number, for both directions, or ``(down, across)``: ``(3, 5)`` is 3 in the
        first layer and 5 in the second, ``((3, 5), (3, 5))`` is 3 down and 5 across in both.  "auto" is 3, and 9 on a
        series, or what fits an image that has become smaller.""",
        kw_only=False,
    )
    stride: Any = parameter(
        1,
        [at_least(1), *_PER_LAYER],
        """int, or tuple with one entry per layer
        Samples between the windows of a convolutional layer.""",
    )
    dilation: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Samples between the taps of a kernel.  "auto" is 1; from the third layer on, on a series of more than 48
        samples, 2, 4, ...""",
    )
    padding: Any = parameter(
        "same",
        [one_of("same", "valid"), at_least(0), *_PER_LAYER],
        """{"same", "valid"}, int, or tuple with one entry per layer
        Border around the image of a convolutional layer.  "same" keeps the size (divided by the stride, rounded up),
        "valid" has no border.""",
    )
    padding_mode: Any = parameter(
        "constant",
        [one_of("constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"), *_PER_LAYER],
        """{"constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"}, or tuple
        What the border around the image of a convolutional layer holds: zeros; the image repeated as in `numpy.pad`;
        noise; or another image.  A tuple has one entry per layer.  See `layers.Pad`.  Without effect where
        ``connectivity="full"``, which has no border.""",
    )
    connectivity: Any = parameter(
        "shared",
        [one_of("shared", "local", "full"), *_PER_LAYER],
        """{"shared", "local", "full"}, or tuple with one entry per layer
        Which weights the convolutional layers have.  "shared" is a convolution.  "local" has the same windows with
        weights of their own at each position (`layers.LocallyConnected`), "full" sees the whole image at each position
        (`layers.FullyConnected`): many more weights, for comparison and for images whose parts differ by place.""",
    )
    bias: Any = parameter(
        True,
        ["boolean", one_of("position"), *_PER_LAYER],
        """{True, "position", False}, or tuple with one entry per layer
        What convolutional layers add: a number per filter, which all positions share, a number per filter at each
        position, nothing.  Where ``batch_norm=True`` a shared bias has no effect, so it is left out.""",
    )
    pool: Any = parameter(
        "auto",
        [one_of("auto", "max", "mean", "stride"), None, *_PER_LAYER],
        """{"auto", "max", "mean", "stride", None}, or tuple with one entry per layer
        How each block shrinks its image: the maximum or the mean of windows, or the top left of each window.  "auto" is
        "max" in as many of the last blocks as leave 3 pixels, so that small images are not pooled away; on a series in
        the first two blocks, on one of at most 48 samples in the second.""",
    )
    pool_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Window and step of the pooling; no larger than the image.  "auto" is 2; 4 in the first block of a series of more
        than 600 samples.""",
    )
    global_pool: Any = parameter(
        "auto",
        [one_of("auto", "mean", "max"), None],
        """{"auto", "mean", "max", None}
        What becomes of the last image: the mean or the maximum of each channel, or (None) all of it.  "auto" is the
        mean on a series of more than 48 samples, else all of it.""",
    )
    hidden_layer_sizes: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, tuple of int or "auto"
        Units of the fully connected layers before the output.  "auto" is 64, on images from 24 pixels on 128, on a
        series of more than 48 samples none.""",
    )
    activation: Any = parameter(
        "relu",
        [ACTIVATIONS, *_PER_LAYER],
        f"""{ACTIVATIONS.listed}, or tuple
        Function that follows each layer but the last; a tuple has one entry per convolutional layer, or also one per
        hidden layer.""",
    )
    batch_norm: Any = parameter(
        True,
        ["boolean", *_PER_LAYER],
        """bool, or tuple with one entry per layer
        Whether convolutional layers normalise each channel over the batch.""",
    )
    dropout: Any = parameter(
        "auto",
        [one_of("auto"), between(0, 1), *_PER_LAYER],
        """float, "auto", or tuple
        Share of activations set to zero in training; a tuple has one entry per convolutional layer, or also one per
        hidden layer.  "auto" is, in a classifier and after the last convolutional layer and the hidden ones, 0.2 on
        images from 24 pixels on and 0.3 on series of more than 48 samples; else, and with ``solver="lbfgs"``, 0.""",
    )
    layers: Any = parameter(
        None,
        [str, list, tuple, None],
        """list of Layer or str
        Layers from `skconv.layers` up to the last vector (one that stands twice is two, each with weights of its own),
        or the name of an architecture (`skconv.architectures`), in place of those that `filters` to `dropout` describe.
        The output layer is added.""",
    )
    loss: Any = parameter(
        None,
        "no_validation",
        """str
        What the training makes small.""",
    )
    solver: Any = parameter(
        "adam",
        [_SOLVERS, _OPTIMIZER],
        f"""{_SOLVERS.listed} or Optimizer
        What updates the weights: a name, or an object of `skconv.training` with parameters of its own.  "adamw" is
        "adam" that shrinks the weights directly instead of by the gradient of the penalty; "muon" moves matrices by all
        their directions alike, other weights as "adam" does; "lbfgs" is `scipy.optimize.minimize` on the whole data, in
        at most `max_iter` iterations, without `partial_fit` and whatever is random in training.""",
    )
    alpha: Any = parameter(
        1e-4,
        [at_least(0, Real)],
        """float
        Strength of the penalty on the weights: ``alpha`` times ``(1 - l1_ratio) / 2`` times the sum of squared weights,
        plus ``alpha * l1_ratio`` times the sum of absolute weights, is added to the mean loss.""",
    )
    l1_ratio: Any = parameter(
        0.0,
        [between(0, 1, closed="both")],
        """float
        Share of the absolute weights in the penalty of `alpha`, in [0, 1]: they bring weights to zero.  With
        ``solver="adamw"``, which shrinks directly, `alpha` has to be about ten times as large.""",
    )
    max_norm: Any = parameter(
        None,
        [at_least(0, Real, closed="neither"), None],
        """float
        Largest Euclidean norm of a unit's or filter's weights; larger ones are scaled back after each update.""",
    )
    clip_norm: Any = parameter(
        None,
        [at_least(0, Real, closed="neither"), None],
        """float
        Largest Euclidean norm of the gradient (with that of the squared weights); a larger one is scaled back.""",
    )
    ema_decay: Any = parameter(
        None,
        [between(0, 1, closed="neither"), None],
        """float
        Decay, such as 0.99, of the running mean of the weights that the model has in place of the last weights.""",
    )
    batch_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1)],
        """int or "auto"
        Samples per update.  "auto" is 128 of 40,000 samples and more, 64 of 2500 and more; of fewer a quarter, between
        8 and 32; all of at most 32.  Samples are computed 16 at a time: a smaller batch takes the memory and the time
        of 16, and large images that train one by one cost 16 times what they need.""",
    )
    learning_rate: Any = parameter(
        "one_cycle",
        [one_of(*SCHEDULES), function_of("the share of the training that is done")],
        """{"one_cycle", "constant", "cosine", "step", "plateau"}, Schedule or callable
        Schedule of the learning rate over `max_iter` epochs: a name, an object of `skconv.training` with parameters of
        its own, or a function that gives the factor of `learning_rate_init` for each share of the training that is
        done, from 0 to 1.""",
    )
    learning_rate_init: Any = parameter(
        1e-2,
        [at_least(0, Real, closed="neither")],
        """float
        Largest learning rate of the training, by which the factors of the schedule `learning_rate` are multiplied.""",
    )
    warm_up: Any = parameter(
        0.0,
        [between(0, 1)],
        """float
        Share of the training in which the learning rate first rises linearly.""",
    )
    max_iter: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1)],
        """int or "auto"
        Epochs; "auto" is as many as show 256,000 samples, between 5 (with `early_stopping` 10) and 10, or as give 600
        updates (on a series 300), if that is more.""",
    )
    standardize: Any = parameter(
        "channel",
        [one_of("channel", "feature"), None],
        """{"channel", "feature"} or None
        How the network scales samples first, by numbers of the training samples.  "channel" subtracts each channel's
        mean at the image's border, or at a series' ends, where zeros around it then go on as the image does, and
        divides by the root mean square about it.  "feature" takes mean and standard deviation of each feature by
        itself: of each wavelength of a spectrum.  `partial_fit` keeps those of the first chunk.""",
    )
    shuffle: Any = parameter(
        True,
        ["boolean"],
        """bool
        Whether each epoch goes through the samples in a new order.""",
    )
    tol: Any = parameter(
        1e-4,
        [at_least(0, Real)],
        """float
        Improvement that counts for `n_iter_no_change`; with ``solver="lbfgs"`` the largest entry of the gradient at a
        minimum.""",
    )
    momentum: Any = parameter(
        0.9,
        [between(0, 1, closed="both")],
        """float
        Share of the last update that the next one keeps, in [0, 1]; for the solver "sgd" by name.""",
    )
    nesterovs_momentum: Any = parameter(
        True,
        ["boolean"],
        """bool
        Whether the momentum looks one update ahead (Sutskever et al., 2013); for the solver "sgd" by name.""",
    )
    beta_1: Any = parameter(
        0.9,
        [between(0, 1)],
        """float
        Decay of the running mean of the gradient, in [0, 1); for the solvers "adam" and "adamw", and for "muon" where
        the weights are no matrices.""",
    )
    beta_2: Any = parameter(
        0.999,
        [between(0, 1)],
        """float
        Decay of the running mean of the squared gradient, in [0, 1); for the solvers "adam" and "adamw", and for "muon"
        where the weights are no matrices.""",
    )
    epsilon: Any = parameter(
        1e-8,
        [EPSILONS],
        """float
        Added to the root of the running mean of the squared gradient before the gradient is divided by it, from 1e-30
        to 1e30; for the solvers "adam", "adamw", "rmsprop", and for "muon" where the weights are no matrices.""",
    )
    augment: Any = parameter(
        None,
        "no_validation",
        """None, "auto", str, object or list of them
        Random changes of the training samples, anew in each epoch, from `skconv.augmentation`: "auto" is what is safe
        for most images or series.""",
    )
    n_augmented: Any = parameter(
        0,
        [between(0, 10_000, "both", Integral)],
        """int
        Changed copies over which predictions are averaged, beside the sample itself, at most 10,000; needs `augment`.
        Each takes as long as a prediction without them.""",
    )
    early_stopping: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether to stop when the score on validation data no longer improves; not for `partial_fit`, which takes
        validation data of your own alone.  They are those given to `fit`, or else a share of the samples that have
        weight, of every class its own.  Wherever there are validation data, the model has the weights that were best on
        them; of equal scores, those of the lower validation loss.  Where the learning rate falls over the training
        ("one_cycle", "cosine", "step"), those are compared that come once it is low, in the schedule's last quarter,
        and a lack of progress leads there before the training ends; earlier weights are kept if their score is higher
        by more than chance brings, the square root of 1 over the number of validation samples.""",
    )
    validation_fraction: Any = parameter(
        0.1,
        [between(0, 1, closed="neither")],
        """float
        Share of the training samples that `early_stopping` holds out for validation, rounded up; where they are scored
        by R², two samples at least.  Copies of a sample are held out together.""",
    )
    scoring: Any = parameter(
        None,
        [one_of("loss", *get_scorer_names()), callable, None],
        """str, callable or None
        Score on the validation data: a scorer's name, a scorer, or "loss" for the negative loss.  None is the accuracy
        of a classifier and the R² of a regressor.""",
    )
    n_iter_no_change: Any = parameter(
        10,
        [at_least(1)],
        """int
        Epochs without improvement after which to stop: of the validation score (of the validation loss, while the score
        is at its best), or of the training loss where there is none and the learning rate is "constant" or "plateau".
        Where `max_iter` is "auto" a quarter of the epochs, if that is less.""",
    )
    warm_start: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether `fit` goes on from the last solution.""",
    )
    initial_weights: Any = parameter(
        None,
        [dict, None],
        """dict of ndarray
        First values by name, as in `weights_` of another model; what is not named starts at random.""",
    )
    freeze: Any = parameter(
        (),
        [str, *_PER_LAYER],
        """str or tuple of str
        Names of layers that training leaves as they are, such as "convolution1" (see `summary`).""",
    )
    image_shape: Any = parameter(
        None,
        IMAGE_SHAPES,
        """None, "series", int, (T,), (H, W) or (H, W, C)
        How a row of a two-dimensional X is an image, channels last.  None takes X of more dimensions as it is, a square
        number of features as a square image, any other as a series, unless names of features such as "row0_column0" say
        more; a `fit` warns where the samples look like something else.  "series" takes ``(n, T)`` and ``(n, T, C)`` as
        series, ``(1, T, C)`` says the channels of a flat one.  A shape that contradicts X of more dimensions is an
        error.""",
    )
    checkpoint: Any = parameter(
        None,
        [str, PathLike, _CHECKPOINT, None],
        """str, path or Checkpoint
        Directory to which the state of the training is written after each epoch, or ``Checkpoint(path, every=5)``.  The
        file's name is made from the parameters and the data.  A fit that finds its file goes on from there and ends
        with the bits of an uninterrupted one.  Needs an integer `random_state`.  Written before the first epoch too: a
        place that cannot be written to is known at once.""",
    )
    callback: Any = parameter(
        None,
        [callable, None],
        """callable
        Called as ``callback(info)`` after each epoch, with a `skconv.training.TrainingInfo`.  The training ends where
        it returns True and goes on where it returns None or False; anything else is an error.""",
    )
    random_state: Any = parameter(
        None,
        ["random_state"],
        """int, RandomState instance or None
        Seed of the first weights, the order of the samples, augmentation and dropout.""",
    )
    verbose: Any = parameter(
        0,
        ["verbose"],
        """int or bool
        1 keeps one line up to date in a terminal or notebook (and prints a line per epoch elsewhere), 2 prints a line
        per epoch.""",
    )
    n_jobs: Any = parameter(
        None,
        N_JOBS,
        """int or None
        Threads that share the work; None uses as many as BLAS would.  No bit of the result depends on it.""",
    )
