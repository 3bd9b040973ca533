"""Boundaries as Gating-ML 2.0, read back by FlowKit: valid by ISAC's schema, and the same events, event for event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import flowkit as fk
import numpy as np
import pytest

from stromagate.export import export
from stromagate.fcs import read_fcs, write_fcs
from stromagate.gating.replay import members_of
from stromagate.gating.walk import Plan, walk
from stromagate.model.gates import (
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    Rectangle,
    Spans,
)
from stromagate.pipeline.tube import analyze
from tests.gating.tubes import Events, Grower, node, shown, stained
from tests.reference_data import ROOT
from tests.results import make_result, make_tree
from tests.tubes import NAMES as NAMES_OF_TUBE
from tests.tubes import SPILLOVER, STAINS, write_template, write_tube

G = "{http://www.isac-net.org/std/Gating-ML/v2.0/gating}"
D = "{http://www.isac-net.org/std/Gating-ML/v2.0/datatypes}"
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def written(tree: GateTree, **changes: Any) -> bytes:
    return export("gatingml", [make_result(tree=tree, **changes)])


def read_by_flowkit(content: bytes, folder: Path) -> Any:
    """FlowKit checks a document against the schemas of ISAC before it reads it."""
    path = folder / "gates.gatingml.xml"
    path.write_bytes(content)
    return fk.parse_gating_xml(str(path))


def theirs(strategy: Any, sample: Any) -> Mapping[str, Mask]:
    result = strategy.gate_sample(sample)
    return {name: np.asarray(result.get_gate_membership(name)) for name, _ in strategy.get_gate_ids()}


def differences(tree: GateTree, values: Any, pnn: tuple[str, ...], folder: Path) -> dict[str, int]:
    """Events by population that FlowKit and this program hold for different ones; every population is compared."""
    sample = fk.Sample(values.astype(np.float64), sample_id="tube", channel_labels=list(pnn))
    found = theirs(read_by_flowkit(written(tree), folder), sample)
    (block,) = Events(values, pnn).blocks(len(values))
    ours = {name: population.full_mask(len(values)) for name, population in walk(Plan(tree, pnn), block).items()}
    assert set(ours) - {"all"} <= set(found)
    return {name: int((mask ^ found[name]).sum()) for name, mask in ours.items() if name != "all"}


def _comparable(axes: dict[str, Axis]) -> dict[str, Axis]:
    """Take every dye compensated: FlowKit 1.3.2 compensates all sides of a gate as soon as one of them asks for it."""
    return {name: replace(axis, compensated=name.startswith("dye")) for name, axis in axes.items()}


@pytest.mark.parametrize("seed", range(6))
def test_random_trees_hold_the_same_events(seed: int, tmp_path: Path) -> None:
    values, pnn, axes, spill = stained(seed, 4000)
    axes = _comparable(axes)
    seen = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    # No edge lies on an event: a compensated value has no true last bit, and FlowKit leaves out two sides of a polygon.
    tree = GateTree(Grower(seed, seen, on_events=frozenset()).nodes(16), axes, spill)
    found = differences(tree, values, pnn, tmp_path)
    assert len(found) == 16
    assert not any(found.values()), found


GATES: dict[str, Geometry] = {
    "open": Interval("FSC", None, None),
    "closed": Interval("Time", 10.0, 20.0, closed=True),
    "half open": Interval("Time", 10.0, 20.0),
    "one stretch": Spans("Time", ((3.0, 12.5),)),
    "stretches": Spans("Time", ((0.0, 5.0), (7.0, 12.5), (30.0, 39.0))),
    "a side that bounds nothing": Rectangle(("FSC", "SSC"), (None, 2.0e4), (None, None)),
    "outside a box": Rectangle(("FSC", "SSC"), (2.0e4, 1.0e4), (9.0e4, 5.0e4), inside=False),
    "outside a polygon": Polygon(("FSC", "SSC"), ((1.0e4, 1.0e3), (9.0e4, 1.0e3), (5.0e4, 6.0e4)), inside=False),
    "outside an ellipse": Ellipse(("FSC", "SSC"), (6e4, 2e4), ((9e8, 1e8), (1e8, 4e8)), 2.0, inside=False),
}


@pytest.mark.parametrize("geometry", GATES.values(), ids=GATES)
def test_every_kind_of_boundary_on_its_own_and_combined(geometry: Geometry, tmp_path: Path) -> None:
    values, pnn, axes, spill = stained(1, 4000)
    nodes = [node("large", "all", Interval("FSC", 3.0e4, None)), node("it", "large", geometry)]
    nodes += [node(f"{how}_one", "all", Boolean(how, ("it",))) for how in ("all", "any", "none")]
    nodes += [node(f"{how}_two", "large", Boolean(how, ("it", "large"))) for how in ("all", "any", "none")]
    found = differences(GateTree(tuple(nodes), _comparable(axes), spill), values, pnn, tmp_path)
    assert found == dict.fromkeys([each.name for each in nodes], 0)


@pytest.mark.parametrize("parent", ["all", "large"])
@pytest.mark.parametrize("operation", ["all", "none", "any"])
def test_a_gate_that_found_nothing_to_remove(operation: Any, parent: str, tmp_path: Path) -> None:
    values, pnn, axes, spill = stained(1, 500)
    nodes = (
        node("large", "all", Interval("FSC", 3.0e4, None)),
        node("steady", parent, Boolean(operation, ())),
        node("below", "steady", Interval("SSC", None, 2.0e4)),
    )
    tree = GateTree(nodes, _comparable(axes), spill)
    assert set(differences(tree, values, pnn, tmp_path).values()) == {0}
    dyes = {name: axis for name, axis in tree.axes.items() if name.startswith("dye")}
    only = GateTree((node("steady", "all", Boolean(operation, ())),), dyes, spill)
    assert differences(only, values, pnn, tmp_path) == {"steady": 0}


def test_without_any_axis_a_gate_on_nothing_is_left_out() -> None:
    tree = GateTree((node("steady", "all", Boolean("none", ())),), {}, None)
    assert b"<not_evaluable>steady</not_evaluable>" in written(tree)


def test_an_upper_edge_on_an_event_is_in_only_where_it_is_closed(tmp_path: Path) -> None:
    values, pnn, axes, spill = stained(1, 4000)
    assert 20.0 in values[:, -1]
    nodes = (node("closed", "all", GATES["closed"]), node("open", "all", GATES["half open"]))
    strategy = read_by_flowkit(written(GateTree(nodes, axes, spill)), tmp_path)
    found = theirs(strategy, fk.Sample(values.astype(np.float64), sample_id="t", channel_labels=list(pnn)))
    assert int(found["closed"].sum()) == int(found["open"].sum()) + 1


@pytest.mark.parametrize("gain", [1, 4])
def test_a_tube_from_its_file(gain: int, tmp_path: Path) -> None:
    plain = read_fcs(write_tube(tmp_path / "a.fcs"))
    words = {"$SPILLOVER": SPILLOVER, "$TIMESTEP": "0.5", "$P1G": str(gain)}
    write_fcs(tmp_path / "b.fcs", plain.events * np.float32(gain), NAMES_OF_TUBE, labels=STAINS, keywords=words)
    result = analyze(tmp_path / "b.fcs", write_template(tmp_path / "t.yaml"))
    assert result.count("msc")
    _same_on_file(result, tmp_path / "b.fcs", tmp_path)
    assert b"divided by $PnG; time in seconds" in export("gatingml", [result])


def test_a_simulated_tube_from_its_file_event_for_event(tmp_path: Path) -> None:
    path = ROOT / "sample_fcs" / "healthy_01_stained.fcs"
    result = analyze(path, "bm_stroma_core")
    assert _same_on_file(result, path, tmp_path) > 25


def _same_on_file(result: Any, path: Path, folder: Path) -> int:
    """Compare all populations of a result; FlowKit reads the file itself."""
    sample = read_fcs(path, gain=result.tree.gain)
    ours = members_of(sample, result.tree)
    found = theirs(read_by_flowkit(export("gatingml", [result]), folder), fk.Sample(str(path)))
    for name, rows in ours.items():
        if name != "all":
            assert np.array_equal(np.flatnonzero(found[name]), rows), name
            assert len(rows) == result.count(name)
    return len(ours)


def test_what_was_not_evaluable_and_what_builds_on_it_are_left_out_and_named(tmp_path: Path) -> None:
    tree = make_tree()
    above = GateNode("cd105_bright", "msc_cd105", "fixed", Interval("CD271", 0.7, None), "fixed", "")
    beside = GateNode("either", "msc", "boolean", Boolean("any", ("progenitors", "msc_cd105")), "fixed", "")
    content = written(replace(tree, nodes=(*tree.nodes, above, beside)))
    names = {name for name, _ in read_by_flowkit(content, tmp_path).get_gate_ids()}
    assert not names & {"msc_cd105", "cd105_bright", "either"}
    assert {"msc", "progenitors", "msc_cd146neg", "time_ok", "time_ok.1", "time_ok.2"} <= names
    info = ET.fromstring(content).find(f"{D}custom_info")
    assert info is not None
    assert info.findtext("not_evaluable") == "cd105_bright either msc_cd105"
    assert info.findtext("boundaries_sha256") == replace(tree, nodes=(*tree.nodes, above, beside)).digest()
    assert info.findtext("research_use", "").startswith("For Research Use Only")


NAMES = ["a b", "2nd", "=1+1", "CD34+", "zwölf", "<&>\"'", "x\x00\x1b\ud800\uffff", "spillover", "scale_CD271", "-"]


def test_names_that_are_no_ids_become_ids_and_no_two_are_alike(tmp_path: Path) -> None:
    nodes = [node(name, "all", Interval("CD271", 0.1 + 0.01 * place, None)) for place, name in enumerate(NAMES)]
    nodes += [node("a_b", "a b", Interval("CD271", 0.5, None)), node("a_b_2", "a_b", Spans("Time", ((0, 1), (2, 3))))]
    content = written(GateTree(tuple(nodes), make_tree().axes), sample_id="b\x00m <&> \ud800")
    strategy = read_by_flowkit(content, tmp_path)
    gates = ET.fromstring(content).findall(f"{G}RectangleGate")
    assert len({gate.get(f"{G}id") for gate in gates}) == len(NAMES) + 1 + 2
    assert len(strategy.get_gate_ids()) == len(nodes) + 2
    parents = {gate.get(f"{G}id"): gate.get(f"{G}parent_id") for gate in gates}
    assert parents["a_b_2"] == "a_b"  # the population called a_b is the second of that name


def test_boundaries_read_back_to_the_last_bit() -> None:
    low, high = 0.1 + 0.2, 1 / 3 + 1e-16
    content = written(GateTree((node("p", "all", Interval("CD271", low, high)),), make_tree().axes))
    side = ET.fromstring(content).find(f"{G}RectangleGate/{G}dimension")
    assert side is not None
    assert (float(side.get(f"{G}min", "")), float(side.get(f"{G}max", ""))) == (low, high)


def test_a_channel_outside_the_matrix_stays_as_it_was(tmp_path: Path) -> None:
    tree = make_tree()  # its matrix is of FITC-A and PE-A only, and CD31 is read as compensated all the same
    assert tree.axes["CD31"].compensated
    content = written(replace(tree, nodes=(node("p", "all", Rectangle(("CD31", "CD271"), (0.1, 0.1), (None, None))),)))
    sides = ET.fromstring(content).findall(f"{G}RectangleGate/{G}dimension")
    assert [side.get(f"{G}compensation-ref") for side in sides] == ["uncompensated", "spillover"]
    read_by_flowkit(content, tmp_path)
