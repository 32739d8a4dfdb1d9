"""Plots of fitted networks; matplotlib is imported when a plot is drawn."""

from __future__ import annotations

from math import ceil

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from .._input.constraints import at_least, check_value, shown
from .._input.memory import counted

__all__ = ["plot_hardest", "plot_kernels", "plot_learning_curve"]


def plot_learning_curve(estimator, ax=None):
    """Plot the training loss by epoch, and the validation scores if there are any.

    Parameters
    ----------
    estimator : estimator with ``loss_curve_``
        A fitted network, or scikit-learn's MLPClassifier.
    ax : matplotlib Axes, default=None
        Axes to draw on; None makes a figure.

    Returns
    -------
    matplotlib Axes
        Axes of the loss; validation scores have a second axis on the right.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    sklearn.exceptions.NotFittedError
        If there is no ``loss_curve_``.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.inspection import plot_learning_curve
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X / 16, y)
    >>> ax = plot_learning_curve(model)
    >>> len(ax.lines[0].get_xdata())
    3
    >>> matplotlib.pyplot.close(ax.figure)
    """
    check_is_fitted(estimator, "loss_curve_")
    pyplot = _pyplot()
    if ax is None:
        _, ax = pyplot.subplots(layout="constrained")
    name = type(estimator).__name__
    epochs = np.arange(1, len(estimator.loss_curve_) + 1)
    lines = ax.plot(epochs, estimator.loss_curve_, marker="." if len(epochs) < 50 else "", label=f"{name}: loss")
    ax.set(xlabel="epoch", ylabel="mean training loss")
    ax.xaxis.get_major_locator().set_params(integer=True)
    scores = getattr(estimator, "validation_scores_", None)
    if scores is not None:
        right = ax.twinx()
        lines += right.plot(epochs[: len(scores)], scores, "--", color="tab:orange", label=f"{name}: validation score")
        right.set_ylabel("validation score")
    before = [line for line in ax.lines if line not in lines]
    ax.legend(handles=[*before, *lines])
    return ax


def plot_kernels(estimator, layer=None, *, channel=None, figure=None):
    """Plot the kernels of a convolution as images, on one colour scale around zero.

    Parameters
    ----------
    estimator : ConvNetClassifier
        A fitted network.
    layer : str, default=None
        Name of the layer, as in ``estimator.weights_``; None is the first convolution.
    channel : int, default=None
        Channel of the kernels to show; None shows three channels as colours, with each kernel scaled to the full range,
        and otherwise the first channel.
    figure : matplotlib Figure or SubFigure, default=None
        Figure to draw on; None makes a figure.

    Returns
    -------
    matplotlib Figure or SubFigure

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If the estimator has no network, or there is no such layer or channel.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.inspection import plot_kernels
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X / 16, y)
    >>> figure = plot_kernels(model, "convolution1")
    >>> sum(len(ax.images) for ax in figure.axes[:4])
    4
    >>> matplotlib.pyplot.close(figure)
    """
    _check_has(estimator, "weights_", "plot_kernels", "a fitted ConvNetClassifier or ConvNetRegressor")
    name, kernels = _kernels(estimator, layer)
    n_channels = kernels.shape[-1]
    if channel is not None and channel not in range(n_channels):
        raise ValueError(f"channel={shown(channel)}, but {name} takes images with {counted(n_channels, 'channel')}")
    figure = _figure(figure)
    colour = channel is None and n_channels == 3
    pictures = [_full_range(k) for k in kernels] if colour else kernels[..., channel or 0]
    scale = float(np.abs(pictures).max()) or 1.0
    axes = _tiles(figure, len(pictures), across=ceil(len(pictures) ** 0.5))
    for ax, picture in zip(axes, pictures, strict=True):
        image = ax.imshow(picture, cmap="RdBu_r", vmin=-scale, vmax=scale)
    if not colour:
        figure.colorbar(image, ax=axes, shrink=0.8)
    seen = "" if colour or n_channels == 1 else f", input channel {channel or 0}"
    figure.suptitle(f"Kernels of {name}{seen}")
    return figure


