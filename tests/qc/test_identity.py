"""Keywords that look like a patient's identity (Q30): named, never quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stromagate.fcs import read_fcs
from stromagate.model.sample import SourceRef
from tests.qc.evidence import make_evidence, one
from tests.reference_data import ROOT

SAMPLES = sorted((ROOT / "sample_fcs").glob("*.fcs"))


def test_keywords_are_named_and_values_are_not() -> None:
    words = {"$SRC": "Mustermann, Erika", "PATIENT ID": "4711-Q", "$COM": "geb. 12.08.1964", "$CYT": "LSR"}
    finding = one("identity", make_evidence(sample={"keywords": words}))
    assert (finding.status, finding.measured, finding.limit) == ("warn", 3, 0)
    assert "$SRC (a name), PATIENT ID (made to hold it), $COM (a date of birth)" in finding.sentence
    for value in ("Mustermann", "Erika", "4711", "1964", "12.08"):
        assert value not in finding.sentence + finding.remedy
    assert "stromagate deidentify" in finding.remedy


def test_the_name_of_the_file_counts() -> None:
    finding = one("identity", make_evidence(sample={"source": SourceRef("/data/Mustermann, Erika.fcs", 1)}))
    assert finding.status == "warn"
    assert finding.sentence == "1 place may tell who the patient is: the file's name (a name)."
    folder = one("identity", make_evidence(sample={"source": SourceRef("/data/Mustermann, Erika/tube_1.fcs", 1)}))
    assert folder.status == "pass", "the folder is in no result"


def test_a_pass_promises_nothing() -> None:
    finding = one("identity", make_evidence(sample={"keywords": {"$SRC": "Specimen_001", "$OP": "Jane Roe"}}))
    assert (finding.status, finding.measured) == ("pass", 0)
    assert "not every name can be recognised" in finding.sentence


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample_tubes_raise_no_alarm(path) -> None:
    keywords = dict(read_fcs(path).keywords)
    evidence = make_evidence()
    sample = replace(evidence.sample, keywords=keywords, source=SourceRef(str(path), 1))
    assert one("identity", replace(evidence, sample=sample)).status == "pass"
