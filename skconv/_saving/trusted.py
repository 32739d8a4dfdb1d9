"""Names of the types that skops has to trust to load the package's estimators."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._network.network import Network
from .._network.pretrained import PretrainedNetwork
from ..augmentation import Augmenter
from .classes import ESTIMATORS, FUNCTIONS, PARTS, PICKLED

__all__ = ["trusted_types"]


def trusted_types() -> list[str]:
    """Names of the types that `skops.io.load` needs as ``trusted`` for any estimator of skconv.

    skops writes whole pipelines and searches.  It asks which types of other packages than scikit-learn's it may make;
    this list has those of skconv, NumPy's dtype, and this system's paths.  None of them runs code from the file.

    Returns
    -------
    list of str
        Sorted names.

    Examples
    --------
    >>> import skconv
    >>> "skconv.classifier.ConvNetClassifier" in skconv.trusted_types()
    True
    """
    types = [
        *ESTIMATORS.values(),
        *PARTS.values(),
        *FUNCTIONS.values(),
        *PICKLED,
        Network,
        PretrainedNetwork,
        Augmenter,
        np.dtype,
        type(Path()),
    ]
    return sorted({f"{kind.__module__}.{kind.__qualname__}" for kind in types})
