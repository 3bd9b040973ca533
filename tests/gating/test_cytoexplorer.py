"""Gates drawn by hand in another program, replayed on ten real tubes: the same events, one for one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from stromagate.fcs import open_fcs, read_fcs
from stromagate.gating.replay import count
from stromagate.gating.walk import Plan, walk
from stromagate.model.gates import Axis, Boolean, Ellipse, GateTree, Geometry, Polygon, Rectangle
from stromagate.model.panel import Compensation
from stromagate.model.scales import Scale
from tests.gating.tubes import Events, node
from tests.reference_data import DATA, needs_reference_data

FOLDER = DATA / "cytoexplorer"
TUBES = (2, 4, 8, 10, 14, 16, 20, 22, 26, 30)


def _tree(document: dict[str, Any]) -> GateTree:
    spill = document["compensation"]
    compensation = Compensation(
        "gate_tree.json", tuple(spill["channels"]), tuple(tuple(row) for row in spill["matrix"])
    )
    used = {channel for gate in document["gates"] for channel in gate["channels"]}
    scales = {
        channel: Scale("logicle", t["T"], t["W"], t["M"], t["A"]) for channel, t in document["transforms"].items()
    }
    axes = {name: Axis(name, scales.get(name, Scale("linear")), name in compensation.channels) for name in used}
    nodes = tuple(node(gate["path"], gate["parent"] or "all", _geometry(gate, axes)) for gate in document["gates"])
    return GateTree(nodes, axes, compensation)


def _geometry(gate: dict[str, Any], axes: dict[str, Axis]) -> Geometry:
    """Return a gate in display units: the document has logicle values multiplied by M."""
    names = tuple(gate["channels"])
    per_unit = [axes[name].scale.decades if axes[name].scale.kind == "logicle" else 1.0 for name in names]
    if gate["kind"] == "polygon":
        return Polygon(names, tuple((x / per_unit[0], y / per_unit[1]) for x, y in gate["vertices"]))
    if gate["kind"] == "rectangle":
        low, high = (tuple(v / unit for v, unit in zip(gate[k], per_unit, strict=True)) for k in ("min", "max"))
        return Rectangle(names, low, high, closed=True)
    if gate["kind"] == "ellipse":
        mean = tuple(value / unit for value, unit in zip(gate["mean"], per_unit, strict=True))
        matrix = np.array(gate["covariance"]) / np.outer(per_unit, per_unit)
        rows = tuple(tuple(float(value) for value in row) for row in matrix)
        return Ellipse(names, mean, rows, gate["distance"] ** 2)
    assert gate["operation"] == "not"
    return Boolean("none", tuple(gate["of"]))


@needs_reference_data
@pytest.mark.parametrize("tube", TUBES)
def test_drawn_gates_hold_the_events_they_were_drawn_around(tube: int) -> None:
    tree = _tree(json.loads((FOLDER / "gate_tree.json").read_text()))
    path = FOLDER / f"Activation_{tube}.fcs"
    sample = read_fcs(path, gain="ignore")
    with np.load(FOLDER / f"Activation_{tube}.masks.npz") as masks:
        n = int(np.atleast_1d(masks["n"])[0])
        truth = {
            str(name): np.unpackbits(row)[:n].astype(bool)
            for name, row in zip(masks["paths"], masks["packed"], strict=True)
        }
    assert len(truth) == 9
    assert sample.n_events == n
    (block,) = Events(np.asarray(sample.events), sample.pnn).blocks(n)
    found = {name: members.full_mask(n) for name, members in walk(Plan(tree, sample.pnn), block).items()}
    differing = {name: int((found[name] ^ mask).sum()) for name, mask in truth.items()}
    assert differing == dict.fromkeys(truth, 0)
    counted = count(open_fcs(path, gain="ignore"), tree)
    assert {name: counted[name] for name in truth} == {name: int(mask.sum()) for name, mask in truth.items()}
