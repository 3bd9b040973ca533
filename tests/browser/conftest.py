"""One headless Chromium for the tests of pages; without it they are skipped (``make test`` installs it)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.visits import Open, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def _window(browser: Browser) -> Iterator[Visit]:
    """One window for all pages of files: a new one would read the library of the plots again, two seconds each."""
    page = browser.new_page()
    yield Visit(page)
    page.close()


@pytest.fixture
def visit(_window: Visit) -> Open:
    """Open a page as if in a new window."""
    return _window.go
