"""The report as a person opens it: drawn, quiet, whole on paper, and deaf to whatever a file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.report import plotly_asset, render_index, render_sample
from stromagate.report.text import page_text, plot_text
from tests.browser.hostile import PAYLOADS, hostile_result, hostile_run, hostile_single
from tests.browser.visits import STATES, Open, Visit
from tests.report.pages import full_result, golden_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay a run out as it lies on disk."""
    out = tmp_path_factory.mktemp("run")
    run, results = golden_run()
    write(out / "index.html", render_index(run, results))
    write(out / "samples" / "full" / "report.html", render_sample(full_result(15)))
    write(out / "samples" / "alone" / "report.html", render_sample(full_result(9), plotly="inline"))
    (out / "assets").mkdir()
    (out / "assets" / "plotly.min.js").write_bytes(plotly_asset())
    return out


def write(path: Path, page: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["index.html", "samples/full/report.html", "samples/alone/report.html"])
def test_every_figure_is_drawn_and_the_page_is_quiet(visit: Open, run_folder: Path, name: str) -> None:
    seen = visit(run_folder / name)
    states = seen.states()
    assert states
    assert set(states) == {"drawn"}
    drawn = seen.page.evaluate("document.querySelectorAll('[data-figure] svg.main-svg').length")
    assert drawn >= len(states)
    assert seen.said == []
    assert seen.outside() == []


def test_a_density_is_really_painted(visit: Open, run_folder: Path) -> None:
    seen = visit(run_folder / "samples/full/report.html")
    seen.states()
    images = seen.page.evaluate("document.querySelectorAll('.heatmaplayer image').length")
    lines = seen.page.evaluate("document.querySelectorAll('.shapelayer path').length")
    assert images == sum(view.y is not None for view in full_result(15).views)
    assert lines >= 13


def test_one_file_alone_can_be_mailed(visit: Open, tmp_path: Path) -> None:
    seen = visit(write(tmp_path / "mailed.html", render_sample(full_result(2), plotly="inline")))
    assert seen.states() == ["drawn", "drawn"]
    assert [url for url in seen.asked if url.startswith("file:")] == [(tmp_path / "mailed.html").as_uri()]


def test_without_the_library_the_page_says_so_and_keeps_its_numbers(visit: Open, tmp_path: Path) -> None:
    seen = visit(write(tmp_path / "samples" / "x" / "report.html", render_sample(full_result(2))))
    assert seen.states() == ["missing", "missing"]
    assert "plotly.min.js was not found beside this page" in seen.text()
    assert "population_0: 5,000 (10.0 %)" in seen.text()


@pytest.mark.parametrize("width", [1280, 420, 360])
@pytest.mark.parametrize("name", ["index.html", "samples/full/report.html"])
def test_no_width_makes_the_page_scroll_sideways(visit: Open, run_folder: Path, name: str, width: int) -> None:
    seen = visit(run_folder / name, width)
    seen.states()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_is_drawn_before_it_is_printed(visit: Open, run_folder: Path, tmp_path: Path) -> None:
    seen = visit(run_folder / "samples/full/report.html")
    seen.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert "" not in seen.page.evaluate(STATES)
    assert len(seen.page.pdf(path=str(tmp_path / "page.pdf"), prefer_css_page_size=True)) > 50_000
    assert set(seen.states()) == {"drawn"}


def test_the_table_sorts_within_its_groups(visit: Open, run_folder: Path) -> None:
    seen = visit(run_folder / "index.html")
    names = "Array.from(document.querySelectorAll('.tubes tbody tr:not(.group) th'), cell => cell.dataset.value)"
    assert seen.page.evaluate(names) == ["bm-001", "sim", "bm-001-fmo"]
    header = seen.page.get_by_role("button", name="Tube", exact=True)
    header.click()
    assert seen.page.evaluate(names) == ["bm-001", "sim", "bm-001-fmo"]
    header.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate(names) == ["sim", "bm-001", "bm-001-fmo"]
    assert (
        seen.page.evaluate("document.querySelector('.tubes th[aria-sort]').getAttribute('aria-sort')") == "descending"
    )


