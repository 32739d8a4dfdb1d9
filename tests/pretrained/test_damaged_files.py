"""Files that are damaged give clear errors, or networks that give what onnxruntime gives."""

import tracemalloc

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_files import normal, outputs_of, refusal, run, scores, small_model

from skconv.onnx import from_onnx

SHAPE = (3, 8, 8)
DATA = small_model().SerializeToString()


def mutated(rng):
    """The bytes of the small model, with some of them changed, left out or repeated."""
    data = bytearray(DATA)
    for _ in range(rng.integers(1, 4)):
        at, kind = int(rng.integers(max(1, len(data)))), rng.integers(4)
        if kind == 0 and data:
            data[at] = rng.integers(256)
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 20))]
        elif kind == 2:
            data[at:at] = data[at : at + int(rng.integers(1, 20))]
        else:
            del data[at:]
    return bytes(data)


def is_error_or_right(seed):
    """1 where a mutated file gives a clear error, 2 where it gives a network, which gives what onnxruntime gives."""
    rng = np.random.default_rng(seed)
    data = mutated(rng)
    refused = refusal(data)
    if refused is not None:
        assert refused
        return 1
    network = from_onnx(data)
    assert len(network.parameters) < len(data) + 10_000
    model = ModelProto.FromString(data)
    if network.removed is not None:
        nodes = {name: each for each in model.graph.node for name in each.output}
        last = nodes[network.output_name]
        if last.op_type not in ("Softmax", "LogSoftmax"):
            return 2
        del model.graph.output[1:]
        model.graph.output[0].name = last.input[0]
    if network.input_shape == (8, 8, 3):
        check_outputs(network, model, normal(1, *SHAPE, rng=rng), rng)
    return 2


def check_outputs(network, model, X, rng):
    """Compare the outputs of a network with onnxruntime's, where this runs the model."""
    try:
        wanted = run(model, X)
    except Exception:  # onnxruntime refuses more, such as unknown versions
        return
    if not np.isfinite(wanted).all():
        return
    found, exact = outputs_of(network, X.transpose(0, 2, 3, 1)), flat(wanted)
    if wanted.ndim not in (2, 4):
        found = np.sort(found)
    assert found.shape == exact.shape
    if not np.abs(found - exact).max() <= max(1e-34, 1e-5 * np.abs(exact).max()):
        check_conditioned(found, model, X, rng)


def _in_doubles(model, X, rng, noise=0.0):
    """Every result of a model in double precision by name, from constants and samples with a relative noise."""
    model = ModelProto.FromString(model.SerializeToString())
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(np.float64)
            array *= 1 + noise * rng.standard_normal(array.shape)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    X = X * (1 + noise * rng.standard_normal(X.shape))
    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: X}, intermediate=True)


def check_conditioned(found, model, X, rng):
    """Compare outputs with those in double precision, where single precision may be far from them.

    A large constant may leave few digits of what it multiplies.  So outputs may be as far off as a noise of 1e-6 in the
    constants and the samples makes them; for most networks that is less than 1e-5.  Single precision may have no end of
    a sum whose terms are near its largest number, so such networks are not compared.
    """
    exact, name = _in_doubles(model, X, rng), model.graph.output[0].name
    largest = max(np.abs(each).max(initial=0) for each in exact.values() if each is not None and each.dtype.kind == "f")
    if largest < np.finfo(np.float32).max / 1000:
        others = [_in_doubles(model, X, rng, 1e-6)[name] for _ in range(4)]
        spread = max(np.abs(other - exact[name]).max() for other in others)
        np.testing.assert_allclose(found, flat(exact[name]), rtol=0, atol=spread)


def flat(output):
    """An output of one sample in the order of networks; sorted where its axes may be in any order."""
    if output.ndim == 4:
        output = output.transpose(0, 2, 3, 1)
    return (output if output.ndim in (2, 4) else np.sort(output, axis=None)).reshape(1, -1)


def with_weights(changes):
    """The small model with other weights of its dense layer, by their numbers."""
    model = ModelProto.FromString(DATA)
    tensor = next(each for each in model.graph.initializer if each.name == "w")
    weight = numpy_helper.to_array(tensor).copy()
    for i, value in changes.items():
        weight.flat[i] = value
    tensor.CopyFrom(numpy_helper.from_array(weight, "w"))
    return scores(model.SerializeToString())


@pytest.mark.parametrize("seed", range(10))
def test_numbers_that_are_far_off_in_single_precision(seed):
    """A number with an error of 1e-7 times those it is a sum of, times a weight, is all of an output."""
    rng, model = np.random.default_rng(seed), with_weights({25: 1e14})
    X = normal(1, *SHAPE, rng=rng)
    network = from_onnx(model.SerializeToString())
    check_outputs(network, model, X, rng)
    check_conditioned(outputs_of(network, X.transpose(0, 2, 3, 1)), model, X, rng)
    network = from_onnx(with_weights({25: 1.001e14}).SerializeToString())
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_outputs(network, model, X, rng)


def test_sums_beyond_single_precision():
    """One term after another, in some order, may be beyond; the sum is not."""
    rng, model = np.random.default_rng(0), with_weights(dict.fromkeys(range(0, 320, 5), 1e38))
    check_conditioned(np.full((1, 5), np.inf), model, normal(1, *SHAPE, rng=rng), rng)


def check_mutations(seeds):
    results = [is_error_or_right(seed) for seed in seeds]
    assert min(results.count(1), results.count(2)) > len(results) // 20


def test_damaged_files():
    check_mutations(range(300))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_more_damaged_files():
    check_mutations(range(1000, 11_000))


def test_damaged_files_take_little_memory():
    data = [mutated(np.random.default_rng(seed)) for seed in range(20)]
    tracemalloc.start()
    for each in data:
        try:
            from_onnx(each)
        except ValueError:
            continue
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
