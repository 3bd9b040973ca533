"""The page of a cohort as a person uses it: sorted, filtered, by another denominator, on a phone, and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stromagate.report import plotly_asset, render_cohort, render_patient
from tests.browser.hostile import PAYLOADS
from tests.browser.test_report_in_browser import assert_harmless, literal, write
from tests.browser.visits import Open, Visit
from tests.pattern.tubes import controls
from tests.report.cohorts import cohort_of, cohort_tube, many

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


NAMES = "Array.from(document.querySelectorAll('.cohort tbody tr'), row => row.cells[0].dataset.value)"
SHOWN = "Array.from(document.querySelectorAll('.cohort tbody tr:not([hidden])'), row => row.cells[0].dataset.value)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay a cohort out as it lies on disk: twenty tubes, a group, a calibration, and a patient of three."""
    out = tmp_path_factory.mktemp("cohort")
    results = [
        *many(17),
        *(cohort_tube(f"p{i}", 40 * i, 90, patient="P-x", labels={"timepoint": f"t{i}"}) for i in (1, 2, 3)),
    ]
    cohort = cohort_of(results, controls(), group_by="diagnosis")
    pages = {"P-x": "patients/P-x.html"}
    links = {tube.name: f"../run/samples/{tube.name}/report.html" for tube in cohort.tubes}
    write(out / "cohort.html", render_cohort(cohort, links=links, pages=pages))
    write(out / "patients" / "P-x.html", render_patient(cohort, "P-x", links=links))
    (out / "assets").mkdir()
    (out / "assets" / "plotly.min.js").write_bytes(plotly_asset())
    return out


def ready(seen: Visit) -> Visit:
    assert set(seen.states()) == {"drawn"}
    return seen


@pytest.mark.parametrize("name", ["cohort.html", "patients/P-x.html"])
def test_every_figure_is_drawn_and_the_page_is_quiet(visit: Open, folder: Path, name: str) -> None:
    seen = ready(visit(folder / name))
    assert seen.said == []
    assert seen.outside() == []


def test_the_table_sorts_by_mouse_and_by_keyboard(visit: Open, folder: Path) -> None:
    seen = ready(visit(folder / "cohort.html"))
    before = seen.page.evaluate(NAMES)
    seen.page.get_by_role("button", name="MSC per million", exact=True).click()
    up = seen.page.evaluate(NAMES)
    values = seen.page.evaluate(
        "Array.from(document.querySelectorAll('.cohort tbody tr'), row => Number(row.cells[6].dataset.value))"
    )
    assert up != before
    assert values == sorted(values)
    header = seen.page.get_by_role("button", name="Tube", exact=True)
    header.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate(NAMES) == sorted(before)
    seen.page.keyboard.press(" ")
    assert seen.page.evaluate(NAMES) == sorted(before, reverse=True)


def test_the_table_is_filtered_by_text_pattern_and_quality(visit: Open, folder: Path) -> None:
    seen = ready(visit(folder / "cohort.html"))
    assert len(seen.page.evaluate(SHOWN)) == 20
    seen.page.locator("#filter-text").fill("p-X T2")
    assert seen.page.evaluate(SHOWN) == ["p2"]
    assert "1 of 20 shown" in seen.text()
    seen.page.locator("#filter-text").fill("mds t1")
    assert seen.page.evaluate(SHOWN) == ["t12", "t15"]
    seen.page.locator("#filter-text").fill("59.0")  # a number is no name
    assert seen.page.evaluate(SHOWN) == []
    seen.page.locator("#filter-text").fill("")
    seen.page.locator("#filter-quality").select_option("warn")
    assert seen.page.evaluate(SHOWN) == [f"t{i:02}" for i in range(1, 17, 2)]
    pattern = seen.page.evaluate("document.querySelector('.cohort tbody tr:nth-child(4)').dataset.pattern")
    seen.page.locator("#filter-pattern").select_option(pattern)
    found = seen.page.evaluate(SHOWN)
    assert "t03" in found
    told = "Array.from(document.querySelectorAll('.cohort tbody tr:not([hidden])'), row => row.dataset.pattern)"
    assert set(seen.page.evaluate(told)) == {pattern}
    # What the filter leaves out is faint in the map as well.
    marks = "document.getElementById('map').data.filter(trace => trace.customdata).map(trace => trace.selectedpoints)"
    chosen = seen.page.evaluate(marks)
    assert sum(len(points) for points in chosen) == len(found)
    seen.page.locator("#filter-quality").select_option("")
    seen.page.locator("#filter-pattern").select_option("")
    assert len(seen.page.evaluate(SHOWN)) == 20
    assert not any(seen.page.evaluate(marks))
    assert seen.said == []