def test_the_page_can_be_read_without_seeing_it(visit: Open, run_folder: Path) -> None:
    seen = visit(run_folder / "samples/full/report.html")
    assert seen.page.evaluate("document.documentElement.lang") == "en"
    assert seen.page.get_by_role("main").count() == 1
    # Only what says so itself: the pictures that plotly puts into a drawing are presentation, and come while it draws.
    assert seen.page.locator("[role=img]").count() == 15
    labels = seen.page.evaluate("Array.from(document.querySelectorAll('[role=img]'), box => box.ariaLabel)")
    assert all(" events; population_" in label for label in labels)
    unlabelled = seen.page.evaluate("document.querySelectorAll('thead th:not([scope])').length")
    assert unlabelled == 0


def test_the_policy_is_in_force(visit: Open, run_folder: Path) -> None:
    seen = visit(run_folder / "index.html")
    seen.page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.__xss = 1'; document.body.append(s);"
        "const i = new Image(); i.src = 'https://evil.test/a.png'; document.body.append(i); void 0"
    )
    assert seen.page.evaluate("window.__xss") is None
    assert any("Content Security Policy" in line for line in seen.said)


def assert_harmless(seen: Visit, n_scripts: int) -> None:
    assert seen.page.evaluate("window.__xss") is None
    assert seen.said == []
    assert seen.outside() == []
    assert seen.page.evaluate("document.querySelectorAll('script:not([type])').length") == n_scripts
    assert seen.page.evaluate("document.querySelectorAll('iframe, form, base, object, math, .sheet img').length") == 0
    links = seen.page.evaluate("Array.from(document.links, link => link.href)")
    assert not [link for link in links if not link.startswith(("file:", "https://doi.org/"))]
    assert seen.page.evaluate("document.querySelectorAll('svg a').length") == 0


def literal(text: str) -> str:
    return " ".join(page_text(text).split())


def test_thirty_payloads_in_every_list_of_a_tube_never_run_and_are_shown(
    visit: Open, run_folder: Path, tmp_path: Path
) -> None:
    result = hostile_result()
    seen = visit(write(tmp_path / "hostile.html", render_sample(result, plotly="inline")))
    assert set(seen.states()) == {"drawn"}
    seen.page.mouse.move(600, 400)
    assert_harmless(seen, 2)
    text = seen.text()
    # Sheet labels, keywords, $PnN, $PnS, population labels, findings, sentences, repairs and more: each shows each.
    for payload in PAYLOADS:
        assert text.count(literal(payload)) >= 12, payload
    titles = seen.page.evaluate("Array.from(document.querySelectorAll('.xtitle'), node => node.textContent)")
    shown = [plot_text(payload).replace("&amp;", "&") for payload in PAYLOADS]
    assert titles == shown
    # Nothing of it became bold, raised, a line break or a link inside a drawing.
    assert seen.page.evaluate("document.querySelectorAll('.xtitle tspan').length") == 0


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_payloads_in_every_single_place_of_a_tube(visit: Open, tmp_path: Path, every: int) -> None:
    """Sample id, file name, template, pattern, cytometer: without the library, for speed; the drawings are above."""
    for i, payload in enumerate(PAYLOADS[::every]):
        seen = visit(write(tmp_path / "samples" / str(i) / "report.html", render_sample(hostile_single(payload))))
        seen.states()
        seen.said[:] = [line for line in seen.said if "ERR_FILE_NOT_FOUND" not in line]
        assert_harmless(seen, 2)
        assert seen.text().count(literal(payload)) >= 12


@pytest.mark.parametrize("plotly", ["shared", "inline"])
def test_thirty_payloads_in_a_run(visit: Open, tmp_path: Path, plotly: str) -> None:
    run, results = hostile_run()
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "plotly.min.js").write_bytes(plotly_asset())
    page = render_index(run, results, plotly="inline" if plotly == "inline" else "shared")
    seen = visit(write(tmp_path / "index.html", page))
    assert set(seen.states()) == {"drawn"}
    assert_harmless(seen, 2)
    text = seen.text()
    for payload in PAYLOADS:
        assert text.count(literal(payload)) >= 5, payload
