"""Replicates judged together: do they agree (Q52), and is their spread that of counting (Q53)."""

from __future__ import annotations

import pytest

from stromagate.model.result import RunFinding, SampleResult
from stromagate.qc.run_check import RunEvidence, run_checks
from stromagate.quantify.pooling import pool
from tests.quantify.test_pooling import three
from tests.quantify.test_statistics import TRUNK, template_of

POPULATIONS = [
    {"name": "msc", "parent": "all", "label": "MSC (CD271+)", "gate": {"method": "fixed"}},
    {"name": "progenitors", "parent": "msc", "gate": {"method": "fixed"}},
]
TEMPLATE = template_of(TRUNK, populations=POPULATIONS, indices={"msc": "msc", "progenitors": "progenitors"})


def ask(name: str, results: list[SampleResult] | None) -> dict[str, RunFinding]:
    pooled = None if results is None else pool(results)
    found = run_checks.get(name).run(RunEvidence((), TEMPLATE, pooled=pooled))
    return {finding.population: finding for finding in found}


def test_tubes_that_agree_pass_both() -> None:
    agree, spread = (ask(name, three(18, 22, 26))["msc"] for name in ("replicates", "replicate_spread"))
    assert (agree.code, agree.status, agree.samples) == ("Q52", "pass", ("t1", "t2", "t3"))
    assert agree.measured == pytest.approx(48.3, abs=0.05)
    assert "“MSC (CD271+)” of P1, 18, 22, 26 events were counted: by counting alone 48 in 100" in agree.sentence
    assert (spread.code, spread.status) == ("Q53", "pass")
    assert spread.measured == pytest.approx(18.2 / 21.3, abs=0.01)


def test_tubes_that_differ_fire_both() -> None:
    agree, spread = (ask(name, three(18, 22, 45))["msc"] for name in ("replicates", "replicate_spread"))
    assert (agree.status, agree.limit) == ("warn", 5)
    assert "fewer than 1 in 1,000" in agree.sentence
    assert (spread.status, spread.limit) == ("warn", 2)
    assert spread.measured == pytest.approx(2.74, abs=0.01)
    assert agree.remedy.endswith(".")
    assert "clumps" in spread.remedy


@pytest.mark.parametrize(
    ("counts", "often"), [((0, 0), "100 in 100"), ((20, 20, 20), "100 in 100"), ((22, 30, 37), "15 in 100")]
)
def test_how_often_is_told_in_plain_numbers(counts: tuple[int, ...], often: str) -> None:
    assert f"by counting alone {often} such sets" in ask("replicates", three(*counts))["msc"].sentence


def test_two_tubes_of_few_cells_differ_by_chance() -> None:
    """Four cells and none is 1.4 standard deviations of counting too many, and happens in one pair of eight."""
    assert ask("replicate_spread", three(4, 0))["msc"].status == "pass"
    assert ask("replicates", three(4, 0))["msc"].status == "pass"


def test_what_is_between_the_two_limits() -> None:
    """A CV of less than twice that of counting that three tubes can tell all the same."""
    assert ask("replicates", three(190, 220, 243))["msc"].status == "warn"
    assert ask("replicate_spread", three(190, 220, 243))["msc"].status == "pass"


@pytest.mark.parametrize("name", ["replicates", "replicate_spread"])
@pytest.mark.parametrize("results", [None, [], three(5)], ids=["not looked for", "no tube", "one tube"])
def test_without_replicates_nothing_is_judged(name: str, results: list[SampleResult] | None) -> None:
    assert [finding.status for finding in ask(name, results).values()] == ["not_applicable"]


def test_tubes_without_a_cell_have_no_spread() -> None:
    assert ask("replicates", three(0, 0, part=0))["msc"].status == "pass"
    assert ask("replicate_spread", three(0, 0, part=0))[""].status == "not_applicable"


def test_too_few_left_and_not_pooled_say_why() -> None:
    first, second = three(18, 22)
    twin = second.model_copy(update={"source": first.source})
    assert "t2: it holds the same bytes as t1" in ask("replicates", [first, twin])[""].sentence
    bare = second.model_copy(update={"statistics": tuple(row for row in second.statistics if row.population != "msc")})
    lacking = ask("replicates", [first, bare])["msc"]
    assert lacking.status == "not_applicable"
    assert lacking.sentence.endswith("were not pooled: there is no such rate of t2.")
