"""Imports go one way, and importing the package is light."""

import ast
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
# From the users' side down; a module imports from its own level or a lower one.
LEVELS = [
    {"__init__", "__main__"},
    {"classifier", "regressor", "padding", "pooling", "shaping", "features", "_building"},
    {"_transfer"},
    {"_convnet"},
    {"_parts", "_scoring"},
    {"_hold_out"},
    {"inspection", "_architecture"},
    {"_transform", "_banks", "_patches", "_filters"},
    {"_training", "_prediction", "_alone", "_strips"},
    {"_session"},
    {"_layout"},
    {"_network"},
    {"architectures"},
    {"layers"},
    {"_kernels"},
    {"_geometry"},
]
# Modules beside the order, and what of the package they may import.
ASIDE = {
    "augmentation": {"_constraints", "_memory", "_sums", "_validation", "_versions"},
    "callbacks": {"_calls", "_constraints"},
    "losses": {"_constraints", "_sums"},
    "optimizers": {"_constraints", "_memory", "_orthogonal"},
    "regularizers": {"_constraints", "_sums"},
    "schedules": {"_constraints"},
    "initializers": set(),
    "_blas": set(),
    "_calls": {"_interrupt"},
    "_checkpoint": {"_constraints", "_memory", "_sources", "_validation", "__version__"},
    "_constraints": {"_hints"},
    "_defaults": set(),
    "_doubts": {"_constraints", "_flat_doubts", "_warnings"},
    "_flat_doubts": set(),
    "_fitting": {"_interrupt", "_overflow"},
    "_frame": set(),
    "_hints": set(),
    "_images": {
        "_calls",
        "_constraints",
        "_doubts",
        "_memory",
        "_names",
        "_overflow",
        "_parallel",
        "_shapes",
        "_sources",
        "_versions",
    },
    "_interrupt": set(),
    "_lbfgs": {"_memory", "_warnings"},
    "_memory": set(),
    "_names": set(),
    "_orthogonal": set(),
    "_overflow": {"_constraints", "_memory"},
    "_parallel": {"_blas", "_interrupt", "_workers"},
    "_parameters": {"_constraints", "schedules"},
    "_shapes": {"_constraints", "_memory"},
    "_sources": {"_memory", "_overflow"},
    "_sums": set(),
    "_targets": {"_constraints", "_memory"},
    "_validation": {"_constraints", "_memory"},
    "_versions": {"_constraints", "_warnings", "__version__"},
    "_warnings": set(),
    "_workers": {"_interrupt"},
}
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


def level(name):
    top = name.split(".")[0]
    return next((i for i, names in enumerate(LEVELS) if top in names), None)


def test_the_table_finds_the_modules():
    assert {"__init__", "_training", "_session", "layers.pooling", "_kernels.products", "losses"} <= set(MODULES)
    assert "_geometry" in set(package_imports("layers.pooling", MODULES["layers.pooling"]))
    assert "layers._base" in set(package_imports("layers.pooling", MODULES["layers.pooling"]))
    assert "_kernels.products" in set(package_imports("_kernels.correlation", MODULES["_kernels.correlation"]))
    assert "classifier" in set(package_imports("__init__", MODULES["__init__"]))


@pytest.mark.parametrize("name", [name for name in MODULES if level(name) is not None])
def test_imports_go_down(name):
    for imported in package_imports(name, MODULES[name]):
        if level(imported) is not None:
            assert level(imported) >= level(name), f"{name} imports {imported}"


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] in ASIDE])
def test_modules_aside_import_little_of_the_package(name):
    top = name.split(".")[0]
    imported = {module.split(".")[0] for module in package_imports(name, MODULES[name])}
    assert imported - {top} <= ASIDE[top]


def test_every_module_has_its_place():
    tops = {name.split(".")[0] for name in MODULES}
    places = [*ASIDE, *(name for names in LEVELS for name in names)]
    assert sorted(places) == sorted(tops)  # each once


def test_what_is_aside_imports_in_no_circle():
    """Modules aside import only from those that are looked at before them."""
    left, seen = dict(ASIDE), {"__version__"}
    while left:
        free = [name for name, wanted in left.items() if wanted <= seen]
        assert free, f"a circle among {sorted(left)}"
        for name in free:
            seen.add(name)
            del left[name]


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
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {n.split(".")[0] for n in names} & {"torch", "numba", "jax", "tensorflow"}, name


def test_importing_the_package_is_light():
    code = f"import sys, skconv, skconv.layers; print(*sorted({HEAVY - {'numba', 'cython'}!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    imported = set(result.stdout.split())
    baseline = "import sys, sklearn.base, sklearn.utils.validation, scipy.optimize, joblib; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", baseline], capture_output=True, text=True, check=True)
    assert not imported & {"matplotlib", "torch"}
    assert imported <= set(result.stdout.split())  # what scikit-learn itself imports cannot be helped
