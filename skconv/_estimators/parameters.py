"""Parameters of the networks, with defaults, constraints and documentation."""

from __future__ import annotations

from numbers import Integral, Real
from os import PathLike
from typing import Any

from sklearn.metrics import get_scorer_names

from .._input.constraints import (
    EPSILONS,
    FACTORS,
    IMAGE_SHAPES,
    N_JOBS,
    at_least,
    between,
    fitting,
    function_of,
    one_of,
)
from .._input.parameters import parameter, parametrized
from ..training._checkpoint import Checkpoint
from ..training.optimizers import OPTIMIZERS, Optimizer
from ..training.schedules import SCHEDULES
from .layer_parameters import LayerParameters

__all__ = ["Parameters"]

_CHECKPOINT = fitting(lambda value: isinstance(value, Checkpoint), "a skconv.training.Checkpoint")
_SOLVERS = one_of(*OPTIMIZERS, "lbfgs")
_OPTIMIZER = fitting(lambda value: isinstance(value, Optimizer), "an optimiser of skconv.training")


@parametrized
class Parameters(LayerParameters):
    """Parameters of the convolutional networks; an estimator defines its own `loss`.

    Attributes
    ----------
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn.
    image_shape_ : tuple of int
        ``(height, width, channels)`` of a sample.
    n_iter_ : int
        Number of epochs trained.
    loss_, best_loss_ : float
        Mean training loss of the last and of the best epoch.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_, validation_scores_ : list of float or None
        Loss and score on the validation data after each epoch.
    best_validation_score_ : float or None
        Score of the weights that the model has.
    interrupted_, stopped_early_ : bool
        Whether Ctrl-C ended the training, after which `fit` raised KeyboardInterrupt; whether a lack of improvement or
        `callback` ended it.
    augmentations_ : list of Augmentation
        Random changes of the training samples, in which "auto" is what the samples bear.
    weights_ : dict of ndarray
        All arrays by ``"layer.name"``, such as "convolution1.weight" ``(filters, rows, columns, channels)``; for batch
        normalisation also the running "mean" and "variance", and the number of "batches" in them.
    network_ : Network
        Layers, shapes and parameters.
    """

    loss: Any = parameter(
        None,
        "no_validation",
        """str
        Loss that the training minimises.""",
    )
    solver: Any = parameter(
        "adam",
        [_SOLVERS, _OPTIMIZER],
        f"""{_SOLVERS.listed} or Optimizer
        Optimiser: a name, or an object of `skconv.training` with parameters of its own.  "adamw" is "adam" that shrinks
        the weights directly, not by the gradient of the penalty; "muon" updates kernels by orthogonalised momentum,
        other weights as "adam"; "lbfgs" is `scipy.optimize.minimize` on all data, in at most `max_iter` iterations,
        without `partial_fit` and without randomness in training.""",
    )
    alpha: Any = parameter(
        1e-4,
        [FACTORS],
        """float
        Strength of the penalty on the weights: ``alpha`` times ``(1 - l1_ratio) / 2`` times the sum of squared weights,
        plus ``alpha * l1_ratio`` times the sum of absolute weights, is added to the mean loss.""",
    )
    l1_ratio: Any = parameter(
        0.0,
        [between(0, 1, closed="both")],
        """float
        Share of the absolute weights, which bring weights to zero, in the penalty of `alpha`; in [0, 1].  With
        ``solver="adamw"``, which shrinks directly, `alpha` has to be about ten times as large.""",
    )
    max_norm: Any = parameter(
        None,
        [at_least(0, Real, closed="neither"), None],
        """float
        Largest Euclidean norm of a unit's or filter's weights; larger weights are scaled back after each update.""",
    )
    clip_norm: Any = parameter(
        None,
        [at_least(0, Real, closed="neither"), None],
        """float
        Largest Euclidean norm of the gradient (with that of the squared weights); a larger gradient is scaled back.""",
    )
    ema_decay: Any = parameter(
        None,
        [between(0, 1, closed="neither"), None],
        """float
        Decay, such as 0.99, of a running mean of the weights, which the model has in place of the last weights.""",
    )
    batch_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1)],
        """int or "auto"
        Samples per update.  "auto" is 128 for 40,000 samples or more, 64 for 2500 or more; for fewer a quarter of them,
        between 8 and 32; all of at most 32.  Samples are computed 16 at a time: a smaller batch takes the memory and
        the time of 16.""",
    )
    learning_rate: Any = parameter(
        "one_cycle",
        [one_of(*SCHEDULES), function_of("the share of the training that is done")],
        """{"one_cycle", "constant", "cosine", "step", "plateau"}, Schedule or callable
        Schedule of the learning rate over `max_iter` epochs: a name, an object of `skconv.training` with parameters of
        its own, or a function from the share of the training that is done, 0 to 1, to a factor of
        `learning_rate_init`.""",
    )
    learning_rate_init: Any = parameter(
        1e-2,
        [at_least(0, Real, closed="neither")],
        """float
        Largest learning rate of the training, which the factors of the schedule `learning_rate` multiply.""",
    )
    warm_up: Any = parameter(
        0.0,
        [between(0, 1)],
        """float
        Share of the training in which the learning rate first rises linearly.""",
    )
    learning_rate_decay: Any = parameter(
        1.0,
        [between(0, 1, closed="right")],
        """float
        Factor of the learning rate from each layer with weights to the one before it, in (0, 1]: with 0.8 the output
        layer has the whole rate, the layer before it 0.8 of it, the next 0.64.  For networks that go on from weights of
        another task, whose first layers should change least.  A normalisation has the rate of the layer with weights
        before it; the layers within a block, such as a residual one, share one rate.""",
    )
    max_iter: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1)],
        """int or "auto"
        Number of epochs.  "auto" is the number that visits 256,000 samples, limited to 5 (with `early_stopping` 10) to
        10, or the number that gives 600 updates (for series 300), whichever is larger; twice that for images with
        `augment`.""",
    )
    standardize: Any = parameter(
        "channel",
        [one_of("channel", "feature"), None],
        """{"channel", "feature"} or None
        Scaling of samples before the first layer, by statistics of the training samples.  "channel" subtracts each
        channel's mean at the image's border, or at a series' ends, so that a border of zeros continues the image, and
        divides by the root mean square about this mean.  "feature" takes the mean and the standard deviation of each
        feature, as for the wavelengths of a spectrum.  `partial_fit` keeps the statistics of the first chunk.""",
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
        Least improvement that counts for `n_iter_no_change`; with ``solver="lbfgs"`` the largest entry of the gradient
        at a minimum.""",
    )
    momentum: Any = parameter(
        0.9,
        [between(0, 1, closed="both")],
        """float
        Share of the last update that the next one keeps, in [0, 1]; for ``solver="sgd"``.""",
    )
    nesterovs_momentum: Any = parameter(
        True,
        ["boolean"],
        """bool
        Whether the momentum looks one update ahead (Sutskever et al., 2013); for ``solver="sgd"``.""",
    )
    beta_1: Any = parameter(
        0.9,
        [between(0, 1)],
        """float
        Decay of the running mean of the gradient, in [0, 1); for the solvers "adam" and "adamw", and for "muon" on
        weights other than kernels.""",
    )
    beta_2: Any = parameter(
        0.999,
        [between(0, 1)],
        """float
        Decay of the running mean of the squared gradient, in [0, 1); for the solvers "adam" and "adamw", and for "muon"
        on weights other than kernels.""",
    )
    epsilon: Any = parameter(
        1e-8,
        [EPSILONS],
        """float
        Added to the root of the running mean of the squared gradient, by which the gradient is divided; from 1e-30 to
        1e30; for the solvers "adam", "adamw" and "rmsprop", and for "muon" on weights other than kernels.""",
    )
    augment: Any = parameter(
        None,
        "no_validation",
        """None, "auto", str, object or list of them
        Random changes of the training samples, new in each epoch, from `skconv.augmentation`.  "auto" takes those that
        the training samples bear: flips, shifts, and of images that have no colours rotations and zooms, as far as a
        network that is trained for a short time on unchanged samples still recognises changed ones.  They are in
        `augmentations_`; none for series, for fewer than 40 samples and for 20,000 or more.  `partial_fit` decides by
        the first chunk that has 40 samples and two classes.""",
    )
    n_augmented: Any = parameter(
        0,
        [between(0, 10_000, "both", Integral)],
        """int
        Number of changed copies of a sample over which its predictions are averaged, in addition to the sample itself;
        at most 10,000; needs `augment`.  Each copy takes as long as a prediction without copies.""",
    )
    early_stopping: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether to stop when the score on validation data no longer improves.  Validation data are those given to `fit`,
        or else a share of the samples with weight of each class; `partial_fit` takes given validation data only.
        Whenever there are validation data, the model has the weights with the best score on them, or with the lower
        validation loss among equal scores.  If the learning rate falls over the training ("one_cycle", "cosine",
        "step"), a lack of progress leads to the schedule's last quarter before the training ends.  Weights of the last
        quarter are then compared; earlier weights are kept if their score is higher by more than chance can make, the
        square root of 1 over the number of validation samples.""",
    )
    validation_fraction: Any = parameter(
        0.1,
        [between(0, 1, closed="neither")],
        """float
        Share of the training samples that `early_stopping` holds out for validation, rounded up; for a score of R² at
        least two samples.  Copies of a sample are held out together.""",
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
        Number of epochs without improvement after which to stop: improvement of the validation score (of the validation
        loss while the score equals the best), or of the training loss without validation data if the learning rate is
        "constant" or "plateau".  If `max_iter` is "auto", at most a quarter of the epochs.""",
    )
    warm_start: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether `fit` continues from the last solution.""",
    )
    initial_weights: Any = parameter(
        None,
        [dict, None],
        """dict of ndarray
        Initial values by name, as in `weights_` of another model; other weights start at random.""",
    )
    freeze: Any = parameter(
        (),
        [str, tuple, list, between(None, None, "neither", Integral)],
        """str, tuple of str or int
        Layers that training does not change: names, such as "convolution1" (see `summary`), or a number of layers from
        the first on, as in a slice: 5 freezes the first five, -1 all but the output layer, -3 all but the last three.
        Batch normalisation in frozen layers keeps its statistics.""",
    )
    image_shape: Any = parameter(
        None,
        IMAGE_SHAPES,
        """None, "series", int, (T,), (H, W) or (H, W, C)
        Shape of the image, channels last, in a row of a two-dimensional X.  None keeps the shape of X with more
        dimensions; it takes a square number of features as a square image and any other number as a series, unless
        names of features such as "row0_column0" give the shape; `fit` warns if the samples look like something else.
        "series" takes ``(n, T)`` and ``(n, T, C)`` as series; ``(1, T, C)`` is for flat series with channels.  A shape
        that contradicts X with more dimensions is an error.""",
    )
    checkpoint: Any = parameter(
        None,
        [str, PathLike, _CHECKPOINT, None],
        """str, path or Checkpoint
        Directory to which the state of the training is written after each epoch, or ``Checkpoint(path, every=5)``.  The
        name of the file is a hash of the parameters and the data.  A fit that finds its file continues from this state
        and ends with the bits of an uninterrupted fit.  Needs an integer `random_state`.  A file is also written before
        the first epoch, so that an unwritable directory raises at once.""",
    )
    callback: Any = parameter(
        None,
        [callable, None],
        """callable
        Function that is called as ``callback(info)`` after each epoch, with a `skconv.training.TrainingInfo`.  The
        training ends if the function returns True and goes on if it returns None or False; other values are errors.""",
    )
    random_state: Any = parameter(
        None,
        ["random_state"],
        """int, RandomState instance or None
        Seed of the initial weights, the order of the samples, augmentation and dropout.""",
    )
    verbose: Any = parameter(
        0,
        ["verbose"],
        """int or bool
        1 updates one line in a terminal or notebook, and prints a line per epoch elsewhere; 2 prints a line per
        epoch.""",
    )
    n_jobs: Any = parameter(
        None,
        N_JOBS,
        """int or None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.""",
    )
