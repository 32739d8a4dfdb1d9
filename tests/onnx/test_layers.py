"""Every layer has a row, and gives in onnxruntime what it gives here."""

import pytest
from cases import CASES
from exported import check_network, settled

import skconv.layers
from skconv.layers import Flatten, Layer
from skconv.onnx._layers import row


def test_every_layer_has_a_row():
    public = {getattr(skconv.layers, name) for name in skconv.layers.__all__}
    layers = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Layer)} - {Layer}
    assert layers <= set(row.registry)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_layer_in_onnxruntime(case):
    before = [] if len(case.shape) == 3 else [Flatten()]
    after = [Flatten()] if len(case.out) == 3 else []
    shape = case.shape if len(case.shape) == 3 else (1, 1, *case.shape)
    check_network(settled([*before, case.layer, *after], shape))
