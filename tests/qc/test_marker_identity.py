"""Markers that do not stain the cells of their names: left out, exchanged, on the wrong cells (Q47)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from stromagate.model.gates import Axis, GateTree, Interval
from stromagate.model.panel import Binding, Panel
from stromagate.model.sample import F64
from stromagate.prepare.scales import forward
from stromagate.qc import Evidence
from tests.qc.evidence import ASINH, LINEAR, ask, gate, make_evidence, one

N = 20_000
RED, WHITE, PLASMA, RARE = 4_000, 12_000, 3_900, 100
MARKERS = ("CD45", "CD235a", "CD31", "CD34", "CD271", "CD146", "CD105")
# Median units by kind: red cells (a quarter of them early), leukocytes, plasma cells, stroma.
MEDIANS = {
    "CD45": (30, 9_000, 300, 60),
    "CD235a": (30_000, 60, 120, 80),
    "CD31": (30, 2_500, 2_500, 60),
    "CD34": (30, 30, 30, 60),
    "CD271": (30, 60, 90, 9_000),
    "CD146": (30, 60, 90, 3_000),
    "CD105": (30, 60, 90, 6_000),
}
EDGE = {"CD45": 200.0, "CD235a": 5_000.0}


def marrow(seed: int = 5) -> dict[str, F64]:
    """Return linear units by marker of a right tube; kinds lie one after the other."""
    rng = np.random.default_rng(seed)
    parts = (RED, WHITE, PLASMA, RARE)
    columns = {
        marker: np.concatenate(
            [median * 10 ** (0.15 * rng.standard_normal(n)) for median, n in zip(medians, parts, strict=True)]
        )
        for marker, medians in MEDIANS.items()
    }
    columns["CD105"][: RED // 4] *= 60
    return columns


def evidence(columns: dict[str, F64], **edges: float) -> Evidence:
    """Return a tube with two boundaries, one of CD45 and one of CD235a."""
    cuts = {axis: float(forward(ASINH, np.array([value]))[0]) for axis, value in {**EDGE, **edges}.items()}
    nodes = (
        gate("viable", "all", "fixed", Interval("FSC-A", 0.0, None)),
        gate("white", "viable", "tail", Interval("CD45", cuts["CD45"], None)),
        gate("no_red", "viable", "valley", Interval("CD235a", None, cuts["CD235a"])),
    )
    n = len(next(iter(columns.values())))
    rows = np.arange(n, dtype=np.intp)
    made = make_evidence(gates=nodes, template={"indices": {}, "denominators": ["viable"]})
    axes = {axis: Axis(f"{axis}-dye", LINEAR if axis == "FSC-A" else ASINH, True) for axis in ("FSC-A", *columns)}
    return replace(
        made,
        panel=Panel(tuple(Binding(axis, i, f"{axis}-dye", axis, "$PnS") for i, axis in enumerate(columns))),
        tree=GateTree(nodes, axes, made.tree.compensation),
        members={"all": rows, "viable": rows},
        counts={"all": n, "viable": n},
        linear=lambda axis, wanted: columns[axis][wanted].astype(np.float32),
    )


def exchanged(one_marker: str, other: str) -> dict[str, F64]:
    columns = marrow()
    return {**columns, one_marker: columns[other], other: columns[one_marker]}


def left_out(*markers: str) -> dict[str, F64]:
    rng = np.random.default_rng(6)
    return {**marrow(), **{marker: 30 * 10 ** (0.15 * rng.standard_normal(N)) for marker in markers}}


@pytest.mark.parametrize("seed", range(3))
def test_a_right_tube_passes_and_the_markers_are_named(seed: int) -> None:
    finding = one("marker_identity", evidence(marrow(seed)))
    assert finding.status == "pass"
    assert "CD31, CD105, CD271, CD146, CD34, CD45 stain the cells of their names" in finding.sentence
    assert finding.population == ""


def test_early_red_cells_without_cd105_alone_are_no_fault() -> None:
    assert one("marker_identity", evidence(left_out("CD105"))).status == "pass"


def test_a_control_lacks_antibodies_on_purpose() -> None:
    tube = evidence(left_out("CD31"))
    assert one("marker_identity", replace(tube, role="fmo:CD31")).status == "not_applicable"
    assert one("marker_identity", replace(tube, role="stained")).status == "fail"


@pytest.mark.parametrize(("marker", "cells"), [("CD31", "CD45"), ("CD45", "CD31")])
def test_a_marker_left_out_is_named_with_its_channel(marker: str, cells: str) -> None:
    finding = one("marker_identity", evidence(left_out(marker)))
    assert finding.status == "fail"
    assert finding.sentence.startswith(f"{marker} ({marker}-dye) does not look like {marker}: ")
    assert f"bright in {cells} carry {marker}, where nearly all should" in finding.sentence
    assert f"whether {marker} was pipetted" in finding.remedy
    assert finding.measured is not None
    assert finding.measured < 10


SEEN = (*permutations(("CD31", "CD34"), 2), ("CD31", "CD271"), ("CD31", "CD146"), ("CD31", "CD105"),
        ("CD45", "CD34"), ("CD45", "CD271"), ("CD45", "CD146"), ("CD45", "CD105"),
        ("CD271", "CD105"), ("CD146", "CD105"), ("CD34", "CD105"))  # fmt: skip


@pytest.mark.parametrize("pair", SEEN, ids="-".join)
def test_exchanged_names_are_found_and_both_channels_said(pair: tuple[str, str]) -> None:
    found = ask("marker_identity", evidence(exchanged(*pair)))
    (finding,) = [item for item in found if "look exchanged" in item.sentence]
    assert finding.status == "fail"
    assert {f"{marker} ({marker}-dye)" for marker in pair} <= set(_channels(finding.sentence))
    assert all(marker in finding.remedy for marker in pair)
    assert "--marker MARKER=CHANNEL" in finding.remedy


def _channels(sentence: str) -> list[str]:
    return sentence.partition(" look exchanged")[0].split(" and ")


def test_the_wrong_antibody_is_told_from_exchanged_names() -> None:
    """CD105 in both channels: red cells carry as much of the one as of the other."""
    columns = marrow()
    finding = one("marker_identity", evidence({**columns, "CD271": columns["CD105"].copy()}))
    assert finding.status == "fail"
    assert "CD271 (CD271-dye) does not look like CD271: 25.0 % of 4,000 events bright in CD235a" in finding.sentence
    assert "exchanged" not in finding.sentence


def test_without_cd105_in_the_panel_a_strange_marker_is_still_found() -> None:
    columns = exchanged("CD271", "CD105")
    del columns["CD105"]
    assert "CD271 (CD271-dye) does not look like CD271" in one("marker_identity", evidence(columns)).sentence


def test_a_few_strange_red_cells_are_no_fault() -> None:
    """Doublets and spillover make a few in a hundred red cells bright; the limit itself is not crossed."""
    columns = marrow()
    columns["CD271"][: RED // 50] = 5_000
    assert one("marker_identity", evidence(columns)).status == "pass"


def test_plasma_cells_with_little_cd45_are_no_fault() -> None:
    columns = marrow()
    columns["CD45"][RED : RED + WHITE * 5 // 6] = 60
    assert one("marker_identity", evidence(columns)).status == "pass"


def test_blasts_with_cd34_are_no_fault() -> None:
    columns = marrow()
    columns["CD34"][RED : RED + WHITE] *= 100
    assert one("marker_identity", evidence(columns)).status == "pass"


def test_a_tube_with_next_to_no_red_cells_says_so_and_judges_nothing_by_them() -> None:
    columns = left_out("CD235a", "CD31")
    columns["CD235a"][:50] = 30_000
    finding = one("marker_identity", evidence(columns))
    assert finding.status == "warn"
    assert finding.measured == pytest.approx(0.25)
    assert "Only 0.25 % of 20,000 events of viable are bright in CD235a (CD235a-dye)" in finding.sentence


@pytest.mark.parametrize("missing", ["CD31", "CD45"])
def test_a_panel_without_one_of_the_pair_is_read_by_red_cells_alone(missing: str) -> None:
    columns = marrow()
    del columns[missing]
    assert one("marker_identity", evidence(columns)).status == "pass"


def test_a_cd45_boundary_at_zero_measures_no_leukocytes() -> None:
    """Ten times nothing is nothing: the leukocytes of the test are then those with CD31 alone."""
    assert one("marker_identity", evidence(marrow(), CD45=-50.0)).status == "pass"


def test_few_red_cells_in_a_small_tube_are_too_few() -> None:
    columns = {marker: values[RED - 100 : RED + 2_000] for marker, values in marrow().items()}
    finding = one("marker_identity", evidence(columns))
    assert finding.status == "not_applicable"
    assert "100 events bright in CD235a are too few" in finding.sentence


@pytest.mark.parametrize("marker", ["CD271", "CD31", "CD45"])
def test_values_cut_off_at_zero_tell_nothing_of_a_marker(marker: str) -> None:
    """Old instruments write zero for all that is dim: a negative without a lower half has no end to be measured."""
    columns = marrow()
    columns[marker] = np.maximum(columns[marker] - 30, 0.0)
    assert one("marker_identity", evidence(columns)).status == "pass"


def test_markers_that_are_all_the_same_or_no_numbers_are_not_judged() -> None:
    right = marrow()
    for value in (7.0, np.nan):
        columns = {axis: right[axis] if axis in EDGE else np.full(N, value) for axis in MARKERS}
        columns["CD45"] = np.full(N, 7.0)
        finding = one("marker_identity", evidence(columns))
        assert finding.status == "not_applicable"
        assert "no negative" in finding.sentence


def test_values_that_are_no_numbers_neither_count_nor_break() -> None:
    columns = marrow()
    for values in columns.values():
        values[::7] = np.nan
    assert one("marker_identity", evidence(columns)).status == "pass"
