"""Spillover out: equal to FlowKit's and to a published result, and the fast form within its stated slack."""

from __future__ import annotations

import flowkit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError
from stromagate.fcs import read_fcs
from stromagate.model.gates import Axis
from stromagate.model.panel import Compensation
from stromagate.model.scales import Scale
from stromagate.prepare.matrix_file import read_matrix
from stromagate.prepare.unmix import Unmix
from tests.prepare.tubes import MATRIX, PNN
from tests.reference_data import DATA, needs_reference_data

DYES = ("PE-A", "APC-A", "FITC-A")
COMPENSATION = Compensation("test", DYES, tuple(map(tuple, MATRIX.tolist())))
AXES = {name: Axis(name, Scale(), name in DYES) for name in PNN}


def test_values_are_flowkits() -> None:
    events = np.random.default_rng(3).normal(2000, 3000, (500, 5)).astype(np.float32)
    theirs = flowkit.Matrix(MATRIX, list(DYES)).apply(flowkit.Sample(events.astype(float), "t", channel_labels=PNN))
    unmix = Unmix(PNN, AXES, COMPENSATION)
    for column, name in enumerate(PNN):
        ours = unmix[name].exact(events)
        assert np.abs(ours - theirs[:, column]).max() <= 1e-9 * np.abs(events).max()


@needs_reference_data
@pytest.mark.filterwarnings("ignore")
def test_values_of_a_real_tube_with_a_matrix_file_are_flowkits() -> None:
    folder = DATA / "real" / "whitews+FlowKit" / "data"
    path, matrix = folder / "test_comp_example.fcs", folder / "comp_complete_example.csv"
    sample = read_fcs(path)
    theirs = flowkit.Sample(path, compensation=str(matrix), ignore_offset_error=True).get_events(source="comp")
    compensation = read_matrix(matrix, sample.pnn)
    axes = {name: Axis(name, Scale(), name in compensation.channels) for name in sample.pnn}
    unmix = Unmix(sample.pnn, axes, compensation)
    for column, name in enumerate(sample.pnn):
        ours = unmix[name].exact(sample.events)
        assert np.abs(ours - theirs[:, column]).max() <= 1e-6 * np.abs(theirs[:, column]).max()


@given(st.integers(0, 2**32 - 1), st.integers(2, 24), st.floats(0.001, 1e6))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_fast_form_keeps_its_slack(seed: int, n: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(f"D{i}" for i in range(n))
    matrix = np.eye(n) + rng.uniform(0, 0.4 / n, (n, n)) * (1 - np.eye(n))
    axes = {name: Axis(name, Scale(), True) for name in names}
    unmix = Unmix(names, axes, Compensation("t", names, tuple(map(tuple, matrix.tolist()))))
    block = (rng.normal(0, size, (200, n))).astype(np.float32)
    columns, weights = unmix.matrix(names)
    fast = weights @ block[:, columns].T
    for row, name in zip(fast, names, strict=True):
        assert np.abs(row - unmix[name].exact(block)).max() <= unmix[name].slack(float(np.abs(block).max()))


def test_plain_columns_cannot_be_off() -> None:
    unmix = Unmix(PNN, AXES, COMPENSATION)
    assert unmix["Time"].plain
    assert unmix["Time"].slack(1e9) == 0.0
    assert unmix.axes == PNN


@pytest.mark.parametrize(
    ("axes", "compensation", "said"),
    [
        ({"CD45": Axis("BV421-A", Scale(), False)}, None, "no channel BV421-A"),
        ({"CD45": Axis("PE-A", Scale(), True)}, None, "there is no matrix"),
        ({"x": Axis("Time", Scale(), True)}, COMPENSATION, "Time is not in the matrix"),
        ({"x": Axis("Q-A", Scale(), True)}, Compensation("m", ("Q-A",), ((1.0,),)), "no channel Q-A"),
        ({"x": Axis("PE-A", Scale(), True)}, Compensation("m", DYES[:2], ((1.0, 1.0), (1.0, 1.0))), "no inverse"),
    ],
)
def test_what_cannot_be_unmixed_is_said(axes: dict, compensation: Compensation | None, said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        Unmix(PNN, axes, compensation)
