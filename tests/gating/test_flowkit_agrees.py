"""Random trees on real files: the same events as FlowKit, each difference accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.gating.replay import count
from stromagate.gating.walk import Plan, walk
from stromagate.model.gates import Axis, GateTree, Polygon
from stromagate.model.panel import Compensation
from stromagate.model.sample import Sample
from stromagate.model.scales import Scale
from tests.gating.flowkit_oracle import memberships
from tests.gating.tubes import Events, Grower, shown
from tests.reference_data import DATA, needs_reference_data

_EYURTSEV = "real/eyurtsev+fcsparser/fcsparser/tests/data/FlowCytometers"
FILES = (
    "cytoexplorer/Activation_2.fcs",
    f"{_EYURTSEV}/FACS_Diva/facs_diva_test.fcs",
    f"{_EYURTSEV}/Fortessa/FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs",
    "real/whitews+FlowKit/data/100715.fcs",
    "real/whitews+FlowKit/data/gate_ref/data1.fcs",
    "real/whitews+FlowIO/data/fcs_files/B01 KC-A-W---91-US.fcs",
)


def _axes(sample: Sample, rng: np.random.Generator) -> dict[str, Axis]:
    """Give every channel a scale by chance; either all channels of the matrix are compensated or none.

    FlowKit 1.3.2 compensates all dimensions of a gate as soon as one of them asks for it.
    """
    axes = {}
    mixed = sample.spillover.channels if sample.spillover.status == "ok" and rng.random() < 0.7 else ()
    for channel in sample.channels:
        top = float(max(sample.events[:, channel.index].max(), 1.0))
        scale = (
            Scale("logicle", top, float(rng.uniform(0.1, 1.0)), 4.5, float(rng.choice([0.0, 0.5]))),
            Scale("asinh", top, 0.0, float(rng.uniform(3, 5)), float(rng.uniform(0, 1))),
            Scale("linear"),
        )[int(rng.integers(3))]
        axes[channel.pnn] = Axis(channel.pnn, scale, channel.pnn in mixed)
    return axes


def _grown(sample: Sample, seed: int, n: int) -> GateTree:
    axes = _axes(sample, np.random.default_rng(seed))
    spill = None
    if sample.spillover.status == "ok":
        assert sample.spillover.matrix is not None
        matrix = tuple(tuple(float(value) for value in row) for row in sample.spillover.matrix)
        spill = Compensation("file", sample.spillover.channels, matrix)
    blank = GateTree((), axes, spill)
    values = {axis: shown(sample.events, sample.pnn, blank, axis) for axis in axes}
    # A compensated value has no true last bit: FlowKit solves, we multiply by the inverse. Edges lie exactly on an
    # event only where both see the same number.
    plain = frozenset(name for name, axis in axes.items() if not axis.compensated)
    return GateTree(Grower(seed, values, on_events=plain).nodes(n), axes, spill)


def _ours(sample: Sample, tree: GateTree) -> Mapping[str, np.ndarray]:
    plan, parts, start = Plan(tree, sample.pnn), {}, 0
    for block in Events(np.asarray(sample.events), sample.pnn).blocks(1 << 14):
        for name, population in walk(plan, block).items():
            parts.setdefault(name, []).append(population.full_mask(len(block)))
        start += len(block)
    return {name: np.concatenate(masks) for name, masks in parts.items()}


def _differences(path: str, seeds: range, n: int) -> Iterator[tuple[str, int, int]]:
    """Yield (population, events compared, events that differ without being on a polygon's border)."""
    sample = read_fcs(DATA / path)
    for seed in seeds:
        tree = _grown(sample, seed, n)
        theirs, ours = memberships(sample.events, sample.pnn, tree), _ours(sample, tree)
        excused = _on_borders(sample, tree)
        counted = count(Events(np.asarray(sample.events), sample.pnn), tree)
        for name in theirs:
            different = theirs[name] ^ ours[name]
            assert counted[name] == int(ours[name].sum())
            yield name, sample.n_events, int((different & ~excused).sum())


def _on_borders(sample: Sample, tree: GateTree) -> np.ndarray:
    """Say which events lie exactly on a side of a polygon: in by Gating-ML 2.0, left or lower sides only by FlowKit."""
    border = np.zeros(sample.n_events, dtype=bool)
    for node in tree.nodes:
        if isinstance(node.geometry, Polygon):
            x, y = (shown(sample.events, sample.pnn, tree, axis) for axis in node.geometry.axes)
            corners = node.geometry.vertices
            for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
                on_line = (bx - ax) * (y - ay) == (x - ax) * (by - ay)
                within = (np.minimum(ax, bx) <= x) & (x <= np.maximum(ax, bx))
                border |= on_line & within & (np.minimum(ay, by) <= y) & (y <= np.maximum(ay, by))
    return border


@needs_reference_data
@pytest.mark.parametrize("path", FILES)
def test_random_trees_hold_the_same_events(path: str) -> None:
    found = list(_differences(path, range(2), 14))
    assert len(found) == 2 * 15
    assert [(name, wrong) for name, _, wrong in found if wrong] == []


@needs_reference_data
@pytest.mark.soak
@pytest.mark.parametrize("path", FILES)
def test_many_random_trees_hold_the_same_events(path: str) -> None:
    found = list(_differences(path, range(100, 120), 14))
    assert [(name, wrong) for name, _, wrong in found if wrong] == []
