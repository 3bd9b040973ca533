"""Cells that glow instead of carrying their markers, and a CD146+ share that hangs on CD31 (Q18, Q20)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.gates import Boolean, Ellipse, QuadrantPart
from stromagate.model.panel import Compensation, Panel
from stromagate.prepare.scales import inverse
from stromagate.qc import Evidence
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


def glowing(share: float, noise: float = 0.0) -> Evidence:
    """Return the quiet tube with MSC of very different CD271, and that share of it in the viability dye as well."""
    columns, rare = good_columns(), rare_rows()
    rng = np.random.default_rng(2)
    columns["CD271"][rare] = 20_000 * 10 ** rng.normal(0, 0.3, N_MSC)
    columns["Viability"][rare] = share * columns["CD271"][rare] * 10 ** rng.normal(0, noise, N_MSC) + rng.normal(
        0, 40, N_MSC
    )
    return make_evidence(columns=columns)


@pytest.mark.parametrize(("share", "noise", "status"), [(0.0, 0.0, "pass"), (0.5, 0.4, "pass"), (0.5, 0.05, "warn")])
def test_a_marker_that_goes_along_with_one_that_it_has_nothing_to_do_with(
    share: float, noise: float, status: str
) -> None:
    finding = one("autofluorescence", glowing(share, noise))
    assert (finding.status, finding.population) == (status, "msc")
    assert finding.measured is not None
    assert (finding.measured > 0.9) == (status == "warn")
    if status == "warn":
        assert "CD271 goes along most with Viability" in finding.sentence


def test_the_own_markers_may_go_together() -> None:
    """CD271 and CD146 are what the targets are made by: on large cells both are bright."""
    columns, rare = good_columns(), rare_rows()
    columns["CD146"][rare] = columns["CD271"][rare] * 0.5
    assert one("autofluorescence", make_evidence(columns=columns)).status == "pass"


def empty(light: float, *, pns: str = "", compensated: bool = True, spill: float = 0.0) -> Evidence:
    """Return the quiet tube without a marker in CD31's detector, where MSC have that share of their CD271."""
    columns, rare = good_columns(), rare_rows()
    columns["CD31"][rare] = light * 20_000 + spill * columns["CD271"][rare]
    stroma = replace(GATES[3], geometry=QuadrantPart(("CD45", "CD146"), (0.55, 0.99), ("below", "below")))
    evidence = make_evidence(columns=columns, channels={"CD31": {"pns": pns}}, gates=(*GATES[:3], stroma, *GATES[4:]))
    names = ("PE-A", "BV605-A") if compensated else ("PE-A", "FITC-A")
    matrix = ((1.0, spill if compensated else 0.0), (0.0, 1.0))
    bindings = tuple(item for item in evidence.panel.bindings if item.axis != "CD31")
    tree = replace(evidence.tree, compensation=Compensation("by hand", names, matrix))
    return replace(evidence, panel=Panel(bindings), tree=tree)


@pytest.mark.parametrize(("light", "found"), [(0.05, 0), (0.45, 0), (0.55, 1), (2.0, 1)])
def test_bright_in_a_detector_without_a_marker(light: float, found: int) -> None:
    warned = [item for item in ask("autofluorescence", empty(light)) if item.status == "warn"]
    assert len(warned) == found
    for item in warned:
        assert "as bright in BV605-A, which no marker was read in, as in CD271" in item.sentence


def test_what_spills_into_an_empty_detector_is_taken_out_before() -> None:
    found = ask("autofluorescence", empty(0.0, spill=0.8))
    assert {item.status for item in found} == {"pass"}


def test_a_detector_with_a_stain_or_outside_the_matrix_is_not_empty() -> None:
    for evidence in (empty(2.0, pns="CD90"), empty(2.0, compensated=False)):
        assert not [item for item in ask("autofluorescence", evidence) if item.status == "warn"]


def test_glow_cannot_be_judged() -> None:
    rows = rare_rows()[:19]
    below = (*GATES[:3], gate("msc", "viable", "fixed", replace(GATES[2].geometry, axis="CD271")))
    for evidence in (
        without_indices(),
        make_evidence(members={"msc": rows}),
        make_evidence(gates=below, members={"msc": rare_rows()}, template={"indices": {"msc": "msc"}}),
    ):
        assert {item.status for item in ask("autofluorescence", evidence)} == {"not_applicable"}


