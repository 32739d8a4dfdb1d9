"""Arrays in storage of every kind, and one that counts what is read."""

import dask.array as da
import h5py
import numpy as np
import zarr


def stored(kind, X, folder, chunk=7):
    """X in a storage of this kind, with about this many rows a chunk."""
    chunks = (chunk, *X.shape[1:])
    if kind == "memmap":
        X.tofile(folder / "x")
        return np.memmap(folder / "x", X.dtype, mode="r", shape=X.shape)
    if kind == "zarr":
        source = zarr.create_array(folder / "x.zarr", shape=X.shape, dtype=X.dtype, chunks=chunks)
        source[:] = X
        return source
    if kind.startswith("h5py"):
        file = h5py.File(folder / "x.h5", "w")  # open for as long as somebody holds its data set
        options = {"chunks": chunks, "compression": "gzip"} if kind == "h5py" else {}
        return file.create_dataset("x", data=X, **options)
    if kind == "dask":
        return da.from_array(X, chunks=chunks)
    sizes = (chunk, 2 * chunk, 1, chunk + 3)
    return da.from_array(X, chunks=((*sizes, len(X) - sum(sizes)), *((size,) for size in X.shape[1:])))


def numbers(*shape, dtype=np.float32):
    return (np.random.default_rng(0).standard_normal(shape) * 50).astype(dtype)


class Counting:
    """An array with chunks that counts how often each row is read, and keeps the slices."""

    def __init__(self, X, chunk=None):
        self.X, self.shape, self.dtype = X, X.shape, X.dtype
        self.chunks = None if chunk is None else (chunk, *X.shape[1:])
        self.reads, self.slices = np.zeros(len(X), int), []

    def __getitem__(self, rows):
        self.reads[rows] += 1
        self.slices.append(rows)
        return self.X[rows]
