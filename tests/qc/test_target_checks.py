"""The rare cells and the gates they pass: lost, off scale, crowding (Q09 to Q11, Q17)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.gates import Boolean, Ellipse, GateNode, Interval, Rectangle
from stromagate.model.result import Sensitivity
from stromagate.qc.targets import deciding
from tests.qc.evidence import (
    ASINH,
    GATES,
    N_MSC,
    N,
    ask,
    gate,
    good_columns,
    make_evidence,
    one,
    rare_rows,
    without_indices,
)


@pytest.mark.parametrize(("lost", "status"), [(0, "pass"), (20, "pass"), (25, "warn"), (50, "warn"), (60, "fail")])
def test_target_lost_as_doublets(lost: int, status: str) -> None:
    rare = rare_rows()
    gone = rare[: N_MSC * lost // 100]
    finding = one("singlet_loss", make_evidence(members={"singlets": np.setdiff1d(np.arange(N), gone)}))
    assert finding.measured == pytest.approx(lost)
    assert (finding.status, finding.population) == (status, "msc")
    assert f"Of {N_MSC} events that look like msc" in finding.sentence


def test_losses_of_two_singlet_gates_multiply() -> None:
    second = gate("singlets_b", "singlets", "singlet", Interval("SSC-A", 0.0, None))
    gates = (*GATES[:2], second, replace(GATES[2], parent="singlets_b"), *GATES[3:])
    rare, everything = rare_rows(), np.arange(N)
    first = np.setdiff1d(everything, rare[::2])
    members = {"singlets": first, "singlets_b": np.setdiff1d(first, rare[1::4])}
    finding = one("singlet_loss", make_evidence(gates=gates, members=members))
    assert finding.measured == pytest.approx(75)


def test_singlet_loss_cannot_be_judged() -> None:
    bent = replace(GATES[4], geometry=Ellipse(("CD271", "CD31"), (0.8, 0.2), ((0.1, 0.0), (0.0, 0.1)), 4.0))
    assert "no straight edge" in one("singlet_loss", make_evidence(gates=(*GATES[:4], bent, GATES[5]))).sentence
    no_singlets = (GATES[0], replace(GATES[2], parent="time_ok"), *GATES[3:])
    for evidence in (
        make_evidence(gates=no_singlets),
        without_indices(),
        make_evidence(columns=good_columns(N, 10), members={}),
        make_evidence(gates=(GATES[0], gate("singlets", "time_ok", "singlet", None), *GATES[2:])),
    ):
        assert one("singlet_loss", evidence).status == "not_applicable"


@pytest.mark.parametrize(("share", "status"), [(0.05, "pass"), (0.3, "warn"), (0.5, "fail")])
def test_target_at_the_top_of_scatter(share: float, status: str) -> None:
    columns = good_columns()
    columns["FSC-A"][rare_rows()[: int(share * N_MSC)]] = 262143.0
    msc = ask("scatter_ceiling", make_evidence(columns=columns))[0]
    assert (msc.status, msc.population) == (status, "msc")
    assert msc.measured == pytest.approx(100 * share)
    assert "FSC-A" in msc.sentence


@pytest.mark.parametrize(("n", "status"), [(2, "pass"), (3, "warn"), (12, "warn"), (13, "fail")])
def test_target_at_the_top_of_its_detector(n: int, status: str) -> None:
    columns = good_columns()
    columns["CD271"][rare_rows()[:n]] = 262143.0
    msc = ask("fluorescence_ceiling", make_evidence(columns=columns))[0]
    assert (msc.status, msc.measured) == (status, pytest.approx(100 * n / N_MSC))
    assert "CD271's detector" in msc.sentence


@pytest.mark.parametrize(
    ("channel", "top", "sample"),
    [
        ({"gain": 4.0}, 262143.0 / 4, {}),
        ({"gain": 4.0}, 262143.0, {"gain": "ignore"}),
        ({"range_top": 1024.0, "log_decades": 4.0, "log_offset": 1.0}, 10 ** (4 * 1023 / 1024), {}),
    ],
    ids=["gain", "gain ignored", "logarithmic"],
)
def test_the_top_follows_gain_and_logarithm(channel: dict[str, Any], top: float, sample: dict[str, Any]) -> None:
    columns = good_columns()
    columns["CD271"] = np.minimum(np.abs(columns["CD271"]) / 10 + 1, top / 2)
    columns["CD271"][rare_rows()[:60]] = top
    changed = make_evidence(columns=columns, channels={"CD271": channel}, sample=sample)
    assert ask("fluorescence_ceiling", changed)[0].measured == pytest.approx(50)


def test_a_range_that_values_do_not_keep_is_no_ceiling() -> None:
    only_cd271 = (*GATES[:1], gate("msc", "time_ok", "tail", Interval("CD271", 0.7, None)))
    fields = {"indices": {"msc": "msc"}, "denominators": []}
    for channel in ({"range_top": 1024.0}, {"range_top": 1.0}, {"range_top": float("inf")}):
        evidence = make_evidence(gates=only_cd271, channels={"CD271": channel}, template=fields)
        assert one("fluorescence_ceiling", evidence).status == "not_applicable"


def test_a_range_as_large_as_numbers_go_is_passed_by_none() -> None:
    findings = ask("fluorescence_ceiling", make_evidence(channels={"CD271": {"range_top": 3.4e38}}))
    assert {finding.status for finding in findings} == {"pass"}


@pytest.mark.parametrize(("share", "status"), [(0.25, "pass"), (0.4, "warn")])
def test_target_crowding_against_cd45(share: float, status: str) -> None:
    edge = float(one_edge())
    columns = good_columns()
    columns["CD45"][rare_rows()[: int(share * N_MSC)]] = edge * 0.8  # within 0.2 decade
    columns["CD45"][rare_rows()[int(share * N_MSC) :]] = edge * 0.6  # outside
    finding = one("cd45_bleed", make_evidence(columns=columns))
    assert (finding.status, finding.measured) == (status, pytest.approx(100 * share))


def one_edge() -> float:
    from stromagate.prepare.scales import inverse

    return float(inverse(ASINH, 0.55)[0])


def test_no_cd45_boundary() -> None:
    for changed in (
        replace(GATES[3], geometry=Rectangle(("CD45", "CD31"), (0.1, 0.1), (0.5, 0.5), inside=False)),
        replace(GATES[3], geometry=Interval("CD45", None, -0.1)),
        replace(GATES[3], geometry=Interval("CD45", 0.4, None)),
    ):
        assert one("cd45_bleed", make_evidence(gates=(*GATES[:3], changed, *GATES[4:]))).status == "not_applicable"


@pytest.mark.parametrize(
    "name", ["scatter_ceiling", "fluorescence_ceiling", "cd45_bleed", "time_clustering", "gate_sensitivity"]
)
def test_nothing_is_judged_by_a_handful_of_events(name: str) -> None:
    few = make_evidence(members={"msc": rare_rows()[:19], "progenitors": rare_rows()[:0]})
    gone = make_evidence(
        gates=(*GATES[:4], gate("msc", "stroma", "tail", None), gate("progenitors", "msc", "tail", None))
    )
    for evidence in (few, gone, without_indices()):
        assert {finding.status for finding in ask(name, evidence)} == {"not_applicable"}


def _by_booleans() -> tuple[GateNode, ...]:
    """Return the same tree with every stromal gate put on the singlets' trunk and combined afterwards."""
    return (
        *GATES[:3],
        gate("cd45pos", "viable", "tail", Interval("CD45", 0.55, None)),
        gate("cd31low", "viable", "tail", Interval("CD31", None, 0.8)),
        gate("cd271pos", "viable", "tail", Interval("CD271", 0.7, None)),
        gate("stroma", "viable", "boolean", Boolean("none", ("cd45pos",))),
        gate("msc", "stroma", "boolean", Boolean("all", ("cd31low", "cd271pos"))),
        gate("progenitors", "msc", "tail", Interval("CD146", 0.6, None)),
    )