def with_endothelium(n: int, *, cd45: float = 150.0, cd146: float = 9_000.0, **more: Any) -> Evidence:
    """Return the quiet tube with so many further cells as bright as CD146+ MSC, and CD31 on them."""
    columns, rare = good_columns(), rare_rows()
    others = np.setdiff1d(np.arange(1_000, 1_000 + 4 * n, 2), rare)[:n]
    columns["CD31"][others] = float(inverse(ASINH, 0.9)[0])
    columns["CD45"][others], columns["CD271"][others], columns["CD146"][others] = cd45, 20_000, cd146
    return make_evidence(columns=columns, **more)


# Half of 120 MSC are CD146+; with n more, (60 + n) / (120 + n): 30 make 60.0 %, a change of 20 %.
@pytest.mark.parametrize(("n", "status"), [(0, "pass"), (29, "pass"), (31, "warn"), (200, "warn")])
def test_a_share_that_hangs_on_cd31(n: int, status: str) -> None:
    finding = one("endothelium_confusion", with_endothelium(n))
    assert (finding.status, finding.population) == (status, "progenitors")
    assert finding.measured == pytest.approx(100 * ((60 + n) / (120 + n) / 0.5 - 1))
    assert (
        f"50.0 % of 120 events msc; without the CD31 gates they would be {100 * (60 + n) / (120 + n):.1f} %"
        in finding.sentence
    )


def test_three_cells_more_are_no_confusion() -> None:
    """Of 24 MSC 6 carry CD146; with 3 endothelial cells it would be 9 of 27: a third more, by chance."""
    rows = np.sort(np.concatenate([rare_rows()[::2][:6], rare_rows()[1::2][:18]]))
    columns = with_endothelium(3)
    others = np.setdiff1d(rare_rows(), rows)
    values = {axis: columns.linear(axis, np.arange(N)).copy() for axis in good_columns(1, 0)}
    values["CD45"][others] = 20_000
    carrying = rows[np.isin(rows, rare_rows()[::2])]
    members = {"stroma": rows, "msc": rows, "progenitors": carrying}
    finding = one("endothelium_confusion", make_evidence(columns=values, members=members))
    assert finding.measured == pytest.approx(100 * (9 / 27 / 0.25 - 1))
    assert finding.status == "pass"


def test_cells_without_cd146_are_no_endothelium() -> None:
    finding = one("endothelium_confusion", with_endothelium(120, cd146=100.0))
    assert (finding.status, finding.measured) == ("pass", 0)
    assert "without the CD31 gates they would be 25.0 % of 240" in finding.sentence


def test_what_other_gates_keep_out_does_not_count() -> None:
    assert one("endothelium_confusion", with_endothelium(200, cd45=20_000)).measured == pytest.approx(0)


def test_cd31_by_name_and_by_its_outside() -> None:
    """As the shipped template has it: out of the CD31-positive of all single cells."""
    cd31pos = gate("cd31pos", "singlets", "tail", replace(GATES[4].geometry, axis="CD31", low=0.8))
    cd45pos = gate("cd45pos", "singlets", "tail", replace(GATES[4].geometry, axis="CD45", low=0.55))
    stroma = gate("stroma", "viable", "boolean", Boolean("none", ("cd31pos", "cd45pos")))
    evidence = with_endothelium(60, gates=(*GATES[:3], cd31pos, cd45pos, stroma, *GATES[4:]))
    evidence = replace(evidence, members={"cd31pos": np.arange(0), "cd45pos": np.arange(0), **evidence.members})
    finding = one("endothelium_confusion", evidence)
    assert (finding.status, finding.measured) == ("warn", pytest.approx(100 * (120 / 180 / 0.5 - 1)))


def test_the_part_of_cd31_cannot_be_judged() -> None:
    bent = replace(GATES[4], geometry=Ellipse(("CD271", "CD45"), (0.8, 0.2), ((0.1, 0.0), (0.0, 0.1)), 4.0))
    without = replace(GATES[3], geometry=replace(GATES[4].geometry, axis="CD45", low=None, high=0.55))
    for evidence in (
        without_indices(),
        make_evidence(template={"indices": {"msc": "msc"}}),
        make_evidence(members={"msc": rare_rows()[:19]}),
        make_evidence(members={"progenitors": rare_rows()[:0]}),
        make_evidence(gates=(*GATES[:4], bent, GATES[5]), members={"msc": rare_rows()[:60]}),
        make_evidence(gates=(*GATES[:3], without, *GATES[4:])),
    ):
        assert one("endothelium_confusion", evidence).status == "not_applicable"
