"""Guesses what a wrong value was meant to be: other libraries' words, values of another parameter."""

from __future__ import annotations

import re
from difflib import get_close_matches
from numbers import Real

__all__ = ["NEIGHBOURS", "keyword_meant", "name_meant", "nearest_name", "switch_meant"]

NEIGHBOURS = {  # parameters with whose values others are confused
    "early_stopping": "n_iter_no_change",
    "filters": "n_filters",
    "learning_rate": "learning_rate_init",
    "pool": "pool_size",
}
_WORDS = {  # other libraries' words, letters and digits only: names here, of which a parameter takes one
    "adaptive": ["plateau"],
    "avg": ["mean"],
    "average": ["mean"],
    "avgpool": ["mean"],
    "binarycrossentropy": ["log_loss", "neg_log_loss"],
    "categoricalcrossentropy": ["log_loss", "neg_log_loss"],
    "circular": ["wrap"],
    "cosineannealing": ["cosine"],
    "cosineannealinglr": ["cosine"],
    "cosinedecay": ["cosine"],
    "crossentropy": ["log_loss", "neg_log_loss"],
    "f1score": ["f1"],
    "glorot": ["glorot_uniform"],
    "he": ["he_normal"],
    "kaiming": ["he_normal"],
    "kaimingnormal": ["he_normal"],
    "l1": ["absolute_error"],
    "l2": ["squared_error"],
    "linear": ["identity"],
    "mae": ["absolute_error", "neg_mean_absolute_error"],
    "maxpool": ["max"],
    "meanabsoluteerror": ["absolute_error", "neg_mean_absolute_error"],
    "meansquarederror": ["squared_error", "neg_mean_squared_error"],
    "mirror": ["reflect"],
    "mse": ["squared_error", "neg_mean_squared_error"],
    "nearest": ["edge"],
    "none": ["identity"],
    "onecyclelr": ["one_cycle"],
    "periodic": ["wrap"],
    "r2score": ["r2"],
    "reducelronplateau": ["plateau"],
    "reduceonplateau": ["plateau"],
    "replicate": ["edge"],
    "rmse": ["neg_root_mean_squared_error"],
    "sigmoid": ["logistic"],
    "silu": ["swish"],
    "squaredloss": ["squared_error"],
    "xavier": ["glorot_uniform"],
    "xavieruniform": ["glorot_uniform"],
    "zero": ["constant"],
    "zeros": ["constant"],
}
_ON = ("channel", "shared")  # words for bias=True, one bias per channel for all positions
_KEYWORDS = {  # names of arguments in other libraries: ours, of which a class has one
    "betas": ["beta_1"],
    "blocksize": ["block_size"],
    "constant_values": ["padding_mode"],
    "depth_multiplier": ["multiplier"],
    "dilation_rate": ["dilation"],
    "div_factor": ["start_factor"],
    "epochs": ["max_iter"],
    "eps": ["epsilon"],
    "function": ["activation"],
    "gamma": ["factor"],
    "kernel_initializer": ["initializer"],
    "lr": ["learning_rate_init"],
    "method": ["pool"],
    "mode": ["padding_mode", "pool"],
    "momentum": ["decay"],
    "n_components": ["n_filters"],
    "negative_slope": ["slope"],
    "nesterov": ["nesterovs_momentum"],
    "norm_type": ["p"],
    "optimizer": ["solver"],
    "out_channels": ["filters"],
    "out_features": ["units"],
    "p": ["dropout"],
    "pad_width": ["padding"],
    "patience": ["n_iter_no_change"],
    "pct_start": ["warm_up"],
    "pooling": ["pool", "global_pool"],
    "rate": ["dropout"],
    "reduction": ["ratio"],
    "rho": ["decay"],
    "scale_factor": ["factor"],
    "seed": ["random_state"],
    "strides": ["stride"],
    "upscale_factor": ["block_size"],
    "use_bias": ["bias"],
    "validation_split": ["validation_fraction"],
    "value": ["padding_mode", "values"],
    "weight_decay": ["alpha"],
}
_NEAREST = {"celu": "elu", "selu": "elu"}


def keyword_meant(word, names) -> str | None:
    """The one of a class's parameters ``names`` that an unknown keyword stands for or looks like, or None."""
    for name in _KEYWORDS.get(word, ()):
        if name in names:
            return name
    close = get_close_matches(word, names, 1, 0.75)
    return close[0] if close else None


def name_meant(value, names) -> str | None:
    """The one of ``names`` that a string resembles, or is another library's word for; else None."""
    word = _letters(value)
    for name in names:
        if _letters(name) == word or name in _WORDS.get(word, ()):
            return name
    close = get_close_matches(value.lower(), names, 1)
    return close[0] if close else None


def nearest_name(value, names) -> str | None:
    """The one of ``names`` whose function is closest to an activation that there is not; else None."""
    name = _NEAREST.get(_letters(value))
    return name if name in names else None


def switch_meant(value, names, *, boolean, none, positive):
    """List of the value that a parameter takes for on or off, given True, False, None, 0, 1 or "none" for that.

    Parameters
    ----------
    value : object
        Value that the parameter does not take.
    names : list of str
        Strings that the parameter takes.
    boolean, none : bool
        Whether the parameter takes True and False, and None.
    positive : bool
        Whether the parameter takes positive real numbers.

    Returns
    -------
    list
        The value, or empty where there is no safe guess.
    """
    if boolean and isinstance(value, str) and value.lower() in _ON:
        return [True]
    if value is None and "identity" in names:
        return ["identity"]
    off = value is None or value is False or (isinstance(value, str) and value.lower() == "none")
    zero = isinstance(value, Real) and not isinstance(value, bool) and value in (0, 1)
    if boolean and (off or zero):
        return [not off and bool(value)]
    return [None] if none and (off or (positive and zero and value == 0)) else []


def _letters(text) -> str:
    """Letters and digits of ``text``, in lower case."""
    return re.sub(r"[\W_]", "", text.lower())
