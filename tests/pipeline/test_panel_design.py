"""What is said of how a panel was laid out."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.model.panel import Binding, Panel
from stromagate.model.sample import Spillover
from stromagate.pipeline.panel_design import design_warnings

CHANNELS = ("PE-A", "BV421-A", "APC-A", "FITC-A")


def _panel(**on: str) -> Panel:
    return Panel(tuple(Binding(axis, CHANNELS.index(pnn), pnn, axis, "$PnS") for axis, pnn in on.items()))


def _spill(dye: str, detector: str, share: float) -> Spillover:
    matrix = np.eye(len(CHANNELS))
    matrix[CHANNELS.index(dye), CHANNELS.index(detector)] = share
    return Spillover("ok", "$SPILLOVER", CHANNELS, matrix)


@pytest.mark.parametrize(("share", "said"), [(0.005, 0), (0.03, 1)])
def test_light_of_cd45_in_a_rare_marker(share: float, said: int) -> None:
    panel = _panel(CD271="PE-A", CD146="BV421-A", CD45="APC-A")
    found = design_warnings(panel, _spill("APC-A", "PE-A", share))
    assert len(found) == said
    assert not said or "3.0 % of CD45 (APC-A) falls into CD271 (PE-A)" in found[0]


def test_light_the_other_way_is_no_matter() -> None:
    panel = _panel(CD271="PE-A", CD45="APC-A")
    assert design_warnings(panel, _spill("PE-A", "APC-A", 0.2)) == ()


def test_a_rare_marker_where_cells_glow() -> None:
    (found,) = design_warnings(_panel(CD146="FITC-A", CD45="APC-A"), Spillover("absent"))
    assert "CD146 is read on FITC-A" in found
    assert design_warnings(_panel(CD45="FITC-A"), Spillover("absent")) == ()
