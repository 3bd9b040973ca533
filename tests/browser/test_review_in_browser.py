"""The review as a reader uses it: a boundary over a million events is moved, kept with a reason, run again, signed."""

from __future__ import annotations

import csv
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.verify import verify
from stromagate.web.app import make_app
from stromagate.web.review import Review
from stromagate.web.security import Door
from stromagate.web.server import bound
from tests.browser.review_run import BIG, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


class Served:
    """A review that listens on a port of this machine, in a thread of the test."""

    def __init__(self, folder: Path, files: Path, reader: str = "Reader A") -> None:
        import uvicorn

        self.review = Review(folder, reader, FileFinder(folder, [files]))
        listening: socket.socket = bound(0)
        self.door = Door(int(listening.getsockname()[1]), f"token-{reader.replace(' ', '-')}-0123456789")
        config = uvicorn.Config(make_app(self.review, self.door), log_level="error", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self.thread.start()

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)


class Window:
    """One window of the browser, and everything it said and asked for."""

    def __init__(self, browser: Browser, served: Served, width: int = 1280) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900})
        self.page: Page = self.context.new_page()
        self.served, self.said, self.asked = served, list[str](), list[str]()
        self.page.set_default_timeout(60_000)
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(served.door.address)
        self.page.wait_for_selector(".card")

    def open(self, tube: str, gate: str) -> None:
        self.page.goto(f"{self.served.home}/samples/{tube}?gate={gate}")
        self.page.wait_for_selector("#counts tr[data-population]")
        self.page.wait_for_selector("#density canvas")

    def count(self, population: str) -> int:
        text = self.page.locator(f"#counts tr[data-population='{population}'] td:nth-child(3)").inner_text()
        return int(text.split()[0].replace(",", ""))

    def counted(self, population: str, other_than: int) -> int:
        """Return the count once nothing is being counted any more; it must be another one."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            busy = self.page.locator("#counts").get_attribute("aria-busy")
            if busy == "false" and (now := self.count(population)) != other_than:
                return now
            time.sleep(0.05)
        raise AssertionError(f"{population} stays at {other_than}")

    def until(self, true: str, wait_s: float = 60.0) -> None:
        """Wait until something holds on the page; Playwright's own way to wait would need ``unsafe-eval``."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            if self.page.evaluate(true):
                return
            time.sleep(0.05)
        raise AssertionError(f"never true: {true}; the page says: {self.told()}")

    def told(self) -> str:
        return self.page.locator("#told").inner_text()

    def drag(self, hold: str, dx: float, dy: float) -> None:
        grip = self.page.locator(f"[data-hold='{hold}'] circle").last
        box = grip.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for part in (0.3, 0.6, 1.0):
            self.page.mouse.move(x + part * dx, y + part * dy)
        self.page.mouse.up()

    def nudge(self, key: str, times: int) -> None:
        """Move the first hold with the keyboard, five steps at a time."""
        self.page.locator(".hold").first.focus()
        for _ in range(times):
            self.page.keyboard.press(f"Shift+{key}")

    def close(self) -> None:
        assert not self.said, self.said
        assert all(url.startswith((self.served.home, "data:", "blob:")) for url in self.asked), self.asked
        self.context.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("review"))


@pytest.fixture
def served(made: Path) -> Iterator[Served]:
    served = Served(made, made.parent / "tubes")
    yield served
    served.stop()


def _number(folder: Path, tube: str, population: str) -> int:
    with (folder / "populations.csv").open(encoding="utf-8") as file:
        return next(
            int(float(row["value"]))
            for row in csv.DictReader(file)
            if (row["sample_id"], row["population"], row["statistic"]) == (tube, population, "count")
        )


