"""How Sphinx makes the pages: every warning is an error, nothing is fetched, the reference is made first."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE)]

import generate  # noqa: E402  (it lies beside this file, which no import path names)

from stromagate import __version__  # noqa: E402

generate.write()

project = "stromagate"
copyright = "the authors of stromagate; BSD-3-Clause"  # noqa: A001  (Sphinx calls it so)
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
exclude_patterns = ["_build"]
smartquotes = False  # they make one dash of the two before an option
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other packages: their pages are not looked up over the network

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings say types with their units
napoleon_google_docstring = False

highlight_language = "text"

html_math_renderer = "mathml"
html_static_path = ["_static"]
html_theme = "alabaster"
html_theme_options = {
    "description": "For Research Use Only. Not for use in diagnostic procedures.",
    "page_width": "1100px",
    "sidebar_width": "240px",
    "fixed_sidebar": True,
}
html_show_sourcelink = False
html_show_sphinx = False
