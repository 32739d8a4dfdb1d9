"""Rows of arrays that may be larger than memory: HDF5 and zarr data sets, dask arrays, any object with slices.

A **unit** is the rows that are read at once: a chunk of the storage, or several small ones.  A **window** is a run of
units that stays in memory for later slices.  A **piece** is as many units as the limit allows, on which training runs
(`epochs`).
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from math import ceil, prod
from threading import Lock

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.utils import assert_all_finite

from .errstate import callers
from .memory import check_memory, counted, working_memory
from .overflow import check_range

__all__ = ["LazyRows", "is_lazy", "lazy_rows", "subset"]

_UNIT_BYTES = 1 << 20  # least bytes of a unit; the cost of a smaller read does not depend on its bytes
_WINDOW_BYTES = 1 << 24  # most bytes of a window of several units
_UNITS = 64  # least units of a piece, where the storage's chunks allow it, so that an epoch's order is well mixed
_LARGEST = 4  # a unit is at most this part of the limit, even where the storage's chunks are larger
_KEPT = 2  # windows in memory; threads work on rows near each other


def is_lazy(X) -> bool:
    """Whether X is an array in storage: neither an ndarray nor a data frame, sparse matrix or list.

    A memmap is an ndarray and used without a copy, except one of float16, which would have to be converted as a whole.
    """
    if isinstance(X, LazyRows):
        return True
    if isinstance(X, np.ndarray):
        return isinstance(X, np.memmap) and X.dtype == np.float16
    if isinstance(X, (list, tuple, np.generic)) or issparse(X) or hasattr(X, "iloc"):
        return False
    return isinstance(getattr(X, "dtype", None), np.dtype) and hasattr(X, "shape") and hasattr(X, "__getitem__")


def lazy_rows(X, estimator_name=None) -> LazyRows:
    """X as `LazyRows`."""
    return X if isinstance(X, LazyRows) else LazyRows(X, estimator_name)


def subset(X, rows):
    """Increasing ``rows`` of an array, or of a `LazyRows` without reading them."""
    return X.subset(rows) if isinstance(X, LazyRows) else X[rows]


class LazyRows:
    """Flat samples ``(n, features)`` of an array in storage, read on demand.

    What is read is checked for NaN, infinity and the range of float32.  Slices and index arrays give ndarrays; those of
    slices are read-only.

    Parameters
    ----------
    source : array-like of shape (n, features), (n, H, W), (n, T, C) or (n, H, W, C)
        An object with ``shape``, ``dtype`` and slices, and maybe ``chunks`` as h5py, zarr or dask have them.
    estimator_name : str, default=None
        Name of the estimator in messages.
    limit_bytes : int, default=None
        Memory that samples may take; None is scikit-learn's ``working_memory``.  A larger chunk of the storage is read
        in parts, for each of which the library may read the whole chunk.

    Attributes
    ----------
    shape : (int, int)
        Number of samples, number of features.
    sample_shape : tuple of int
        Shape of a sample in the source.
    dtype : dtype
        Dtype of samples that are read: that of the source in the machine's byte order, float32 for float16.
    limit : int
        The limit in bytes.

    Raises
    ------
    ValueError
        If the source does not know its shape, does not have 2 to 4 dimensions or not real numbers, or if a sample is
        larger than the limit.

    Examples
    --------
    >>> import numpy as np
    >>> class Squares:
    ...     shape, dtype = (1000, 2), np.dtype(np.float64)
    ...     def __getitem__(self, rows):
    ...         return np.arange(*rows.indices(1000))[:, None] ** [2.0, 3.0]
    >>> X = LazyRows(Squares())
    >>> X[[30, 2, 1]]
    array([[9.0e+02, 2.7e+04],
           [4.0e+00, 8.0e+00],
           [1.0e+00, 1.0e+00]])
    >>> X.pieces(limit_bytes=8000)
    [slice(0, 500, None), slice(500, 1000, None)]
    """

    ndim = 2

    def __init__(self, source, estimator_name=None, limit_bytes=None):
        _check_source(source)
        self._source, self._name = source, estimator_name
        self._errstate = callers()
        self.limit = working_memory() if limit_bytes is None else limit_bytes
        self.sample_shape = tuple(int(size) for size in source.shape[1:])
        self.shape = int(source.shape[0]), prod(self.sample_shape)
        native = source.dtype.newbyteorder("=")
        self.dtype = np.dtype(np.float32) if native == np.float16 else native
        check_memory("one sample of X", self.row_bytes, self.limit, "scikit-learn's working_memory")
        self._finite = self.dtype.kind != "f" or get_config()["assume_finite"]
        least = min(_UNIT_BYTES, self.limit // _UNITS) // self.row_bytes
        self._rows, self._edges = None, _unit_edges(source, max(1, least), max(1, self._fitting(_LARGEST)))
        self._open()

    def _open(self):
        """Set up the windows of these rows."""
        largest = int(np.diff(self._edges).max(initial=1)) * self.row_bytes
        self._windows = self.pieces(max(largest, min(_WINDOW_BYTES, self.limit // 8)))
        self._starts = np.array([window.start for window in self._windows], np.intp)
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = Lock()

    @property
    def row_bytes(self) -> int:
        """Bytes of a sample in memory."""
        return max(1, self.shape[1] * self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all samples in memory."""
        return len(self) * self.row_bytes

    def _fitting(self, parts) -> int:
        """Number of samples that fit in ``1 / parts`` of the limit."""
        return self.limit // parts // self.row_bytes

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        """Samples of a slice, from the windows if its step is 1, or of an index array or mask in any order."""
        if not isinstance(key, slice):
            rows = np.asarray(key)
            return self.take(np.flatnonzero(rows) if rows.dtype == bool else rows)
        start, stop, step = key.indices(len(self))
        if step != 1:
            return self.take(np.arange(start, stop, step))
        if stop <= start:
            return np.empty((0, self.shape[1]), self.dtype)
        first, last = np.searchsorted(self._starts, (start, stop - 1), side="right") - 1
        parts = []
        for k in range(first, last + 1):
            offset = self._windows[k].start
            parts.append(self._window(k)[max(0, start - offset) : stop - offset])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _window(self, k):
        """Samples of window ``k``, read once for all threads."""
        with self._lock:
            if k not in self._kept:
                while len(self._kept) >= _KEPT:
                    self._kept.popitem(last=False)
                window = self._windows[k]
                self._kept[k] = self.take(np.arange(window.start, window.stop))
                self._kept[k].flags.writeable = False
            self._kept.move_to_end(k)
            return self._kept[k]

    def take(self, rows, out=None):
        """Samples of an index array in any order, each unit read once.

        Parameters
        ----------
        rows : ndarray of int, of shape (k,)
            Numbers from 0 to ``len(self) - 1``.
        out : ndarray of shape (k, features), default=None
            Array that the samples are written into; None allocates one.

        Returns
        -------
        ndarray of shape (k, features)

        Raises
        ------
        IndexError
            If a row does not exist.
        """
        rows = np.asarray(rows, np.intp)
        out = np.empty((len(rows), self.shape[1]), self.dtype) if out is None else out
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        if len(rows) and not 0 <= rows[0] <= rows[-1] < len(self):
            raise IndexError(f"rows {rows[0]} to {rows[-1]} of {counted(len(self), 'sample')}")
        for start, stop in pairwise(self.bounds(rows)):
            part = rows[start:stop]
            unit = self._read(part[0], part[-1] + 1)
            out[order[start:stop]] = unit[part - part[0]]
        return out

    def bounds(self, rows):
        """Indices ``[0, ..., len(rows)]`` at which increasing ``rows`` go from one unit to the next."""
        units = np.searchsorted(self._edges, rows, side="right")
        return np.flatnonzero(np.diff(units, prepend=-1, append=len(self._edges) + 1))

    def _read(self, start, stop):
        """Samples ``start`` to ``stop - 1``, all of one unit, from the source."""
        rows = self._rows
        first, last = (start, stop) if rows is None else (rows[start], rows[stop - 1] + 1)
        with np.errstate(**self._errstate):  # the source may be a user's code, and this another thread
            samples = np.asarray(self._source[int(first) : int(last)])
        if rows is not None:
            samples = samples[rows[start:stop] - first]
        samples = samples.reshape(stop - start, self.shape[1]).astype(self.dtype, copy=False)
        if not self._finite:
            assert_all_finite(samples, estimator_name=self._name, input_name="X")
            check_range(samples, np.float32)  # the dtype that networks compute in
        return samples

    def check_finite(self):
        """Read all samples once; raise where one is NaN or infinite."""
        if not self._finite:
            for start, stop in pairwise(self._edges):
                self._read(start, stop)

    def settled(self, check):
        """An ndarray of all samples where they fit in the limit, else ``self``, with ``check`` after `check_finite`."""
        if self.nbytes <= self.limit:
            return self.take(np.arange(len(self)))
        if check:
            self.check_finite()
        return self

    def outline(self):
        """An ndarray of zeros of this shape and dtype that takes no memory, for scikit-learn's checks of shapes."""
        return np.broadcast_to(np.zeros((), self.dtype), self.shape)

    def subset(self, rows):
        """Some of the samples, without reading them.

        Parameters
        ----------
        rows : ndarray of int, of shape (k,)
            Increasing numbers of rows.

        Returns
        -------
        LazyRows of shape (k, features)

        Raises
        ------
        ValueError
            If the rows do not increase, so that reading them in order would jump back in the storage.
        """
        rows = np.asarray(rows, np.intp)
        if (np.diff(rows) <= 0).any():
            raise ValueError("rows of a subset must increase; sort them first")
        part = object.__new__(LazyRows)
        part.__dict__.update(self.__dict__)
        part.shape = len(rows), self.shape[1]
        part._edges = np.unique(np.searchsorted(rows, self._edges))
        part._rows = rows if self._rows is None else self._rows[rows]
        part._open()
        return part

    def pieces(self, limit_bytes=None) -> list[slice]:
        """Slices of at most ``limit_bytes`` that cover all samples and begin and end with a unit where units fit."""
        most = max(1, (self.limit if limit_bytes is None else limit_bytes) // self.row_bytes)
        slices, start, edges = [], 0, self._edges
        while start < len(self):
            stop = int(edges[np.searchsorted(edges, start + most, side="right") - 1])
            stop = stop if stop > start else start + most
            slices.append(slice(start, stop))
            start = stop
        return slices


def _check_source(source):
    """Raise where samples cannot be read from ``source``."""
    kind = f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
    shape, dtype = tuple(source.shape), source.dtype
    if not 2 <= len(shape) <= 4:
        raise ValueError(
            "X must have 2 dimensions, (samples, features), or 3 or 4 for images, got data of type "
            f"{kind} and shape {shape}"
        )
    if any(size != size for size in shape):
        raise ValueError(
            f"X is of type {kind}, which does not know its shape, {shape}; a dask array learns it by "
            "compute_chunk_sizes()"
        )
    if dtype.kind not in "biuf":
        raise ValueError(f"X must hold real numbers, got data of type {kind} and dtype {dtype}")


def _unit_edges(source, least, most):
    """First rows of the units, and the end: whole chunks of at least ``least`` rows, cut where longer than ``most``."""
    n, chunks = int(source.shape[0]), getattr(source, "chunks", None)
    if chunks and isinstance(chunks[0], tuple):  # dask: the sizes of all chunks along each axis
        ends = np.cumsum(chunks[0]).tolist()
    else:
        step = int(chunks[0]) if chunks else 1
        step *= ceil(least / step)
        ends = [*range(step, n, step), n]
    edges = [0]
    for end in ends:
        if end - edges[-1] >= least or (end == n and n > edges[-1]):
            edges.extend(range(edges[-1] + most, end, most))
            edges.append(end)
    return np.array(edges, np.intp)
