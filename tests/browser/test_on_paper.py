"""The pages as PDF: whole on either sheet, the same bytes each time, and nothing on them that paper cannot do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from stromagate.model.result import RESEARCH_USE, Statistic
from stromagate.pipeline.printing import Printer, find_printer, print_pages
from stromagate.report import plotly_asset, render_cohort, render_history, render_index, render_sample
from stromagate.report.wording import estimate_text
from tests.browser.pdf import Pdf
from tests.report.cohorts import cohort_of, cohort_tube
from tests.report.pages import full_result, golden_run
from tests.report.test_history_page import WARNED, drifted
from tests.report.test_words import BANNED
from tests.results import make_result

pytestmark = pytest.mark.browser

SHEETS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
MARGIN_MM = 12.0
# Five columns of numbers, three of them marked as no quantities.
INDICES = {"msc": "msc", "progenitors": "progenitors", "endothelium": "stroma"}
PAGES = ("index", "history", "cohort", "samples/bm-001/report")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a run as it lies on disk, and print it once on A4."""
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium on this machine")
    out = tmp_path_factory.mktemp("run")
    run, results = golden_run()
    write(out / "index.html", render_index(run, results, charted=True))
    write(out / "history.html", render_history(drifted(), [WARNED]))
    cohort = cohort_of([cohort_tube(f"tube_{i}", 5 * i, 20 * i) for i in range(1, 25)])
    write(out / "cohort.html", render_cohort(cohort))
    write(out / "samples" / "bm-001" / "report.html", render_sample(make_result(indices=INDICES)))
    write(out / "assets" / "plotly.min.js", plotly_asset().decode())
    assert print_pages(find_printer(), sorted(out.rglob("*.html")), jobs=2) == {}
    return out


