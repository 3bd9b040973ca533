"""The Gating-ML 2.0 compliance suite: expected members of every gate that our geometry can express."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.fcs import read_fcs
from stromagate.gating.geometry import check, contains
from stromagate.gating.walk import Plan, walk
from tests.gating.gatingml import read_gatingml
from tests.gating.tubes import Events, shown
from tests.reference_data import DATA, needs_reference_data

# Ratios of two channels, and hyperlog scales with what builds on them: not among our gates.
NOT_OURS = {"RatRange1", "RatRange1a", "RatRange2", "ScaleRange2", "ScaleRange2c", "ScaleRange7c", "ScalePar1"}
# Its matrix is neither symmetric nor positive definite, so that no set of events has it as covariance.
NO_ELLIPSE = "Ellipsoid3D"


def _expected() -> list[dict[str, str]]:
    with (DATA / "truth" / "gatingml_expected.csv").open(newline="") as table:
        return [row for row in csv.DictReader(table) if row["suite"] == "Gating-ML 2.0"]


@needs_reference_data
def test_every_gate_we_can_express_holds_the_expected_events() -> None:
    rows, trees, differing, done = _expected(), {}, {}, 0
    assert len(rows) == 49
    sample = read_fcs(DATA / rows[0]["fcs"])
    for row in rows:
        if row["gate_id"] == NO_ELLIPSE:
            continue
        path = row["gates"].split("|")[0]
        if path not in trees:
            tree, other = read_gatingml(DATA / path)
            (block,) = Events(np.asarray(sample.events), sample.pnn).blocks(sample.n_events)
            trees[path] = (walk(Plan(tree, sample.pnn), block), other)
        found, other = trees[path]
        if row["gate_id"] in other:
            assert row["gate_id"] in NOT_OURS
            continue
        wanted = np.loadtxt(DATA / row["expected"], dtype=int).astype(bool)
        assert len(wanted) == sample.n_events == int(row["n_events"])
        different = int((found[row["gate_id"]].full_mask(sample.n_events) ^ wanted).sum())
        done += 1
        if different:
            differing[row["gate_id"]] = different
    assert differing == {}
    assert done == 41 == 49 - len(NOT_OURS) - 1


@needs_reference_data
def test_the_matrix_that_is_no_covariance_is_refused_but_would_be_reckoned_alike() -> None:
    (row,) = [row for row in _expected() if row["gate_id"] == NO_ELLIPSE]
    tree, _ = read_gatingml(DATA / row["gates"])
    (geometry,) = [node.geometry for node in tree.nodes]
    assert geometry is not None
    with pytest.raises(SpecificationError, match="not symmetric"):
        check(geometry)
    sample = read_fcs(DATA / row["fcs"])
    points = np.column_stack([shown(sample.events, sample.pnn, tree, axis) for axis in geometry.axes])
    wanted = np.loadtxt(DATA / row["expected"], dtype=int).astype(bool)
    assert np.array_equal(contains(geometry, points), wanted)


@needs_reference_data
def test_the_reader_of_the_suite_says_what_it_cannot_express() -> None:
    tree, other = read_gatingml(DATA / "real/whitews+FlowKit/data/gate_ref/gml/gml_all_gates.xml")
    assert other == NOT_OURS
    assert len(tree.nodes) > 42