def plot_hardest(estimator, X, y, n=10, *, probabilities=None, figure=None):
    """Plot the samples with the lowest predicted probability of their true class, the lowest first.

    The title of each sample has the true label, the predicted label and, in brackets, the probability of the predicted
    label; in red if the labels differ.

    Parameters
    ----------
    estimator : ConvNetClassifier
        A fitted network.
    X : array-like, as for ``estimator.predict``
        Samples, preferably none of the training.
    y : array-like of shape (n_samples,)
        True labels.
    n : int, default=10
        Number of samples to show; all if there are fewer.
    probabilities : array-like of shape (n_samples, n_classes), default=None
        Predicted probabilities, for instance by ``cross_val_predict(..., method="predict_proba")``; None predicts.
    figure : matplotlib Figure or SubFigure, default=None
        Figure to draw on; None makes a figure.

    Returns
    -------
    matplotlib Figure or SubFigure

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If the estimator is no such classifier, ``n`` is less than 1, lengths differ, or y has a label that the
        estimator does not know, or several labels per sample.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_digits
    >>> from skconv import ConvNetClassifier
    >>> from skconv.inspection import plot_hardest
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = ConvNetClassifier(filters=4, max_iter=3, random_state=0).fit(X[:200] / 16, y[:200])
    >>> figure = plot_hardest(model, X[200:] / 16, y[200:], n=4)
    >>> len(figure.axes)
    4
    >>> matplotlib.pyplot.close(figure)
    """
    kind = "a fitted ConvNetClassifier (the errors of a regressor: sklearn.metrics.PredictionErrorDisplay)"
    for attribute in ("image_shape_", "classes_"):
        _check_has(estimator, attribute, "plot_hardest", kind)
    check_value("n", n, [at_least(1)])
    probabilities = np.asarray(estimator.predict_proba(X) if probabilities is None else probabilities)
    y = np.asarray(y)
    check_consistent_length(X, y, probabilities)
    _check_single_labels(y, probabilities, estimator.classes_)
    figure = _figure(figure)
    worst = _hardest(probabilities, y, estimator.classes_, n)
    samples = np.asarray(X)[worst].reshape(len(worst), *estimator.image_shape_)
    axes = _tiles(figure, len(worst), across=5 if len(worst) < 20 else 10)
    for ax, sample, index in zip(axes, samples, worst, strict=True):
        _draw_sample(ax, sample)
        best = probabilities[index].argmax()
        label = estimator.classes_[best]
        ax.set_title(
            f"true {y[index]}\npredicted {label} ({probabilities[index, best]:.2f})",
            fontsize="small",
            color="black" if label == y[index] else "tab:red",
        )
    return figure


def _check_has(estimator, attribute, function, kind):
    """Raise where an estimator is not fitted or has no ``attribute``."""
    check_is_fitted(estimator)
    if not hasattr(estimator, attribute):
        raise ValueError(f"{function} needs {kind}, got {type(estimator).__name__}")


def _check_single_labels(y, probabilities, classes):
    """Raise where y is not (n,), one label per sample, or probabilities are not (n, classes)."""
    if y.ndim != 1:
        raise ValueError(f"y must have shape (n_samples,), one label a sample, got shape {y.shape}")
    if probabilities.shape != (len(y), len(classes)):
        raise ValueError(f"probabilities must have shape {(len(y), len(classes))}, got {probabilities.shape}")


def _pyplot():
    """matplotlib.pyplot; raises ImportError, with the command to install it, where it is missing."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('needs matplotlib: pip install "skconv[plot]"') from error
    return pyplot


def _figure(figure):
    """The given figure, or a new one."""
    pyplot = _pyplot()
    return pyplot.figure(layout="constrained") if figure is None else figure


def _tiles(figure, count, across):
    """``count`` axes without ticks, ``across`` in a row."""
    across = min(across, count)
    grid = figure.subplots(ceil(count / across), across, squeeze=False).ravel()
    for ax in grid[count:]:
        ax.remove()
    for ax in grid[:count]:
        ax.set(xticks=[], yticks=[])
    return list(grid[:count])


def _kernels(estimator, layer):
    """Name and kernels ``(filters, rows, columns, channels)`` of a convolution."""
    found = {
        name.removesuffix(".weight"): array
        for name, array in estimator.weights_.items()
        if name.endswith(".weight") and array.ndim == 4
    }
    if not found:
        raise ValueError("the network has no convolution")
    name = next(iter(found)) if layer is None else layer
    if name not in found:
        raise ValueError(f"layer={shown(layer)} is not a convolution of the network; it has {', '.join(found)}")
    return name, found[name]


def _hardest(probabilities, y, classes, n):
    """Indices of the ``n`` samples with the lowest probability of their true class, the lowest first."""
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        labels, known = shown(unknown[:5].tolist()), shown(classes.tolist())
        raise ValueError(f"y has labels {labels} that the estimator does not know; it has {known}")
    true = probabilities[np.arange(len(y)), np.searchsorted(classes, y)]
    return np.argsort(true, kind="stable")[:n]


def _draw_sample(ax, sample):
    """Draw a sample ``(H, W, C)``: a series as lines, three channels as colours, others by their mean."""
    if sample.shape[0] == 1:
        ax.plot(sample[0])
    elif sample.shape[-1] == 3:
        ax.imshow(_full_range(sample))
    else:
        ax.imshow(sample.mean(axis=-1), cmap="gray_r")


def _full_range(picture):
    """Values of ``picture`` scaled to [0, 1]."""
    low, high = picture.min(), picture.max()
    return (picture - low) / ((high - low) or 1)