def write(path: Path, page: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def printed(page: Path, paper: Any = "a4") -> Pdf:
    assert print_pages(find_printer(paper), [page]) == {}
    return Pdf(page.with_suffix(".pdf").read_bytes())


def squeezed(text: str) -> str:
    return "".join(text.split())


def within_margins(pdf: Pdf) -> bool:
    return all(
        MARGIN_MM - 0.5 <= each.x <= sheet.width_mm - MARGIN_MM and 10 <= each.y <= sheet.height_mm - 5
        for sheet in pdf.sheets
        for each in sheet.glyphs
        if each.text.strip()
    )


@pytest.mark.parametrize(("page", "most"), list(zip(PAGES, (4, 4, 6, 9), strict=True)))
def test_every_sheet_is_whole_numbered_and_says_research_use(folder: Path, page: str, most: int) -> None:
    pdf = Pdf((folder / f"{page}.pdf").read_bytes())
    n = len(pdf.sheets)
    assert 1 < n <= most
    for number, sheet in enumerate(pdf.sheets, start=1):
        assert (sheet.width_mm, sheet.height_mm) == pytest.approx(SHEETS["a4"], abs=0.3)
        assert f"{number}/{n}" in sheet.squeezed
        assert squeezed(RESEARCH_USE) in sheet.squeezed
    assert within_margins(pdf)


@pytest.mark.parametrize("page", PAGES)
def test_no_sheet_is_shrunk(folder: Path, page: str) -> None:
    """Chromium makes a whole page smaller where one table is too wide for the sheet; the title is 28 pixels high."""
    pdf = Pdf((folder / f"{page}.pdf").read_bytes())
    assert max(each.size_pt for each in pdf.sheets[0].glyphs) == pytest.approx(28 * 0.75, abs=0.05)


def test_the_same_page_gives_the_same_bytes(folder: Path) -> None:
    page = folder / "samples" / "bm-001" / "report.html"
    once = page.with_suffix(".pdf").read_bytes()
    assert printed(page).content == once
    assert set(re.findall(rb"/(?:Creation|Mod)Date \((.*?)\)", once)) == {b"D:19700101000000+00'00'"}


def test_the_words_of_the_page_are_on_paper_and_the_plots_drawn(folder: Path) -> None:
    pdf = Pdf((folder / "samples/bm-001/report.pdf").read_bytes())
    for words in (
        "Stromal-pattern research report",
        "Calibration level: L0 (none)",
        "per million nucleated 73.6 (53.6–101)",
        "CD271 (PE-A)",
        "10.1158/0008-5472.CAN-14-3379",
        "Tables that are folded on the page are printed where they were opened",
    ):
        assert squeezed(words) in pdf.text, words
    assert pdf.n_images > 0
    assert not any(BANNED.search(sheet.text) for sheet in pdf.sheets)
    assert "wasnotfoundbesidethispage" not in pdf.text


def test_a_drawing_wider_than_the_sheet_is_made_to_fit(folder: Path) -> None:
    """The map of heat of 24 tubes: its key, at the far right, stands on the sheet."""
    pdf = Pdf((folder / "cohort.pdf").read_bytes())
    (sheet,) = [each for each in pdf.sheets if "Populationsbytube" in each.squeezed]
    assert "÷100÷10median×10×100" in sheet.squeezed
    assert max(each.x for each in sheet.glyphs if each.text == "×") > 150


def test_nothing_that_is_clicked_is_on_paper(folder: Path) -> None:
    report = Pdf((folder / "samples/bm-001/report.pdf").read_bytes())
    for words in ("All populations and all denominators", "Skip to the content", "All tubes of this run"):
        assert squeezed(words) not in report.text
    index = Pdf((folder / "index.pdf").read_bytes())
    assert "↑" not in index.text
    assert squeezed("The same in numbers") not in index.text


@pytest.mark.parametrize("page", PAGES)
def test_no_address_tells_where_the_run_lies(folder: Path, page: str) -> None:
    pdf = Pdf((folder / f"{page}.pdf").read_bytes())
    assert [uri for uri in pdf.addresses if not uri.startswith("https://doi.org/")] == []
    assert b"file:" not in pdf.content
    assert str(folder).encode() not in pdf.content


def test_after_printing_the_links_of_the_open_page_lead_again(folder: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    links = "Array.from(document.links, link => link.href)"
    before = page.evaluate(links)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert all(link.startswith("https:") for link in page.evaluate(links))
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(links) == before
    assert len([link for link in before if link.startswith("file:")]) > 2
    page.close()


def test_on_letter_nine_plots_and_wide_tables_that_were_opened_stay_on_the_sheet(tmp_path: Path) -> None:
    """Twenty medians with intervals a row, names of fifty letters, and every folded table open."""
    names = [f"population_{i}" for i in range(9)]
    shared: dict[str, Any] = {"parent": "all", "statistic": "median", "unit": "scale value", "state": "quantifiable"}
    rows = tuple(
        Statistic(population=name, marker=f"CD{k}", value=12345.6, ci_low=11000.1, ci_high=13999.9, n=60, **shared)
        for name in names
        for k in range(20)
    )
    base = full_result(9)
    long = {name: f"{name} of a very long name that tells all of its markers" for name in names}
    result = full_result(9, statistics=(*base.statistics, *rows), labels_of_populations=long)
    page = render_sample(result, plotly="inline").replace("<details>", "<details open>")
    pdf = printed(write(tmp_path / "report.html", page), "letter")
    assert {(round(sheet.width_mm, 1), round(sheet.height_mm, 1)) for sheet in pdf.sheets} == {SHEETS["letter"]}
    assert within_margins(pdf)
    assert pdf.text.count(squeezed(estimate_text(rows[0]))) == len(rows)
    assert pdf.n_images >= 8
    for name in names:
        assert len([sheet for sheet in pdf.sheets if squeezed(f"{long[name]}: 5,000 (10.0 %)") in sheet.squeezed]) == 1


def test_a_printer_without_time_gives_up_and_leaves_nothing(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium on this machine")
    page = write(tmp_path / "report.html", render_sample(full_result(2), plotly="inline"))
    page.with_suffix(".pdf").write_bytes(b"of another day")
    hasty = Printer(find_printer().program, limit_s=0.01)
    assert print_pages(hasty, [page]) == {page: "the browser was not done after 0.01 s"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html"]
