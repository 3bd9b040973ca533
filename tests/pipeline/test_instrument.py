"""Which keywords of a file a result keeps: detectors in the shape of the standard, and nothing that names anyone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs, write_fcs
from stromagate.model.config import RunConfig
from stromagate.model.sample import Sample
from stromagate.pipeline.instrument import instrument_of

NAMES = ["FSC-A", "PE-A", "Time"]
PERSON = {"$OP": "Op Erator", "$INST": "St Elsewhere", "$SRC": "Doe, Jane", "EXPERIMENT NAME": "Jane", "$P1X": "Jane"}
DETECTORS = {"$P1V": "350", "$P2V": "512.5", "$P2T": "PMT", "$P2L": "488,561", "$P2O": "50", "$P2F": "BP 585/42"}


def tube(tmp_path: Path, **more: str) -> Sample:
    path = tmp_path / "tube.fcs"
    events = np.ones((5, 3), dtype=np.float32)
    keywords = {"$CYT": "LSRFortessa", **PERSON, **DETECTORS, **more}
    write_fcs(path, events, NAMES, labels=["", "CD146", ""], keywords=keywords)
    return read_fcs(path)


def test_detectors_are_kept_and_nobody_is_named(tmp_path: Path) -> None:
    kept = instrument_of(tube(tmp_path), RunConfig())
    assert {name: said for name, said in kept.items() if name[:2] == "$P"} == DETECTORS
    assert kept["$CYT"] == "LSRFortessa"
    assert not set(PERSON) & set(kept)
    assert not any("Jane" in said for said in kept.values())


@pytest.mark.parametrize("word", ["Jane Doe", "12 March 1961", "561; ward 7", "50 mW by Jane"])
@pytest.mark.parametrize("name", ["$P2V", "$P2T", "$P2L", "$P2O", "$P2F"])
def test_a_detector_keyword_that_holds_something_else_is_left_out(tmp_path: Path, name: str, word: str) -> None:
    assert name not in instrument_of(tube(tmp_path, **{name: word}), RunConfig())


def test_none_is_none(tmp_path: Path) -> None:
    assert instrument_of(tube(tmp_path), RunConfig(keywords="none")) == {"FCS version": "3.1"}
