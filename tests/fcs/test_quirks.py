"""Each known quirk of instruments and exporters, a test a row and policy: repaired, or refused with a reason."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.model.sample import Policy
from tests.fcs.make_fcs import Made, make
from tests.fcs.quirk_files import Outcome, Quirk, all_quirks
from tests.fcs.readings import Reading, assert_exact, bits, read
from tests.fcs.specimens import SIXTEEN, integers

QUIRKS = {quirk.name: quirk for quirk in all_quirks()}
each_quirk = pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)


def _written(quirk: Quirk, folder: Path) -> tuple[Path, Made]:
    made = make(quirk.spec)
    path = folder / f"{quirk.name}.fcs"
    path.write_bytes(quirk.damage(made.data))
    return path, made


def _try(path: Path, policy: Policy) -> Reading | InputError:
    try:
        return read(path, policy)
    except InputError as error:
        return error


def _check_refusal(error: InputError, quirk: Quirk, path: Path) -> None:
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", error.code)
    assert path.name in str(error.where)
    assert error.message
    assert error.hint
    if not error.code.startswith("strict."):
        assert error.code.startswith(quirk.error), error.code
    assert re.search(quirk.words, str(error), re.IGNORECASE), str(error)


def _check_values(reading: Reading, made: Made, quirk: Quirk) -> None:
    names = quirk.names if quirk.names is not None else made.names
    if quirk.spec.datatype == "A":
        assert reading.raw.names == names
        assert tuple(tuple(map(float, column.tolist())) for column in reading.raw.columns) == made.columns
    else:
        assert_exact(reading, made, names=names)
    for key, value in quirk.keywords:
        assert reading.sample.keywords[key] == value


def _check(outcome: Outcome, result: Reading | InputError, quirk: Quirk, path: Path, made: Made) -> None:
    if isinstance(result, InputError):
        assert outcome != "read", str(result)
        _check_refusal(result, quirk, path)
        return
    assert outcome != "refuse", f"returned events, repairs {result.codes}"
    _check_values(result, made, quirk)


def test_the_table_is_whole() -> None:
    assert len(QUIRKS) == 58


@each_quirk
def test_tolerant(quirk: Quirk, tmp_path: Path) -> None:
    path, made = _written(quirk, tmp_path)
    result = _try(path, "repair")
    _check(quirk.tolerant, result, quirk, path, made)
    if isinstance(result, Reading):
        assert quirk.codes <= result.codes
        assert result.sample.verdict == ("repaired" if result.codes else "ok")
        assert all(repair.why and repair.after for repair in result.sample.repairs)
        if not quirk.codes and quirk.tolerant == "read":
            assert not result.codes


@each_quirk
def test_strict(quirk: Quirk, tmp_path: Path) -> None:
    path, made = _written(quirk, tmp_path)
    result = _try(path, "strict")
    _check(quirk.strict, result, replace(quirk, words=""), path, made)
    if isinstance(result, InputError) and quirk.tolerant == "read":
        # What tolerant reading repairs, strict reading refuses by the name of that very repair.
        assert result.code in {f"strict.{code}" for code in quirk.codes}, str(result)
    if isinstance(result, Reading):
        assert result.codes <= quirk.codes or quirk.strict == "either"


@each_quirk
def test_salvage(quirk: Quirk, tmp_path: Path) -> None:
    path, made = _written(quirk, tmp_path)
    result = _try(path, "salvage")
    if quirk.salvage is None:
        _check(quirk.tolerant, result, quirk, path, made)
        return
    assert isinstance(result, Reading), str(result)
    low, high = quirk.salvage
    n_events = result.sample.n_events
    assert low <= n_events <= high
    assert result.sample.verdict == "salvaged"
    assert any(code.startswith("salvage.") for code in result.codes)
    assert result.raw.names == made.names
    whole = tuple(tuple(column[:n_events]) for column in made.columns)
    assert tuple(bits(column) for column in result.raw.columns) == whole


def _scaled(name: str, folder: Path) -> dict[str, list[float]]:
    path, _ = _written(QUIRKS[name], folder)
    sample = read(path).sample
    return {channel.pnn: sample.events[:, channel.index].tolist() for channel in sample.channels}


def test_a_log_without_an_offset_starts_at_one(tmp_path: Path) -> None:
    events = _scaled("pne_decades_zero_offset_bd", tmp_path)
    assert events["FL1-H"][6] == 1.0
    np.testing.assert_allclose(events["FL1-H"][0], 10 ** (4 * 258 / 1024), rtol=1e-6)
    np.testing.assert_allclose(events["FL2-H"][1], 10 ** (4 * 18 / 65536), rtol=1e-6)
    assert events["FSC-H"][3] == 1023.0


def test_a_log_on_floats_is_left_alone(tmp_path: Path) -> None:
    events = _scaled("pne_log_on_float_data", tmp_path)
    assert events["FSC-A"] == [1.5, -2.25, 3e5, 0.0, 262143.0]


def test_a_blank_time_step_gives_no_seconds(tmp_path: Path) -> None:
    path, _ = _written(QUIRKS["timestep_blank_navios"], tmp_path)
    sample = read(path).sample
    assert sample.timestep_s is None
    assert sample.events[:, 3].tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_a_name_in_latin_1_keeps_its_letter(tmp_path: Path) -> None:
    path, _ = _written(QUIRKS["latin1_bytes_in_value"], tmp_path)
    assert read(path).sample.pnn[1] == "FL1-µ"


@pytest.mark.parametrize("key", ["$SPILLOVER", "$TIMESTEP", "$P1G", "$P2S"])
def test_an_empty_value_swallows_no_standard_keyword(key: str, tmp_path: Path) -> None:
    """By the rule of doubled delimiters ``$OP`` and the next keyword would become one, and the matrix would be gone."""
    values = {"$SPILLOVER": "2,FL1-H,FL2-H,1,0.1,0.25,1", "$TIMESTEP": "0.01", "$P1G": "4", "$P2S": "CD45"}
    spec = integers(columns=tuple(replace(column, pns=None) for column in SIXTEEN))
    made = make(replace(spec, extra=(("$OP", ""), (key, values[key]))))
    path = made.write(tmp_path / "empty.fcs")
    result = _try(path, "repair")
    if isinstance(result, Reading):
        assert_exact(result, made)
        assert "text.empty_values" in result.codes
        assert result.sample.keywords[key] == values[key]
