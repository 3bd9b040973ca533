"""A proposed sample sheet: roles by the words of names, and what no name may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import DocumentError
from stromagate.pipeline import load_template
from stromagate.pipeline.controls.roles import check_roles
from stromagate.pipeline.guess import guesser
from stromagate.pipeline.proposal import looks_like_controls, propose, sheet_text, tally
from stromagate.pipeline.sheet import read_sheet
from stromagate.pipeline.tubes import collect_tubes
from tests.reference_data import ROOT
from tests.tubes import write_tube

NAMES = {
    "healthy_01_stained": ("stained", "healthy_01"),
    "healthy_01_fmo_CD146": ("fmo:CD146", "healthy_01"),
    "P12 FMO-146": ("fmo:CD146", "P12"),
    "P12_FMO CD271 PE_003": ("fmo:CD271", "P12"),
    "FMOCD146_P3": ("fmo:CD146", "P3"),
    "P3 CD146 FMO": ("fmo:CD146", "P3"),
    "P4_minus_MCAM": ("fmo:CD146", "P4"),
    "P4 Fluorescence minus one NGFR": ("fmo:CD271", "P4"),
    "P2_FMO1": ("fmo:?", "P2"),
    "P5_iso_CD146": ("isotype:CD146", "P5"),
    "P7 unstained": ("unstained", "P7"),
    "P7_blank_2": ("blank", "P7"),
    "Compensation Controls_PE Stained Control_001": ("comp:PE", ""),
    "isolated MSC P3": ("stained", "isolated_MSC_P3"),
    "combat_17": ("stained", "combat_17"),
    "P9_stained_001": ("stained", "P9"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_taken_apart(name: str) -> None:
    found = guesser().guess(name)
    assert (found.role, found.rest) == NAMES[name]


@given(st.text(max_size=40))
@settings(deadline=None, derandomize=True)
def test_any_name_gives_a_role_that_a_sheet_can_hold(name: str) -> None:
    found = guesser().guess(name)
    assert found.role.partition(":")[0] in {"stained", "fmo", "isotype", "unstained", "blank", "comp"}
    assert found.why


def test_the_shipped_tubes_are_proposed_as_their_own_sheet_has_them() -> None:
    folder = ROOT / "sample_fcs"
    proposed = {row.sample_id: (row.role, row.patient_id) for row in propose(collect_tubes([folder]).tubes)}
    true = {row.sample_id: (row.role, row.labels["patient_id"]) for row in read_sheet(folder / "samples.csv")}
    assert proposed == true


def test_the_sheet_can_be_read_again_and_holds_no_date(tmp_path: Path) -> None:
    (tmp_path / "day, one").mkdir()
    write_tube(tmp_path / "day, one" / "FMO.fcs")
    (tmp_path / "P1_FMO_CD146.fcs").write_bytes(b"no FCS file")
    rows = propose(collect_tubes([tmp_path]).tubes)
    sheet = tmp_path / "samples.csv"
    sheet.write_text(sheet_text(rows, tmp_path), encoding="utf-8")
    again = {row.sample_id: row for row in read_sheet(sheet)}
    assert again["FMO"].file == tmp_path / "day, one" / "FMO.fcs"
    assert again["FMO"].labels["patient_id"] == "day_one"
    assert again["P1_FMO_CD146"].role == "fmo:CD146"
    assert "the file cannot be read" in again["P1_FMO_CD146"].labels["role_guessed_from"]
    assert tally(rows) == "1 fmo:?, 1 fmo:CD146"
    with pytest.raises(DocumentError, match=r"'fmo:\?' names no marker"):
        check_roles(collect_tubes([], sheet).tubes, load_template("bm_stroma_core").template)


def test_days_become_numbered_batches() -> None:
    text = sheet_text(propose(collect_tubes([ROOT / "sample_fcs"]).tubes), ROOT)
    assert "batch_1" in text
    assert "2025" not in text


def test_only_names_that_no_sheet_explains_look_like_controls() -> None:
    folder = ROOT / "sample_fcs"
    assert len(looks_like_controls(collect_tubes([folder]).tubes)) == 8
    assert looks_like_controls(collect_tubes([], folder / "samples.csv").tubes) == []
