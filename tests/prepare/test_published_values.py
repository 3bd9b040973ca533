"""Values beside published results: FlowJo's biexponential tables, and FlowIO's gain, log and time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.model.scales import Scale
from stromagate.prepare.scales import forward
from tests.reference_data import DATA, needs_reference_data

FLOWKIT = DATA / "real" / "whitews+FlowKit"
FLOWIO = DATA / "real" / "whitews+FlowIO" / "data"
TABLES = sorted([*FLOWKIT.glob("data/flowjo_xforms/*.csv"), *FLOWKIT.glob("flowkit/_resources/flowjo_xforms/*.csv")])


@needs_reference_data
def test_the_tables_are_there() -> None:
    assert len(TABLES) >= 28


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem[8:])
def test_logicle_is_near_flowjos_biexponential(path: Path) -> None:
    """FlowJo's scale is a relative of logicle (W = log10(-width) / 2, A = negative decades), not the same function.

    They differ by at most 11 of 4,096 channels. FlowJo shows widths above -3 as it shows -3.16.
    """
    width, negative, decades, top = map(float, re.findall(r"-?\d+\.\d+", path.stem))
    scale = Scale("logicle", top, max(0.25, np.log10(-width) / 2), decades, negative)
    values = np.loadtxt(path, delimiter=",", skiprows=1)[:, 1]
    channels = forward(scale, values) * values.size
    assert np.abs(channels - np.arange(values.size)).max() <= 11


@needs_reference_data
@pytest.mark.parametrize(
    ("fcs", "truth"),
    [("data1.fcs", "data1_preprocessed"), ("B01 KC-A-W---91-US.fcs", "B01 KC-A-W---91-US_preprocessed_events")],
)
def test_gain_log_and_time_are_flowios(fcs: str, truth: str) -> None:
    path = next(iter(DATA.glob(f"real/*/**/{fcs}")))
    sample = read_fcs(path)
    theirs = np.load(FLOWIO / "truth" / f"{truth}.npy").reshape(sample.n_events, len(sample.channels))
    difference = np.abs(sample.events - theirs) / np.maximum(np.abs(theirs), 1)
    assert difference.max() <= 1e-6, [
        name for name, worst in zip(sample.pnn, difference.max(axis=0), strict=True) if worst > 1e-6
    ]
