"""Which populations, gates and rows the checks look at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stromagate.model.gates import Boolean, Interval, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.qc.targets import among, deciding, edges_of, main_denominator, main_target, path_to, targets
from tests.qc.evidence import GATES, gate, make_evidence

sorted_rows = st.lists(st.integers(0, 60), unique=True).map(lambda rows: np.array(sorted(rows), dtype=np.intp))


@hypothesis_settings(derandomize=True)
@given(sorted_rows, sorted_rows)
def test_among_is_set_membership(few: np.ndarray, many: np.ndarray) -> None:
    np.testing.assert_array_equal(among(few, many), np.isin(few, many))


@pytest.mark.parametrize(
    ("geometry", "edges"),
    [
        (Interval("a", None, 0.5), {"a": (None, 0.5)}),
        (Rectangle(("a", "b"), (0.1, None), (None, 0.9)), {"a": (0.1, None), "b": (None, 0.9)}),
        (Rectangle(("a", "b"), (0.1, None), (None, 0.9), inside=False), {}),
        (QuadrantPart(("a", "b"), (0.3, 0.4), ("above", "below")), {"a": (0.3, None), "b": (None, 0.4)}),
        (Polygon(("a", "b"), ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))), {}),
        (Spans("Time", ((0.0, 1.0),)), {}),
        (Boolean("all", ("x",)), {}),
        (None, {}),
    ],
)
def test_straight_edges_by_axis(geometry, edges: dict) -> None:
    assert edges_of(geometry) == edges


def test_indices_that_this_tube_lacks_are_no_targets() -> None:
    evidence = make_evidence(template={"indices": {"endothelium": "elsewhere", "progenitors": "msc", "msc": "msc"}})
    assert targets(evidence) == ["msc"]
    assert main_target(evidence) == "msc"
    assert main_target(make_evidence(template={"indices": {"progenitors": "progenitors"}})) == "progenitors"
    assert main_target(make_evidence(template={"indices": {}})) is None


def test_the_first_denominator_that_is_there() -> None:
    assert main_denominator(make_evidence(template={"denominators": ["elsewhere", "stroma", "viable"]})) == "stroma"
    assert main_denominator(make_evidence(template={"denominators": []})) == "all"


def test_the_way_down_and_what_decides() -> None:
    evidence = make_evidence()
    assert [node.name for node in path_to(evidence, "msc")] == [node.name for node in GATES[:5]]
    assert path_to(evidence, "all") == []
    rest = gate("rest", "stroma", "boolean", Boolean("none", ("msc", "progenitors")))
    either = gate("either", "stroma", "boolean", Boolean("any", ("msc", "rest")))
    with_rest = make_evidence(gates=(*GATES, rest, either), members={"rest": np.arange(3), "either": np.arange(3)})
    trunk = [(node.name, True) for node in GATES[:4]]
    decided = [(node.name, keep) for node, keep in deciding(with_rest, "rest")]
    assert decided == [*trunk, ("msc", False), ("progenitors", False)]
    assert [(node.name, keep) for node, keep in deciding(with_rest, "either")] == trunk
