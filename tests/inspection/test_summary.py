"""The table of a network, against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skconv import ConvNetClassifier
from skconv.inspection import summarize
from skconv.layers import Activation, Convolution, Dense, Dropout, Flatten, MaxPool


def rows(text):
    """Cells of the table's rows, by what comes first in each."""
    lines = [line for line in text.splitlines() if set(line) != {"-"}]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.random((40, 6, 8, 3), np.float32), np.arange(40) % 4


def test_every_layer_of_a_default_like_network(data):
    model = ConvNetClassifier(
        filters=(5, 7), kernel_size=((3, 5), 3), stride=(1, 2), pool=("mean", None), hidden_layer_sizes=9, max_iter=1
    ).fit(*data)
    assert rows(model.summary()) == [
        ["layer", "output", "parameters", "multiply-adds"],
        ["input", "6 x 8 x 3", "0", "0"],
        # 3 * 5 taps, 3 channels, 5 filters: 225 weights at 6 * 8 places
        ["Convolution((3, 5))", "6 x 8 x 5", "225", "10,800"],
        ["MeanPool((2, 2))", "3 x 4 x 5", "0", "0"],
        ["BatchNorm", "3 x 4 x 5", "10", "0"],
        ["Activation('relu')", "3 x 4 x 5", "0", "0"],
        # 3 * 3 taps, 5 channels, 7 filters: 315 weights at 2 * 2 places
        ["Convolution(3)", "2 x 2 x 7", "315", "1,260"],
        ["BatchNorm", "2 x 2 x 7", "14", "0"],
        ["Activation('relu')", "2 x 2 x 7", "0", "0"],
        ["Flatten", "28", "0", "0"],
        ["Dense", "9", "261", "252"],  # 28 * 9 and 9 biases
        ["Activation('relu')", "9", "0", "0"],
        ["Dense", "4", "40", "36"],  # 9 * 4 and 4 biases
        ["total", "865", "12,348"],
    ]


def test_layers_of_ones_own(data):
    layers = [Convolution(2, 3, padding="valid"), Activation("tanh"), MaxPool((2, 3)), Dropout(0.5), Flatten()]
    model = ConvNetClassifier(layers=[*layers, Dense(6, bias=False)], max_iter=1).fit(*data)
    assert rows(model.summary())[2:] == [
        # 3 * 3 taps, 3 channels, 2 filters: 54 weights and 2 biases, at 4 * 6 places
        ["Convolution(3)", "4 x 6 x 2", "56", "1,296"],
        ["Activation('tanh')", "4 x 6 x 2", "0", "0"],
        ["MaxPool((2, 3))", "2 x 2 x 2", "0", "0"],
        ["Dropout(0.5)", "2 x 2 x 2", "0", "0"],
        ["Flatten", "8", "0", "0"],
        ["Dense", "6", "48", "48"],
        ["Dense", "4", "28", "24"],
        ["total", "132", "1,368"],
    ]


def test_total_is_what_is_trained(data):
    model = ConvNetClassifier(filters=(3, 4), max_iter=1).fit(*data)
    total = rows(model.summary())[-1]
    assert total[1] == f"{model.network_.parameters.size:,}"
    assert total[1] == f"{sum(array.size for array in model.weights_.values()):,}"
    assert total[2] == f"{model.network_.multiply_adds:,}"


def test_summary_is_summarize(data):
    model = ConvNetClassifier(filters=2, max_iter=1).fit(*data)
    assert model.summary() == summarize(model.network_)


def test_columns_line_up(data):
    lines = ConvNetClassifier(filters=(2, 3), max_iter=1).fit(*data).summary().splitlines()
    assert len({len(line) for line in lines}) == 1


def test_needs_a_fit():
    with pytest.raises(NotFittedError):
        ConvNetClassifier().summary()
