"""The documentation names everything that is public, and builds."""

import ast
import doctest
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import skconv

ROOT = Path(__file__).parents[1]
GALLERY = sorted((ROOT / "examples").glob("plot_*.py"))


def test_the_api_has_every_public_package():
    """Its pages have what a module exports, by ``docs/_templates/autosummary/module.rst``."""
    listed = re.findall(r"^   (skconv\S*)$", (ROOT / "docs" / "api.rst").read_text(), re.M)
    packages = {f"skconv.{each.name}" for each in iter_modules(skconv.__path__) if each.ispkg}
    assert set(listed) == {
        *("skconv", "skconv.architectures", "skconv.torch"),
        *(name for name in packages if not name.startswith("skconv._")),
    }


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_page_of_the_gallery_has_a_title(path):
    title, rule, *_ = ast.get_docstring(ast.parse(path.read_text())).splitlines()
    assert title
    assert rule == "=" * len(title)


def test_the_guide_leads_to_the_steps():
    guide = (ROOT / "docs" / "guide.rst").read_text()
    steps = ["full_local_shared", "correlation_convolution", "borders", "stride_pooling", "features_linear"]
    for name in [*steps, "search_pipeline", "series"]:
        assert f"gallery_plot_{name}.py" in guide
        assert (ROOT / "examples" / f"plot_{name}.py") in GALLERY


@pytest.mark.parametrize(
    ("page", "least"),
    [("training.rst", 20), ("saving.rst", 15), ("interoperability.rst", 20), ("guide.rst", 15), ("own.rst", 8)],
)
def test_the_examples_of_a_page_run(page, least):
    result = doctest.testfile(str(ROOT / "docs" / page), module_relative=False)
    assert result.attempted > least
    assert result.failed == 0


def included(text):
    """``(path, options)`` of the code that a page includes."""
    pattern = r"\.\. literalinclude:: (\S+)\n((?:[ ]+:[a-z-]+: .*\n)*)"
    for path, lines in re.findall(pattern, text):
        yield path, dict(re.findall(r":([a-z-]+): (.*)\n", lines))


def test_the_code_of_a_page_is_there():
    found = 0
    for page in (ROOT / "docs").glob("*.rst"):
        for path, options in included(page.read_text()):
            code = (page.parent / path).read_text()
            if "pyobject" in options:
                nodes = {getattr(node, "name", None): node for node in ast.parse(code).body}
                assert options["pyobject"] in nodes, (page.name, options)
                code = ast.get_source_segment(code, nodes[options["pyobject"]])
            start = options.get("start-at", "")
            assert start in code, (page.name, options)
            code = code[code.index(start) :]
            assert all(options[name] in code for name in ("end-at", "end-before") if name in options), options
            found += 1
    assert found >= 15


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    for module in ("sphinx", "sphinx_gallery", "myst_parser", "numpydoc", "pydata_sphinx_theme"):
        pytest.importorskip(module)
    environment = {**os.environ, "SKCONV_EXAMPLE_QUICK": "1", "PYTHONWARNINGS": "default"}
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-q",
        "-d",
        str(tmp_path / "doctrees"),
        "docs",
        str(tmp_path / "html"),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "html" / "gallery" / "plot_borders.html").exists()
    for name in ("skconv", "skconv.architectures", "skconv.augmentation", "skconv.layers", "skconv.training"):
        for exported in import_module(name).__all__:
            page = tmp_path / "html" / "generated" / f"{name}.{exported}.html"
            assert page.exists() or exported.startswith("_"), page.name
