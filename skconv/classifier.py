"""The convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from math import ceil

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from ._convnet import BaseConvNet
from ._validation import InvalidParameterError, between, check_parameters, one_of
from .losses import SoftmaxCrossEntropy, softmax

__all__ = ["ConvNetClassifier"]


class ConvNetClassifier(ClassifierMixin, BaseConvNet):
    """Convolutional network for images and series.

    Blocks of convolution, pooling, batch normalisation and activation, then hidden layers, then softmax; or the layers
    of your own list.  It trains on the processor with NumPy alone.

    Parameters
    ----------
    filters : int or tuple of int, default=(16, 32)
        Kernels of each convolutional layer; one number is one layer, ``()`` none.
    kernel_size : int, or tuple with one entry per layer, default=3
        Taps of the kernels.  An entry is a number, for both directions, or ``(down, across)``: ``(3, 5)`` is 3 in the
        first layer and 5 in the second, ``((3, 5), (3, 5))`` is 3 down and 5 across in both.
    stride, dilation : int, or tuple with one entry per layer, default=1
        Samples between windows; samples between taps.
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
        "max" in as many of the last blocks as leave 4 pixels, so that small images are not pooled away.
    pool_size : int, or tuple with one entry per layer, default=2
        Window and step of the pooling; no larger than the image.
    hidden_layer_sizes : int or tuple of int, default=(64,)
        Units of the fully connected layers before the output.
    activation : {"relu", "leaky_relu", "elu", "gelu", "tanh", "logistic", "identity"}, or tuple, default="relu"
        Of each layer; a tuple has one entry per convolutional layer, or also one per hidden layer.
    batch_norm : bool, or tuple with one entry per layer, default=True
        Whether convolutional layers normalise each channel over the batch.
    dropout : float, or tuple, default=0.0
        Share of activations set to zero in training; a tuple as for `activation`.
    layers : list of Layer, default=None
        Layers from `skconv.layers` up to the last vector, in place of what the parameters above describe.  The output
        layer is added.
    label_smoothing : float, default=0.1
        Share of each target spread evenly over the classes, in [0, 1).
    solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        "adamw" shrinks the weights directly instead of by the gradient of the penalty; "lbfgs" is
        `scipy.optimize.minimize` on the whole data, in at most `max_iter` iterations.
    alpha : float, default=1e-4
        L2 penalty: ``alpha / 2`` times the sum of squared weights is added to the mean loss.
    batch_size : int or "auto", default="auto"
        Samples per update: 64, or all where there are fewer.
    learning_rate : {"one_cycle", "constant", "cosine", "step"}, default="one_cycle"
        Schedule of the learning rate over `max_iter` epochs.
    learning_rate_init : float, default=1e-2
        Its largest value.
    max_iter : int or "auto", default="auto"
        Epochs; "auto" is 10, or as many as give 300 updates.
    shuffle : bool, default=True
        Whether each epoch goes through the samples in a new order.
    tol : float, default=1e-4
        Improvement that counts for `n_iter_no_change`.
    momentum, nesterovs_momentum : float, bool, default=0.9, True
        For "sgd".
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For "adam" and "adamw".
    early_stopping : bool, default=False
        Whether to hold out a stratified share of the samples, stop when its accuracy no longer improves, and keep the
        parameters that were best on it.
    validation_fraction : float, default=0.1
        That share.
    n_iter_no_change : int, default=10
        Epochs without improvement after which to stop: of the validation score, or of the loss where the learning rate
        is constant.
    warm_start : bool, default=False
        Whether `fit` goes on from the last solution.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with the samples'.
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        How a row of a two-dimensional X is an image, channels last.  None takes X of more dimensions as it is, a
        square number of features as a square image, any other as a series.  "series" takes ``(n, T)`` and
        ``(n, T, C)`` as series, ``(1, T, C)`` says the channels of a flat one.
    random_state : int, RandomState instance or None, default=None
        Of the weights, the order of the samples and dropout.
    verbose : bool or int, default=False
        Whether to print a line per epoch.
    n_jobs : int or None, default=None
        Threads; None uses as many as BLAS would.  No bit of the result depends on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
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
    validation_scores_ : list of float or None
        Accuracy on the held-out samples after each epoch, with early stopping.
    best_validation_score_ : float or None
        The best of them.
    weights_ : dict of ndarray
        Trained arrays by ``"layer.name"``.
    network_ : Network
        Layers, shapes and parameters.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The fully connected network.

    Notes
    -----
    Training is in float32, unless X is float64 and each update sees all samples (or the solver is "lbfgs"): the noise
    of smaller batches leaves nothing for float64 to improve.  Predictions are float64 where X is, else float32.

    On one machine and with the same libraries, the same seed gives the same model bit for bit, whatever `n_jobs`; a
    row's prediction does not depend on the rows beside it.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skconv import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> model = ConvNetClassifier(random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.97)
    True
    """

    _parameter_constraints: dict = {
        **BaseConvNet._parameter_constraints,
        "label_smoothing": [between(0, 1)],
        "class_weight": [dict, one_of("balanced"), None],
    }

    def __init__(
        self,
        filters=(16, 32),
        kernel_size=3,
        *,
        stride=1,
        dilation=1,
        padding="same",
        padding_mode="constant",
        connectivity="shared",
        bias="shared",
        pool="auto",
        pool_size=2,
        hidden_layer_sizes=(64,),
        activation="relu",
        batch_norm=True,
        dropout=0.0,
        layers=None,
        label_smoothing=0.1,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="one_cycle",
        learning_rate_init=1e-2,
        max_iter="auto",
        shuffle=True,
        tol=1e-4,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        class_weight=None,
        image_shape=None,
        random_state=None,
        verbose=False,
        n_jobs=None,
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
        self.padding_mode = padding_mode
        self.connectivity = connectivity
        self.bias = bias
        self.pool = pool
        self.pool_size = pool_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.layers = layers
        self.label_smoothing = label_smoothing
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.image_shape = image_shape
        self.random_state = random_state
        self.verbose = verbose
        self.n_jobs = n_jobs

    def _loss(self):
        return SoftmaxCrossEntropy(self.label_smoothing)

    def _score_logits(self, logits, y, sample_weight):
        return float(accuracy_score(y, logits.argmax(axis=1), sample_weight=sample_weight))

    def _encode(self, y, classes):
        """Class indices; labels outside ``classes`` raise."""
        y = column_or_1d(y, warn=True)
        index = np.searchsorted(classes, y)
        index[index == len(classes)] = 0
        unknown = classes[index] != y
        if unknown.any():
            raise ValueError(f"y has labels {np.unique(y[unknown])[:5]!r} that are not in classes {classes!r}")
        return index

    def _weights(self, sample_weight, X, y, encoded, classes):
        weight = self._check_weight(sample_weight, X)
        if self.class_weight is None:
            return weight
        if isinstance(self.class_weight, dict) and min(self.class_weight.values(), default=0) < 0:
            raise InvalidParameterError(f"class_weight must be zero or more for every class, got {self.class_weight!r}")
        present = classes[np.unique(encoded)]
        factors = dict(zip(present, compute_class_weight(self.class_weight, classes=present, y=y), strict=True))
        weight = weight * np.array([factors.get(c, 1.0) for c in classes])[encoded]
        if not weight.any():
            raise ValueError("class_weight: the weights of all classes in y are zero, so there is nothing to fit")
        return weight

    def fit(self, X, y, sample_weight=None):
        """Train a new network, or the last one further with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type; scaled to about [0, 1] or unit variance they train best.
        y : array-like of shape (n,)
            Labels of any type.
        sample_weight : array-like of shape (n,), default=None
            Weights, zero or more; None is 1 for all.

        Returns
        -------
        self : ConvNetClassifier

        Raises
        ------
        ValueError
            Where an argument does not fit (with its name, its value and what would), or where the loss stops being
            finite.  The estimator is then as it was.
        """
        with self._unchanged_on_error():
            check_parameters(self)
            X, y, shape = self._check_X(X, y, reset=True)
            check_classification_targets(y)
            classes = np.unique(y)
            if self.warm_start and hasattr(self, "classes_") and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"warm_start=True needs the classes of the last fit, {self.classes_!r}, got {classes!r}"
                )
            encoded = self._encode(y, classes)
            weight = self._weights(sample_weight, X, y, encoded, classes)
            validation = None
            if self.early_stopping:
                X, encoded, weight, validation = self._hold_out(X, encoded, weight)
            self._fit_network(X, encoded, weight, shape, len(classes), validation)
            self.classes_ = classes
            self.__dict__.pop("_progress", None)
        return self

    def _hold_out(self, X, y, weight):
        """Split off the validation share, stratified."""
        if self.solver == "lbfgs":
            raise ValueError(
                "early_stopping=True needs a stochastic solver, got solver='lbfgs'; use 'adam' or 'sgd', or set "
                "early_stopping=False"
            )
        counts = np.bincount(y)
        if counts.min() < 2:
            raise ValueError(
                "early_stopping=True holds out samples of every class, but the rarest class has only "
                f"{counts.min()}; give it more, or set early_stopping=False"
            )
        held_out = ceil(len(y) * self.validation_fraction)
        if not len(counts) <= held_out <= len(y) - len(counts):
            raise ValueError(
                f"validation_fraction={self.validation_fraction!r} of {len(y)} samples leaves less than one per class "
                f"({len(counts)} classes) to hold out or to train on; change it, or set early_stopping=False"
            )
        seed = np.random.RandomState(0) if self.random_state is None else self.random_state
        parts = train_test_split(X, y, weight, test_size=self.validation_fraction, stratify=y, random_state=seed)
        X, X_val, y, y_val, weight, weight_val = parts
        if not (weight.any() and weight_val.any()):
            raise ValueError(
                "sample_weight: early_stopping=True left only weights of zero on one side of its split; give weight to "
                "more samples, or set early_stopping=False"
            )
        return X, y, weight, (X_val, y_val, weight_val)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One pass over a chunk of the data, at the constant learning rate `learning_rate_init`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self : ConvNetClassifier
        """
        with self._unchanged_on_error():
            check_parameters(self)
            first = not hasattr(self, "classes_")
            if first and classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            X, y, shape = self._check_X(X, y, reset=not hasattr(self, "network_"))
            check_classification_targets(y)
            if first:
                known = np.unique(classes)
                if len(known) == 0:
                    raise ValueError("classes must name every class that will ever come, got none")
            else:
                known = self.classes_
                if classes is not None and not np.array_equal(np.unique(classes), known):
                    raise ValueError(
                        f"classes={classes!r} is not the same as on the last call to partial_fit, {known!r}"
                    )
            encoded = self._encode(y, known)
            weight = self._weights(sample_weight, X, y, encoded, known)
            self._partial_fit_network(X, encoded, weight, shape, len(known))
            self.classes_ = known
        return self

    def decision_function(self, X):
        """Logits.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) for two classes
            For two classes, how far the second is ahead of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`.
        """
        return np.ascontiguousarray(softmax(self._logits(X).T).T)

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, finite where the probabilities round to zero.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        logits = self._logits(X)
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n,)
        """
        best = self._logits(X).argmax(axis=1)
        return self.classes_[best]
