"""The order of an epoch, of arrays in memory and in storage."""

import numpy as np
from storage import Counting, numbers

from skconv._input.epochs import epoch_pieces
from skconv._input.rows import LazyRows


def visits(X, rows, seed, **options):
    """Rows in the order of an epoch, and the pieces' sizes."""
    pieces = list(epoch_pieces(X, rows, np.random.default_rng(seed), **options))
    return np.concatenate([found[order] for _, found, order in pieces]), [len(order) for _, _, order in pieces]


def test_an_array_is_one_piece_in_the_order_of_the_generator():
    X, rows = numbers(50, 3), np.arange(4, 50, 2)
    ((samples, found, order),) = epoch_pieces(X, rows, np.random.default_rng(3))
    assert samples is X
    assert found == slice(None)
    assert np.array_equal(order, np.random.default_rng(3).permutation(rows))
    ((samples, _, order),) = epoch_pieces(X, rows, np.random.default_rng(3), shuffle=False)
    assert samples is X
    assert np.array_equal(order, rows)


def test_rows_that_fit_have_the_order_of_an_array():
    X, rows = numbers(50, 3), np.arange(4, 50, 2)
    for shuffle in (True, False):
        ((samples, found, order),) = epoch_pieces(LazyRows(Counting(X, 4)), rows, np.random.default_rng(3), shuffle)
        ((_, _, wanted),) = epoch_pieces(X, rows, np.random.default_rng(3), shuffle)
        assert np.array_equal(found[order], wanted)
        assert np.array_equal(samples[order], X[wanted])


def test_epochs_are_random_and_repeatable():
    rows, all_rows = LazyRows(Counting(numbers(500, 4), 5), limit_bytes=100 * 16), np.arange(500)
    first, sizes = visits(rows, all_rows, 0)
    assert np.array_equal(first, visits(rows, all_rows, 0)[0])
    assert not np.array_equal(first, visits(rows, all_rows, 1)[0])
    assert len(sizes) > 4
    assert max(sizes) - min(sizes) <= 2 * 5  # give or take a unit at either end
    plain, _ = visits(rows, all_rows, 0, shuffle=False)
    assert np.array_equal(plain, all_rows)


def test_pieces_mix_rows_from_everywhere():
    # 10,000 rows sorted by class, read 1,000 at a time: were pieces runs of the storage, each would have one class.
    y = np.repeat(np.arange(10), 1000)
    rows = LazyRows(Counting(y[:, None].astype(np.float32), 10), limit_bytes=4 * 1200)
    for samples, _, order in epoch_pieces(rows, np.arange(10_000), np.random.default_rng(0)):
        counts = np.bincount(samples[order][:, 0].astype(int), minlength=10)
        assert counts.min() > 0
        assert counts.max() < 0.35 * counts.sum()
        half = np.bincount(samples[order[: len(order) // 2], 0].astype(int), minlength=10)
        assert np.abs(half - counts / 2).max() < 4 * np.sqrt(counts.max())


def test_every_unit_is_as_likely_to_come_first():
    rows, first = LazyRows(Counting(numbers(64, 4), 4), limit_bytes=40 * 16), np.zeros(16)
    for seed in range(800):
        _, found, _ = next(epoch_pieces(rows, np.arange(64), np.random.default_rng(seed)))
        first[np.unique(found // 4)] += 1
    share = first.mean() / 800
    assert np.abs(first / 800 - share).max() < 5 * np.sqrt(share * (1 - share) / 800)
