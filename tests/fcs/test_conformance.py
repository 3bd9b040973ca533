"""Every legal variant decodes exactly and without a remark; so does any random legal file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from stromagate.errors import InputError
from stromagate.fcs import read_fcs, read_raw
from tests.fcs.legal_files import all_legal
from tests.fcs.make_fcs import Column, Made, Spec, chain, make
from tests.fcs.random_specs import specs
from tests.fcs.readings import Reading, assert_exact, read
from tests.fcs.specimens import SIXTEEN, floats, integers

LEGAL = all_legal()
SHARED_FOLDER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]  # each example overwrites one file


def _read(spec: Spec, folder: Path, **arguments: object) -> tuple[Reading, Made]:
    made = make(spec)
    path = made.write(folder / "file.fcs")
    return read(path, **arguments), made  # type: ignore[arg-type]  # policy and dataset pass through


@pytest.mark.parametrize("spec", LEGAL.values(), ids=LEGAL)
def test_legal(spec: Spec, tmp_path: Path) -> None:
    for policy in ("strict", "repair", "salvage"):
        reading, made = _read(spec, tmp_path, policy=policy)
        assert_exact(reading, made)
        assert reading.sample.verdict == "ok"
        assert reading.sample.version.removeprefix("FCS") == spec.version
    labels = [column.pns or "" for column in spec.columns]
    if spec.stext is None:
        assert [channel.pns for channel in reading.sample.channels] == labels


def test_keywords_arrive_whole(tmp_path: Path) -> None:
    for name in ("doubled_delimiters", "delimiter_0x2c", "delimiter_0x5c", "line_ends_in_a_value", "utf8_names"):
        reading, made = _read(LEGAL[name], tmp_path)
        for key, value in made.spec.extra:
            assert reading.sample.keywords[key] == value, (name, key)


def test_supplemental_text_is_read(tmp_path: Path) -> None:
    reading, _ = _read(LEGAL["spillover_in_stext"], tmp_path)
    spillover = reading.sample.spillover
    assert spillover.status == "ok"
    assert spillover.channels == ("FL1-H", "FL2-H")
    assert spillover.matrix is not None
    assert spillover.matrix.tolist() == [[1, 0.1], [0.25, 1]]
    assert reading.sample.channels[2].pns == "CD45"


def test_names_are_optional_before_3_1_and_invented_ones_are_told(tmp_path: Path) -> None:
    for version in ("2.0", "3.0"):
        spec = integers(version=version, columns=tuple(replace(column, name=None) for column in SIXTEEN))
        reading, made = _read(spec, tmp_path)
        assert_exact(reading, made, names=("P1", "P2", "P3", "P4"))
        assert reading.codes == {"names.missing"}


def test_offsets_past_eight_digits(tmp_path: Path) -> None:
    """A gap that is a hole in the file puts DATA where HEADER cannot point."""
    spec = floats(gap=100_000_000)
    reading, made = _read(spec, tmp_path)
    assert made.begin > 99_999_999
    assert_exact(reading, made)
    assert reading.sample.verdict == "ok"


def test_offsets_that_end_past_eight_digits(tmp_path: Path) -> None:
    """DATA begins within eight digits and ends beyond: HEADER says 0,0 for the whole segment."""
    n_events = 25_000_100
    spec = Spec((Column("A", (), 32, "262144"),), datatype="F", change={"$TOT": str(n_events)})
    path = tmp_path / "large.fcs"
    ends = replace(spec, text_data=lambda begin, _: (begin, begin + 4 * n_events - 1), header_data=lambda *_: (0, 0))
    made = make(ends)
    made.write(path)
    with path.open("r+b") as handle:
        handle.truncate(made.begin + 4 * n_events)
        handle.seek(made.begin + 4 * (n_events - 1))
        handle.write(np.float32(7.5).byteswap().tobytes())
    raw = read_raw(path)
    assert raw.columns[0].shape == (n_events,)
    assert raw.columns[0][-1] == 7.5
    assert not raw.columns[0][:-1].any()
    assert not raw.repairs


def test_a_wrong_checksum_is_told_and_read(tmp_path: Path) -> None:
    reading, made = _read(integers(crc=1), tmp_path)
    assert_exact(reading, made)
    assert reading.codes == {"crc.mismatch"}


def test_two_data_sets_are_asked_about_and_read_by_number(tmp_path: Path) -> None:
    whole, first, second = chain(integers(version="3.0"), floats(version="3.0"))
    path = tmp_path / "two.fcs"
    path.write_bytes(whole)
    with pytest.raises(InputError, match="data set") as caught:
        read_fcs(path)
    assert caught.value.code == "fcs.datasets"
    assert "--dataset" in str(caught.value)
    for index, made in enumerate((first, second)):
        reading = read(path, dataset=index)
        assert_exact(reading, made)
        assert (reading.sample.source.dataset, reading.sample.source.n_datasets) == (index, 2)
        assert reading.sample.verdict == "ok"
    for index in (2, -1, 10**30):
        with pytest.raises(InputError) as caught:
            read_fcs(path, dataset=index)
        assert caught.value.code == "fcs.dataset"


def test_forty_data_sets(tmp_path: Path) -> None:
    one = integers(version="3.0", change={"$NEXTDATA": "00000000"})
    size = make(one).size
    middle = make(integers(version="3.0", change={"$NEXTDATA": f"{size:08d}"}))
    assert middle.size == size
    path = tmp_path / "forty.fcs"
    path.write_bytes(middle.data * 39 + make(one).data)
    assert_exact(read(path, dataset=39), middle)
    with pytest.raises(InputError, match="40"):
        read_fcs(path)


def test_list_mode_pair_gives_the_linear_half(tmp_path: Path) -> None:
    """An LMD file holds the tube twice: 2.0 at 10 bits with logs, then 3.0 linear; the second is the better one."""
    lmd = integers(version="2.0", byteord="1,2")
    whole, first, second = chain(lmd, integers(version="3.0", columns=tuple(reversed(lmd.columns))))
    path = tmp_path / "tube.lmd"
    path.write_bytes(whole)
    reading = read(path)
    assert_exact(reading, second)
    assert reading.codes == {"dataset.chosen"}
    assert_exact(read(path, dataset=0), first)
    with pytest.raises(InputError):
        read_fcs(path, policy="strict")


def test_a_pair_of_unequal_length_is_not_a_list_mode_pair(tmp_path: Path) -> None:
    whole, _, _ = chain(integers(version="2.0"), floats(version="3.0"))
    path = tmp_path / "pair.lmd"
    path.write_bytes(whole)
    with pytest.raises(InputError) as caught:
        read_fcs(path)
    assert caught.value.code == "fcs.datasets"


def _random_file(spec: Spec, folder: Path) -> None:
    made = make(spec)
    path = folder / "random.fcs"
    path.write_bytes(made.data)
    reading = read(path)
    assert_exact(reading, made)
    assert reading.sample.verdict == "ok", reading.sample.repairs
    said = {key.upper(): value for key, value in reading.sample.keywords.items()}
    assert all(said[key.upper()] == value for key, value in spec.extra)


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=SHARED_FOLDER)
@given(spec=specs())
def test_random_legal_files(spec: Spec, tmp_path: Path) -> None:
    _random_file(spec, tmp_path)


@pytest.mark.soak
@settings(max_examples=2000, derandomize=True, deadline=None, suppress_health_check=SHARED_FOLDER)
@given(spec=specs())
def test_two_thousand_random_legal_files(spec: Spec, tmp_path: Path) -> None:
    _random_file(spec, tmp_path)
