"""Cells per microlitre: the formula, its interval against simulation, and when there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.gates import Boolean, GateNode, GateTree
from stromagate.model.result import Statistic
from stromagate.model.specimen import Specimen, beads_refused, column_faults, specimen
from stromagate.quantify.absolute import absolute_rows, cells_per_amount, relative_limits
from stromagate.quantify.beside import with_specimen
from tests.quantify.test_statistics import node, rows, run, statistics, template_of

SHEET = {"beads_added": "50000", "stained_ul": "100", "washed": "no"}
TREE = GateTree(
    (
        node("beads", "all"),
        GateNode("cells", "all", "boolean", Boolean("none", ("beads",)), "fitted", ""),
        node("msc", "cells"),
        node("bright", "beads"),
    )
)
TEMPLATE = template_of(TREE, beads="beads", denominators=["cells", "all"], indices={"msc": "msc"})


def count(name: str, n: int | None, *, boundary: tuple[float, float] | None = None, state: str = "") -> Statistic:
    low, high = boundary or (None, None)
    return Statistic(
        population=name, parent="all", statistic="count", value=n, unit="events", n=n, state=state,
        boundary_low=low, boundary_high=high,
    )  # fmt: skip


def counted(n_msc: int | None = 200, n_beads: int | None = 10_000, **more: Statistic) -> list[Statistic]:
    made = {
        "all": count("all", 1_000_000),
        "beads": count("beads", n_beads),
        "cells": count("cells", 900_000),
        "msc": count("msc", n_msc, state="quantifiable"),
        "bright": count("bright", 5),
    }
    return list({**made, **more}.values())


def one(numbers: list[Statistic], labels: dict[str, str] | None = None) -> Statistic:
    made = absolute_rows(numbers, TREE, TEMPLATE, specimen(SHEET if labels is None else labels), 0.95)
    return next(row for row in made if row.population == "msc")


def test_the_formula() -> None:
    assert cells_per_amount(200, 10_000, 50_000, 100) == pytest.approx(10)
    assert cells_per_amount(200, 10_000, 50_000, 100, dilution=2) == pytest.approx(20)


def test_a_row_has_its_denominator_and_the_interval_of_the_formula() -> None:
    row = one(counted())
    assert (row.statistic, row.unit, row.denominator, row.state) == (
        "cells_per_ul",
        "cells per µL",
        "beads",
        "quantifiable",
    )
    reach = 1.959964 * math.sqrt(1 / 200 + 1 / 10_000 + 0.03**2 + 0.03**2)
    assert row.value == pytest.approx(10)
    assert (row.ci_low, row.ci_high) == pytest.approx((10 * math.exp(-reach), 10 * math.exp(reach)), rel=1e-6)
    assert (row.counting_low, row.counting_high) == (row.ci_low, row.ci_high)
    assert row.boundary_low is None


def test_of_a_core_the_number_is_per_milligram() -> None:
    core = {name: value for name, value in SHEET.items() if name != "stained_ul"} | {"stained_mg": "20"}
    row = one(counted(), core)
    assert (row.statistic, row.unit, row.value) == ("cells_per_mg", "cells per mg", pytest.approx(50))
    both = beads_refused(specimen({**SHEET, "stained_mg": "20"}), 5000)
    assert both is not None
    assert "one of them" in both[0]


def test_cvs_and_dilution_of_the_sheet_go_over_the_defaults() -> None:
    exact = one(counted(), {**SHEET, "bead_cv_pct": "0", "pipetting_cv_pct": "0", "dilution": "4"})
    wide = one(counted(), {**SHEET, "bead_cv_pct": "20"})
    assert exact.value == pytest.approx(40)
    assert math.log(exact.ci_high / exact.value) == pytest.approx(1.959964 * math.sqrt(1 / 200 + 1 / 10_000), rel=1e-6)
    assert wide.ci_high > one(counted()).ci_high


def test_only_indices_and_denominators_apart_from_the_beads_have_one() -> None:
    made = absolute_rows(counted(), TREE, TEMPLATE, specimen(SHEET), 0.95)
    assert [row.population for row in made] == ["cells", "msc"]
    held = template_of(TREE, beads="beads", indices={"msc": "bright"}, denominators=["all", "beads"])
    assert absolute_rows(counted(), TREE, held, specimen(SHEET), 0.95) == []


def test_a_template_without_beads_has_no_such_rows() -> None:
    assert absolute_rows(counted(), TREE, template_of(TREE), specimen(SHEET), 0.95) == []


@pytest.mark.parametrize(
    ("labels", "n_beads", "reason"),
    [
        ({}, 5000, "says nothing of `beads_added` and `stained_ul`"),
        ({"beads_added": "5", "washed": "no"}, 5000, "says nothing of `stained_ul`"),
        ({**SHEET, "washed": "yes"}, 5000, "was washed"),
        ({"beads_added": "5", "stained_ul": "1"}, 5000, "does not say whether the tube was washed"),
        (SHEET, 999, "999 beads were counted"),
        (SHEET, 0, "0 beads were counted"),
        (SHEET, None, "could not be gated"),
    ],
)
def test_what_gives_no_absolute_count(labels: dict[str, str], n_beads: int | None, reason: str) -> None:
    refused = beads_refused(specimen(labels), n_beads)
    assert refused is not None
    assert reason in refused[0]
    assert refused[1].endswith(".")
    row = one(counted(n_beads=n_beads), labels)
    assert (row.value, row.ci_low, row.ci_high, row.state) == (None, None, None, "not evaluable")


def test_a_thousand_beads_are_enough() -> None:
    assert beads_refused(specimen(SHEET), 1000) is None


def test_a_population_that_could_not_be_evaluated_has_none() -> None:
    assert one(counted(n_msc=None)).value is None


def test_no_cell_has_a_zero_and_an_upper_limit() -> None:
    row = one(counted(n_msc=0))
    assert (row.value, row.ci_low) == (0, 0)
    assert row.ci_high == pytest.approx(3.69 * 0.05 * math.exp(1.96 * math.sqrt(1e-4 + 2 * 0.03**2)), rel=1e-3)
    open_ = one(counted(msc=count("msc", 0, boundary=(0.0, 6.0))))
    assert open_.ci_high == pytest.approx(row.ci_high + 6 * 0.05, rel=1e-9)


def test_boundaries_of_cells_and_beads_widen_the_interval() -> None:
    plain = one(counted())
    cells = one(counted(msc=count("msc", 200, boundary=(150, 260))))
    beads = one(counted(beads=count("beads", 10_000, boundary=(8000, 10_100))))
    assert (cells.boundary_low, cells.boundary_high) == pytest.approx((7.5, 13))
    # Fewer beads are more cells.
    assert (beads.boundary_low, beads.boundary_high) == pytest.approx((10 / 1.01, 12.5))
    for wide in (cells, beads):
        assert wide.counting_low == plain.counting_low
        assert wide.ci_low < plain.ci_low
        assert wide.ci_high > plain.ci_high


@given(st.integers(0, 10**6), st.integers(1000, 10**6), st.floats(0.5, 0.999))
def test_limits_hold_the_number_and_narrow_with_more_beads(cells: int, beads: int, confidence: float) -> None:
    low, high = relative_limits(cells, beads, confidence=confidence)
    assert 0 <= low <= 1 <= high or cells == 0
    assert relative_limits(cells, 10 * beads, confidence=confidence)[1] <= high


def test_the_interval_covers_what_it_says() -> None:
    """Cells and beads of tubes with pipetting and bead errors, 4,000 times."""
    rng = np.random.default_rng(5)
    n, true = 4000, 12.0
    beads_in, volume = 50_000 * np.exp(rng.normal(0, 0.03, n)), 100 * np.exp(rng.normal(0, 0.03, n))
    part = 0.2  # of the tube was recorded
    cells, beads = rng.poisson(true * volume * part), rng.poisson(beads_in * part)
    inside = 0
    for k, b in zip(cells, beads, strict=True):
        value, (low, high) = cells_per_amount(int(k), int(b), 50_000, 100), relative_limits(int(k), int(b))
        inside += value * low <= true <= value * high
    assert inside / n == pytest.approx(0.95, abs=0.015)


def test_rows_stand_behind_their_population() -> None:
    members = {"all": rows(0, 9000), "beads": rows(0, 4000), "cells": rows(4000, 9000), "msc": rows(4000, 4100)}
    members["bright"] = rows(0, 10)
    plain = statistics(members, TREE, TEMPLATE, linear=lambda axis, which: which)
    made = with_specimen(plain, TREE, TEMPLATE, specimen(SHEET), confidence=0.95)
    assert [row for row in made if row.statistic != "cells_per_ul"] == list(plain)
    order = list(dict.fromkeys(row.population for row in made))
    assert order == list(dict.fromkeys(row.population for row in plain))
    assert [row.population for row in made] == sorted((row.population for row in made), key=order.index)
    assert run(TREE, members)["msc", "count", ""].value == 100


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("beads_added", "0"),
        ("beads_added", "-5"),
        ("beads_added", "many"),
        ("beads_added", "nan"),
        ("beads_added", "inf"),
        ("beads_added", "1_000"),
        ("beads_added", "1,000,000"),
        ("stained_ul", "0"),
        ("dilution", "0.5"),
        ("rbc_bm", "4500000"),
        ("wbc_pb", "-1"),
        ("lymphocytes_bm_pct", "101"),
        ("washed", "perhaps"),
    ],
)
def test_cells_of_the_sheet_that_cannot_be_read(column: str, text: str) -> None:
    ((name, message, hint),) = column_faults({column: text})
    assert name == column
    assert text in message
    assert hint.startswith("allowed: ")
    with pytest.raises(SpecificationError, match="cannot stand in"):
        specimen({column: text})


def test_a_decimal_comma_and_blanks_are_read() -> None:
    known = specimen({"stained_ul": " 2,5 ", "washed": "No", "dose": "x", "beads_added": ""})
    assert known == Specimen({"stained_ul": 2.5}, washed=False)


@pytest.mark.parametrize(
    "numbers",
    [(20, 0, 5e4, 100, 1), (-1, 9, 5e4, 100, 1), (20, 9, 0, 100, 1), (20, 9, 5e4, 0, 1), (20, 9, 5e4, 100, 0)],
)
def test_beads_and_volumes_that_give_no_count_are_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="give no absolute count") as caught:
        cells_per_amount(*numbers)
    assert caught.value.code == "quantify.beads"


@pytest.mark.parametrize(("cells", "beads", "level"), [(20, 0, 0.95), (-1, 9, 0.95), (20, 9000, 95), (0, 9000, 95)])
def test_limits_of_what_cannot_be_are_refused(cells: int, beads: int, level: float) -> None:
    with pytest.raises(UsageError, match="confidence" if level == 95 else "give no absolute count"):
        relative_limits(cells, beads, confidence=level)
