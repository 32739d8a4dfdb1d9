"""What is private to scikit-learn is imported in one module."""

import ast
from pathlib import Path

import skconv

ROOT = Path(skconv.__file__).parent


def private_imports(text):
    """Modules and names of scikit-learn that start with an underscore, as imported anywhere in a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn":
            parts = [*node.module.split("."), *(alias.name for alias in node.names)]
            yield from (part for part in parts if part.startswith("_"))
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (part for first, *rest in names if first == "sklearn" for part in rest if part.startswith("_"))


def test_one_module_imports_what_is_private():
    found = {path.relative_to(ROOT).as_posix(): list(private_imports(path.read_text())) for path in ROOT.rglob("*.py")}
    assert {"_param_validation", "_check_feature_names_in"} <= set(found.pop("_input/private.py"))
    assert not any(found.values())
