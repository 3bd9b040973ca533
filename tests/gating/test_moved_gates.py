"""The last gates of a pattern moved: counts are those of gating again with the cut set there by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.gating import replay
from stromagate.gating.draws import boundary_draws
from stromagate.gating.engine import gate
from stromagate.gating.moved_gates import SHIFT_FRAC, last_gates, moved_gates
from stromagate.model.gates import Axis, Boolean, Ellipse, GateTree, Geometry, Interval, Rectangle
from stromagate.model.pattern import MovedGate
from stromagate.pipeline import analyze
from stromagate.pipeline.left_open import LeftOpen, left_open
from stromagate.pipeline.template import load_template
from stromagate.prepare import prepare
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import forward
from tests.gating.test_draws import gated
from tests.gating.tubes import LINEAR, node, ready, stained, tree
from tests.tubes import TEMPLATE, write_template, write_tube

COUNTED = ("msc", "progenitors", "cells")


def _tube(seed: int = 4, n: int = 20_000) -> tuple[Prepared, GateTree]:
    """Return a tube with MSC cut on one dye beside scatter, and progenitors as a part of them on another dye."""
    values, pnn, axes, spill = stained(seed, n)
    grown = tree(
        node("cells", "all", Interval("FSC", 3e4, None)),
        node("dim", "cells", Interval("dye0", None, 0.6)),
        node("msc", "dim", Rectangle(("dye3", "SSC"), (0.45, 1e3), (None, None))),
        node("bright", "dim", Interval("dye1", 0.45, None)),
        node("progenitors", "msc", Boolean("all", ("bright",))),
        axes=axes,
        compensation=spill,
    )
    return ready(values, pnn, axes, spill), grown


def _with(grown: GateTree, name: str, geometry: Geometry) -> GateTree:
    return replace(grown, nodes=tuple(replace(n, geometry=geometry) if n.name == name else n for n in grown.nodes))


def _moved(prepared: Prepared, grown: GateTree, indices: tuple[str, ...] = ("msc", "progenitors")) -> list[MovedGate]:
    return list(moved_gates(prepared, gated(prepared, grown), indices, COUNTED))


def _median(prepared: Prepared, grown: GateTree, axis: str, rows: np.ndarray) -> float:
    """Return the median of some events in display units, from every value transformed."""
    shown = forward(grown.axes[axis].scale, prepared.linear(axis, rows).astype(np.float64))
    return float(np.median(shown))


def test_the_last_gate_of_each_population_is_moved_either_way() -> None:
    found = _moved(*_tube())
    assert [(item.gate, item.axis, item.shift_frac) for item in found] == [
        ("msc", "dye3", -0.1),
        ("msc", "dye3", 0.1),
        ("bright", "dye1", -0.1),
        ("bright", "dye1", 0.1),
    ]
    assert pytest.approx(0.1) == SHIFT_FRAC


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_counts_are_those_of_gating_again_with_the_cut_there(seed: int) -> None:
    prepared, grown = _tube(seed)
    plain = gated(prepared, grown).counts
    found = _moved(prepared, grown)
    assert len(found) == 4
    for item in found:
        step = item.shift_frac * item.distance
        by_hand: Geometry = (
            Rectangle(("dye3", "SSC"), (0.45 + step, 1e3), (None, None))
            if item.gate == "msc"
            else Interval("dye1", 0.45 + step, None)
        )
        members = replay.members(prepared, _with(grown, item.gate, by_hand))
        assert item.counts == {name: len(members[name]) for name in COUNTED}
        change = item.counts["progenitors"] - (plain["progenitors"] or 0)
        assert change * item.shift_frac < 0  # towards the positives fewer are left
        assert item.counts["cells"] == plain["cells"]


def test_the_way_is_from_the_events_left_out_to_those_that_count() -> None:
    prepared, grown = _tube()
    members = replay.members(prepared, grown)
    ways = {item.gate: item.distance for item in _moved(prepared, grown)}
    for name, axis, positive in (("msc", "dye3", "msc"), ("bright", "dye1", "progenitors")):
        below = np.setdiff1d(members["dim"], members[name])
        way = _median(prepared, grown, axis, members[positive]) - _median(prepared, grown, axis, below)
        # The median of an even number lies between two events: taken before the scale, and after it.
        assert ways[name] == pytest.approx(way, rel=1e-3)


def test_a_made_tube_has_the_way_that_was_put_in() -> None:
    """Negatives at 100, positives at 600 of a plain scale: a tenth of the way is 50."""
    values, pnn, _, _ = stained(1, 2_000)
    axes = {"FSC": Axis("FSC-A", LINEAR, False), "dye": Axis("FL1-A", LINEAR, False)}
    place = pnn.index("FL1-A")
    values[:, place] = np.where(np.arange(2_000) < 1_500, 100.0, 600.0)
    values[:30, place] = 320.0  # between the two: the cut passes them on its way down
    values[30:70, place] = 375.0
    prepared = ready(values, pnn, axes)
    grown = tree(
        node("cells", "all", Interval("FSC", None, None)),
        node("msc", "cells", Interval("dye", 350.0, None)),
        axes=axes,
    )
    low, high = moved_gates(prepared, gated(prepared, grown), ["msc"], ["msc", "cells"])
    assert low.distance == high.distance == 500
    # The cut goes to 300, where 320 are in; and to 400, where 375 are out.
    assert (low.counts, high.counts) == ({"msc": 570, "cells": 2_000}, {"msc": 500, "cells": 2_000})


@pytest.mark.parametrize(
    "geometry",
    [
        Interval("dye3", 5.0, None),  # nothing is positive
        Interval("dye3", -5.0, None),  # nothing is negative
        Interval("dye3", None, 0.2),  # what it keeps lies below what it leaves out
        Interval("FSC", 5e4, None),  # scatter is no stain
        Interval("Time", 20.0, None),
    ],
)
def test_a_gate_without_negatives_below_positives_is_left_out(geometry: Geometry) -> None:
    prepared, grown = _tube()
    found = _moved(prepared, _with(grown, "msc", geometry))
    assert [item for item in found if item.gate == "msc"] == []
    assert _moved(prepared, _with(grown, "msc", geometry), ("msc",)) == []


@pytest.mark.parametrize(("n", "is_there"), [(19, False), (20, True)])
def test_fewer_than_twenty_have_no_median(n: int, is_there: bool) -> None:
    prepared, grown = _tube()
    members = replay.members(prepared, grown)
    shown = forward(grown.axes["dye3"].scale, prepared.linear("dye3", members["dim"]).astype(np.float64))
    last = np.sort(shown)[::-1]
    cut = Interval("dye3", float((last[n - 1] + last[n]) / 2), None)
    narrow = _with(grown, "msc", cut)
    assert len(replay.members(prepared, narrow)["msc"]) == n
    assert bool(_moved(prepared, narrow, ("msc",))) == is_there


def test_both_stains_of_a_gate_are_moved_one_at_a_time() -> None:
    prepared, grown = _tube()
    both = _with(grown, "msc", Rectangle(("dye3", "dye1"), (0.4, 0.35), (None, None)))
    found = _moved(prepared, both, ("msc",))
    assert [item.axis for item in found] == ["dye3", "dye3", "dye1", "dye1"]
    for item in found:
        step = item.shift_frac * item.distance
        low = (0.4 + step, 0.35) if item.axis == "dye3" else (0.4, 0.35 + step)
        members = replay.members(prepared, _with(grown, "msc", Rectangle(("dye3", "dye1"), low, (None, None))))
        assert item.counts["msc"] == len(members["msc"])


def test_an_outline_grows_and_shrinks() -> None:
    prepared, grown = _tube()
    round_ = Ellipse(("dye3", "dye1"), (0.6, 0.6), ((0.02, 0.0), (0.0, 0.02)), 1.0)
    found = _moved(prepared, _with(grown, "msc", round_), ("msc",))
    inside = len(replay.members(prepared, _with(grown, "msc", round_))["msc"])
    first = [item.counts["msc"] for item in found if item.axis == "dye3"]
    assert first[0] < inside < first[1]


def test_what_was_not_evaluated_is_left_out() -> None:
    prepared, grown = _tube()
    lost = replace(
        grown,
        nodes=tuple(
            replace(n, geometry=None, state="not_evaluable") if n.name in {"bright", "progenitors"} else n
            for n in grown.nodes
        ),
    )
    found = _moved(prepared, lost)
    assert {item.gate for item in found} == {"msc"}
    assert set(found[0].counts) == {"msc", "cells"}
    assert _moved(prepared, grown, ()) == _moved(prepared, grown, ("nobody",)) == []


def test_last_gates() -> None:
    _, grown = _tube()
    nodes = {item.name: item for item in grown.nodes}
    assert last_gates(nodes, "msc") == ["msc"]
    assert last_gates(nodes, "progenitors") == ["bright"]


@pytest.mark.parametrize(
    ("role", "has_some"),
    [("stained", True), ("", True), ("fmo:CD146", False), ("unstained", False), ("blank", False)],
)
def test_control_tubes_leave_nothing_open(role: str, has_some: bool, tmp_path: Path) -> None:
    loaded = load_template(write_template(tmp_path / "t.yaml"))
    prepared = prepare(read_fcs(write_tube(tmp_path / "a.fcs", 0, 4_000)), loaded.template)
    found = gate(prepared, loaded.template, gates=loaded.gates)
    draws = boundary_draws(prepared, found, 16)
    open_ = left_open(prepared, found, loaded.template, draws, {"role": role})
    assert (open_ != LeftOpen()) == has_some
    if has_some:
        # Beside its MSC this tube has hardly a CD45-negative cell: their gate has no negatives to measure by.
        assert [item.gate for item in open_.moved_gates] == ["progenitors"] * 2
        assert set(open_.moved_gates[0].counts) == {"msc", "progenitors", "cells"}
        assert open_.redrawn == {name: tuple(draws[name].tolist()) for name in ("msc", "progenitors")}


def test_a_template_without_the_two_populations_leaves_nothing_open(tmp_path: Path) -> None:
    text = TEMPLATE.replace("indices: {msc: msc, progenitors: progenitors}", "indices: {msc: msc}")
    found = analyze(write_tube(tmp_path / "a.fcs"), write_template(tmp_path / "t.yaml", text))
    assert (found.moved_gates, found.redrawn) == ((), {})
    assert found.pattern.reason == "the template names no population for the index “progenitors”"
