"""How Sphinx builds the documentation: ``sphinx-build docs docs/_build``."""

from pathlib import Path

import skconv

project = "skconv"
author = "the skconv developers"
copyright = author
version = release = skconv.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "skconv"

autosummary_generate = True
autosummary_ignore_module_all = False  # a page of a module has what its ``__all__`` has
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
myst_heading_anchors = 2

here = Path(__file__).parent
sphinx_gallery_conf = {
    "examples_dirs": str(here.parent / "examples"),
    "gallery_dirs": "gallery",
    "ignore_pattern": r"benchmarks",
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "download_all_examples": False,
}
