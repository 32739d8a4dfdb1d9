"""The table of a network, against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skconv import ConvNetClassifier
from skconv._network.network import Network
from skconv.inspection import summarize
from skconv.layers import (
    Activation,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    LocallyConnected,
    MaxPool,
    Parallel,
    Residual,
)


def rows(text, table=0):
    """Cells of the rows of one of the tables, by what comes first in each."""
    text = text.split("\n\n")[table]
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
    # Means, variances and numbers of batches are not trained, nor are level and spread of three channels.
    statistics = 2 * 3 + 2 * 4 + 2 + 2 * 3
    assert total[1] == f"{sum(array.size for array in model.weights_.values()) - statistics:,}"
    assert total[2] == f"{model.network_.multiply_adds:,}"


def test_summary_is_summarize(data):
    model = ConvNetClassifier(filters=2, max_iter=1).fit(*data)
    assert model.summary() == summarize(model.network_)


def test_columns_line_up(data):
    tables = ConvNetClassifier(filters=(2, 3), max_iter=1).fit(*data).summary().split("\n\n")
    assert len(tables) == 2
    for table in tables:
        assert len({len(line) for line in table.splitlines()}) == 1


def test_what_sharing_saves(data):
    layers = [
        Convolution(4, (3, 2), padding="valid", bias=False),
        LocallyConnected(2, 3, stride=2),
        FullyConnected(3, 1),
        Convolution(1, 5, bias="position"),
    ]
    model = ConvNetClassifier(layers=[*layers, Flatten()], max_iter=1).fit(*data)
    assert rows(model.summary())[2:] == [
        # 3 * 2 taps, 3 channels, 4 filters: 72 weights at 4 * 7 places
        ["Convolution((3, 2))", "4 x 7 x 4", "72", "2,016"],
        # 3 * 3 taps, 4 channels, 2 filters at 2 * 4 places: 576 weights and 2 biases
        ["LocallyConnected(3)", "2 x 4 x 2", "578", "576"],
        # 2 * 4 * 3 outputs of 2 * 4 * 2 inputs: 384 weights and 3 biases
        ["FullyConnected(1)", "2 x 4 x 3", "387", "384"],
        # 5 * 5 taps, 3 channels, 1 filter: 75 weights at 2 * 4 places, and a bias at each
        ["Convolution(5)", "2 x 4 x 1", "83", "600"],
        ["Flatten", "8", "0", "0"],
        ["Dense", "4", "36", "32"],
        ["total", "1,156", "3,608"],
    ]
    assert rows(model.summary(), table=1) == [
        ["weights", "fully connected", "local", "times fewer", "shared", "times fewer"],
        # 4 * 7 * 4 outputs of 6 * 8 * 3 inputs: 16,128, which is 8 times 2,016 and 224 times 72
        ["convolution1", "16,128", "2,016", "8.0", "72", "224"],
        # 2 * 4 * 2 outputs of 4 * 7 * 4 inputs: 1,792; 1,792 / 576 = 3.11, 1,792 / 72 = 24.9
        ["locallyconnected1", "1,792", "576", "3.1", "72", "24.9"],
        # Windows of one pixel with 2 channels, 3 filters: 6 weights at 2 * 4 places
        ["fullyconnected1", "384", "48", "8.0", "6", "64.0"],
        # 2 * 4 outputs of 2 * 4 * 3 inputs: 192; windows of 5 by 5 are larger than this image of 2 by 4
        ["convolution2", "192", "600", "0.3", "75", "2.6"],
    ]


def test_what_groups_save(data):
    """3 * 3 taps of one of 3 channels, 6 filters: 54 weights, 48 places; all of 144 inputs for each of 288 outputs."""
    model = ConvNetClassifier(layers=[Convolution(6, groups=3), Flatten()], max_iter=1).fit(*data)
    assert rows(model.summary())[2] == ["Convolution(3)", "6 x 8 x 6", "60", "2,592"]
    assert rows(model.summary(), table=1)[1] == ["convolution1", "41,472", "2,592", "16.0", "54", "768"]


def test_nothing_to_share(data):
    assert "\n\n" not in ConvNetClassifier(filters=(), max_iter=1).fit(*data).summary()


def test_needs_a_fit():
    with pytest.raises(NotFittedError):
        ConvNetClassifier().summary()


def test_an_estimator_is_no_network():
    for other in (ConvNetClassifier(), None):
        match = f"network must be a Network, such as network_ .*, got {type(other).__name__}; an estimator has summary"
        with pytest.raises(TypeError, match=match):
            summarize(other)


def test_layers_within_layers_are_indented_and_counted_once():
    inner = Parallel([[Convolution(1, 1)], []])
    network = Network([Residual([Convolution(2), inner]), Flatten(), Dense(2)], (4, 4, 1), np.float32)
    text = summarize(network)
    assert [line[:18].rstrip() for line in text.splitlines()[3:11]] == [
        "Residual",
        "  Convolution(3)",
        "  Parallel",
        "    Convolution(1)",
        "  Convolution((1,",
        "  BatchNorm",
        "Flatten",
        "Dense",
    ]
    lines = rows(text)[2:]
    # 9 * 2 + 2; 2 + 1; a projection of 3 and its normalisation of 6: 32, and 288 + 32 + 48 products
    assert lines[0] == ["Residual", "4 x 4 x 3", "32", "368"]
    assert lines[-1] == ["total", str(32 + 96 + 2), str(368 + 96)]
    assert [row[0] for row in rows(text, 1)[1:]] == [
        "residual1.convolution1",
        "residual1.parallel1.branch1.convolution1",
        "residual1.shortcut.convolution1",
    ]