def test_gates_are_found_through_combinations() -> None:
    rare, everything = rare_rows(), np.arange(N)
    parts = {"cd45pos": np.setdiff1d(everything, rare), "cd31low": everything, "cd271pos": rare}
    evidence = make_evidence(gates=_by_booleans(), members=parts)
    decided = [(node.name, keep) for node, keep in deciding(evidence, "msc")]
    assert decided == [
        ("time_ok", True), ("singlets", True), ("viable", True), ("cd45pos", False), ("cd31low", True),
        ("cd271pos", True),
    ]  # fmt: skip
    lost = {**parts, "singlets": np.setdiff1d(everything, rare[: N_MSC // 2])}
    finding = one("singlet_loss", make_evidence(gates=_by_booleans(), members=lost))
    assert (finding.status, finding.measured) == ("warn", pytest.approx(50))
    columns = good_columns()
    columns["CD45"][rare] = 0.8 * one_edge()
    columns["CD271"][rare[:12]] = 262143.0
    crowded = make_evidence(columns=columns, gates=_by_booleans(), members=parts)
    assert one("cd45_bleed", crowded).measured == 100
    assert ask("fluorescence_ceiling", crowded)[0].measured == 10


def _moves(population: str, *changes: tuple[str, str, float | None, float | None]) -> tuple[Sensitivity, ...]:
    """Return sensitivities by gate, axis and the counts over the count that a lower and a higher edge give."""
    logs = [(gate, axis, *(math.log(over) if over else None for over in both)) for gate, axis, *both in changes]
    return tuple(
        Sensitivity(population=population, gate=gate, axis=axis, lower=low, higher=high)
        for gate, axis, low, high in logs
    )


@pytest.mark.parametrize(
    ("lower", "higher", "status", "measured", "says"),
    [
        (1.25, 1.0, "pass", 25.0, "lower, msc would have 25.0 % more"),
        (1.26, 1.0, "warn", 26.0, "lower, msc would have 26.0 % more"),
        (1.0, 0.75, "pass", 25.0, "higher, msc would have 25.0 % fewer"),
        (1.2, 0.7, "warn", 30.0, "higher, msc would have 30.0 % fewer"),
        (3.0, 0.5, "warn", 200.0, "lower, msc would have 200.0 % more"),
        (1.1, None, "warn", 100.0, "higher, msc would have 100 % fewer"),
    ],
)
def test_counts_that_hang_on_their_boundary(
    lower: float | None, higher: float | None, status: str, measured: float, says: str
) -> None:
    moves = _moves("msc", ("msc", "CD271", lower, higher))
    finding = ask("gate_sensitivity", make_evidence(sensitivities=moves))[0]
    assert (finding.status, finding.measured, finding.population) == (status, measured, "msc")
    assert finding.sentence == f"With its CD271 boundary 0.1 decade {says} events than 120."


def test_the_boundary_that_matters_most_is_named_wherever_it_stands() -> None:
    moves = (
        *_moves("msc", ("stroma", "CD45", 0.6, 1.1), ("msc", "CD271", 1.3, 0.9)),
        *_moves("progenitors", ("progenitors", "CD146", 1.0, 0.99)),
    )
    msc, progenitors = ask("gate_sensitivity", make_evidence(sensitivities=moves))
    assert msc.sentence == (
        "With the CD45 boundary of stroma 0.1 decade lower, msc would have 40.0 % fewer events than 120."
    )
    assert "gated the same way" in msc.remedy
    assert (progenitors.status, progenitors.measured) == ("pass", 1.0)


def test_a_count_that_no_boundary_changes() -> None:
    finding = ask("gate_sensitivity", make_evidence(sensitivities=_moves("msc", ("msc", "CD271", 1.0, 1.0))))[0]
    assert (finding.status, finding.measured) == ("pass", 0)
    assert finding.sentence == "No boundary that decides about msc changes its 120 events when it moves by 0.1 decade."


def test_without_an_edge_to_move_nothing_is_judged() -> None:
    findings = ask("gate_sensitivity", make_evidence(sensitivities=()))
    assert {finding.status for finding in findings} == {"not_applicable"}
    assert findings[0].sentence == "No marker's straight edge above zero decides about msc."


@pytest.mark.parametrize(("n_msc", "status"), [(19, "not_applicable"), (20, "pass")])
def test_a_loss_is_judged_from_twenty_events_on(n_msc: int, status: str) -> None:
    rare = rare_rows(N, n_msc)
    members = {"stroma": rare, "msc": rare, "progenitors": rare[:0]}
    assert one("singlet_loss", make_evidence(columns=good_columns(N, n_msc), members=members)).status == status
