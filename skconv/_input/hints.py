"""What a wrong value may have been meant to be: words of other libraries, and values of a neighbour."""

from __future__ import annotations

import re
from difflib import get_close_matches
from numbers import Real

__all__ = ["NEIGHBOURS", "name_meant", "nearest_name", "switch_meant"]

NEIGHBOURS = {  # parameters that take what others were given
    "early_stopping": "n_iter_no_change",
    "learning_rate": "learning_rate_init",
    "pool": "pool_size",
}
_WORDS = {  # of other libraries, letters and digits only: ours, of which a parameter takes one
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
    "squaredloss": ["squared_error"],
    "xavier": ["glorot_uniform"],
    "xavieruniform": ["glorot_uniform"],
    "zero": ["constant"],
    "zeros": ["constant"],
}
_ON = ("channel", "shared")  # a bias for each channel, which all positions share
_NEAREST = {"celu": "elu", "hardswish": "gelu", "mish": "gelu", "selu": "elu", "silu": "gelu", "swish": "gelu"}


def name_meant(value, names) -> str | None:
    """The one of the names that a string looks like, or is another library's word for."""
    word = _letters(value)
    for name in names:
        if _letters(name) == word or name in _WORDS.get(word, ()):
            return name
    close = get_close_matches(value.lower(), names, 1)
    return close[0] if close else None


def nearest_name(value, names) -> str | None:
    """The one of the names that comes closest to what there is not."""
    name = _NEAREST.get(_letters(value))
    return name if name in names else None


def switch_meant(value, names, *, boolean, none, positive):
    """What stands for on or off in place of True, False, None, 0, 1 or "none", in a list; empty where that is not sure.

    Parameters
    ----------
    value : object
    names : list of str
    boolean, none : bool
        Whether the parameter takes True and False, and None.
    positive : bool
        Whether it takes real numbers above zero.
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
    """A name's letters and digits, in lower case."""
    return re.sub(r"[\W_]", "", text.lower())
