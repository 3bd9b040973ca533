"""Small habits of hands, keyboards and networks that the review must bear: AltGr, a flat box, a slow answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_review_in_browser import Served, Window
from tests.pipeline.reviews import copied, finished_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("habits"), "a")


@pytest.fixture
def window(browser: Browser, made: Path, tmp_path: Path) -> Iterator[Window]:
    run = copied(made, tmp_path)
    served = Served(run, run.parent / "in")
    window = Window(browser, served)
    yield window
    window.close()
    served.stop()


def test_brackets_that_are_typed_with_altgr_change_the_gate(window: Window) -> None:
    """On German and many other keyboards: Windows tells AltGr as ctrl and alt."""
    press = """(graph) => { document.querySelector(".card").dispatchEvent(new KeyboardEvent("keydown",
        {key: "]", ctrlKey: true, altKey: true, modifierAltGraph: graph, bubbles: true}));
        return new URLSearchParams(window.location.search).get("gate"); }"""
    assert window.page.evaluate(press, False) is None
    assert window.page.evaluate(press, True) == "progenitors"
    window.until("document.getElementById('told').textContent.includes('progenitors')")


def test_a_box_without_height_is_no_zoom(window: Window) -> None:
    window.open("a", "cells")
    box = window.page.locator("#density svg .frame").bounding_box()
    assert box is not None
    before, y = window.page.locator("#density svg .tick-text").all_inner_texts(), box["y"] + 0.31 * box["height"]
    window.page.mouse.move(box["x"] + 0.60 * box["width"], y)
    window.page.mouse.down()
    window.page.mouse.move(box["x"] + 0.75 * box["width"], y)
    window.page.mouse.move(box["x"] + 0.90 * box["width"], y)
    window.page.mouse.up()
    window.page.wait_for_timeout(300)
    assert "shows nothing" not in window.told()
    assert window.page.locator("#density svg .tick-text").all_inner_texts() == before


def test_an_edit_that_was_saved_is_not_there_again_as_unsaved(window: Window) -> None:
    window.open("a", "msc")
    window.page.evaluate("""() => { const plain = window.fetch; window.fetch = (path, options) =>
        String(path).endsWith("draft.json") ? new Promise((go) => setTimeout(go, 600)).then(() => plain(path, options))
        : plain(path, options); }""")
    window.nudge("ArrowRight", 1)
    window.page.fill("#why", "dim")
    window.page.click("#save")
    window.until("document.getElementById('told').textContent.includes('1 edit in all')")
    assert window.page.locator("#drop").is_hidden()
    assert window.page.locator("#gate-msc .tag").inner_text() == "edited"


def test_a_hold_is_still_held_after_a_zoom_by_keyboard(window: Window) -> None:
    window.open("a", "msc")
    window.page.locator(".hold").first.focus()
    held = "document.activeElement.dataset.hold || ''"
    before = window.page.evaluate(held)
    drawn = "document.querySelector('#density svg').setAttribute('data-old', '')"
    for key in ("+", "-", "0"):
        window.page.evaluate(drawn)
        window.page.keyboard.press(key)
        window.until("!document.querySelector('#density svg').hasAttribute('data-old')")
        assert window.page.evaluate(held) == before == "low 0"


def test_escape_empties_the_filter_and_shows_all_tubes_again(window: Window) -> None:
    window.page.keyboard.press("/")
    window.page.keyboard.type("nobody")
    window.until("document.getElementById('told').textContent.startsWith('0 of 1')")
    window.page.keyboard.press("Escape")
    assert window.told().startswith("1 of 1")
    assert window.page.locator("#filter").input_value() == ""
    assert window.page.evaluate("document.activeElement.dataset.id") == "a"


def test_an_answer_nobody_waits_for_any_more_is_no_refusal(window: Window) -> None:
    name = """async () => { const {get} = await import("/static/api.js");
        const json = async () => { throw new DOMException("", "AbortError"); };
        window.fetch = async () => ({ok: true, status: 200, json});
        try { await get("/grid.json"); return "answered"; } catch (error) { return error.name; } }"""
    assert window.page.evaluate(name) == "AbortError"


def test_an_edge_of_a_rectangle_stops_at_the_one_across(window: Window) -> None:
    moved = """async ([hold, to]) => { const {moved} = await import("/static/geometry.js");
        const gate = {kind: "rectangle", axes: ["A", "B"], low: [0.1, null], high: [0.5, 0.6]};
        const {low, high} = moved(gate, hold, to); return [low, high]; }"""
    assert window.page.evaluate(moved, ["low 0", [0.3, None]]) == [[0.3, None], [0.5, 0.6]]
    assert window.page.evaluate(moved, ["high 1", [None, -0.2]]) == [[0.1, None], [0.5, -0.2]]
    (low, _), (high, _) = window.page.evaluate(moved, ["low 0", [0.9, None]])
    assert (round(low, 6), high) == (0.4999, 0.5)
    (low, _), (high, _) = window.page.evaluate(moved, ["high 0", [0.0, None]])
    assert (low, round(high, 6)) == (0.1, 0.1001)
