"""Imports go one way, and importing the package is light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skconv

ROOT = Path(skconv.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
DESIGN = (ROOT.parent / "docs" / "design.md").read_text(encoding="utf-8")
# The rooms by their floor, 0 at the top: each line of the list is the names of rooms, then, after two spaces, a text.
LINES = re.search(r"## Who may import whom.*?```text\n(.*?)```", DESIGN, re.S)[1].splitlines()
FLOORS = {room: floor for floor, line in enumerate(LINES) for room in line.partition("  ")[0].split()}
HEAVY = {"torch", "numba", "matplotlib", "pandas", "polars", "jax", "tensorflow", "cython"}


def package_imports(name, path):
    """Modules of the package that a module imports anywhere, relative to the package."""
    parts = () if name == "__init__" else tuple(name.split("."))
    here = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield from [".".join(module)] if module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "skconv":
            yield node.module.partition(".")[2] or "__init__"
        elif isinstance(node, ast.Import):
            yield from (a.name.partition(".")[2] or "__init__" for a in node.names if a.name.split(".")[0] == "skconv")


def room(name):
    """The folder or file right in the package that a module is, or lies in; for names of `__init__.py` that file."""
    top = name.split(".")[0]
    return top if (ROOT / top).is_dir() or (ROOT / f"{top}.py").exists() else "__init__"


def test_the_table_finds_the_modules():
    assert {"__init__", "training._trainer", "_network.session", "layers.pooling", "_kernels.products"} <= set(MODULES)
    assert "_kernels.geometry" in set(package_imports("layers.pooling", MODULES["layers.pooling"]))
    assert "layers._base" in set(package_imports("layers.pooling", MODULES["layers.pooling"]))
    assert "_kernels.products" in set(package_imports("_kernels.algorithm", MODULES["_kernels.algorithm"]))
    assert "classifier" in set(package_imports("__init__", MODULES["__init__"]))


def test_every_room_is_in_the_list():
    assert sorted(FLOORS) == sorted({room(name) for name in MODULES})


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    own = room(name)
    for imported in package_imports(name, MODULES[name]):
        other = room(imported)
        assert other == own or FLOORS[other] > FLOORS[own], f"{name} imports {imported}"


def imported_at_module_level(tree):
    """Top names of the imports that run when the module is imported: those outside functions."""
    pending = [tree]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.split(".")[0]
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                pending.append(node)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_heavy_at_module_level(name):
    assert not HEAVY & set(imported_at_module_level(ast.parse(MODULES[name].read_text(encoding="utf-8"))))


def test_no_framework_anywhere():
    """But for `skconv.torch`, which reads files of PyTorch's with PyTorch."""
    converters = {"torch": {"torch"}}
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            frameworks = {n.split(".")[0] for n in names} & {"torch", "numba", "jax", "tensorflow"}
            assert frameworks <= converters.get(name, set()), name


def test_importing_the_package_is_light():
    """What scikit-learn itself imports cannot be helped."""
    code = (
        "import sys, sklearn.base, sklearn.utils.validation, scipy.optimize, joblib\n"
        "before = set(sys.modules)\n"
        "import skconv, skconv.inspection, skconv.layers\n"
        f"print(*{HEAVY - {'numba', 'cython'}!r} & set(sys.modules) - before)\n"
        "print(*{'matplotlib', 'torch'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    assert result.stdout == "\n\n"


def test_what_few_programs_need_is_imported_where_it_is_used():
    code = "import sys, skconv; print(*sorted(name for name in sys.modules if name.startswith('skconv.')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    names = {name.removeprefix("skconv.") for name in result.stdout.split()}
    files = {"_files.safetensors", "_files.strict_json", "_saving.decode", "_saving.encode", "_saving.model_file"}
    assert files < set(MODULES)
    assert not names & files
    assert not {"_pretrained", "_command", "onnx", "torch"} & {room(name) for name in names}


def test_tests_mirror_the_source():
    """The test of ``_room/_module.py`` is ``tests/room/test_module.py``."""
    tests, missing = ROOT.parent / "tests", []
    for path in MODULES.values():
        *rooms, module = (part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts)
        test = tests.joinpath(*rooms, f"test_{module}.py")
        if path.name != "__init__.py" and not test.exists():
            missing.append(f"{path.relative_to(ROOT)} has no {test.relative_to(tests.parent)}")
    assert not missing
