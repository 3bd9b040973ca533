"""What the sample sheet says in numbers: counting beads (Q51) and blood in the marrow (Q24)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stromagate.model.gates import Interval
from stromagate.qc import Evidence
from tests.qc.evidence import GATES, N, ask, gate, make_evidence, one, rare_rows, seen

SHEET = {"beads_added": "50000", "stained_ul": "100", "washed": "no"}
RED = {"rbc_bm": "3.0", "rbc_pb": "4.5", "wbc_pb": "7", "tnc_bm": "40"}


def with_beads(rows: np.ndarray, labels: dict[str, str], *, named: bool = True, **more: object) -> Evidence:
    """Return a tube whose template takes no rate of what beads are part of."""
    gates = (*GATES, gate("beads", "all", "fixed", Interval("CD146", 0.9, None)))
    fields = {"denominators": more.pop("denominators", []), **({"beads": "beads"} if named else {})}
    made = make_evidence(gates=gates, members={"beads": rows.astype(np.intp)}, template=fields)
    return replace(made, labels=labels, **more)


def steady(n: int = 6000) -> np.ndarray:
    """Return the rows of beads that come evenly, none of them a cell that counts."""
    return np.setdiff1d(np.linspace(0, N - 1, n).astype(np.intp), rare_rows())


def test_steady_beads_pass() -> None:
    status, sentence = seen("beads", with_beads(steady(), SHEET))
    assert status == "pass"
    assert sentence.startswith("Of the thirds of the file, beads are 4.0 %, 4.0 %, 4.0 %")


@pytest.mark.parametrize(("left_out", "status"), [(5, "warn"), (20, "pass")])
def test_beads_that_settle_are_seen(left_out: int, status: str) -> None:
    rows = steady()
    late = rows[rows > 2 * N // 3]
    rows = np.setdiff1d(rows, late[::left_out])
    finding = one("beads", with_beads(rows, SHEET))
    assert (finding.status, finding.limit) == (status, 10)
    assert finding.measured == pytest.approx(100 / left_out, abs=1.5)


def test_few_beads_differ_by_chance() -> None:
    rows = steady(1200)
    late = rows[rows > 2 * N // 3]
    rows = np.setdiff1d(rows, late[::8])
    finding = one("beads", with_beads(rows, SHEET))
    assert finding.status == "pass"
    assert finding.measured > 10
    assert "by chance" in finding.sentence


@pytest.mark.parametrize(
    ("labels", "n", "status", "said"),
    [
        ({**SHEET, "washed": "yes"}, 6000, "fail", "was washed"),
        ({"beads_added": "5", "stained_ul": "1"}, 6000, "warn", "does not say whether"),
        ({"beads_added": "5", "washed": "no"}, 6000, "warn", "says nothing of `stained_ul`"),
        (SHEET, 900, "fail", "beads were counted, and fewer than 1,000 give"),
    ],
)
def test_refusals_say_why(labels: dict[str, str], n: int, status: str, said: str) -> None:
    finding = one("beads", with_beads(steady(n), labels))
    assert finding.status == status
    assert said in finding.sentence
    assert finding.sentence.endswith("There are no absolute counts.")


def test_cells_among_the_beads_are_told() -> None:
    rows = np.union1d(steady(), rare_rows()[:30])
    found = ask("beads", with_beads(rows, SHEET))
    assert [(finding.status, finding.population) for finding in found[1:]] == [("fail", "msc"), ("fail", "progenitors")]
    assert "30 events of msc lie in the gate of the beads" in found[1].sentence


def test_beads_in_a_denominator_are_told() -> None:
    rows = steady()
    steady_one, viable, whole = ask("beads", with_beads(rows, SHEET, denominators=["viable", "all", "beads"]))
    assert steady_one.status == "pass"
    assert [(finding.status, finding.population) for finding in (viable, whole)] == [
        ("warn", "viable"),
        ("warn", "all"),
    ]
    assert f"{len(rows):,} events of viable lie in the gate of the beads" in viable.sentence


@pytest.mark.parametrize("role", ["fmo:CD146", "unstained"])
@pytest.mark.parametrize("name", ["beads", "hemodilution"])
def test_controls_are_not_asked(name: str, role: str) -> None:
    assert one(name, with_beads(steady(), {**SHEET, **RED}, role=role)).status == "not_applicable"


def test_beads_of_which_only_one_side_speaks() -> None:
    assert seen("beads", make_evidence()) == ("not_applicable", "No beads were counted in this tube.")
    assert one("beads", with_beads(steady(), {})).status == "not_applicable"
    finding = one("beads", with_beads(steady(), SHEET, named=False))
    assert finding.status == "warn"
    assert "no population of beads" in finding.sentence


@pytest.mark.parametrize(
    ("white", "status", "measured"), [("7", "pass", 11.67), ("21", "warn", 35), ("36", "fail", 60), ("90", "fail", 100)]
)
def test_blood_is_judged(white: str, status: str, measured: float) -> None:
    finding = one("hemodilution", replace(make_evidence(), labels={**RED, "wbc_pb": white}))
    assert (finding.status, finding.measured) == (status, pytest.approx(measured, abs=0.01))
    words = {"7": "were 1.13 times as frequent", "36": "not assessable", "90": "contradict each other"}
    assert words.get(white, "") in finding.sentence


def test_other_methods_stand_beside_and_alone() -> None:
    lymph = {"lymphocytes_bm_pct": "19", "lymphocytes_pb_pct": "40", "lymphocytes_pure_pct": "10"}
    both = one("hemodilution", replace(make_evidence(), labels={**RED, **lymph}))
    assert both.sentence.startswith(
        "By erythrocytes, 11.7 % of the nucleated cells came from blood (30.0 % by lymphocytes)"
    )
    alone = one("hemodilution", replace(make_evidence(), labels=lymph))
    assert (alone.status, alone.measured) == ("pass", pytest.approx(30))
    pure = one("hemodilution", replace(make_evidence(), labels={**lymph, "lymphocytes_bm_pct": "11"}))
    assert pure.status == "not_applicable", "outside 40 to 90 % of marrow lymphocytes tell nothing"


@pytest.mark.parametrize(("marrow", "status", "said"), [("6", "warn", "contradict"), ("4.1", "pass", "0 %")])
def test_more_marrow_than_in_pure_marrow_is_no_blood_at_all(marrow: str, status: str, said: str) -> None:
    labels = {"restricted_bm_pct": marrow, "restricted_pure_pct": "4"}
    finding = one("hemodilution", replace(make_evidence(), labels=labels))
    assert (finding.status, said in finding.sentence) == (status, True)
    if status == "warn":
        assert "50 % less than none of the nucleated cells" in finding.sentence
        assert "restricted_bm_pct, restricted_pure_pct" in finding.sentence
        assert finding.measured == -50
    beside = one("hemodilution", replace(make_evidence(), labels={**RED, **labels}))
    assert ("less than none by cells that blood does not have" in beside.sentence) is (status == "warn")


def test_counts_that_are_not_complete() -> None:
    finding = one("hemodilution", replace(make_evidence(), labels={"rbc_bm": "3"}))
    assert finding.status == "not_applicable"
    assert "rbc_bm, rbc_pb, wbc_pb, tnc_bm" in finding.sentence
    assert one("hemodilution", make_evidence()).status == "not_applicable"
