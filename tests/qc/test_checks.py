"""Each check on a quiet tube, on a tube with the very fault it looks for, and where it cannot judge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.gates import Boolean, Ellipse, Interval, Rectangle
from stromagate.model.panel import Compensation
from stromagate.model.result import Finding
from stromagate.model.sample import ABSENT, Repair, Spillover
from stromagate.qc import Evidence
from stromagate.qc.check import checks
from tests.qc.evidence import GATES, N_MSC, N, gate, good_columns, make_evidence, rare_rows

UNTIMED = (replace(GATES[1], parent="all"), *GATES[2:])


def ask(name: str, evidence: Evidence) -> list[Finding]:
    return checks.get(name).run(evidence)


def one(name: str, evidence: Evidence) -> Finding:
    (finding,) = ask(name, evidence)
    return finding


def seen(name: str, evidence: Evidence) -> tuple[str, str]:
    finding = one(name, evidence)
    return finding.status, finding.sentence


def without_indices(**more: Any) -> Evidence:
    return make_evidence(template={"indices": {}, **more})


# --- Q31, Q32, Q33: what the reader handed on ------------------------------------------------------------------------

REPAIR = Repair("end.plus1", "100", "99", "the last byte was given one too far")


def test_repairs_are_listed() -> None:
    finding = one("reader", make_evidence(sample={"repairs": (REPAIR, REPAIR), "verdict": "repaired"}))
    assert (finding.status, finding.measured) == ("warn", 2)
    assert "end.plus1 (the last byte was given one too far) x 2" in finding.sentence
    assert "2 places" in finding.sentence


def test_a_salvaged_file_fails_even_without_a_list() -> None:
    status, sentence = seen("reader", make_evidence(sample={"verdict": "salvaged"}))
    assert status == "fail"
    assert "300,000 events that were whole" in sentence


def test_values_that_are_no_numbers_in_a_channel_in_use() -> None:
    finding = one("non_finite", make_evidence(sample={"non_finite": {"PE-A": 3, "other": 9, "APC-A": 0}}))
    assert (finding.status, finding.measured, finding.limit) == ("warn", 3, 0)
    assert "PE-A (3 events)" in finding.sentence
    assert "other" not in finding.sentence


def test_a_channel_of_the_matrix_counts_as_used() -> None:
    matrix = Compensation("m", ("PE-A", "Alexa-A"), ((1.0, 0.0), (0.1, 1.0)))
    evidence = make_evidence(compensation=matrix, sample={"non_finite": {"Alexa-A": 1}})
    assert one("non_finite", evidence).status == "warn"


@pytest.mark.parametrize(("share", "status"), [(0.009, "pass"), (0.02, "warn")])
def test_events_on_the_lower_margin(share: float, status: str) -> None:
    columns = good_columns()
    columns["CD146"][: int(share * N)] = -500.0
    finding = one("lower_margin", make_evidence(columns=columns))
    assert finding.status == status
    assert finding.measured == pytest.approx(100 * share)
    assert "APC-A" in finding.sentence


def test_a_dead_channel_lies_wholly_on_its_margin() -> None:
    columns = good_columns()
    columns["SSC-A"][:] = 0
    assert "SSC-A 100 %" in one("lower_margin", make_evidence(columns=columns)).sentence


def test_nan_hides_no_margin() -> None:
    columns = good_columns()
    columns["CD146"][: N // 10] = 0.0
    columns["CD146"][N // 10 :] = np.abs(columns["CD146"][N // 10 :]) + 1
    columns["CD146"][-1] = np.nan
    assert one("lower_margin", make_evidence(columns=columns)).status == "warn"


def test_channels_without_numbers_have_no_margin() -> None:
    columns = {axis: np.full(2000, np.nan) for axis in good_columns(1, 0)}
    assert one("lower_margin", make_evidence(columns=columns)).status == "not_applicable"


def test_few_events_have_no_margin() -> None:
    small = make_evidence(columns=good_columns(999, 10), members={})
    assert one("lower_margin", small).status == "not_applicable"


# --- Q01, Q02: compensation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spillover", "says"),
    [
        (ABSENT, "carries no spillover matrix"),
        (Spillover("unit", "$SPILLOVER"), "unit matrix"),
        (Spillover("malformed", "$SPILLOVER", reason="3 of 9 values"), "cannot be read (3 of 9 values)"),
        (Spillover("ok", "$SPILLOVER"), "was not used"),
    ],
    ids=lambda value: value.status if isinstance(value, Spillover) else "",
)
def test_uncompensated_markers(spillover: Spillover, says: str) -> None:
    status, sentence = seen("compensation", make_evidence(compensation=None, sample={"spillover": spillover}))
    assert status == "warn"
    assert says in sentence


def test_a_matrix_that_takes_nothing_out() -> None:
    matrix = Compensation("m.csv", ("PE-A", "APC-A"), ((1.0, 0.0), (0.0, 1.0)))
    status, sentence = seen("compensation", make_evidence(compensation=matrix))
    assert status == "warn"
    assert "takes nothing out" in sentence


def test_a_matrix_that_leaves_markers_out() -> None:
    matrix = Compensation("m.csv", ("PE-A", "APC-A"), ((1.0, 0.1), (0.0, 1.0)))
    status, sentence = seen("compensation", make_evidence(compensation=matrix))
    assert status == "warn"
    assert "CD45 (FITC-A)" in sentence
    assert "CD271" not in sentence


def _exported(evidence: Evidence, *axes: str) -> Evidence:
    bindings = tuple(
        replace(item, pnn=f"Comp-{item.pnn}") if item.axis in axes else item for item in evidence.panel.bindings
    )
    return replace(evidence, panel=replace(evidence.panel, bindings=bindings))


def test_channels_exported_compensated_need_no_matrix() -> None:
    evidence = make_evidence(compensation=None)
    assert one("compensation", _exported(evidence, "Viability", "CD45", "CD31", "CD271", "CD146")).status == "pass"
    mixed = one("compensation", _exported(evidence, "CD45"))
    assert mixed.status == "warn"
    assert mixed.sentence.startswith("Comp-FITC-A were exported compensated, ")


def test_scatter_alone_needs_no_compensation() -> None:
    columns = {axis: values for axis, values in good_columns().items() if axis in {"Time", "FSC-A", "FSC-H", "SSC-A"}}
    evidence = make_evidence(columns=columns, gates=GATES[:2], template={"denominators": [], "indices": {}})
    assert one("compensation", evidence).status == "not_applicable"
    assert one("double_compensation", evidence).status == "not_applicable"


DYES = ("Viability", "CD45", "CD31", "CD271", "CD146")
SPILL = np.array(
    [
        [1.0, 0.08, 0.02, 0.01, 0.00],
        [0.02, 1.0, 0.10, 0.15, 0.01],
        [0.05, 0.01, 1.0, 0.12, 0.03],
        [0.00, 0.02, 0.25, 1.0, 0.04],
        [0.00, 0.00, 0.04, 0.01, 1.0],
    ]
)


def stained(seed: int, n: int = 20_000) -> np.ndarray:
    """Return uncompensated light of cells with any of five dyes: photons, spillover, electronic noise."""
    rng = np.random.default_rng(seed)
    dye = rng.lognormal(5.0, 0.3, (n, 5))
    for channel in range(5):
        dye[rng.random(n) < 0.25, channel] += 10 ** rng.normal(4.0, 0.3)
    light = dye @ SPILL
    return 5 * rng.poisson(light / 5) + rng.normal(0, 25, light.shape)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("times", "status"), [(0, "pass"), (1, "pass"), (2, "warn")])
def test_compensating_never_once_and_twice(seed: int, times: int, status: str) -> None:
    values = stained(seed)
    for _ in range(times):
        values = values @ np.linalg.inv(SPILL)
    columns = {**good_columns(len(values), 20), **dict(zip(DYES, values.T, strict=True))}
    finding = one("double_compensation", make_evidence(columns=columns))
    assert finding.status == status, finding.sentence
    if times == 2:
        assert finding.measured is not None
        assert finding.measured > 2
        assert "where" in finding.sentence


def test_diagonals_need_events_and_channels() -> None:
    small = make_evidence(columns=good_columns(1500, 20))
    assert one("double_compensation", small).status == "not_applicable"
    assert one("double_compensation", make_evidence(compensated=False)).status == "not_applicable"


# --- Q04, Q05, Q21: time ---------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("removed", "status"), [(0, "pass"), (10, "pass"), (11, "warn"), (20, "warn"), (21, "fail")])
def test_share_removed_by_the_time_gate(removed: int, status: str) -> None:
    kept = np.arange(N - N * removed // 100, dtype=np.intp)
    finding = one("steady_acquisition", make_evidence(members={"time_ok": kept}))
    assert (finding.status, finding.measured, finding.population) == (status, removed, "time_ok")


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


def test_a_slow_decline_is_seen_by_its_order() -> None:
    rows = (N * np.linspace(0.001, 0.999, 60) ** 1.8).astype(np.intp)
    finding = one("time_clustering", _msc_at(rows))
    assert finding.status == "warn"
    assert finding.measured is not None
    assert finding.measured < 2  # the blocks alone would have passed it


def test_clustering_is_rarely_seen_where_there_is_none() -> None:
    rng = np.random.default_rng(11)
    base = make_evidence()
    alarms = 0
    for _ in range(400):
        rows = np.unique(rng.integers(0, N, 80)).astype(np.intp)
        changed = replace(base, members={**base.members, "msc": rows}, counts={**base.counts, "msc": int(rows.size)})
        alarms += one("time_clustering", changed).status != "pass"
    assert alarms <= 14  # 1.5 % expected


# --- Q07, Q08, Q28, Q36: numbers of events ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "n_msc", "status"), [(100_000, 0, "fail"), (200_000, 0, "warn"), (999_999, 0, "warn"), (1_000_000, 0, "pass")]
)
def test_events_needed_for_rare_cells(n: int, n_msc: int, status: str) -> None:
    base = make_evidence()
    counts = {**base.counts, "viable": n, "msc": n_msc, "progenitors": 0}
    finding = one("few_events", replace(base, counts=counts))
    assert (finding.status, finding.measured) == (status, n)
    assert f"50 need {50e6 / n:,.0f}." in finding.sentence


def test_few_events_do_not_matter_where_the_targets_were_counted_well() -> None:
    base = make_evidence()
    finding = one("few_events", replace(base, counts={**base.counts, "viable": 5_000}))
    assert finding.status == "pass"
    almost = replace(base, counts={**base.counts, "viable": 5_000, "progenitors": 49})
    assert one("few_events", almost).status == "fail"


def test_the_denominator_may_be_empty_gone_or_undeclared() -> None:
    base = make_evidence()
    assert one("few_events", replace(base, counts={**base.counts, "viable": 0})).status == "fail"
    assert one("few_events", replace(base, counts={**base.counts, "viable": None})).status == "not_applicable"
    assert "all has 300,000 events" in one("few_events", without_indices(denominators=[])).sentence


@pytest.mark.parametrize(("alive", "status"), [(70, "pass"), (69, "warn"), (60, "warn"), (59, "fail")])
def test_viability(alive: int, status: str) -> None:
    finding = one("viability", make_evidence(members={"viable": np.arange(N * alive // 100, dtype=np.intp)}))
    assert (finding.status, finding.measured, finding.population) == (status, alive, "viable")
    assert (finding.remedy == "") == (status == "pass")
    assert finding.limit == (60 if status == "fail" else 70)


def test_viability_without_a_dye_or_without_events() -> None:
    none = make_evidence(gates=tuple(node for node in GATES if node.name != "viable"), template={"denominators": []})
    assert one("viability", none).status == "not_applicable"
    empty = np.empty(0, dtype=np.intp)
    assert one("viability", make_evidence(members={"singlets": empty, "viable": empty})).status == "not_applicable"


@pytest.mark.parametrize(("count", "status"), [(300, "pass"), (301, "warn")])
def test_more_msc_than_an_aspirate_holds(count: int, status: str) -> None:
    base = make_evidence()
    finding = one("off_the_map", replace(base, counts={**base.counts, "msc": count}))
    assert finding.status == status
    assert finding.measured == pytest.approx(1e6 * count / N)


@pytest.mark.parametrize(
    ("count", "status", "says"),
    [(0, "warn", "told from none"), (19, "warn", "told from none"), (20, "warn", "make a quantity"),
     (49, "warn", "make a quantity"), (50, "pass", "enough")],
)  # fmt: skip
def test_rare_counts(count: int, status: str, says: str) -> None:
    base = make_evidence()
    msc, progenitors = ask("rare_counts", replace(base, counts={**base.counts, "msc": count}))
    assert (msc.status, msc.population, msc.measured) == (status, "msc", count)
    assert says in msc.sentence
    assert progenitors.status == "pass"


# --- Q09, Q10, Q11, Q17: the target and the gates --------------------------------------------------------------------


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
    from tests.qc.evidence import ASINH

    return float(inverse(ASINH, 0.55)[0])


def test_no_cd45_boundary() -> None:
    for changed in (
        replace(GATES[3], geometry=Rectangle(("CD45", "CD31"), (0.1, 0.1), (0.5, 0.5), inside=False)),
        replace(GATES[3], geometry=Interval("CD45", None, -0.1)),
        replace(GATES[3], geometry=Interval("CD45", 0.4, None)),
    ):
        assert one("cd45_bleed", make_evidence(gates=(*GATES[:3], changed, *GATES[4:]))).status == "not_applicable"


@pytest.mark.parametrize("name", ["scatter_ceiling", "fluorescence_ceiling", "cd45_bleed", "time_clustering"])
def test_nothing_is_judged_by_a_handful_of_events(name: str) -> None:
    few = make_evidence(members={"msc": rare_rows()[:19], "progenitors": rare_rows()[:0]})
    gone = make_evidence(
        gates=(*GATES[:4], gate("msc", "stroma", "tail", None), gate("progenitors", "msc", "tail", None))
    )
    for evidence in (few, gone, without_indices()):
        assert {finding.status for finding in ask(name, evidence)} == {"not_applicable"}


# --- Q34, Q35: boundaries --------------------------------------------------------------------------------------------


def test_every_fallback_is_a_finding() -> None:
    fallen = [replace(node, state="fallback", sentence="no second peak") for node in GATES[2:4]]
    found = ask("fallback", make_evidence(gates=(*GATES[:2], *fallen, *GATES[4:])))
    assert [(finding.status, finding.population) for finding in found] == [("warn", "viable"), ("warn", "stroma")]
    assert found[0].sentence == "viable: no second peak"


def test_populations_without_a_number() -> None:
    gates = (*GATES[:5], gate("progenitors", "msc", "tail", None), gate("odd", "msc", "valley", None, sentence="empty"))
    progenitors, odd = ask("not_evaluable", make_evidence(gates=gates))
    assert (progenitors.status, progenitors.population) == ("fail", "progenitors")
    assert (odd.status, odd.sentence) == ("warn", "odd could not be evaluated: empty")


def test_a_boolean_gate_has_no_edges() -> None:
    rest = gate("rest", "msc", "boolean", Boolean("none", ("progenitors",)))
    evidence = make_evidence(gates=(*GATES, rest), members={"rest": rare_rows()[1::2]})
    assert one("viability", evidence).status == "pass"
