"""A notebook's cell in a real browser: every plot is drawn in its frame, from what stands there alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.report.inline import figures
from tests.browser.hostile import hostile_result
from tests.browser.visits import Open

pytestmark = pytest.mark.browser


def test_plots_are_drawn_in_their_frame_without_network(visit: Open, tmp_path: Path) -> None:
    result = hostile_result()
    made = figures(result.model_copy(update={"views": result.views[:3]}))
    cell = made._repr_html_()
    (tmp_path / "cell.html").write_text(f"<!doctype html><meta charset='utf-8'>{cell}", encoding="utf-8")
    seen = visit(tmp_path / "cell.html")
    (frame,) = seen.page.frames[1:]
    frame.wait_for_function(f"document.querySelectorAll('[data-state=drawn]').length === {len(made)}")
    assert frame.evaluate("document.querySelectorAll('[data-state=drawn] svg.main-svg').length") >= len(made) > 0
    assert seen.said == []
    assert [url for url in seen.outside() if not url.startswith("about:")] == []
