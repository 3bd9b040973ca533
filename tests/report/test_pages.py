"""The pages as text: the right blocks, the right words, the same bytes, and nothing that reaches outside."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import stromagate.report
from stromagate.model.config import RunConfig
from stromagate.model.gates import GateNode, GateTree, Interval
from stromagate.model.pattern import PatternCall
from stromagate.model.result import Finding, Statistic
from stromagate.model.sample import SourceRef
from stromagate.report import render_index, render_sample
from stromagate.report.lookup import asked, graver_first, role, walk, worst
from stromagate.report.section import in_order
from tests.golden import matches_golden
from tests.report.pages import full_result, golden_run, make_run, visible
from tests.results import make_result

HTML = Path(stromagate.report.__file__).parent / "html"
# Words no page may use of its own accord: the report describes a pattern, never a patient's course.
BANNED = re.compile(r"prognos|\brisk|predict|likely to relapse", re.IGNORECASE)


def test_pages_say_what_they_said() -> None:
    run, results = golden_run()
    matches_golden("report_index.txt", visible(render_index(run, results)))
    matches_golden("report_sample.txt", visible(render_sample(results[0])))


def test_blocks_stand_in_the_agreed_order() -> None:
    page = render_sample(make_result())
    found = re.findall(r'<section id="([a-z]+)"', page)
    assert found == [
        "specimen",
        "verdict",
        "numbers",
        "absolute",
        "niche",
        "ladder",
        "gates",
        "controls",
        "background",
        "purity",
        "findings",
        "confounders",
        "literature",
        "template",
        "provenance",
        "miflowcyt",
    ]
    # Sections that this tube has nothing for are left out; robustness stands before the confounders.
    order = [name for name, _ in in_order()]
    assert found == [name for name in order if name in found]
    assert order.index("findings") < order.index("pattern") < order.index("confounders")


def test_every_page_says_research_use_first_and_last() -> None:
    run, results = golden_run()
    for page in (render_sample(results[0]), render_index(run, results)):
        text = visible(page)
        assert text.count("For Research Use Only. Not for use in diagnostic procedures.") == 2
        assert "Stromal-pattern research report" in text


def test_no_page_speaks_of_a_patients_course() -> None:
    run, results = golden_run()
    for page in (render_sample(results[0]), render_index(run, results)):
        assert not BANNED.search(visible(page))


def test_no_colour_judges_a_pattern() -> None:
    pattern = PatternCall(level="L3", pattern="progenitor-high", reason="probability 0.87")
    page = render_sample(make_result(pattern=pattern))
    assert '<p class="answer">progenitor-high</p>' in page
    assert "Not assigned because" not in page
    assert "L3 (fitted on outcomes)" in page


@pytest.mark.parametrize("plotly", ["shared", "inline"])
def test_same_result_same_bytes(plotly: Any) -> None:
    assert render_sample(make_result(), plotly) == render_sample(make_result(), plotly)


def test_a_result_read_from_disk_gives_the_same_bytes() -> None:
    """On disk all keys are sorted: no order of a map may reach a page."""
    result = make_result(
        indices={"progenitors": "progenitors", "msc": "msc"},
        labels={"role": "stained", "patient_id": "P", "zeta": "1", "age": "60"},
        instrument={"STROMAGATE_SIMULATED": "yes", "FCS version": "3.1", "$CYT": "x"},
    )
    again = type(result).model_validate_json(json.dumps(result.to_json(), sort_keys=True))
    assert render_sample(again) == render_sample(result)
    run = make_run([result])
    run_again = type(run).model_validate_json(json.dumps(run.to_json(), sort_keys=True))
    assert render_index(run_again, [again]) == render_index(run, [result])


def test_times_of_a_run_do_not_reach_its_page() -> None:
    run, results = golden_run()
    later = run.model_copy(update={"times": {"started": "2031-01-01T00:00:00Z"}})
    assert render_index(run, results) == render_index(later, results)


def test_a_full_page_stays_small() -> None:
    page = render_sample(full_result(15))
    assert page.count('role="img"') == 15
    assert len(page.encode()) < 700_000


def test_nothing_is_loaded_from_outside() -> None:
    run, results = golden_run()
    for page in (render_sample(results[0]), render_index(run, results)):
        assert not re.search(r'(src|data|srcset|action|poster)="(https?:)?//', page)
        assert not re.search(r"@import|url\(|<link|<iframe|<object|<embed|<form", page)
        links = re.findall(r'href="([^"]+)"', page)
        assert {link for link in links if "//" in link} == {
            link for link in links if link.startswith("https://doi.org/")
        }


def test_scripts_run_by_nonce_alone() -> None:
    one, other = render_sample(make_result()), render_sample(make_result(sample_id="other"))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', one)
    assert "script-src &#39;nonce-" in policy
    assert "unsafe-eval" not in policy
    script_policy = policy.split("script-src")[1].split("; style-src")[0]
    assert "unsafe-inline" not in script_policy
    nonces = set(re.findall(r'nonce="([^"]+)"', one))
    assert len(nonces) == 1
    assert nonces.isdisjoint(re.findall(r'nonce="([^"]+)"', other))
    runnable = re.findall(r"<script(?![^>]*application/json)[^>]*>", one)
    assert len(runnable) == 2
    assert all("nonce=" in tag for tag in runnable)


def test_plotly_is_shared_or_stands_in_the_page() -> None:
    run, results = golden_run()
    assert 'src="../../assets/plotly.min.js"' in render_sample(results[0])
    assert 'src="assets/plotly.min.js"' in render_index(run, results)
    whole = render_sample(results[0], "inline")
    assert "src=" not in re.sub(r"<script.*?</script>", "", whole, flags=re.DOTALL)
    assert "plotly.js v" in whole


def test_text_is_escaped_everywhere_and_trusted_once() -> None:
    for path in sorted(HTML.glob("*.j2")):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), path
        assert "autoescape" not in text, path
    sources = {path: path.read_text(encoding="utf-8") for path in HTML.parent.rglob("*.py")}
    assert [path.name for path, text in sources.items() if "Markup(" in text] == ["build.py"]
    assert sum(text.count("Markup(") for text in sources.values()) == 1


def test_plotly_is_imported_by_the_figures_alone() -> None:
    users = [
        path.name
        for path in HTML.parent.rglob("*.py")
        if re.search(r"files\(.plotly.\)|^\s*(import|from) plotly", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert users == ["figures.py"]


def test_simulated_enriched_control_and_salvaged_tubes_are_named_before_any_number() -> None:
    result = make_result(
        instrument={"STROMAGATE_SIMULATED": "yes", "STROMAGATE_PREPARATION": "cd45_depleted"},
        labels={"role": "FMO:CD146", "scenario": "msc_high"},
        verdict="salvaged",
    )
    head = visible(render_sample(result)).split("Specimen")[0]
    assert "Simulated tube. Made by a simulator: no cell of any person. Scenario: msc high." in head
    assert "Preparation: cd45 depleted." in head
    assert "Control tube. FMO control, CD146 left out." in head
    assert "Salvaged file." in head
    plain = visible(render_sample(make_result(instrument={"STROMAGATE_PREPARATION": "whole"}))).split("Specimen")[0]
    assert "Simulated" not in plain
    assert "Preparation" not in plain


def test_msc_and_progenitors_come_first_whatever_else_is_asked() -> None:
    result = make_result(indices={"endothelium": "stroma", "progenitors": "progenitors", "msc": "msc"})
    assert asked(result) == ["msc", "progenitors", "stroma"]
    text = visible(render_sample(result)).split("Every rate names")[1]
    assert "MSC (CD271+) | CD146+ progenitors | msc_cd146neg | msc_cd105 | stroma" in text
    missing = make_result(indices={"msc": "gone"})
    assert "gone: no count" in visible(render_sample(missing))


def test_a_control_tube_has_no_pattern() -> None:
    text = visible(render_sample(make_result(labels={"role": "fmo:CD271"})))
    assert "Not assigned because: a control tube has none." in text
    assert "Not assigned because: no calibration" in visible(render_sample(make_result()))


def test_medians_stand_by_population_and_marker() -> None:
    row = {"parent": "all", "statistic": "median", "unit": "scale value", "state": "quantifiable", "n": 60}
    rows = [
        Statistic(population="msc", marker="CD271", value=8710.0, ci_low=7370.0, ci_high=10100.0, **row),
        Statistic(population="msc", marker="CD146", value=1140.0, **row),
        Statistic(population="stroma", marker="CD146", value=166.4, **row),
    ]
    text = visible(render_sample(make_result(statistics=tuple(rows)))).split("Median intensities")[1]
    assert "Population | Events | CD271 [95 % interval] | CD146 [95 % interval]" in text
    assert "MSC (CD271+) | – | 8,710 (7,370–10,100) | 1,140" in text
    assert "stroma | – | – | 166" in text


def test_a_sheet_alone_can_call_a_tube_enriched() -> None:
    head = visible(render_sample(make_result(labels={"preparation": "ficoll"}))).split("Specimen")[0]
    assert "Preparation: ficoll." in head


def test_numbers_below_the_limit_are_grey_and_say_so() -> None:
    page = render_sample(make_result())
    key = page.split('<table class="key">')[1].split("</table>")[0]
    assert re.findall(r'<th scope="col" class="num faint">([^<]+)</th>', key) == [
        "CD146+ progenitors",
        "msc_cd146neg",
        "msc_cd105",
    ]
    black = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r'<td class="num">(.+?)</td>', key)]
    assert black == ["62", "106", "quantifiable", "73.6 (53.6–101)", "–"]
    grey = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r'<td class="num faint">(.+?)</td>', key)]
    assert "24.9 (15.4–38.1) &lt;LLOQ" in grey
    assert "detected, not quantifiable" in page


def test_an_interval_says_what_it_holds() -> None:
    text = visible(render_sample(make_result()))
    assert "In brackets: 95 % interval, of counting and boundaries together." in text
    rows = text.split("What the intervals hold")[1].split("All populations")[0].strip().split("\n")
    assert rows[1:] == [
        "MSC (CD271+) | 73.6 (53.6–101) | 56.5–94.4 | 64.8–85.9 | CD31 of “stroma”: −10 % if lower, +35 % if higher",
        (
            "CD146+ progenitors | 24.9 (15.4–38.1) <LLOQ | 15.4–38.1 | changes nothing | "
            "CD146: +50 % if lower, −100 % if higher"
        ),
    ]


def test_without_redraws_an_interval_is_called_what_it_is() -> None:
    plain = make_result()
    record = plain.record.model_copy(update={"config": RunConfig(boundary_draws=0)})
    rows = tuple(row.model_copy(update={"boundary_low": None, "boundary_high": None}) for row in plain.statistics)
    text = visible(render_sample(make_result(record=record, statistics=rows, sensitivities=())))
    assert "95 % interval, of counting alone: boundaries were not redrawn." in text
    assert "| not redrawn | –" in text


def test_what_no_estimated_boundary_decides_about_says_so() -> None:
    rows = tuple(
        row.model_copy(update={"boundary_low": None, "boundary_high": None}) for row in make_result().statistics
    )
    still = tuple(step.model_copy(update={"lower": 0.0, "higher": 0.0}) for step in make_result().sensitivities)
    text = visible(render_sample(make_result(statistics=rows, sensitivities=still)))
    assert "| no estimated boundary | none changes the count" in text


def test_a_gate_says_what_moving_it_does() -> None:
    text = visible(render_sample(make_result()))
    assert "CD271 moved by 0.1 decade\nMSC (CD271+) +1.8 % if lower, −3.2 % if higher" in text
    assert "Viability moved by 0.1 decade\nMSC (CD271+) unchanged" in text


def test_a_rate_without_its_denominator_is_never_printed() -> None:
    text = visible(render_sample(make_result())).split("Every rate names")[1].split("All populations")[0]
    rates = [line for line in text.split("\n") if "(" in line and line[0] in "p%"]
    assert rates == [
        "per million nucleated | 73.6 (53.6–101) | 24.9 (15.4–38.1) <LLOQ | 48.7 (34.9–66.1) <LLOQ | –",
        "% of MSC (CD271+) | – | 21 of 62 (34 %, 22–47 %) <LLOQ | 41 of 62 (66 %, 53–78 %) <LLOQ | –",
    ]


def test_a_child_stands_below_its_parent_wherever_the_tree_names_it() -> None:
    """Indented in the tree's own order, ``late`` would be read as a child of ``other``."""
    gate = Interval("CD45", None, 0.5)
    tree = GateTree(
        tuple(
            GateNode(name, parent, "fixed", gate, "fixed", "")
            for name, parent in (("first", "all"), ("deep", "first"), ("other", "all"), ("late", "first"))
        )
    )
    result = make_result(tree=tree)
    assert [(node.name, depth) for node, depth in walk(result)] == [
        ("first", 1),
        ("deep", 2),
        ("late", 2),
        ("other", 1),
    ]
    ladder = visible(render_sample(result)).split("Gate ladder")[2].split("Findings")[0]
    assert re.findall(r"^of ([\w ]+): (\w+)", ladder, re.MULTILINE) == [
        ("all events", "first"),
        ("first", "deep"),
        ("first", "late"),
        ("all events", "other"),
    ]


