"""The section on volumes and blood: there where there are such numbers, and with the reason where there are none."""

from __future__ import annotations

from stromagate.model.result import Finding, Statistic
from stromagate.report import render_sample
from stromagate.report.sections.absolute import SECTION
from tests.report.pages import visible
from tests.results import make_result

KINDS = {"cells_per_ul", "per_million_without_blood"}


def without(*kinds: str) -> tuple[Statistic, ...]:
    return tuple(row for row in make_result().statistics if row.statistic not in kinds)


def section(**changes: object) -> str:
    text = visible(render_sample(make_result(**changes)))
    return text.split("By volume, and without blood\n")[-1].split("Gate ladder\n")[0]


def test_both_columns_stand_beside_the_number_as_counted() -> None:
    text = section()
    assert "MSC (CD271+) | 1.55 (1.18–2.03) | 73.6 (53.6–101) | 83.3 (60.5–114.5) | quantifiable" in text.replace(
        "114)", "114.5)"
    )
    assert "No such correction is validated for stroma" in text


def test_a_tube_without_such_numbers_has_no_section() -> None:
    assert SECTION.build(make_result(statistics=without(*KINDS))) is None


def test_one_kind_alone_brings_its_own_columns_and_notes() -> None:
    beads = section(statistics=without("per_million_without_blood"))
    blood = section(statistics=without("cells_per_ul"))
    assert "cells per µL" in beads
    assert "without blood" not in beads.partition("Population")[2]
    assert "cells per µL" not in blood


def test_a_number_that_is_not_given_says_why() -> None:
    rows = without(*KINDS)
    refused = Statistic(
        population="msc", parent="stroma", statistic="cells_per_ul", value=None, unit="cells per µL",
        denominator="beads", state="not evaluable", n=62,
    )  # fmt: skip
    said = Finding(code="Q51", check="beads", status="fail", sentence="The tube was washed.", remedy="Do not wash.")
    text = section(statistics=(*rows, refused), findings=(said,))
    assert "MSC (CD271+) | – | not evaluable" in text
    assert "No number: The tube was washed." in text
