"""The order of acquisition, what the time gate removed, and bursts (Q04, Q05, Q21)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from stromagate.qc import Evidence
from stromagate.qc.checks.time_clustering import _kolmogorov_smirnov
from tests.qc.evidence import (
    GATES,
    N,
    gate,
    good_columns,
    make_evidence,
    one,
    seen,
)

UNTIMED = (replace(GATES[1], parent="all"), *GATES[2:])


def test_a_file_without_time() -> None:
    columns = {axis: values for axis, values in good_columns().items() if axis != "Time"}
    status, sentence = seen("acquisition_order", make_evidence(columns=columns, gates=UNTIMED))
    assert status == "warn"
    assert "no Time channel" in sentence


def _with_time(times: np.ndarray, **sample: Any) -> Evidence:
    return make_evidence(columns={**good_columns(len(times), 20), "Time": times}, sample=sample)


def test_time_that_runs_backwards_stands_still_or_is_no_number() -> None:
    times = np.arange(5000.0)
    assert one("acquisition_order", _with_time(times)).status == "pass"
    joined = np.concatenate([times, times])
    finding = one("acquisition_order", _with_time(joined))
    assert (finding.status, finding.measured) == ("warn", 1)
    assert "backwards at 1 event " in finding.sentence
    assert "same value" in one("acquisition_order", _with_time(np.full(5000, 3.0))).sentence
    broken = times.copy()
    broken[3] = np.nan
    assert "no numbers" in one("acquisition_order", _with_time(broken)).sentence


def test_a_clock_without_a_unit() -> None:
    status, sentence = seen("acquisition_order", make_evidence(sample={"timestep_s": None}))
    assert status == "warn"
    assert "$TIMESTEP" in sentence


def test_one_event_has_no_course() -> None:
    evidence = make_evidence(columns=good_columns(1, 0), members={"all": np.zeros(1, dtype=np.intp)})
    assert one("acquisition_order", evidence).status == "not_applicable"


@pytest.mark.parametrize(("removed", "status"), [(0, "pass"), (10, "pass"), (11, "warn"), (30, "warn"), (31, "fail")])
def test_share_removed_by_the_time_gate(removed: int, status: str) -> None:
    kept = np.arange(N - N * removed // 100, dtype=np.intp)
    finding = one("steady_acquisition", make_evidence(members={"time_ok": kept}))
    assert (finding.status, finding.measured, finding.population) == (status, removed, "time_ok")
    assert finding.sentence.startswith(f"{N * removed // 100:,} events (")


def test_a_time_gate_that_could_not_judge() -> None:
    for changed in (
        replace(GATES[0], state="fallback"),
        gate("time_ok", "all", "time", None),
    ):
        evidence = make_evidence(gates=(changed, *GATES[1:]))
        assert one("steady_acquisition", evidence).status == "not_applicable"
    assert one("steady_acquisition", make_evidence(gates=UNTIMED)).status == "not_applicable"


def _msc_at(rows: np.ndarray) -> Evidence:
    return make_evidence(members={"msc": np.unique(rows).astype(np.intp)})


def test_even_msc_pass_and_bursts_are_seen() -> None:
    rng = np.random.default_rng(3)
    assert one("time_clustering", _msc_at(rng.integers(0, N, 150))).status == "pass"
    burst = np.concatenate([rng.integers(0, N, 60), rng.integers(100_000, 101_000, 60)])
    finding = one("time_clustering", _msc_at(burst))
    assert finding.status == "warn"
    assert finding.measured is not None
    assert finding.measured > 2
    factor = f"{finding.measured**0.5:.1f}"
    assert (
        f"no interval of this report is widened by it. Take those of msc and of what it holds to be {factor} times"
        in (finding.remedy)
    )


def test_a_slow_decline_is_seen_by_its_order() -> None:
    rows = (N * np.linspace(0.001, 0.999, 60) ** 1.8).astype(np.intp)
    finding = one("time_clustering", _msc_at(rows))
    assert (finding.status, finding.measured) == ("warn", None)
    variance_over_mean = float(re.search(r"is ([\d.]+) times", finding.sentence)[1])
    assert variance_over_mean < 2  # the blocks alone would have passed it
    known = variance_over_mean > 1
    assert ("times as wide" in finding.remedy) is known
    assert ("by no known factor" in finding.remedy) is not known


def test_clustering_is_rarely_seen_where_there_is_none() -> None:
    rng = np.random.default_rng(11)
    base = make_evidence()
    alarms = 0
    for _ in range(400):
        rows = np.unique(rng.integers(0, N, 80)).astype(np.intp)
        changed = replace(base, members={**base.members, "msc": rows}, counts={**base.counts, "msc": int(rows.size)})
        alarms += one("time_clustering", changed).status != "pass"
    assert alarms <= 14  # 1.5 % expected


@pytest.mark.parametrize("n", [20, 60, 300])
def test_the_p_value_is_that_of_the_exact_test(n: int) -> None:
    rng = np.random.default_rng(n)
    for power in (1.0, 1.15, 1.4):
        places = rng.random(n) ** power
        exact = kstest(places, "uniform").pvalue
        # Stephens' correction is made for small p, where the verdict falls.
        assert _kolmogorov_smirnov(places) == pytest.approx(exact, abs=0.001 if exact < 0.05 else 0.02)
