"""A tube held open: a preview is what applying the edit gives, event for event, and nothing is kept by asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stromagate.gating.edits import apply
from stromagate.gating.engine import Gated
from stromagate.gating.live import LiveTube
from stromagate.gating.replay import members
from stromagate.model.edits import GateEdit, SampleEdits
from stromagate.model.gates import Boolean, Ellipse, GateTree, Geometry, Interval, Polygon
from stromagate.prepare.prepared import Prepared
from tests.gating.tubes import Grower, ready, shown, stained, tree

N = 3000


def grown(seed: int, n_gates: int) -> tuple[Prepared, GateTree, Grower]:
    """Return a made tube with some values that are no numbers, a random tree, and what draws more gates on it."""
    values, pnn, axes, spill = stained(seed, N)
    rng = np.random.default_rng(seed)
    for column in rng.choice(values.shape[1], 2, replace=False):
        values[rng.choice(N, 40, replace=False), column] = rng.choice([np.nan, np.inf, -np.inf], 40)
    prepared = ready(values, pnn, axes, spill)
    blank = tree(axes=axes, compensation=spill)
    with np.errstate(invalid="ignore"):
        seen = {axis: shown(values, pnn, blank, axis) for axis in axes}
    grower = Grower(seed, seen)
    return prepared, tree(*grower.nodes(n_gates), axes=axes, compensation=spill), grower


def opened(prepared: Prepared, planted: GateTree, **more: Any) -> LiveTube:
    return LiveTube(prepared, planted, members(prepared, planted), **more)


def applied(prepared: Prepared, planted: GateTree, edits: Mapping[str, Geometry], **more: Any) -> Gated:
    """Put edits into a tree by the road of a run."""
    rows = members(prepared, planted)
    gated = Gated(planted, rows, MappingProxyType({name: len(each) for name, each in rows.items()}))
    made = tuple(
        GateEdit(population=name, geometry=at, who="A", when="2026-03-01T18:00:00Z", why="b")
        for name, at in edits.items()
    )
    return apply(prepared, gated, SampleEdits(sample_id="t", tree_sha256=planted.digest(), edits=made), **more).gated


def dragged(geometry: Geometry, grower: Grower, names: list[str]) -> Geometry:
    """Return a boundary as a hand moves it: a vertex or an edge a little, or the whole gate drawn again."""
    rng = grower.rng
    if rng.random() < 0.6:
        if isinstance(geometry, Polygon):
            at = int(rng.integers(len(geometry.vertices)))
            x, y = geometry.vertices[at]
            spans = [float(np.ptp(np.quantile(grower.values[axis], [0.05, 0.95]))) for axis in geometry.axes]
            there = (x + float(rng.normal(0, 0.1)) * spans[0], y + float(rng.normal(0, 0.1)) * spans[1])
            return replace(geometry, vertices=(*geometry.vertices[:at], there, *geometry.vertices[at + 1 :]))
        if isinstance(geometry, Ellipse):
            mean = tuple(
                at + float(rng.normal(0, 0.3)) * row[i] ** 0.5
                for i, (at, row) in enumerate(zip(geometry.mean, geometry.covariance, strict=True))
            )
            return replace(
                geometry, mean=mean, distance_squared=geometry.distance_squared * float(rng.uniform(0.7, 1.4))
            )
        if isinstance(geometry, Interval):
            low = None if geometry.low is None else grower._edge(geometry.axis, 0, 0.4)
            high = None if geometry.high is None else grower._edge(geometry.axis, 0.6, 1)
            if low is None or high is None or low < high:
                return replace(geometry, low=low, high=high)
    kind = str(rng.choice([kind for kind in grower.kinds if kind != "boolean" or names]))
    return getattr(grower, kind)(names)


@given(seed=st.integers(0, 10_000), n_gates=st.integers(1, 9), n_edits=st.integers(1, 4))
@settings(max_examples=35, deadline=None)
@example(seed=3, n_gates=8, n_edits=4)
def test_a_preview_is_what_applying_the_edits_gives(seed: int, n_gates: int, n_edits: int) -> None:
    prepared, planted, grower = grown(seed, n_gates)
    tube = opened(prepared, planted)
    edits: dict[str, Geometry] = {}
    for _ in range(n_edits):
        at = int(grower.rng.integers(n_gates))
        node = planted.nodes[at]
        now = edits.get(node.name, node.geometry)
        assert now is not None
        geometry = dragged(now, grower, [each.name for each in planted.nodes[:at]])
        before = dict(tube.counts)
        preview = tube.recount(node.name, geometry)
        assert tube.counts == before
        edits[node.name] = geometry
        truth = applied(prepared, planted, edits)
        assert preview == {name: truth.counts[name] for name in tube.downstream(node.name)} or isinstance(
            geometry, Boolean
        )
        tube.keep(node.name, geometry)
        assert tube.counts == truth.counts
        assert preview == {name: truth.counts[name] for name in tube.downstream(node.name)}
        assert {name: rows.tolist() for name, rows in tube.members.items()} == {
            name: rows.tolist() for name, rows in truth.members.items()
        }
        assert [each.geometry for each in tube.tree.nodes] == [each.geometry for each in truth.tree.nodes]
    assert tube.edits == edits
    back = tube.with_edits({})
    assert back.counts == opened(prepared, planted).counts
    assert back.tree == planted
    assert tube.edits == edits
