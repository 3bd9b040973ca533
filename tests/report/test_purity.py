"""Purity evidence: a marker is counted, settled by the gate, or plainly not known; numbers are the statistics' own."""

from __future__ import annotations

from typing import Any

import pytest

from stromagate.model.gates import Boolean, GateNode, GateTree, Geometry, Interval, Polygon, QuadrantPart, Rectangle
from stromagate.model.panel import Binding, Panel
from stromagate.model.result import Finding, SampleResult, Statistic
from stromagate.report import render_sample
from stromagate.report.sections.purity import SECTION
from tests.report.pages import visible
from tests.results import make_result

MARKERS = ("CD73", "CD90", "CD105", "CD31", "CD14")


def tube(gates: list[tuple[str, str, Geometry]], *, state: str = "quantifiable", **more: Any) -> SampleResult:
    """Return a tube in which everything is stained, with MSC of 200 events and 150 in each part of them."""
    nodes = tuple(GateNode(name, parent, "fixed", gate, "fixed", "") for name, parent, gate in gates)
    panel = Panel(tuple(Binding(marker, i, f"D{i}-A", marker, "$PnS") for i, marker in enumerate(MARKERS)))
    rows = [count("msc", "all", 200, "quantifiable")]
    for name, parent, _ in gates:
        if parent == "msc":
            rows += [count(name, parent, 150, state), share(name, 0.75, state)]
    fields = {"tree": GateTree(nodes), "panel": panel, "statistics": tuple(rows), "indices": {"msc": "msc"}}
    return make_result(**{**fields, "findings": (), "views": (), **more})


def count(name: str, parent: str, n: int, state: str) -> Statistic:
    return Statistic(population=name, parent=parent, statistic="count", value=n, unit="events", n=n, state=state)


def share(name: str, value: float, state: str) -> Statistic:
    shared: dict[str, Any] = {"parent": "msc", "statistic": "fraction", "unit": "fraction", "denominator": "msc"}
    return Statistic(population=name, value=value, ci_low=0.68, ci_high=0.81, n=150, state=state, **shared)


def rows(result: SampleResult) -> dict[str, dict[str, Any]]:
    built = SECTION.build(result)
    assert built is not None
    return {row["evidence"]: row for row in built["rows"]}


MSC = ("msc", "all", Interval("CD271", 0.5, None))


def test_a_part_of_msc_is_counted_as_the_statistics_have_it() -> None:
    found = rows(tube([MSC, ("msc_cd105", "msc", Interval("CD105", 0.4, None))]))
    assert found["CD105+"]["share"] == "75.0 % (68.0–81.0)"
    assert found["CD105+"]["how"] == "counted as “msc_cd105”"
    assert not found["CD105+"]["faint"]


def test_a_part_that_looks_through_a_boundary_of_all_cells_is_found() -> None:
    border = ("any_cd105", "all", Interval("CD105", 0.4, None))
    found = rows(tube([border, MSC, ("msc_cd105", "msc", Boolean("all", ("any_cd105",)))]))
    assert found["CD105+"]["share"] == "75.0 % (68.0–81.0)"
    without = rows(tube([border, MSC, ("rest", "msc", Boolean("none", ("any_cd105",)))]))
    assert "CD105−" in without
    assert without["CD105−"]["how"] == "“rest”: the rest"


def test_few_events_are_grey_and_marked() -> None:
    gates = [MSC, ("msc_cd105", "msc", Interval("CD105", 0.4, None))]
    row = rows(tube(gates, state="not detected"))["CD105+"]
    assert row["faint"]
    assert row["share"].endswith("<LLOQ")


@pytest.mark.parametrize(
    "gate",
    [
        Interval("CD31", None, 0.4),
        Rectangle(("CD31", "CD271"), (None, 0.5), (0.4, None)),
        QuadrantPart(("CD271", "CD31"), (0.5, 0.4), ("above", "below")),
        Boolean("none", ("cd31pos",)),
        Boolean("all", ("cd31neg", "cd271pos")),
    ],
)
def test_what_a_gate_settles_is_no_evidence(gate: Geometry) -> None:
    parts: list[tuple[str, str, Geometry]] = [
        ("cd31pos", "all", Interval("CD31", 0.4, None)),
        ("cd31neg", "all", Interval("CD31", None, 0.4)),
        ("cd271pos", "all", Interval("CD271", 0.5, None)),
    ]
    for above in ([], [("stroma", "all", gate)]):
        name = ("msc", "stroma", Interval("CD271", 0.5, None)) if above else ("msc", "all", gate)
        row = rows(tube([*parts, *above, name]))["CD31−"]
        assert (row["share"], row["how"]) == ("–", "all of them, by their gate")


def test_a_gate_on_the_other_side_says_so() -> None:
    row = rows(tube([("msc", "all", Interval("CD31", 0.4, None))]))["CD31−"]
    assert row["how"] == "gated on the positive side of CD31"


@pytest.mark.parametrize(
    "gate",
    [
        Polygon(("CD31", "CD271"), ((0, 0), (1, 0), (1, 1))),
        Rectangle(("CD31", "CD271"), (None, 0.5), (0.4, None), inside=False),
        Boolean("any", ("cd31neg",)),
        Boolean("none", ("both",)),
        Interval("CD31", None, None),
    ],
)
def test_what_a_gate_leaves_open_is_not_claimed(gate: Geometry) -> None:
    parts: list[tuple[str, str, Geometry]] = [
        ("cd31neg", "all", Interval("CD31", None, 0.4)),
        ("both", "all", Rectangle(("CD31", "CD271"), (0.4, 0.5), (None, None))),
    ]
    row = rows(tube([*parts, ("msc", "all", gate)]))["CD31−"]
    assert row["how"] == "stained, and not counted: the template has no such part of them"


def test_a_marker_without_a_part_shows_its_median() -> None:
    base = tube([MSC])
    median = Statistic(
        population="msc", parent="all", statistic="median", marker="CD73", value=812.4, unit="scale value"
    )
    found = rows(base.model_copy(update={"statistics": (*base.statistics, median)}))
    assert found["CD73+"]["how"].endswith("; median 812")


def test_what_is_not_stained_is_not_evidence() -> None:
    assert rows(tube([MSC], panel=Panel(())))["CD90+"]["how"] == "not stained"


@pytest.mark.parametrize(
    ("measured", "population", "text"),
    [(4.2, "msc", "96 %"), (4.2, "", "96 %"), (None, "msc", "–"), (4.2, "other", "–")],
)
def test_scatter_is_what_its_check_saw(measured: float | None, population: str, text: str) -> None:
    finding = Finding(
        code="Q19", check="scatter_consistency", status="pass", sentence="S.", measured=measured, population=population
    )
    row = rows(tube([MSC], findings=(finding,)))["scatters like stroma"]
    assert row["share"] == text
    assert rows(tube([MSC]))["scatters like stroma"]["how"] == "not checked"


def test_controls_and_tubes_without_stroma_have_none() -> None:
    assert SECTION.build(tube([MSC], labels={"role": "fmo:CD271"})) is None
    assert SECTION.build(tube([MSC], indices={})) is None
    assert SECTION.build(tube([MSC], statistics=())) is None


def test_a_share_names_what_it_is_a_share_of() -> None:
    text = visible(render_sample(tube([MSC, ("msc_cd105", "msc", Interval("CD105", 0.4, None))])))
    assert "Evidence | % of MSC (CD271+) [95 % interval] | How it is known" in text
