"""Second opinions: they agree where they can read, and their failures are answers, not accidents."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.fcs import open_fcs, witness, write_fcs
from tests.fcs.make_fcs import make
from tests.fcs.specimens import floats, integers, mixed, of_every_kind, wide
from tests.reference_data import DATA, needs_reference_data


def _verdicts(path: Path, dataset: int = 0) -> dict[str, str]:
    return {report.name: report.verdict for report in witness.compare(path, dataset=dataset)}


def test_both_agree_on_a_plain_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, np.array([[1.5, np.nan], [2.5, np.inf]], dtype=np.float32), ["FSC-A", "Time"])
    reports = witness.compare(path)
    assert [(report.name, report.verdict) for report in reports] == [("FlowIO", "agrees"), ("fcsparser", "agrees")]
    assert "2 events x 2 channels" in reports[0].detail
    assert capsys.readouterr() == ("", "")


def test_a_witness_that_sees_other_values_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(floats()).write(tmp_path / "a.fcs")
    honest = witness._ask_flowio

    def lying(path: str, dataset: int) -> tuple[list[str], np.ndarray]:
        names, values = honest(path, dataset)
        values = values.copy()
        values[2, 1] += 1
        return [names[0], "Other", *names[2:]], values

    monkeypatch.setattr(witness, "_ask_flowio", lying)
    report = witness.compare(path)[0]
    assert report.verdict == "differs"
    assert "'Other' for 'FITC-A'" in report.detail
    assert "FITC-A: 1 of 5 values" in report.detail


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ((["A"], np.zeros((5, 3))), "1 names for 3 channels"),
        ((["A", "B", "C"], np.zeros((4, 3))), "4 events x 3 channels, not 5 x 3"),
    ],
)
def test_other_shapes_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: tuple[list[str], np.ndarray], words: str
) -> None:
    path = make(floats()).write(tmp_path / "a.fcs")
    monkeypatch.setattr(witness, "_ask_fcsparser", lambda *_: reading)
    report = witness.compare(path)[1]
    assert (report.verdict, words in report.detail) == ("differs", True)


@pytest.mark.parametrize("error", [MemoryError("x"), KeyError("$PAR"), RuntimeError("a\n  b"), SyntaxError("no")])
def test_whatever_a_witness_raises_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = make(floats()).write(tmp_path / "a.fcs")

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(witness, "_ask_flowio", failing)
    report = witness.compare(path)[0]
    assert report.verdict == "cannot read"
    assert type(error).__name__ in report.detail
    assert "\n" not in report.detail


def test_known_limits_are_explained(tmp_path: Path) -> None:
    big_endian, wide_integers = make(integers()), make(wide(24))
    reports = {r.name: r for r in witness.compare(big_endian.write(tmp_path / "a.fcs"))}
    assert reports["FlowIO"].verdict == "agrees"
    assert (reports["fcsparser"].verdict, "big-endian" in reports["fcsparser"].detail) == ("cannot read", True)
    report = witness.compare(wide_integers.write(tmp_path / "b.fcs"))[0]
    assert (report.verdict, "8, 16 and 32 bits" in report.detail) == ("cannot read", True)


@pytest.mark.parametrize("spec", [mixed(), of_every_kind()])
def test_no_witness_agrees_where_its_reading_is_known_to_be_wrong(tmp_path: Path, spec: object) -> None:
    verdicts = _verdicts(make(spec).write(tmp_path / "a.fcs"))  # type: ignore[arg-type]  # both are specifications
    assert set(verdicts.values()) <= {"differs", "cannot read"}


def test_a_file_we_refuse_is_refused_here_too(tmp_path: Path) -> None:
    path = tmp_path / "a.fcs"
    path.write_bytes(b"no file")
    with pytest.raises(InputError):
        witness.compare(path)


@needs_reference_data
def test_witnesses_on_the_real_files() -> None:
    """Where they can read, they agree with us, but for the one file whose HEADER fcsparser trusts blindly."""
    seen: Counter[tuple[str, str]] = Counter()
    for path in sorted(DATA.rglob("*")):
        if path.suffix.lower() not in {".fcs", ".lmd"} or path.name in {"corrupted.fcs", "sample_header.fcs"}:
            continue
        for report in witness.compare(path, dataset=open_fcs(path).source.dataset):
            seen[report.name, report.verdict] += 1
            if report.verdict == "differs":
                assert (report.name, path.name) == ("fcsparser", "data_start_offset_discrepancy_example.fcs")
                assert "does not weigh them" in report.detail
    assert seen["FlowIO", "agrees"] >= 84
    assert seen["fcsparser", "agrees"] >= 26
