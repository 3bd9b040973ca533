"""Spillover keywords as vendors write them: parsed, or malformed with the reason; never a reason not to read events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.fcs import read_fcs, write_fcs
from stromagate.fcs.spillover import parse_spillover
from stromagate.model.sample import Spillover

NAMES = ["FSC-A", "FITC-A", "PE-A", "Time"]
GOOD = "2,FITC-A,PE-A,1,0.25,0.125,1"
MATRIX = [[1.0, 0.25], [0.125, 1.0]]


def _parse(**keywords: str) -> Spillover:
    return parse_spillover({name.replace("_", "$"): value for name, value in keywords.items()}, NAMES)


def test_none_is_absent() -> None:
    assert _parse().status == "absent"
    assert _parse(_SPILLOVER=" ", SPILL="").status == "absent"


@pytest.mark.parametrize("keyword", ["_SPILLOVER", "SPILL", "_SPILL", "SPILLOVER"])
def test_every_name_of_the_keyword_is_known(keyword: str) -> None:
    spill = _parse(**{keyword: GOOD})
    assert (spill.status, spill.keyword) == ("ok", keyword.replace("_", "$"))
    assert spill.channels == ("FITC-A", "PE-A")
    assert spill.matrix is not None
    np.testing.assert_array_equal(spill.matrix, MATRIX)
    assert not spill.matrix.flags.writeable


def test_the_standard_keyword_is_trusted_over_the_vendors() -> None:
    spill = _parse(SPILL="1,PE-A,1", _SPILLOVER=GOOD, _COMP="1,1")
    assert (spill.keyword, spill.status) == ("$SPILLOVER", "ok")


@pytest.mark.parametrize(
    "text",
    [
        "2,2,3,1,0.25,0.125,1",
        "2,FITC-A,PE-A,1,000,0,250,0,125,1,000",
        " 2 , FITC-A , PE-A , 1 , 0.25 , 0.125 , 1 ",
        "2,FITC-A,PE-A,1,0.25,0.125,1,",
        "2,fitc-a,pe-a,1,0.25,0.125,1",
        "2,FITC-A,PE-A,1.0E0,2.5E-1,.125,+1",
    ],
)
def test_what_vendors_make_of_it_is_understood(text: str) -> None:
    """Places instead of names, decimal commas, blanks, a closing comma, other letter case."""
    spill = _parse(_SPILLOVER=text)
    assert (spill.status, spill.channels) == ("ok", ("FITC-A", "PE-A"))
    assert spill.matrix is not None
    np.testing.assert_array_equal(spill.matrix, MATRIX)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NA", "number of channels"),
        ("0", "number of channels"),
        ("-2,A,B,1,0,0,1", "number of channels"),
        ("99999999999,A", "number of channels"),
        ("4,FL5-H,FL4-H,FL5-A,FL4-A", "16 numbers, but 0"),
        ("2,FITC-A,PE-A,1,0.25,0.125", "4 numbers, but 3"),
        ("2,FITC-A,APC-A,1,0,0,1", "APC-A"),
        ("2,FITC-A,9,1,0,0,1", "9"),
        ("2,FITC-A,FITC-A,1,0,0,1", "twice"),
        ("2,FITC-A,PE-A,1,x,0,1", "'x' is no number"),
        ("2,FITC-A,PE-A,1,nan,0,1", "'nan' is no number"),
        ("2,FITC-A,PE-A,1,inf,0,1", "'inf' is no number"),
        ("2,FITC-A,PE-A,1,a,0,b,0,c,1,d", "twice the 4 numbers"),
    ],
)
def test_what_cannot_be_understood_keeps_its_reason(text: str, reason: str) -> None:
    spill = _parse(_SPILLOVER=text)
    assert (spill.status, spill.keyword, spill.matrix, spill.text) == ("malformed", "$SPILLOVER", None, text)
    assert reason in spill.reason


def test_a_unit_matrix_is_told_apart() -> None:
    assert _parse(_SPILLOVER="2,FITC-A,PE-A,1,0,0,1").status == "unit"
    assert _parse(_DFC2TO3="0").status == "unit"


def test_comp_is_for_all_channels() -> None:
    unit = np.eye(4)
    unit[1, 2] = 0.5
    spill = _parse(_COMP="4," + ",".join(str(value) for value in unit.ravel()))
    assert (spill.status, spill.channels) == ("ok", tuple(NAMES))
    assert spill.matrix is not None
    assert spill.matrix[1, 2] == 0.5
    assert _parse(_COMP="2,1,0,0,1").status == "malformed"
    assert _parse(_COMP="4,1,0").status == "malformed"


def test_percent_pairs_of_version_two() -> None:
    spill = _parse(_DFC2TO3="25.0", _DFC3TO2=" 12.5")
    assert (spill.status, spill.channels) == ("ok", ("FITC-A", "PE-A"))
    assert spill.matrix is not None
    np.testing.assert_array_equal(spill.matrix, MATRIX)
    assert _parse(_DFC2TO9="1").status == "malformed"
    assert _parse(_DFC2TO3="x").status == "malformed"


def test_a_name_that_is_a_number_is_a_name() -> None:
    spill = parse_spillover({"$SPILLOVER": "2,1,2,1,0.25,0.125,1"}, ["2", "1", "PE-A"])
    assert spill.channels == ("1", "2")


def test_the_text_that_is_kept_is_bounded() -> None:
    assert len(_parse(_SPILLOVER="x" * 100_000).text) == 2000


@given(text=st.text(st.sampled_from("0123456789.,-+eE AFITC"), max_size=60))
@settings(derandomize=True, max_examples=500, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    spill = _parse(_SPILLOVER=text)
    assert (spill.matrix is not None) == (spill.status in {"ok", "unit"})
    assert bool(spill.reason) == (spill.status == "malformed")


@given(values=st.lists(st.floats(-2, 2), min_size=9, max_size=9))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_every_number_arrives_exactly(values: list[float]) -> None:
    spill = _parse(_SPILLOVER="3,FSC-A,FITC-A,PE-A," + ",".join(map(repr, values)))
    assert spill.matrix is not None
    np.testing.assert_array_equal(spill.matrix, np.reshape(values, (3, 3)))


def test_a_malformed_matrix_never_prevents_reading(tmp_path: Path) -> None:
    path, events = tmp_path / "a.fcs", np.arange(8, dtype=np.float32).reshape(2, 4)
    write_fcs(path, events, NAMES, keywords={"$SPILLOVER": "NA"})
    sample = read_fcs(path, policy="strict")
    assert sample.spillover.status == "malformed"
    np.testing.assert_array_equal(sample.events, events)