def test_a_tube_with_nothing_is_still_a_page() -> None:
    bare = make_result(
        statistics=(), findings=(), views=(), repairs=(), indices={}, denominators=(), labels={}, instrument={}
    )
    text = visible(render_sample(bare))
    assert "not checked" in text
    assert "The template names no population for the pattern." in text
    assert "No check warned or failed." in text


def test_an_unknown_hash_is_said() -> None:
    assert "not computed" in visible(render_sample(make_result(source=SourceRef("x.fcs", 12))))


def test_undecodable_file_names_and_any_unicode_can_be_written() -> None:
    result = make_result(sample_id="\udcff\u202e骨髄", source=SourceRef("a\udcff.fcs", 1, sha256="0" * 64))
    page = render_sample(result)
    page.encode("utf-8")
    assert "\u202e" not in page
    run = make_run([result])
    render_index(run, [result]).encode("utf-8")


def test_findings_stand_gravest_first() -> None:
    names = ("pass", "warn", "not_applicable", "fail", "warn")
    findings = [Finding(code=str(i), check="c", status=s, sentence="s") for i, s in enumerate(names)]
    assert [finding.code for finding in graver_first(findings)] == ["3", "1", "4", "0", "2"]
    gravest = worst(findings)
    assert gravest is not None
    assert gravest.code == "3"
    assert worst([]) is None


