"""What changes from the start of a run to its end: light that drifts, cells of the tube before (Q06, Q22)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from stromagate.qc import Evidence
from tests.qc.evidence import GATES, N, good_columns, make_evidence, one, without_indices

UNTIMED = (replace(GATES[1], parent="all"), *GATES[2:])
NONE = np.empty(0, dtype=np.intp)


def drifting(axis: str, decades: float, n: int = N, **more: Any) -> Evidence:
    """Return the quiet tube with a detector whose light grows by so many decades from the first to the last event."""
    columns = good_columns(n)
    columns[axis] = columns[axis] * 10 ** np.linspace(0, decades, n)
    return make_evidence(columns=columns, **more)


# The first tenth and the last are nine tenths of the drift apart.
@pytest.mark.parametrize(
    ("decades", "status"), [(0.0, "pass"), (0.15, "pass"), (0.2, "warn"), (0.3, "warn"), (0.4, "fail")]
)
@pytest.mark.parametrize("axis", ["CD45", "CD146", "CD271"])
@pytest.mark.parametrize("sign", [1, -1])
def test_light_that_drifts(axis: str, decades: float, status: str, sign: int) -> None:
    finding = one("drift", drifting(axis, sign * decades))
    assert finding.status == status
    assert finding.measured == pytest.approx(0.9 * decades, abs=0.015)
    if decades:
        assert f"{axis} (" in finding.sentence
        assert ("brighter" if sign > 0 else "dimmer") in finding.sentence


@given(st.floats(-0.6, 0.6), st.floats(0.01, 100))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_drift_is_measured_whatever_the_gain(decades: float, gain: float) -> None:
    columns = good_columns(20_000)
    columns["CD45"] *= gain * 10 ** np.linspace(0, decades, 20_000)
    assert one("drift", make_evidence(columns=columns)).measured == pytest.approx(0.9 * abs(decades), abs=0.05)


def test_a_marker_that_decides_nothing_may_drift() -> None:
    assert one("drift", drifting("CD31", 0.5, gates=(*GATES[:3], replace(GATES[4], parent="viable")))).status == "pass"


def test_more_cells_of_one_kind_at_the_end_are_no_drift() -> None:
    columns = good_columns()
    columns["CD45"][-N // 10 :][::50] = 200_000
    assert one("drift", make_evidence(columns=columns)).status == "pass"


def test_drift_cannot_be_judged() -> None:
    timeless = {axis: values for axis, values in good_columns().items() if axis != "Time"}
    backwards, broken, still, dark = (good_columns() for _ in range(4))
    backwards["Time"] = backwards["Time"][::-1]
    broken["Time"][7] = np.nan
    still["Time"][:] = 3.0
    for axis in ("CD45", "CD31", "CD271", "CD146", "Viability"):
        dark[axis][:] = -1.0
    for evidence in (
        make_evidence(columns=timeless, gates=UNTIMED),
        make_evidence(columns=backwards),
        make_evidence(columns=broken),
        make_evidence(columns=still),
        make_evidence(columns=dark),
        make_evidence(columns=good_columns(4_999)),
        make_evidence(members={"time_ok": np.arange(4_999, dtype=np.intp)}),
    ):
        finding = one("drift", evidence)
        assert (finding.status, finding.measured) == ("not_applicable", None)


def starting(early: int, late: int, **more: Any) -> Evidence:
    """Return the quiet tube with MSC in the first twentieth of it, and the others evenly over the rest."""
    rows = np.concatenate([np.arange(early) * 3, np.linspace(N // 20 + 5, N - 5, late).astype(np.intp)])
    return make_evidence(members={"stroma": rows, "msc": rows, "progenitors": rows[::2]}, **more)


@pytest.mark.parametrize(
    ("early", "late", "status"),
    [(0, 100, "pass"), (5, 95, "pass"), (11, 89, "pass"), (15, 85, "warn"), (3, 17, "pass"), (5, 15, "warn")],
)
def test_a_crowd_at_the_start(early: int, late: int, status: str) -> None:
    finding = one("carryover", starting(early, late))
    assert (finding.status, finding.population) == (status, "msc")
    assert finding.measured == pytest.approx(19 * early / late, rel=1e-3)
    p = binomtest(early, early + late, 0.05, alternative="greater").pvalue
    assert f"{early} of {early + late} events msc lie in the first 5.0 % of viable" in finding.sentence
    assert f"p = {p:.2g})" in finding.sentence


def test_many_a_little_too_early_are_surely_more_and_yet_no_carry_over() -> None:
    finding = one("carryover", starting(90, 910))
    assert binomtest(90, 1_000, 0.05, alternative="greater").pvalue < 0.01
    assert finding.status == "pass"


def test_all_at_the_start_leave_no_rate_to_compare_with() -> None:
    finding = one("carryover", starting(6, 0))
    assert (finding.status, finding.measured) == ("warn", None)


def test_a_crowd_is_rarely_seen_where_there_is_none() -> None:
    rng = np.random.default_rng(5)
    base = make_evidence()
    alarms = 0
    for _ in range(400):
        rows = np.unique(rng.integers(0, N, 60)).astype(np.intp)
        changed = replace(base, members={**base.members, "msc": rows}, counts={**base.counts, "msc": int(rows.size)})
        alarms += one("carryover", changed).status != "pass"
    assert alarms <= 9  # 1 % at most expected


def test_a_start_cannot_be_judged() -> None:
    timeless = {axis: values for axis, values in good_columns().items() if axis != "Time"}
    for evidence in (
        without_indices(),
        starting(2, 2),
        make_evidence(columns=timeless, gates=UNTIMED),
        make_evidence(members={"viable": NONE}),
        make_evidence(members={"viable": np.arange(19, dtype=np.intp)}),
    ):
        finding = one("carryover", evidence)
        assert (finding.status, finding.measured) == ("not_applicable", None)
