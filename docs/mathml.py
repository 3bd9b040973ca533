"""Formulas as MathML, which browsers draw by themselves: Sphinx's own way fetches a library from the network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def inline(translator: Any, node: nodes.Element) -> None:
    """Write a formula within a line."""
    _write(translator, node, as_block=False)


def block(translator: Any, node: nodes.Element) -> None:
    """Write a formula on a line of its own."""
    _write(translator, node, as_block=True)


def _write(translator: Any, node: nodes.Element, *, as_block: bool) -> None:
    text = node.astext().strip()
    try:
        translator.body.append(tex2mathml(text, as_block=as_block))
    except MathError as cause:
        logger.warning("the formula '%s' cannot be drawn: %s", text, cause, location=node)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the renderer to Sphinx under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
