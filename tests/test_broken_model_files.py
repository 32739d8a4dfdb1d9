"""Damaged model files: the model, another valid model, or `ModelFileError`; and files of interrupted saves.

By hand, ``python tests/test_broken_model_files.py KILLS`` kills a process that saves so many times, at random moments.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from edited_files import both, rewritten, setting

import skconv
from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, ToImages
from skconv._files.errors import ModelFileError
from skconv.layers import (
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    GlobalMaxPool,
    GlobalMeanPool,
    MaxPool,
    Pad,
    PatternPadding,
    Residual,
    TransposedConvolution,
)

Y = np.arange(24) % 3
X = np.random.default_rng(0).random((24, 5, 5)).astype(np.float32)
LAYERS = [Residual([Convolution(2)]), BatchNorm(), GlobalMeanPool(), Dense(3)]
ROOM = 2_000_000  # bytes that reading the JSON of small files may take
MODELS = {
    "images": lambda: ToImages().fit(X),
    "classifier": lambda: ConvNetClassifier(layers=LAYERS, max_iter=1, random_state=0, augment="flip").fit(
        X, np.array(["a", "b", "é"])[Y]
    ),
    "regressor": lambda: ConvNetRegressor(filters=2, hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, Y),
    "padder": lambda: ImagePadder(1, "donor").fit(X[:2]),
    "features": lambda: ConvFeatures("kmeans", 3, random_state=0).fit(X),
}


@pytest.fixture(scope="module", params=MODELS)
def data(request, tmp_path_factory):
    """Bytes of a model file."""
    path = tmp_path_factory.mktemp("broken") / "model"
    MODELS[request.param]().save(path)
    return path.read_bytes()


def header_length(data):
    return 8 + int.from_bytes(data[:8], "little")


def assert_readable_or_refused(data, path):
    """Whether the bytes are a model, which must then work."""
    path.write_bytes(data)
    try:
        model = skconv.load(path)
    except ModelFileError:
        return False
    shape = (3, *model.image_shape_)
    use = getattr(model, "predict", getattr(model, "transform", None))
    with suppress(ValueError):  # weights of 1e300 are too large to predict with, as in any model
        assert len(use(np.zeros(shape, np.float32))) == 3
    assert repr(model)
    return True


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flip(data, path, step):
    for bit in range(random.Random(0).randrange(step), 8 * header_length(data), step):
        assert_readable_or_refused(flipped(data, bit), path)


def test_flipped_bits(data, tmp_path):
    flip(data, tmp_path / "model", 1 if len(data) < 600 else 41)


@pytest.mark.slow
def test_every_flipped_bit(data, tmp_path):
    flip(data, tmp_path / "model", 1)


def truncate(data, path, step):
    for length in range(0, len(data), step):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            skconv.load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ModelFileError, match="bytes, but there are"):
        skconv.load(path)
    path.write_bytes(data)
    skconv.load(path)


def test_truncations(data, tmp_path):
    truncate(data, tmp_path / "model", 1 if len(data) < 600 else 29)


@pytest.mark.slow
def test_every_truncation(data, tmp_path):
    truncate(data, tmp_path / "model", 1)


def rebuilt(data, change, rng):
    """The file with its JSON changed as text, and a header of the right length."""
    length = header_length(data)
    header = json.loads(data[8:length])
    header["__metadata__"]["skconv"] = change(header["__metadata__"]["skconv"], rng)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[length:]


NUMBERS = [
    "0",
    "-1",
    "1e400",
    "1" * 50,
    "9" * 500,
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    '"x"',
    "0.5",
    "4294967296",
    "1e-300",
]
WORDS = [
    "Dense",
    "Residual",
    "Flip",
    "tuple",
    "array",
    "network",
    "estimator",
    "ConvFeatures",
    "os.system",
    "",
    "\\u0000",
]


def other_number(text, rng):
    places = [i for i, character in enumerate(text) if character.isdigit() and not text[i - 1].isalnum()]
    start = rng.choice(places)
    end = start
    while text[end].isdigit():
        end += 1
    return text[:start] + rng.choice(NUMBERS) + text[end:]


def other_word(text, rng):
    words = text.split('"')
    words[rng.randrange(1, len(words), 2)] = rng.choice([*WORDS, words[rng.randrange(1, len(words), 2)]])
    return '"'.join(words)


def moved_part(text, rng):
    start, other = rng.randrange(len(text)), rng.randrange(len(text))
    part = text[start : start + rng.randrange(1, 200)]
    return text[:other] + part + text[other + rng.choice([0, len(part)]) :]


def noise(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice([1, 2, 10])):
        changed[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(changed)


def cut(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 50) :]


def fuzzed(data, rng):
    kind = rng.choice([other_number, other_word, moved_part, noise, cut])
    return kind(data, rng) if kind in (noise, cut) else rebuilt(data, kind, rng)


def fuzz(data, path, n):
    rng, readable, slowest = random.Random(1), 0, 0.0
    for _ in range(n):
        changed, start = fuzzed(data, rng), time.process_time()
        tracemalloc.start()
        readable += assert_readable_or_refused(changed, path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        slowest = max(slowest, time.process_time() - start)
        assert peak <= 2 * len(changed) + ROOM
    assert slowest < 5
    return readable


def test_fuzzed_files(data, tmp_path):
    fuzz(data, tmp_path / "model", 60)


@pytest.mark.slow
def test_ten_thousand_fuzzed_files(data, tmp_path):
    assert 0 < fuzz(data, tmp_path / "model", 10_000 // len(MODELS)) < 10_000 // len(MODELS)


HOSTILE = {
    "nested deeply": "[" * 1_000_000,
    "many objects": "[" + "{}," * 300_000 + "{}]",
    "a long number": "1" * 1_000_000,
    "an open text": '"' + '\\"' * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_descriptions(name, tmp_path):
    text = json.dumps({"__metadata__": {"skconv": HOSTILE[name]}}).encode()
    (tmp_path / "model").write_bytes(len(text).to_bytes(8, "little") + text)
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        skconv.load(tmp_path / "model")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * len(text) + ROOM
    assert time.process_time() - start < 60


MOST = 4_190_000  # bytes of a header, a little less than it may have
FULL = {  # descriptions that take much memory for their length
    "short texts": '"ab",' * 399_000 + "0",
    "objects": '{"a":1},' * 99_000 + "0",
    "lists": "[1]," * 199_000 + "0",
    "a wide text": '"' + "a" * (MOST - 100) + '\\ud83d\\ude00"',
    "wide texts": ('"' + "a" * 9_900 + '\\ud83d\\ude00",') * (MOST // 9_940) + "0",
    "keys": "{" + ",".join(f'"{i:06}":-{i + 300}' for i in range(132_000)) + "}",
}


@pytest.mark.parametrize("name", FULL)
def test_full_headers(name, tmp_path):
    text = json.dumps({"__metadata__": {"skconv": f"[{FULL[name]}]"}}).encode()
    assert len(text) <= 4 << 20
    (tmp_path / "model").write_bytes(len(text).to_bytes(8, "little") + text)
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="its description of the model has no format"):
        skconv.load(tmp_path / "model")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * len(text) + 32_000_000


@pytest.mark.parametrize("size", [(4 << 20) + 1, 20_000_000])
def test_longer_headers_are_not_read(size, tmp_path):
    (tmp_path / "model").write_bytes(size.to_bytes(8, "little") + b'{"a":1}'.ljust(size))
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=f"header would have {size:,} bytes, but .* a header 4,194,304 at most"):
        skconv.load(tmp_path / "model")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < ROOM


WIDE = [
    [Convolution(2, padding_mode="reflect"), GlobalMeanPool(), Dense(3)],
    [Pad(1, PatternPadding(np.ones((2, 2)))), MaxPool(), GlobalMeanPool(), Dense(3)],
    [TransposedConvolution(2), Residual([Convolution(2)]), BatchNorm(), GlobalMaxPool(), Dense(3)],
]


@pytest.mark.parametrize("layers", WIDE, ids=lambda layers: type(layers[0]).__name__)
def test_a_small_file_of_large_images_asks_for_no_memory(layers, tmp_path):
    side, path = 1 << 20, tmp_path / "model"
    ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(X, Y).save(path)
    shape = {"is": "tuple", "values": [side, side, 1]}
    state = {"image_shape_": shape, "n_features_in_": side**2, "network_.input_shape": [side, side, 1]}
    rewritten(path, both(*(setting(f"model.state.{name}", value) for name, value in state.items())))
    tracemalloc.start()
    assert skconv.load(path).image_shape_ == (side, side, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * path.stat().st_size + ROOM


def test_memory_is_twice_the_file_at_most(tmp_path):
    path = tmp_path / "model"
    samples = np.random.default_rng(0).random((8, 32, 32)).astype(np.float32)
    layers = [Flatten(), Dense(2000), Dense(2)]
    model = ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(samples, [0, 1] * 4)
    tracemalloc.start()
    model.save(path)
    saving = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    loaded = skconv.load(path)
    loading = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = path.stat().st_size
    assert size > 8_000_000
    assert saving < size
    assert loading <= 2 * size
    assert (loaded.predict_proba(samples) == model.predict_proba(samples)).all()


def kill(n, seed=0):
    """Kill a process that saves ``n`` times; raise unless each time the old or the new file is there, whole."""
    rng = random.Random(seed)
    models = [
        ConvNetClassifier(layers=[Flatten(), Dense(units), Dense(3)], max_iter=1).fit(X, Y) for units in (50, 4000)
    ]
    expected = [model.predict_proba(X) for model in models]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        models[0].save(path)
        found = [0, 0]
        for _ in range(n):
            child = os.fork()
            while child == 0:
                for model in models:
                    model.save(path)
            time.sleep(rng.uniform(0, 0.03))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            outputs = skconv.load(path).predict_proba(X)
            found[[np.array_equal(outputs, each) for each in expected].index(True)] += 1
        left = sum(each.suffix == ".part" for each in Path(folder).iterdir())
    print(f"{n} kills: {found[0]} and {found[1]} times each of two models, {left} parts left")


def killed(n):
    command = [sys.executable, __file__, str(n)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=500)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_while_saving():
    assert killed(10).startswith("10 kills")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_200_times_while_saving():
    assert killed(200).startswith("200 kills")


if __name__ == "__main__":
    kill(int(sys.argv[1]))
