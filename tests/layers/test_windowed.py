"""What layers with windows and weights share: their bias and their border become steps."""

import numpy as np
import pytest

from skconv.layers import Bias, Convolution, FullyConnected, LocallyConnected
from skconv.layers._borders import RepeatedBorder
from skconv.layers._windowed import Correlating, Windowed


def test_the_bases_leave_weights_and_algorithms_to_their_layers():
    with pytest.raises(NotImplementedError):
        Windowed().weight_shape((4, 4, 1))
    with pytest.raises(NotImplementedError):
        Correlating()._algorithm(None, 1, 16, float, alike=True)
    with pytest.raises(NotImplementedError):
        Correlating()._adjoint(None, None, 1, 16, float)


@pytest.mark.parametrize("bias", [True, np.True_, "position", False, np.False_])
def test_kinds_of_bias(bias):
    steps = Convolution(3, bias=bias).lower((5, 5, 1))
    assert [step.bias for step in steps[1:]] == ([bias] if bias else [])


def test_convolution_and_its_bias_are_two_steps():
    convolution, bias = Convolution(3, 2, stride=2).lower((5, 5, 1))
    assert convolution.get_params() == {**Convolution(3, 2, stride=2).get_params(), "bias": False}
    assert isinstance(bias, Bias)
    assert bias.bias is True


@pytest.mark.parametrize("kind", [Convolution, LocallyConnected])
def test_a_border_of_zeros_is_no_step(kind):
    assert [type(step) for step in kind(3, bias=False).lower((5, 5, 1))] == [kind]
    border, windows = kind(3, (2, 4), padding=((0, 1), (2, 0)), padding_mode="edge", bias=False).lower((5, 5, 1))
    assert isinstance(border, RepeatedBorder)
    assert border.output_shape((5, 5, 1)) == (6, 7, 1)
    assert windows.window((6, 7, 1)).output == (5, 4)


def test_without_memory_for_borders_where_there_are_none():
    sizes = (16, np.dtype(np.float32))
    options = {"training": False, "input_gradient": False}
    borders = 7 * 7 - 5 * 5
    assert Convolution(3).least_bytes((5, 5, 2), *sizes, **options) == 4096 + borders * 2 * 16 * 4
    assert FullyConnected(3).least_bytes((5, 5, 2), *sizes, **options) == 0
