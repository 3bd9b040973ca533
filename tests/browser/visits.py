"""One page that is open in the browser, and everything it did that a quiet page does not do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

STATES = "Array.from(document.querySelectorAll('[data-figure]'), box => box.dataset.state || '')"
# What a reader can find on the page: all text but that of scripts and styles, with closed details.
_TEXT = """(() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll('script, style').forEach(node => node.remove());
  return copy.textContent;
})()"""
_HANG_S = 60.0


class Visit:
    """One page that is open, and everything it did that a quiet page does not do."""

    def __init__(self, page: Page) -> None:
        self.page, self.said, self.asked = page, list[str](), list[str]()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("popup", lambda popup: self.said.append(f"popup: {popup.url}"))

    def go(self, path: Path, width: int = 1280) -> Visit:
        """Open another page in the same window, as if it were new, with nothing held against it yet."""
        self.page.goto("about:blank")
        self.page.emulate_media(media="null")
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.mouse.move(0, 0)
        self.said.clear()
        self.asked.clear()
        self.page.goto(path.as_uri())
        return self

    def states(self) -> list[str]:
        """Wait until no figure is still to be drawn, and return what became of each."""
        end = time.monotonic() + _HANG_S
        while time.monotonic() < end:
            states: list[str] = self.page.evaluate(STATES)
            if all(state in {"drawn", "missing"} for state in states):
                return states
            time.sleep(0.02)
        raise AssertionError(f"figures are not drawn: {states}")

    def text(self) -> str:
        return " ".join(str(self.page.evaluate(_TEXT)).split())

    def outside(self) -> list[str]:
        return [url for url in self.asked if not url.startswith(("file:", "data:", "blob:"))]


Open = Callable[..., Visit]