@pytest.mark.parametrize(
    ("stated", "text", "is_control"),
    [
        ("", "stained", False),
        ("Stained", "stained", False),
        ("fmo:CD146", "FMO control, CD146 left out", True),
        ("comp:PE", "compensation control, PE", True),
        ("Unstained", "unstained control", True),
        ("blank", "blank control", True),
        ("something else", "something else", False),
    ],
)
def test_roles_in_plain_words(stated: str, text: str, is_control: bool) -> None:
    found = role({"role": stated})
    assert (found.text, found.is_control) == (text, is_control)


def test_a_line_shows_one_kind_of_rate() -> None:
    """A share of 2 % and one of 0.2 % of one denominator stand in one line, both in per cent."""
    shared: dict[str, Any] = {"parent": "all", "unit": ""}
    rows = [
        Statistic(population=p, statistic="count", value=n, state="quantifiable", **shared)
        for p, n in (("msc", 200), ("progenitors", 20))
    ]
    for population, share in (("msc", 0.02), ("progenitors", 0.002)):
        rows.append(Statistic(population=population, statistic="fraction", value=share, denominator="stroma", **shared))
        rows.append(
            Statistic(population=population, statistic="per_million", value=1e6 * share, denominator="stroma", **shared)
        )
    text = visible(render_sample(make_result(statistics=tuple(rows), denominators=("stroma",))))
    assert "MSC (CD271+) | CD146+ progenitors | msc_cd146neg" in text
    assert "% of stroma | 2.00 % | 0.200 %" in text


def test_the_digest_of_the_gates_is_that_of_the_tree() -> None:
    result = make_result()
    assert result.tree.digest() in visible(render_sample(result))
    assert len(result.tree.digest()) == hashlib.sha256().digest_size * 2


def test_a_fault_in_a_section_names_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(result: object) -> None:
        raise KeyError("gone")

    name, section = in_order()[0]
    wrong = type(section)(section.title, section.order, section.fragment, broken)
    monkeypatch.setattr("stromagate.report.build.in_order", lambda: [(name, wrong)])
    with pytest.raises(KeyError) as caught:
        render_sample(make_result())
    assert caught.value.__notes__ == ["in the report section 'specimen'"]
