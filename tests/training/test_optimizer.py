"""What all optimisers share."""

import numpy as np
import pytest

from skconv import ConvNetClassifier
from skconv.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Muon, RMSProp

MATRICES = [(3, (20, 30)), (700, (25, 9))]
KINDS = {name: lambda n, dtype, kind=kind: kind().start(n, dtype, MATRICES) for name, kind in OPTIMIZERS.items()}
KINDS["momentum"] = SGD(nesterovs_momentum=False).start
BY_PARTS = {name: KINDS[name] for name in KINDS if KINDS[name](1003, np.float32).by_parts}


def test_every_name_is_a_class():
    known = {"adam": Adam, "adamw": AdamW, "sgd": SGD, "rmsprop": RMSProp, "muon": Muon}
    assert {name: OPTIMIZERS[name] for name in known} == known
    assert {"adam", "adamw", "sgd", "rmsprop", "momentum"} <= set(BY_PARTS)
    networks = ConvNetClassifier().get_params()
    for kind in OPTIMIZERS.values():
        assert set(kind.from_networks) <= set(networks) & set(kind().get_params())


def move(optimizer, parameters, gradients):
    for gradient in gradients:
        optimizer.begin()
        optimizer.update(parameters, gradient.copy(), 0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_of_the_vectors_size_is_allocated(kind, dtype, allocated):
    rng = np.random.default_rng(0)
    p, gradient = rng.standard_normal((2, 20_000)).astype(dtype)
    optimizer = KINDS[kind](20_000, dtype)
    assert allocated(lambda: move(optimizer, p, [gradient])) < gradient.nbytes + (1 << 13)  # `move` copies the gradient


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_of_numpys_moves_as_pythons(kind):
    p, gradient = np.random.default_rng(0).standard_normal((2, 1003)).astype(np.float32)
    q, optimizers = p.copy(), [KINDS[kind](1003, np.float32) for _ in range(2)]
    for optimizer, parameters, rate in zip(optimizers, (p, q), (0.1, np.float64(0.1)), strict=True):
        optimizer.begin()
        optimizer.update(parameters, gradient.copy(), rate)
    np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("kind", BY_PARTS.values(), ids=list(BY_PARTS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slices_equal_the_whole_bit_for_bit(kind, dtype):
    rng = np.random.default_rng(0)
    whole = rng.standard_normal(1003).astype(dtype)
    sliced, start = whole.copy(), whole.copy()
    optimizers = kind(1003, dtype), kind(1003, dtype)
    for _ in range(5):
        gradient = rng.standard_normal(1003).astype(dtype)
        for optimizer in optimizers:
            optimizer.begin()
        optimizers[0].update(whole, gradient.copy(), 0.01)
        for part in (slice(700, 1003), slice(0, 251), slice(251, 700)):
            optimizers[1].update(sliced, gradient.copy(), 0.01, part)
        np.testing.assert_array_equal(sliced, whole)
    assert whole.dtype == dtype
    assert (whole != start).all()