def test_a_boundary_is_moved_kept_run_again_and_signed(browser: Browser, served: Served, made: Path) -> None:
    window = Window(browser, served)
    page = window.page
    assert page.locator(".card").count() == 4
    page.select_option("#order", "name")
    window.until("document.querySelector('.card').dataset.id === 'big'")
    page.select_option("#gate", "cells")
    window.until("document.getElementById('told').textContent.includes('Cells')")
    page.locator(".card[data-id='big'] .name").click()
    page.wait_for_selector("#counts tr[data-population='msc']")
    before = {name: window.count(name) for name in ("cells", "msc", "progenitors")}
    assert before["cells"] == _number(made, "big", "cells")
    assert before["cells"] > BIG / 2

    window.drag("vertex 2", -70, 65)  # the upper right corner, across the stroma
    after = window.counted("msc", before["msc"])
    assert after < before["msc"]
    assert window.count("cells") < before["cells"]
    page.locator("#undo").click()
    assert window.counted("msc", after) == before["msc"]
    page.keyboard.press("Control+y")
    assert window.counted("msc", before["msc"]) == after

    page.locator("#save").click()
    assert "Say why" in window.told()
    page.fill("#why", "the corner held doublets")
    page.locator("#save").click()
    window.until("document.getElementById('told').textContent.includes('saved, 1 edit')")
    assert _number(made, "big", "msc") == before["msc"]  # nothing but the document of edits was written
    page.locator("#rerun").click()
    window.until("document.getElementById('told').textContent.startsWith('made again')", wait_s=180)
    assert _number(made, "big", "msc") == after
    assert _number(made, "big", "cells") < before["cells"]
    assert "the corner held doublets" in (made / "samples" / "big" / "report.html").read_text(encoding="utf-8")

    page.fill("#meaning", "I have looked at every gate")
    page.select_option("#role", "reviewer")
    page.locator("#sign").click()
    window.until("document.getElementById('told').textContent.includes('signed as reviewer')")
    assert page.locator("#save").is_disabled()
    window.until("document.querySelectorAll('.hold').length === 0")
    assert not verify(made).differences
    table = made / "populations.csv"
    whole = table.read_bytes()
    table.write_bytes(whole.replace(f",{after},".encode(), f",{after + 7},".encode(), 1))
    assert any("populations.csv" in str(each) for each in verify(made).differences)
    table.write_bytes(whole)
    page.fill("#unsign-why", "to go on with the test")
    page.locator("#unsign").click()
    window.until("document.getElementById('told').textContent.includes('withdrawn')")
    window.close()


def test_everything_is_done_with_the_keyboard_alone(browser: Browser, served: Served) -> None:
    window = Window(browser, served)
    page = window.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    first = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("]")
    window.until("document.activeElement.classList.contains('card')")
    page.keyboard.press("Space")
    assert page.locator("#batch").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_selector("#counts tr[data-population='msc']")
    assert first
    page.locator("#ladder").focus()
    for key in ("Home", *["ArrowUp"] * 8, *["ArrowDown"] * 2):  # to the top, and to the third gate
        page.keyboard.press(key)
    assert page.locator("[aria-selected='true']").get_attribute("id") == "gate-msc"
    page.wait_for_selector("[data-hold='low 0']")
    was = window.count("msc")
    window.nudge("ArrowRight", 8)
    moved = window.counted("msc", was)
    assert moved < was
    for _ in range(8):
        page.keyboard.press("Control+z")
    assert window.counted("msc", moved) == was
    window.close()


def test_two_windows_lose_nothing_of_each_other_and_a_crash_no_ended_move(
    browser: Browser, served: Served, made: Path
) -> None:
    one, two = Window(browser, served), Window(browser, served)
    for window in (one, two):
        window.open("one", "msc")
        was = window.count("msc")
        window.nudge("ArrowRight", 8)
        window.counted("msc", was)
        window.page.fill("#why", "dimmer lot")
    one.page.locator("#save").click()
    one.until("document.getElementById('told').textContent.includes('saved')")
    two.page.locator("#save").click()
    two.until("document.getElementById('told').classList.contains('bad')")
    assert "were changed by Reader A" in two.told()
    # Chromium says of every refused request that it was refused; nothing else may be said.
    assert all("409" in line for line in two.said)
    two.said.clear()
    for window in (one, two):
        window.close()
    late = Window(browser, served)
    late.open("two", "msc")
    was = late.count("msc")
    late.nudge("ArrowRight", 8)
    moved = late.counted("msc", was)
    late.page.wait_for_timeout(300)
    late.context.close()  # as a crash would: nothing was saved
    served.stop()
    again = Served(made, made.parent / "tubes")
    window = Window(browser, again)
    window.open("two", "msc")
    window.until("document.getElementById('told').textContent.includes('not saved yet')")
    assert window.count("msc") == moved
    window.page.locator("#drop").click()
    window.counted("msc", moved)
    window.close()
    again.stop()


def test_an_edit_is_given_to_other_tubes(browser: Browser, served: Served) -> None:
    window = Window(browser, served)
    page = window.page
    window.open("three", "progenitors")
    was = window.count("progenitors")
    window.nudge("ArrowRight", 8)
    window.counted("progenitors", was)
    page.fill("#why", "set on the isotype")
    page.locator("#save").click()
    window.until("document.getElementById('told').textContent.includes('saved')")
    page.goto(f"{served.home}/?gate=progenitors&order=name")
    page.wait_for_selector(".card")
    for name in ("one", "two"):
        page.locator(f".card[data-id='{name}'] input").check()
    page.select_option("#source", "three")
    page.fill("#why", "the same lot")
    page.locator("#apply").click()
    window.until("document.getElementById('told').textContent.includes('2 tubes were given')")
    assert page.locator(".card .tag", has_text="edited").count() >= 3
    window.close()


@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_hangs_over_the_window(browser: Browser, served: Served, width: int) -> None:
    window = Window(browser, served, width)
    for path in ("/?gate=cells", "/samples/one?gate=cells", "/audit"):
        window.page.goto(served.home + path)
        window.page.wait_for_timeout(700)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= width, path
    window.close()
