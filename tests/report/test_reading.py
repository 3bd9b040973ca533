"""What a reader trips over: one number in two guises, the gravest thing last, names of programs, and foreign lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stromagate.model.gates import Axis, Boolean, GateNode, GateTree, Interval
from stromagate.model.result import Finding, SampleResult, Statistic
from stromagate.model.scales import Scale
from stromagate.report import render_index, render_sample
from stromagate.report.borders import borders, own_parts
from stromagate.report.folded import folded, folded_title
from stromagate.report.lookup import told_first
from stromagate.report.overview import build
from tests.pattern.made_calls import called
from tests.report.pages import golden_run, make_run, side, view, visible
from tests.results import make_result


def section(result: SampleResult, name: str) -> str:
    return render_sample(result).split(f'<section id="{name}"')[1].split("</section>")[0]


def finding(code: str, stage: str, population: str = "", status: str = "warn", **more: Any) -> Finding:
    said = {"check": code.lower(), "sentence": f"What {code} saw.", "stage": stage, **more}
    return Finding.model_validate({"code": code, "status": status, "population": population, **said})


def test_what_speaks_against_the_indices_comes_first_within_a_status() -> None:
    found = (
        finding("Q27", "file"),
        finding("Q36", "result", "msc"),
        finding("Q20", "gating", "msc_cd105"),  # no index hangs on it
        finding("Q21", "acquisition", "msc"),
        finding("Q23", "gating", "msc"),
        finding("Q41", "gating", "nucleated"),  # all of them stand on it, and it says not to use the count
        finding("Q07", "acquisition", "nucleated", "fail"),
        finding("Q01", "compensation", "", "pass"),
    )
    result = make_result(findings=found)
    order = ["Q07", "Q41", "Q23", "Q21", "Q36", "Q27", "Q20", "Q01"]
    assert [each.code for each in told_first(result)] == order
    text = visible(section(result, "findings"))
    places = [text.index(f"What {code} saw") for code in order]
    assert places == sorted(places)


def test_the_page_of_a_run_names_the_finding_that_matters_most_for_the_indices() -> None:
    result = make_result(findings=(finding("Q27", "file"), finding("Q36", "result"), finding("Q41", "gating", "msc")))
    (row,) = build(make_run([result]), [result])["groups"][0][1]
    assert (row["finding"], row["sentence"]) == ("q41", "What Q41 saw.")


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(1.0, "columns", "1 column"), (2.0, "columns", "2 columns"), (1.0, "%", "1 %")]
)
def test_one_is_no_plural(value: float, unit: str, text: str) -> None:
    result = make_result(findings=(finding("Q27", "file", measured=value, unit=unit),))
    assert f"| {text}" in visible(section(result, "findings"))


def test_controls_have_counts_and_no_rates() -> None:
    run, results = golden_run()
    (_, stained), (_, controls) = build(run, results)["groups"]
    (cells,) = [row["cells"] for row in controls]
    assert [bool(cell["text"]) for cell in cells] == [True, False, True, False, False]
    assert all(cell["faint"] for cell in cells)
    assert all(cell["text"] for row in stained for cell in row["cells"])
    assert "its events lie on boundaries of its own" in visible(render_index(run, results))


@pytest.mark.parametrize(
    ("measured", "wider"), [(4.0, "leaves open is about 2.0 times as wide; none"), (None, "leaves open is wider; none")]
)
def test_numbers_say_that_intervals_of_bursts_are_too_narrow(measured: float | None, wider: str) -> None:
    burst = finding("Q21", "acquisition", "msc", measured=measured)
    text = visible(section(make_result(findings=(burst,)), "numbers"))
    assert "▲ The events of “MSC (CD271+)” came in bursts (check Q21): its intervals, and those of all it holds" in text
    assert wider in text
    calm = burst.model_copy(update={"status": "pass"})
    assert "bursts" not in section(make_result(findings=(calm,)), "numbers")


def test_a_pattern_says_whether_its_rates_are_net_and_why_its_intervals_are_others() -> None:
    raw, net = (called().model_copy(update={"background": kind}) for kind in ("", "fmo:CD146"))
    plain, taken = (visible(section(make_result(pattern=call), "pattern")) for call in (raw, net))
    assert "95 % interval; as counted; the intervals are of draws of counts and boundaries" in plain
    assert "95 % interval; net of background; the intervals are of draws of counts, background and boundaries" in taken
    small = tuple(each.model_copy(update={"too_small": True}) for each in make_result().background)
    assert "No control shows the background of this tube" in plain
    result = make_result(pattern=raw, background=small)
    assert "The controls of this tube are too small to tell its background" in visible(section(result, "pattern"))


@pytest.mark.parametrize(("state", "grey"), [("not detected", True), ("quantifiable", False)])
def test_indices_that_are_no_quantity_are_grey_in_the_pattern_as_in_the_numbers(state: str, grey: bool) -> None:
    rows = tuple(row.model_copy(update={"state": state}) for row in make_result().statistics)
    assert ('class="num faint"' in section(make_result(pattern=called(), statistics=rows), "pattern")) is grey


def with_blasts(*rows: Statistic, **labels: str) -> SampleResult:
    plain = make_result()
    tree = replace(plain.tree, nodes=(*plain.tree.nodes, cut("blasts", "nucleated", "CD45")))
    named = {**plain.labels_of_populations, "blasts": "CD45-dim cells", "nucleated": "Viable cells"}
    fields = {"tree": tree, "labels_of_populations": named, "labels": {**plain.labels, **labels}}
    return make_result(statistics=(*plain.statistics, *rows), **fields)


def cut(name: str, parent: str, axis: str) -> GateNode:
    return GateNode(name, parent, "tail", Interval(axis, 0.5, None), "fitted", f"{axis} cut")


def test_a_blast_share_that_was_measured_is_recorded() -> None:
    row = Statistic(
        population="blasts", parent="nucleated", statistic="per_million", value=911_000.0, unit="per million",
        denominator="nucleated", ci_low=898_000.0, ci_high=924_000.0,
    )  # fmt: skip
    said = "measured: 91.1 % (89.8–92.4) of viable cells in this tube, by the gate “CD45-dim cells”"
    assert f"Blast share | {said} |" in visible(section(with_blasts(row), "confounders"))
    assert f"Blast share | 80; {said} |" in visible(section(with_blasts(row, blast_pct="80"), "confounders"))
    assert "Blast share | not recorded |" in visible(section(with_blasts(), "confounders"))
    assert "Blast share | not recorded |" in visible(section(make_result(), "confounders"))


# --- boundaries that stand in the tree for others

LINEAGE = (
    cut("singlets", "all", "FSC-A"),
    cut("any_cd45", "singlets", "CD45"),
    cut("any_cd31", "singlets", "CD31"),
    cut("lone", "singlets", "CD34"),
    cut("viable", "singlets", "Viability"),
    cut("cd271", "viable", "CD271"),
    GateNode("stroma", "viable", "boolean", Boolean("none", ("any_cd45", "any_cd31")), "fixed", ""),
    GateNode("msc", "stroma", "boolean", Boolean("all", ("cd271",)), "fixed", ""),
    cut("low", "stroma", "SSC-A"),
    cut("bright", "low", "CD45"),
    GateNode("blasts", "low", "boolean", Boolean("none", ("bright",)), "fixed", ""),
    GateNode("non_blast", "viable", "boolean", Boolean("none", ("blasts",)), "fixed", ""),
)
AXES = ("FSC-A", "SSC-A", "CD45", "CD31", "CD34", "CD271", "Viability")
TREE = GateTree(LINEAGE, {name: Axis(name, Scale(), False) for name in AXES})
NODES = {node.name: node for node in LINEAGE}


def lineage(**changes: Any) -> SampleResult:
    named = {"any_cd45": "Boundary of CD45", "any_cd31": "Boundary of CD31", "singlets": "Single cells"}
    fields = {"tree": TREE, "labels_of_populations": named, "indices": {"msc": "msc"}, "denominators": ("viable",)}
    return make_result(**{**fields, "views": (), "statistics": (), "findings": (), "edits": (), **changes})


def test_boundaries_for_others_are_folded_and_what_is_read_or_stands_in_the_lineage_is_not() -> None:
    assert folded(lineage()) == {"any_cd45", "any_cd31"}
    assert folded(lineage(denominators=("viable", "any_cd45"))) == {"any_cd31"}
    assert folded(lineage(indices={"msc": "msc", "x": "any_cd31"})) == {"any_cd45"}
    assert folded_title(lineage()) == "Boundaries found on all single cells, from which others are combined (2)"
    assert folded(make_result()) == frozenset()


def test_the_ladder_begins_with_the_lineage() -> None:
    html = section(lineage(), "ladder")
    first, second = html.split("<details>")
    assert "Boundary of CD45" not in visible(first).split("stroma")[0]
    assert "of Single cells: Boundary of CD31" in visible(second)
    assert "<details open" not in html
    rows = visible(first).count("\nof ") + visible(second).count("\nof ")
    assert rows == len(LINEAGE), "each of them once"
    assert "<details>" not in section(make_result(), "ladder")


def test_plots_of_folded_boundaries_stand_behind_the_others() -> None:
    views = tuple(
        view(name, NODES[name].geometry, x=side("CD45"), y=side("SSC-A"))
        for name in ("any_cd45", "viable", "non_blast")
    )
    first, second = section(lineage(views=views), "gates").split("from which others are combined")
    assert first.count('<figure class="gate') == 2
    assert second.count('<figure class="gate') == 1
    assert "not in “blasts”; no line of its own lies on these axes" in visible(first), (
        "what a combination is made of stands in its caption"
    )


def test_a_line_is_drawn_only_where_it_is_the_gate() -> None:
    assert [part.name for part in own_parts(NODES["stroma"], NODES)] == ["any_cd45", "any_cd31"]
    assert [part.name for part in own_parts(NODES["msc"], NODES)] == ["cd271"]
    assert [part.name for part in own_parts(NODES["blasts"], NODES)] == ["bright"]
    own = view("blasts", NODES["blasts"].geometry, x=side("CD45"), y=side("SSC-A"))
    html = section(lineage(views=(own,)), "gates")
    assert "not in “bright”" in visible(html)
    assert "no line of its own" not in html
    assert own_parts(NODES["non_blast"], NODES) == [], "the side scatter of its blasts decides as well"
    plot = view("non_blast", NODES["non_blast"].geometry, x=side("CD45"), y=side("SSC-A"))
    assert borders(plot, NODES["non_blast"], NODES).shapes == []
    text = visible(section(lineage(views=(plot,)), "gates"))
    assert "Boundaries drawn\nnone of its own lies on these axes" in text
    assert "Not drawn, since other gates decide as well\nbright" in text


def test_sentences_about_controls_use_the_names_of_the_page() -> None:
    sentence = (
        "CD146 cut at 0.5: 20 of 5,109 events expected beyond 1,168 units without the antibody, by 5,277 stroma events "
        "in 4 fmo:CD146 tubes; set where 1.5 % of msc reach by their own glow, taken to be 2 times that of stroma"
    )
    node = replace(NODES["cd271"], sentence=sentence)
    tree = GateTree(tuple(node if each.name == "cd271" else each for each in LINEAGE), TREE.axes)
    text = visible(section(lineage(tree=tree, labels_of_populations={"msc": "MSC", "stroma": "CD31- cells"}), "ladder"))
    assert (
        "by 5,277 “CD31- cells” events in 4 FMO-CD146 tubes; set where 1.5 % of “MSC” reach by their own glow" in text
    )
    assert "2 times that of “CD31- cells”" in text
