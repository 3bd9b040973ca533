"""Real files of sixteen public repositories: every number as three decoders see it, or refused with the reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.fcs import open_fcs, read_fcs, read_header, read_raw
from tests.reference_data import DATA, needs_reference_data

pytestmark = needs_reference_data
EXPECTED = DATA / "truth" / "reader_expectations.csv"
ROWS = list(csv.DictReader(EXPECTED.read_text(encoding="utf-8").splitlines())) if EXPECTED.is_file() else []
FILES = sorted(path for path in DATA.rglob("*") if path.suffix.lower() in {".fcs", ".lmd"})
# The only two of all files that must be refused, and why.
REFUSED = {"corrupted.fcs": "fcs.not_fcs", "sample_header.fcs": "fcs.truncated"}
# What is odd about the files that are read with a word.
REPAIRED = {
    "EY_2013-07-19_PBS_FCS_3.1_Well_A1.001.fcs": {"text.junk", "end.plus1"},
    "cyflow_cube_8.fcs": {"text.junk", "stext.ignored"},
    "B01 KC-A-W---91-US.fcs": {"stext.ignored"},
    "coulter.lmd": {"dataset.chosen", "tail.bytes"},
    "data_start_offset_discrepancy_example.fcs": {"offsets.header.wrong", "tail.bytes", "timestep.invalid"},
    "data1.fcs": {"text.empty_values", "text.latin1", "pne.offset_zero"},
    "fake_large_fcs.fcs": {"header.zero"},
    "test_comp_example.fcs": {"text.junk", "end.plus1"},
    "variable_int_example.fcs": {"timestep.invalid"},
    "Attune.fcs": {"text.junk"},
}
REPAIRED_ELSEWHERE = {"offsets.header.wrong", "tail.bytes", "timestep.invalid", "end.plus1"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{Path(row['path']).name}-{row['dataset']}")
def test_every_expected_number_is_read(row: dict[str, str]) -> None:
    path, dataset = DATA / row["path"], int(row["dataset"])
    if row["status"] == "unreadable":
        with pytest.raises(InputError) as caught:
            read_raw(path, dataset=dataset)
        assert caught.value.code == REFUSED[path.name]
        return
    raw = read_raw(path, dataset=dataset)
    assert len(raw.columns) == len(raw.names) == int(row["n_params"])
    assert {len(column) for column in raw.columns} == {int(row["n_events"])}
    seen = [column.astype(np.float64) for column in raw.columns]
    for column, mean, low, high in zip(
        seen, *(json.loads(row[key]) for key in ("col_mean", "col_min", "col_max")), strict=True
    ):
        np.testing.assert_allclose((column.mean(), column.min(), column.max()), (mean, low, high), rtol=1e-6, atol=1e-6)


def test_nothing_of_the_truth_is_left_out() -> None:
    assert len(ROWS) == 102
    assert len(FILES) > 90


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DATA))[-60:])
def test_every_file_is_read_or_refused_with_the_reason(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(InputError, match=r"FCS|file ends") as caught:
            read_fcs(path)
        assert caught.value.code == REFUSED[path.name]
        assert caught.value.where == str(path)
        assert caught.value.hint
        return
    sample = read_fcs(path)
    assert (sample.verdict == "ok") == (not sample.repairs)
    assert len(set(sample.pnn)) == sample.events.shape[1]
    codes = {repair.code for repair in sample.repairs}
    if path.name in REPAIRED:
        assert codes == REPAIRED[path.name]
    else:
        assert codes <= {"text.junk", "text.latin1", "pne.offset_zero", "pnr.unknown", *REPAIRED_ELSEWHERE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DATA))[-60:])
def test_the_strict_policy_refuses_what_was_repaired_and_nothing_else(path: Path) -> None:
    try:
        found = open_fcs(path)
    except InputError:
        pytest.skip("refused under every policy")
    mentioned = {"tail.bytes"} | ({"text.latin1"} if found.version in {"2.0", "3.0"} else set())
    odd = [repair.code for repair in found.repairs if repair.code not in mentioned]
    if not odd:
        assert open_fcs(path, policy="strict").repairs == found.repairs
        return
    with pytest.raises(InputError) as caught:
        open_fcs(path, policy="strict")
    assert caught.value.code in {f"strict.{code}" for code in odd} | {"fcs.datasets"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DATA))[-60:])
def test_blocks_are_the_sample_in_pieces(path: Path) -> None:
    try:
        sample = read_fcs(path)
    except InputError:
        pytest.skip("refused under every policy")
    found = open_fcs(path)
    blocks = [block.copy() for block in found.blocks(rows=997)]
    streamed = np.vstack(blocks) if blocks else np.empty((0, len(found.channels)), dtype=np.float32)
    np.testing.assert_array_equal(streamed, sample.events)


def test_the_header_alone_says_the_same() -> None:
    path = DATA / "cytoexplorer" / "Activation_2.fcs"
    header, sample = read_header(path), read_fcs(path)
    assert (header.n_events, header.channels, header.spillover.channels) == (
        sample.n_events,
        sample.channels,
        sample.spillover.channels,
    )
    assert not hasattr(header, "blocks")


def test_the_spillover_of_diva_is_the_published_matrix() -> None:
    folder = DATA / "cytoexplorer"
    with (folder / "spillover.csv").open(encoding="utf-8") as stream:
        names, *rows = csv.reader(stream)
    spill = read_header(folder / "Activation_2.fcs").spillover
    assert spill.status == "ok"
    assert spill.matrix is not None
    columns = names[1:] if len(names) > len(rows) else names
    assert list(spill.channels) == columns
    numbers = [[float(cell) for cell in row[-len(columns) :]] for row in rows]
    np.testing.assert_allclose(spill.matrix, numbers, rtol=0, atol=1e-6)


def test_a_list_mode_pair_gives_the_twenty_bit_half() -> None:
    (path,) = [path for path in FILES if path.name == "coulter.lmd"]
    assert read_header(path).version == "3.0"
    assert read_header(path, dataset=0).version == "2.0"
    assert read_header(path, dataset=0).n_events == read_header(path, dataset=1).n_events
    with pytest.raises(InputError, match="2 data sets") as caught:
        open_fcs(path, policy="strict")
    assert "--dataset" in str(caught.value)


def test_gain_and_time_conventions_on_a_real_file() -> None:
    path = DATA / "cytoexplorer" / "Activation_2.fcs"
    raw, applied, ignored = read_raw(path), read_fcs(path), read_fcs(path, gain="ignore")
    for channel, stored in zip(applied.channels, raw.columns, strict=True):
        wide = stored.astype(np.float64)
        divided = (wide / channel.gain).astype(np.float32)
        if channel.is_time:
            assert applied.timestep_s == 0.01
            seconds = (wide * 0.01).astype(np.float32)
            np.testing.assert_array_equal(applied.events[:, channel.index], seconds)
            np.testing.assert_array_equal(ignored.events[:, channel.index], seconds)
        else:
            np.testing.assert_array_equal(applied.events[:, channel.index], divided)
            np.testing.assert_array_equal(ignored.events[:, channel.index], stored)
