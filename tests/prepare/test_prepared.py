"""A prepared tube: values by axis, for all events or some, fast within slack of exact."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.model.config import RunConfig
from stromagate.model.template import GatingTemplate
from stromagate.prepare import Prepared, prepare
from tests.prepare.tubes import MATRIX, PNN, spill, tube

TEMPLATE = GatingTemplate.model_validate(
    {
        "format": "stromagate.template/1",
        "name": "t",
        "version": "1.0.0",
        "status": "local",
        "title": "t",
        "panel": {"required": ["CD45", "CD271", "CD146"]},
        "populations": [
            {"name": "p", "parent": "all", "gate": {"method": "fixed", "axis": "FSC-A", "low": 1}},
            {"name": "q", "parent": "p", "gate": {"method": "fixed", "axis": "CD146", "low": 0.5}},
        ],
    }
)


def ready(**made: object) -> Prepared:
    return prepare(tube(**made), TEMPLATE)


def test_axes_are_bound_scaled_and_compensated() -> None:
    prepared = ready(spillover=spill(MATRIX))
    assert (prepared.axes["CD146"].pnn, prepared.axes["FSC-A"].pnn) == ("PE-A", "FSC-A")
    assert prepared.axes["CD146"].compensated
    assert not prepared.axes["FSC-A"].compensated
    assert prepared.compensation is not None


@pytest.mark.parametrize("pnn", [PNN, ("PE-A", "Time", "APC-A", "FSC-A", "FITC-A")], ids=["together", "apart"])
def test_fast_values_are_within_slack_of_exact(pnn: tuple[str, ...]) -> None:
    stains = {"PE-A": "CD146", "APC-A": "CD271", "FITC-A": "CD45"}
    prepared = ready(spillover=spill(MATRIX), pnn=pnn, stains=tuple(stains.get(name, "") for name in pnn))
    rows = np.arange(prepared.n, dtype=np.intp)
    for axis in prepared.axes:
        exact = prepared.exact(axis, rows)
        assert np.abs(prepared.linear(axis) - exact).max() <= prepared.slack(axis)
        assert np.abs(prepared.linear(axis, rows[::7]) - exact[::7]).max() <= prepared.slack(axis)
        assert prepared.display(axis, rows[:5]).shape == (5,)


def test_a_nan_in_a_column_between_spoils_nothing() -> None:
    pnn = ("PE-A", "Time", "APC-A", "FSC-A", "FITC-A")
    events = np.random.default_rng(0).normal(500, 100, (50, 5))
    events[:, 1] = np.nan
    prepared = ready(events=events, spillover=spill(MATRIX), pnn=pnn, stains=("CD146", "", "CD271", "", "CD45"))
    assert np.isfinite(prepared.linear("CD146")).all()


def test_an_empty_tube_is_prepared() -> None:
    prepared = ready(events=np.empty((0, 5)), spillover=spill(MATRIX))
    assert prepared.linear("CD146").shape == (0,)
    assert prepared.n == 0


def test_a_missing_marker_is_an_error() -> None:
    with pytest.raises(SpecificationError, match="CD271"):
        prepare(tube(stains=("", "CD146", "", "CD45", "")), TEMPLATE, RunConfig())