def test_another_denominator_changes_table_and_drawings_and_keeps_the_order(visit: Open, folder: Path) -> None:
    seen = ready(visit(folder / "cohort.html"))
    first = "document.querySelector('.cohort tbody tr[data-row=\"1\"]').cells[4].textContent"
    title = "document.getElementById('map').layout.yaxis.title.text"
    marks = "document.getElementById('map').data.filter(trace => trace.customdata).map(trace => trace.y).flat()"
    share = "document.querySelector('.cohort tbody tr[data-row=\"1\"]').cells[5].textContent"
    seen.page.get_by_role("button", name="Q per million", exact=True).click()
    order, was, kept, places = (seen.page.evaluate(what) for what in (NAMES, first, share, marks))
    assert was.startswith("59.0")
    seen.page.locator("#denominator").select_option("1")
    assert seen.page.evaluate(first).startswith("29.5")
    assert seen.page.evaluate(share) == kept
    assert seen.page.evaluate(NAMES) == order
    assert "Rates are per million singlets; 95 % intervals" in seen.text()
    assert seen.page.evaluate(title).endswith("per million singlets")
    assert seen.page.evaluate(marks) != places
    assert seen.page.evaluate("document.getElementById('spread-0').layout.xaxis.title.text").endswith("singlets")
    assert "singlets" in seen.page.locator("#map").get_attribute("aria-label")
    # Cut-points are known under the first denominator alone.
    assert seen.page.evaluate("document.getElementById('map').layout.shapes.length") == 0
    seen.page.locator("#denominator").select_option("0")
    assert seen.page.evaluate(first) == was
    assert seen.page.evaluate("document.getElementById('map').layout.shapes.length") == 8
    assert seen.said == []


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", ["cohort.html", "patients/P-x.html"])
def test_no_width_makes_the_page_scroll_sideways(visit: Open, folder: Path, name: str, width: int) -> None:
    seen = ready(visit(folder / name, width))
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_long_table_scrolls_by_keyboard(visit: Open, folder: Path) -> None:
    seen = ready(visit(folder / "cohort.html"))
    table = seen.page.locator(".long-table")
    table.focus()
    seen.page.keyboard.press("End")
    seen.page.wait_for_timeout(400)
    assert table.evaluate("box => box.scrollTop") > 0
    assert table.get_attribute("role") == "region"


def test_without_scripts_the_table_has_every_number_and_nothing_that_does_nothing(
    folder: Path, browser: Browser
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "cohort.html").as_uri())
    assert page.locator(".cohort tbody tr").count() == 20
    assert page.locator(".cohort tbody tr").nth(1).locator("td").nth(3).inner_text().startswith("59.0")
    assert not page.locator("#denominator").is_visible()
    assert not page.locator("#filter-text").is_visible()
    page.close()


def test_it_prints_without_what_paper_cannot_do(visit: Open, folder: Path, tmp_path: Path) -> None:
    sheet = 703  # pixels between the margins of A4
    seen = ready(visit(folder / "cohort.html", sheet))
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= sheet
    assert not seen.page.locator("#denominator").is_visible()
    assert not seen.page.locator("#filter-text").is_visible()
    box = seen.page.locator(".long-table")
    assert box.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    assert len(seen.page.pdf(path=str(tmp_path / "cohort.pdf"), prefer_css_page_size=True)) > 50_000


def test_thirty_payloads_in_a_cohort_never_run_and_are_shown(visit: Open, tmp_path: Path) -> None:
    results = [
        cohort_tube(f"h{i}", 50 + i, 90, patient=text, labels={"diagnosis": text, "timepoint": text}).model_copy(
            update={"sample_id": text}
        )
        for i, text in enumerate(PAYLOADS)
    ]
    results += [
        cohort_tube(f"again{i}", 50 + i, 90, patient=PAYLOADS[i], labels={"timepoint": PAYLOADS[i]}) for i in (4, 12)
    ]
    cohort = cohort_of(results, controls(), group_by="diagnosis")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "plotly.min.js").write_bytes(plotly_asset())
    seen = ready(visit(write(tmp_path / "cohort.html", render_cohort(cohort))))
    seen.page.mouse.move(500, 700)
    for option in ("1", "0"):
        seen.page.locator("#denominator").select_option(option)
    assert_harmless(seen, 3)
    text = seen.text()
    for payload in PAYLOADS:
        assert text.count(literal(payload)) >= 2, payload
    for payload in (PAYLOADS[4], PAYLOADS[12]):
        page = render_patient(cohort, payload.strip())
        there = ready(visit(write(tmp_path / "patients" / "x.html", page)))
        assert_harmless(there, 2)


def test_pointing_at_a_mark_says_which_tube_it_is(visit: Open, folder: Path) -> None:
    seen = ready(visit(folder / "cohort.html"))
    at = seen.page.evaluate(
        """(() => {
          const box = document.getElementById('map'), trace = box.data.findIndex(one => one.customdata);
          const axes = box._fullLayout, place = box.getBoundingClientRect();
          return [box.data[trace].customdata[0],
                  place.left + axes._size.l + axes.xaxis.d2p(box.data[trace].x[0]),
                  place.top + axes._size.t + axes.yaxis.d2p(box.data[trace].y[0])];
        })()"""
    )
    seen.page.mouse.move(at[1], at[2])
    seen.page.wait_for_timeout(300)
    assert at[0] in seen.page.locator("#map .hoverlayer").text_content()
