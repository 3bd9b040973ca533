"""Compensation missing, partial, or applied twice (Q01, Q02)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.fcs import read_fcs
from stromagate.model.gates import Axis, GateTree
from stromagate.model.panel import Binding, Compensation, Panel
from stromagate.model.result import Finding
from stromagate.model.sample import ABSENT, Sample, Spillover
from stromagate.model.scales import Scale
from stromagate.qc import Evidence
from tests.qc.evidence import (
    GATES,
    ask,
    good_columns,
    make_evidence,
    one,
    seen,
)
from tests.reference_data import DATA, needs_reference_data


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
    assert mixed.sentence.startswith("Comp-FITC-A were exported compensated, BV510-A, BV605-A, PE-A, APC-A were not")


def fmo(slope: float, *, bright: float = 20_000, bright_frac: float = 0.3, role: str = "fmo:CD146") -> Evidence:
    """Return an FMO tube in which so much of CD45's light lies in CD146's channel, of so many bright cells."""
    columns, rng = good_columns(20_000, 0), np.random.default_rng(5)
    with_cd45 = rng.random(20_000) < bright_frac
    columns["CD45"] = np.where(with_cd45, rng.normal(bright, bright / 10, 20_000), rng.normal(100, 40, 20_000))
    columns["CD146"] = rng.normal(100, 40, 20_000) + slope * columns["CD45"]
    nothing = dict.fromkeys(("stroma", "msc", "progenitors"), np.empty(0, dtype=np.intp))
    return replace(make_evidence(columns=columns, members=nothing), role=role)


@given(st.floats(-0.3, 0.3), st.floats(0.02, 0.5))
@settings(deadline=None, max_examples=25)
def test_what_a_matrix_left_in_a_channel_without_antibody_is_measured(slope: float, bright_frac: float) -> None:
    _, left = ask("compensation", fmo(slope, bright_frac=bright_frac))
    assert left.measured == pytest.approx(100 * abs(slope), abs=0.3)
    assert (left.status == "fail") == (left.measured > 5)
    if left.measured > 0.5:
        assert ("taken out too much" in left.sentence) == (slope < 0)


def test_the_pair_and_what_to_do_are_named() -> None:
    matrix, left = ask("compensation", fmo(0.08))
    assert (matrix.status, left.status, left.limit) == ("pass", "fail", 5)
    assert "of CD45 (FITC-A) 8.0 % are left, the most of them." in left.sentence
    assert left.sentence.startswith("CD146 (APC-A), whose antibody is left out, tells how level 1 bright colour was")
    assert left.remedy.startswith("The value of CD45 into CD146 in the matrix is too small")
    assert "too large" in ask("compensation", fmo(-0.08))[1].remedy
    assert len(ask("compensation", fmo(0.08, role="FMO:cd146"))) == 2


@pytest.mark.parametrize(
    "evidence",
    [
        fmo(0.2, role="stained"),
        fmo(0.2, role="unstained"),
        fmo(0.2, role="fmo:CD99"),
        fmo(0.2, bright=3_000),
        fmo(0.2, bright=300_000),
        fmo(0.2, bright_frac=1.0),
    ],
    ids=["stained", "unstained", "a marker of another panel", "dim", "cut off at the top", "all as bright"],
)
def test_where_no_channel_tells_spillover_nothing_is_said(evidence: Evidence) -> None:
    sample = replace(evidence.sample, events=np.minimum(evidence.sample.events, 262_143))
    assert len(ask("compensation", replace(evidence, sample=sample))) == 1


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


@needs_reference_data
def test_real_tubes_compensated_once_and_twice() -> None:
    for path in sorted((DATA / "cytoexplorer").glob("*.fcs"))[::3]:
        sample = read_fcs(path)
        assert sample.spillover.matrix is not None
        columns = [sample.pnn.index(pnn) for pnn in sample.spillover.channels]
        inverse = np.linalg.inv(sample.spillover.matrix)
        once = sample.events[::5][:, columns] @ inverse
        assert _by_channel(sample, once).status == "pass", path.name
        assert _by_channel(sample, once @ inverse).status == "warn", path.name


def _by_channel(sample: Sample, values: np.ndarray) -> Finding:
    """Return the finding on a tube whose channels are its axes."""
    names = sample.spillover.channels
    bindings = tuple(Binding(pnn, sample.pnn.index(pnn), pnn, "", "$PnN") for pnn in names)
    tree = GateTree((), {pnn: Axis(pnn, Scale(), True) for pnn in names})
    evidence = replace(
        make_evidence(gates=()),
        sample=sample,
        panel=Panel(bindings),
        tree=tree,
        members={"all": np.arange(len(values), dtype=np.intp)},
        linear=lambda axis, rows: values[rows, names.index(axis)].astype(np.float32),
    )
    return one("double_compensation", evidence)


def test_three_channels_are_enough_for_diagonals() -> None:
    for axes, status in ((("CD45", "CD271"), "not_applicable"), (("CD45", "CD271", "CD146"), "pass")):
        evidence = make_evidence()
        bindings = tuple(item for item in evidence.panel.bindings if item.axis in axes)
        assert one("double_compensation", replace(evidence, panel=Panel(bindings))).status == status
