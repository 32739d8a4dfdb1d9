"""From data to predictions by the commands train, predict, inspect and export."""

import csv
import io
import re
import signal
import time

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import skconv
from skconv._command import actions
from skconv._command.main import main
from skconv.layers import Dense, GlobalMeanPool

X, Y = load_digits(n_class=3, return_X_y=True)
QUICK = ["--quiet", "--set", "max_iter=4", "--set", "filters=(4, 8)"]


@pytest.fixture
def data(tmp_path):
    np.savez(tmp_path / "data.npz", X=X, y=Y)
    return str(tmp_path / "data.npz")


@pytest.fixture
def model(data, tmp_path, capsys):
    path = str(tmp_path / "model.skconv")
    assert main(["train", data, path, *QUICK]) == 0
    capsys.readouterr()
    return path


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_train_says_what_it_does(data, tmp_path, capsys):
    path = tmp_path / "model.skconv"
    assert main(["train", data, str(path), *QUICK, "--hold-out", "0.25", "--seed", "3"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "537 samples of shape (64,), classification"
    assert lines[1].startswith("accuracy on 134 held-out samples: 0.9")
    assert lines[2] == f"saved {path}, {path.stat().st_size:,} bytes"
    loaded = skconv.load(path)
    assert (loaded.random_state, loaded.max_iter, loaded.filters) == (3, 4, (4, 8))


def test_all_samples(data, tmp_path, capsys):
    assert main(["train", data, str(tmp_path / "all"), *QUICK, "--hold-out", "0"]) == 0
    assert "held-out" not in capsys.readouterr().err
    expected = skconv.ConvNetClassifier(filters=(4, 8), max_iter=4, random_state=0).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(skconv.load(tmp_path / "all").predict_proba(X), expected)


def test_predict(model, data, tmp_path, capsys):
    assert main(["predict", model, data, "--proba"]) == 0
    header, *lines = rows(capsys.readouterr().out)
    loaded = skconv.load(model)
    assert header == ["sample", "prediction", "p_0", "p_1", "p_2"]
    assert [line[0] for line in lines] == [str(i) for i in range(len(X))]
    assert [int(line[1]) for line in lines] == loaded.predict(X).tolist()
    np.testing.assert_allclose([[float(p) for p in line[2:]] for line in lines], loaded.predict_proba(X), rtol=1e-6)
    out = tmp_path / "out.csv"
    assert main(["predict", model, data, "--out", str(out)]) == 0
    assert rows(out.read_text())[1] == ["0", str(loaded.predict(X)[0])]


def test_regression_from_columns(tmp_path, capsys):
    path, model = tmp_path / "data.csv", str(tmp_path / "model")
    lines = [",".join(map(str, [*row, row[20:28].sum() / 7])) for row in X[:200]]
    path.write_text(",".join([*(f"x{i}" for i in range(64)), "depth"]) + "\n" + "\n".join(lines))
    assert main(["train", str(path), model, *QUICK, "--target", "depth"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "200 samples of shape (64,), regression"
    assert lines[1].startswith("R2 on 40 held-out samples: ")
    assert main(["predict", model, str(path)]) == 0
    _, *lines = rows(capsys.readouterr().out)
    loaded = skconv.load(model)
    assert loaded.feature_names_in_.tolist() == [f"x{i}" for i in range(64)]
    del loaded.feature_names_in_
    np.testing.assert_allclose([float(line[1]) for line in lines], loaded.predict(X[:200]), rtol=1e-12)
    assert main(["train", str(path), model, *QUICK, "--target", "x5", "--task", "classification", "--force"]) == 0


def test_pictures(tmp_path, capsys):
    for i, (image, label) in enumerate(zip(X[:60], Y[:60], strict=True)):
        folder = tmp_path / "pictures" / f"digit {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).reshape(8, 8).astype(np.uint8)).resize((9, 9)).save(folder / f"{i}.png")
    pictures, model = str(tmp_path / "pictures"), str(tmp_path / "model")
    assert main(["train", pictures, model, *QUICK, "--size", "8x8"]) == 0
    assert capsys.readouterr().err.startswith("60 samples of shape (8, 8, 1), classification\n")
    assert main(["predict", model, str(tmp_path / "pictures" / "digit 1")]) == 0
    header, *lines = rows(capsys.readouterr().out)
    assert header == ["sample", "prediction"]
    assert {line[1] for line in lines} <= {"digit 0", "digit 1", "digit 2"}


def test_inspect(model, capsys):
    assert main(["inspect", model]) == 0
    out = capsys.readouterr().out
    assert "ConvNetClassifier(filters=(4, 8), max_iter=4, random_state=0)" in out
    assert "samples: 8, 8, 1\nclasses: 0, 1, 2\nepochs: 4\n" in out
    assert skconv.load(model).summary() in out


def test_labels_are_shown_on_one_line(tmp_path, capsys):
    labels = np.array(["a\nb", "\x1b[31mred", "é \\"])[np.arange(len(X)) % 3]
    path = tmp_path / "model"
    skconv.ConvNetClassifier(filters=2, max_iter=1, random_state=0).fit(X, labels).save(path)
    assert main(["inspect", str(path)]) == 0
    assert "classes: \\x1b[31mred, a\\nb, é \\\n" in capsys.readouterr().out


def test_printable():
    assert actions.printable("a\tb\x7f\u2028 é\u202e\U0001f600") == "a\\tb\\x7f\\u2028 é\\u202e\U0001f600"


def test_names_of_files_are_shown_on_one_line(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "\x1bmodel\x07")]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err


@pytest.mark.parametrize("command", ["train", "predict"])
def test_pictures_beyond_memory(command, tmp_path, capsys):
    path = tmp_path / "pictures" / "a" / "picture.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
    model, folder = str(tmp_path / "model"), str(tmp_path / "pictures")
    if command == "train":
        arguments = ["train", folder, model, "--size", "1000000000"]
    else:
        layers = [GlobalMeanPool(), Dense(2)]
        classifier = skconv.ConvNetClassifier(layers=layers, max_iter=1).fit(X[:9].reshape(9, 8, 8), Y[:9])
        classifier.image_shape_, classifier.n_features_in_ = (10**9, 10**9, 1), 10**18
        classifier.network_.input_shape = classifier.image_shape_
        classifier.save(model)
        arguments = ["predict", model, folder]
    start = time.process_time()
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert re.fullmatch(r"skconv: error: 1 picture of 1000000000x1000000000 pixels would take .* memory.*\n", err)
    assert time.process_time() - start < 1


def test_inspect_a_transformer(tmp_path, capsys):
    skconv.StridedPooling().fit(X).save(tmp_path / "pool")
    assert main(["inspect", str(tmp_path / "pool")]) == 0
    assert capsys.readouterr().out == "StridedPooling()\nsamples: 8, 8, 1\n"
    assert main(["predict", str(tmp_path / "pool"), "x.npz"]) == 1
    assert "holds StridedPooling, which predicts nothing" in capsys.readouterr().err


def test_export(model, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    assert main(["export", model, str(tmp_path / "model.onnx")]) == 0
    assert main(["export", model, str(tmp_path / "model.safetensors")]) == 0
    import onnxruntime
    from safetensors.numpy import load_file

    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    labels, _ = session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})
    np.testing.assert_array_equal(labels, skconv.load(model).predict(X))
    assert "convolution1.weight" in load_file(tmp_path / "model.safetensors")


def test_ctrl_c_keeps_the_model(data, tmp_path, capsys, monkeypatch):
    fit = skconv.ConvNetClassifier.fit

    def interrupted(model, X, y):
        try:
            fit(model.set_params(callback=lambda *args: signal.raise_signal(signal.SIGINT)), X, y)
        finally:
            model.set_params(callback=None)

    monkeypatch.setattr(skconv.ConvNetClassifier, "fit", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["train", data, str(tmp_path / "model"), "--quiet"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted after 1 epoch" in capsys.readouterr().err
    assert skconv.load(tmp_path / "model").interrupted_


def test_columns_are_taken_by_name(tmp_path, capsys):
    """In another order, with more of them, and with one of a name that a target often has."""
    rng, model = np.random.default_rng(0), str(tmp_path / "model")
    values = rng.random((60, 4))
    kinds = (values[:, 1] > 0.5).astype(int)

    def write(name, columns):
        order = {"a": values[:, 0], "y": values[:, 1], "c": values[:, 2], "d": values[:, 3], "kind": kinds}
        lines = [",".join(str(order[column][i]) for column in columns) for i in range(60)]
        (tmp_path / name).write_text("\n".join([",".join(columns), *lines]))
        return str(tmp_path / name)

    arguments = [
        "train",
        write("train.csv", ["a", "y", "c", "d", "kind"]),
        model,
        *QUICK,
        "--target",
        "kind",
        "--hold-out",
        "0",
    ]
    assert main([*arguments, "--set", "image_shape=series"]) == 0
    results = []
    for columns in ("a y c d kind", "d kind y c a", "c d a y"):
        capsys.readouterr()
        assert main(["predict", model, write("new.csv", columns.split()), "--proba"]) == 0
        results.append(capsys.readouterr().out)
    assert results[0] == results[1] == results[2]
    assert main(["predict", model, write("new.csv", ["a", "y", "c"])]) == 1
    assert "lacks 'd', on which the model was trained" in capsys.readouterr().err


class TestHeldOut:
    def test_shares_of_classes(self):
        y = np.repeat([0, 1, 2], [50, 30, 20])
        held_out = actions.split(y, 0.2, 0, by_class=True)
        assert np.bincount(y[held_out]).tolist() == [10, 6, 4]
        assert not np.array_equal(held_out, actions.split(y, 0.2, 1, by_class=True))

    def test_a_class_keeps_a_sample(self):
        y = np.r_[np.repeat(np.arange(30), 2), 30]
        held_out = actions.split(y, 0.2, 0, by_class=True)
        assert held_out.sum() == 12
        assert set(y[~held_out]) == set(range(31))
        assert actions.split(np.arange(5), 0.9, 0, by_class=True).sum() == 0

    def test_numbers_and_label_sets(self):
        assert actions.split(np.linspace(0, 1, 50), 0.2, 0, by_class=False).sum() == 10
        assert actions.split(np.eye(10), 0.2, 0, by_class=True).sum() == 2

    def test_too_few(self, tmp_path, capsys):
        np.savez(tmp_path / "two.npz", X=X[:2], y=[0, 1])
        assert main(["train", str(tmp_path / "two.npz"), str(tmp_path / "model"), *QUICK]) == 0
        assert "no score: there are too few samples to hold some out" in capsys.readouterr().err
        assert skconv.load(tmp_path / "model").classes_.tolist() == [0, 1]


def test_a_prediction_that_fails_leaves_the_old_file(model, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("old")
    monkeypatch.setattr(skconv.ConvNetClassifier, "predict", lambda self, X: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["predict", model, str(tmp_path / "data.npz"), "--out", str(out), "--force"])
    assert out.read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "DATA", "/dev/null", "--force"], "/dev/null is no regular file"),
        (["train", "DATA", "MODEL"], "MODEL exists; --force overwrites it"),
        (["train", "DATA", "FOLDER/new", "--size", "8"], "--size and --channels are for pictures; --set image_shape="),
        (["train", "DATA", "FOLDER"], "is a folder; give the name of a file"),
        (["train", "DATA", "FOLDER/none/model"], "there is no folder"),
        (["train", "DATA", "FOLDER/new", "--set", "max_iter"], "--set needs NAME=VALUE, got 'max_iter'"),
        (["train", "DATA", "FOLDER/new", "--set", "epochs=3"], "Invalid parameter 'epochs' for estimator"),
        (["train", "DATA", "FOLDER/new", "--set", "max_iter=-3"], "The 'max_iter' parameter of ConvNetClassifier must"),
        (["predict", "DATA", "DATA"], "data.npz"),
        (["predict", "MODEL", "FOLDER/none.npz"], "none.npz"),
        (["export", "MODEL", "FOLDER/model.h5"], "must end in .onnx, or in .safetensors"),
    ],
)
def test_errors(arguments, message, model, data, tmp_path, capsys):
    places = {"DATA": data, "MODEL": model, "FOLDER": str(tmp_path)}
    for name, place in places.items():
        arguments = [argument.replace(name, place) for argument in arguments]
        message = message.replace(name, place)
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert message in err
    assert err.splitlines()[-1].startswith("skconv: error: ")
    assert not (tmp_path / "new").exists()


def test_errors_of_predict(data, tmp_path, capsys):
    model = str(tmp_path / "regressor")
    skconv.ConvNetRegressor(filters=2, max_iter=1).fit(X[:50], X[:50, 20]).save(model)
    assert main(["predict", model, data, "--proba"]) == 1
    assert "holds ConvNetRegressor, which has no probabilities" in capsys.readouterr().err


def test_a_folder_that_is_locked(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert main(["export", model, str(tmp_path / "new.onnx")]) == 1
    assert "cannot be written to" in capsys.readouterr().err
