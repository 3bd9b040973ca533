"""The documents that patterns are called by: read back as they were written, and refused once they were touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import InputError, SpecificationError, StromagateError
from stromagate.model.calibration import CALIBRATION, ValidatedCalibration, Validation
from stromagate.pattern import call_pattern
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pipeline.calibrate import calibration_bytes, read_calibration
from tests.pattern.tubes import cohort, controls, fitted, tube

SECOND = Validation(
    cohort="another made cohort", n_patients=48, events={"early relapse": 16}, measure="balanced accuracy", value=0.41
)


def validated() -> ValidatedCalibration:
    """Return fitted cut-points with a second cohort."""
    plain = fitted().model_dump(exclude={"seal", "level"})
    return ValidatedCalibration.model_validate({**plain, "validation": SECOND}).sealed()


MADE: dict[str, Callable[[], AnyCalibration]] = {
    "L1": controls,
    "L2": cohort,
    "L3": fitted,
    "L4": validated,
}


def write(folder: Path, plain: Any) -> Path:
    path = folder / "calibration.json"
    path.write_bytes(plain if isinstance(plain, bytes) else json.dumps(plain).encode())
    return path


def refused(path: Path) -> StromagateError:
    with pytest.raises(StromagateError) as caught:
        read_calibration(path)
    assert caught.value.where == str(path)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("level", MADE)
def test_every_level_reads_back_from_its_own_bytes(level: str, tmp_path: Path) -> None:
    calibration = MADE[level]()
    written = calibration_bytes(calibration)
    again = read_calibration(write(tmp_path, written))
    assert type(again) is type(calibration)
    assert again == calibration
    assert again.level == level
    assert again.digest == again.seal == calibration.digest
    assert calibration_bytes(again) == written
    assert call_pattern(tube(90, 8), again) == call_pattern(tube(90, 8), calibration)


@pytest.mark.parametrize("level", MADE)
def test_other_blanks_are_no_other_calibration(level: str, tmp_path: Path) -> None:
    plain = json.loads(calibration_bytes(MADE[level]()))
    turned = dict(reversed(plain.items()))
    assert read_calibration(write(tmp_path, json.dumps(turned, indent=3).encode())) == MADE[level]()


def _rate(plain: dict[str, Any]) -> None:
    plain["rates"]["nucleated"]["P"][3] += 0.001


def _cut(plain: dict[str, Any]) -> None:
    plain["cuts"]["nucleated"]["Q"]["value"] = 41.0


def _nested(plain: dict[str, Any]) -> None:
    plain["fit"]["performance"]["nested"] = 0.84


def _second(plain: dict[str, Any]) -> None:
    plain["validation"]["value"] = 0.81


def _strata(plain: dict[str, Any]) -> None:
    plain["strata"]["specimen"] = "digest"


@pytest.mark.parametrize(
    ("level", "change"),
    [
        ("L1", _rate),
        ("L1", _strata),
        ("L2", _rate),
        ("L3", _cut),
        ("L3", _nested),
        ("L4", _cut),
        ("L4", _second),
    ],
)
def test_a_changed_number_breaks_the_seal(level: str, change: Callable[[Any], None], tmp_path: Path) -> None:
    plain = json.loads(calibration_bytes(MADE[level]()))
    change(plain)
    said = refused(write(tmp_path, plain))
    assert isinstance(said, SpecificationError)
    assert said.code == "calibration.seal"
    assert "its seal does not fit its content" in said.message


def test_a_calibration_without_a_seal_is_refused(tmp_path: Path) -> None:
    plain = json.loads(calibration_bytes(controls()))
    del plain["seal"]
    assert refused(write(tmp_path, plain)).code == "calibration.seal"


def test_cut_points_of_few_patients_are_refused_with_the_reason(tmp_path: Path) -> None:
    plain = json.loads(calibration_bytes(fitted()))
    plain["fit"]["events"]["late relapse"] = 9
    said = refused(write(tmp_path, plain))
    assert said.code == "calibration.invalid"
    assert "fewer than 10 patients in late relapse (9): no cut-point can be fitted on so few" in said.message
    assert "Value error" not in said.message
    plain["fit"]["events"]["late relapse"] = 10
    assert CALIBRATION.validate_python(plain).level == "L3"


def test_the_second_cohort_is_kept_and_said(tmp_path: Path) -> None:
    again = read_calibration(write(tmp_path, calibration_bytes(validated())))
    assert isinstance(again, ValidatedCalibration)
    assert again.validation == SECOND
    call = call_pattern(tube(90, 8), again)
    assert call.level == "L4"
    assert "calibration L4 “made controls”, fitted on 60 patients, validated on 48" in call.sentence
    bare = json.loads(calibration_bytes(validated()))
    del bare["validation"]
    assert "validation: Field required" in refused(write(tmp_path, bare)).message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"level": "L5"}, "'L1', 'L2', 'L3', 'L4'"),
        ({"level": "L0"}, "'L1', 'L2', 'L3', 'L4'"),
        ({"format": "stromagate.calibration/2"}, "stromagate.calibration/1"),
        ({"cut_offs": 3}, "cut_offs"),
        ({"denominators": ["viable"]}, "`denominators` names one that `rates` does not hold"),
        ({"denominators": []}, "denominators"),
        ({"offset_ppm": 0}, "offset_ppm"),
        ({"tubes": []}, "tubes"),
        ({"name": "two\nlines"}, "on one line"),
        ({"name": "\u202eturned"}, "on one line"),
        ({"name": " "}, "on one line"),
        ({"offset_ppm": 1e308}, "less than or equal to 1000000000000"),
        ({"rates": {"nucleated": {"P": [-1.0] * 44, "Q": [1.0] * 44}}}, "greater than or equal to 0"),
        ({"rates": {"nucleated": {"P": [1.0] * 44, "Q": [1e308] * 44}}}, "less than or equal to 1000000000000"),
    ],
)
def test_what_is_no_calibration_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    said = refused(write(tmp_path, {**json.loads(calibration_bytes(controls())), **change}))
    assert (type(said), said.code) == (SpecificationError, "calibration.invalid")
    assert words in said.message


def test_rates_that_are_not_one_a_tube_are_refused(tmp_path: Path) -> None:
    plain = json.loads(calibration_bytes(cohort()))
    plain["rates"]["nucleated"]["Q"].pop()
    assert "one number a tube" in refused(write(tmp_path, plain)).message


@pytest.mark.parametrize(
    "content",
    [b"", b"low below 20, high from 40\n", b"[]", b"{}", b"\xff\xfe\x00", b'{"level": "L1"', b"null", b'"L1"'],
)
def test_a_file_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    assert refused(write(tmp_path, content)).code == "calibration.invalid"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(word: str, tmp_path: Path) -> None:
    written = calibration_bytes(controls()).replace(b'"offset_ppm": 5.0', f'"offset_ppm": {word}'.encode())
    assert word.encode() in written
    assert "finite" in refused(write(tmp_path, written)).message


def test_a_file_that_is_not_there_is_an_input_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        said = refused(path)
        assert isinstance(said, InputError)
        assert said.code == "calibration.unreadable"
        assert said.message.startswith("cannot be read: ")
