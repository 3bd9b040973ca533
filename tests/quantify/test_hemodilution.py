"""Blood in the marrow: the worked examples, mixtures that are taken apart again, and when nothing is corrected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import UsageError
from stromagate.model.specimen import blood_shares, specimen
from stromagate.quantify.beside import with_specimen
from stromagate.quantify.hemodilution import blood_share, without_blood
from tests.quantify.test_statistics import MEMBERS, TRUNK, statistics, template_of

RED = {"rbc_bm": "3.0", "rbc_pb": "4.5", "wbc_pb": "7", "tnc_bm": "40"}
TEMPLATE = template_of(
    TRUNK, denominators=["nucleated", "cd45neg"], indices={"progenitors": "progenitors", "msc": "msc", "x": "cd45pos"}
)


@pytest.mark.parametrize(
    ("counts", "share", "factor"),
    [((3.0, 4.5, 7, 40), 0.117, 1.13), ((3.0, 3.0, 50, 120), 0.417, 1.71)],
    ids=["healthy blood", "leukocytic AML"],
)
def test_worked_examples(counts: tuple[float, ...], share: float, factor: float) -> None:
    assert round(blood_share(*counts), 3) == share
    assert round(without_blood(1, blood_share(*counts)) or 0, 2) == factor


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 0.5))
def test_a_mixture_is_taken_apart(marrow: float, blood: float, share: float) -> None:
    mixed = (1 - share) * marrow + share * blood
    assert without_blood(mixed, share, blood) == pytest.approx(marrow, rel=1e-6, abs=1e-6)


def test_more_than_half_is_not_assessable_and_half_is() -> None:
    assert without_blood(10, 0.5) == 20
    assert without_blood(10, 0.501) is None
    assert without_blood(1, 0.4, in_blood=9) == 0, "blood alone explains more than was seen"


@pytest.mark.parametrize("numbers", [(-1, 0.1, 0), (1, -0.1, 0), (1, 0.1, -2), (float("nan"), 0.1, 0)])
def test_impossible_rates_are_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="cannot be corrected"):
        without_blood(*numbers)


@pytest.mark.parametrize(
    "counts", [(3, 0, 7, 40), (3, 4.5, 7, 0), (0, 4.5, 7, 40), (3, 4.5, -1, 40), (float("nan"), 4.5, 7, 40)]
)
def test_blood_counts_that_cannot_be_are_refused(counts: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match=r"no share of blood follows from rbc_bm .*, tnc_bm \d+"):
        blood_share(*counts)


def test_other_methods_take_a_mixture_apart() -> None:
    lymph = {"lymphocytes_bm_pct": "19", "lymphocytes_pb_pct": "40", "lymphocytes_pure_pct": "10"}
    kept = {"restricted_bm_pct": "3", "restricted_pure_pct": "4"}
    found = blood_shares(specimen({**kept, **lymph, **RED}))
    assert [one.method for one in found] == ["erythrocytes", "lymphocytes", "cells that blood does not have"]
    assert [one.share for one in found] == pytest.approx([7 / 60, 0.3, 0.25])
    assert blood_shares(specimen({**lymph, "lymphocytes_pb_pct": "10"})) == [], (
        "blood that is like marrow tells nothing"
    )
    assert blood_shares(specimen({name: text for name, text in RED.items() if name != "wbc_pb"})) == []


def corrected(labels: dict[str, str], *, wanted: bool = True, **fields: object):
    template = template_of(TRUNK, **fields) if fields else TEMPLATE
    plain = statistics(MEMBERS, TRUNK, template, linear=lambda axis, which: which)
    made = with_specimen(plain, TRUNK, template, specimen(labels), confidence=0.95, hemodilution=wanted)
    assert [row for row in made if "without" not in row.statistic] == list(plain), "the number as counted stays"
    by_name = {(row.population, row.statistic, row.denominator): row for row in made}
    return by_name, [row for row in made if row.statistic == "per_million_without_blood"]


def test_rates_per_nucleated_cell_of_marrow_cells_alone_are_corrected() -> None:
    by_name, rows = corrected(RED)
    assert [(row.population, row.denominator) for row in rows] == [("msc", "nucleated"), ("progenitors", "nucleated")]
    for row in rows:
        observed = by_name[row.population, "per_million", "nucleated"]
        factor = 1 / (1 - 7 / 60)
        assert row.value == pytest.approx(observed.value * factor)
        assert row.counting_high == pytest.approx(observed.counting_high * factor)
        assert row.ci_low < observed.ci_low * factor < row.value < observed.ci_high * factor < row.ci_high
        assert (row.state, row.n) == (observed.state, observed.n)


def test_it_is_off_unless_asked_for() -> None:
    assert corrected(RED, wanted=False)[1] == []


@pytest.mark.parametrize(
    "labels", [{}, {**RED, "wbc_pb": "70"}, {"restricted_bm_pct": "3", "restricted_pure_pct": "4"}]
)
def test_without_red_cells_or_with_too_much_blood_the_column_is_empty(labels: dict[str, str]) -> None:
    rows = corrected(labels)[1]
    assert [row.value for row in rows] == [None, None]
    assert {row.state for row in rows} == {"not assessable"}
    assert {row.ci_low for row in rows} == {None}


def test_no_blood_changes_nothing() -> None:
    by_name, rows = corrected({**RED, "wbc_pb": "0"})
    assert [row.value for row in rows] == [by_name[row.population, "per_million", "nucleated"].value for row in rows]
    assert rows[0].ci_high == pytest.approx(by_name["msc", "per_million", "nucleated"].ci_high)


def test_templates_without_such_indices_or_denominators_have_no_column() -> None:
    assert corrected(RED, denominators=["nucleated"], indices={"treg": "msc"})[1] == []
    assert corrected(RED, denominators=[], indices={"msc": "msc"})[1] == []
