"""Which processors `processors.py` plays, and that the tests it runs are there."""

import ast

import processors


def machine(kernel, *features):
    return [[kernel], sorted(features), ["SSE42", "AVX2", "FMA3", "AVX512F", "AVX512_SKX", "X86_V3", "X86_V4"]]


def taken(variables):
    """What an OpenBLAS says that has no kernel for Zen."""
    kernel = {"Zen": "Haswell"}.get(variables["OPENBLAS_CORETYPE"], variables["OPENBLAS_CORETYPE"])
    return machine(kernel, *variables["NPY_DISABLE_CPU_FEATURES"].split())


def test_each_processor_is_played_once():
    own = machine("SkylakeX", "SSE3", "SSE42", "AVX", "AVX2", "AVX512_SKX")
    played, left_out = processors.choose(own, probe=taken)
    assert list(played) == ["SkylakeX", "Haswell", "Sandybridge", "Nehalem", "Prescott"]
    assert left_out == {"Zen": "with this BLAS and NumPy it is the same as Haswell"}
    disabled = {kernel: variables["NPY_DISABLE_CPU_FEATURES"] for kernel, variables in played.items()}
    assert disabled == {
        "SkylakeX": "",
        "Haswell": "AVX512F AVX512_SKX X86_V4",
        "Sandybridge": "AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4",
        "Nehalem": "AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4",
        "Prescott": "SSE42 AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4",
    }


def test_what_the_processor_lacks_and_what_it_is_are_left_out():
    own = machine("Nehalem", "SSE3", "SSE42")
    asked = []

    def probe(variables):
        asked.append(variables["OPENBLAS_CORETYPE"])
        return own if asked[-1] == "Nehalem" else taken(variables)

    played, left_out = processors.choose(own, probe=probe)
    assert asked == ["Nehalem", "Prescott"]  # a kernel whose instructions are not there would end the process
    assert list(played) == ["Prescott"]
    assert left_out["SkylakeX"] == "this processor has no AVX512_SKX"
    assert left_out["Sandybridge"] == "this processor has no AVX"
    assert left_out["Nehalem"].endswith("the ordinary tests run as it")


def test_the_child_has_the_kernel_and_the_instructions():
    kernels, features, loops = processors.probe({})
    _, without, _ = processors.probe({"NPY_DISABLE_CPU_FEATURES": " ".join(loops)})
    assert set(without) <= set(features) - set(loops)
    assert all(isinstance(kernel, str) for kernel in kernels)


def test_the_tests_are_there():
    for test in processors.TESTS:
        path, _, name = test.partition("::")
        functions = {
            node.name
            for node in ast.parse((processors.ROOT / path).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        assert not name or name in functions, test
