"""Membership of every event as Parquet, read back event for event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from stromagate.errors import InputError
from stromagate.export.formats.membership import write
from stromagate.fcs import read_fcs
from stromagate.gating.replay import members_of
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import write_template, write_tube


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("members")
    tubes = collect_tubes([write_tube(folder / "a.fcs")]).tubes
    run_batch(tubes, write_template(folder / "t.yaml"), folder / "out", options=BatchOptions(exports=("membership",)))
    return folder


def test_every_event_is_in_the_populations_it_was_counted_in(lab: Path) -> None:
    result = bundle.read_result(lab / "out", "a")
    table = parquet.read_table(lab / "out/samples/a/membership.parquet")
    members = members_of(read_fcs(lab / "a.fcs"), result.tree)
    assert table.column_names == [each.name for each in result.tree.nodes]
    for name in table.column_names:
        column = table.column(name).to_numpy()
        assert column.dtype == bool
        assert len(column) == result.n_events
        assert np.array_equal(np.flatnonzero(column), members[name])
        assert int(column.sum()) == result.count(name)


def test_it_says_of_which_file_and_which_boundaries(lab: Path) -> None:
    result = bundle.read_result(lab / "out", "a")
    about = parquet.read_schema(lab / "out/samples/a/membership.parquet").metadata
    assert about[b"sample_id"] == b"a"
    assert about[b"file_sha256"].decode() == result.source.sha256
    assert about[b"boundaries_sha256"].decode() == result.tree.digest()
    assert about[b"research_use"].startswith(b"For Research Use Only")


def test_a_population_that_was_not_evaluable_has_no_column(lab: Path, tmp_path: Path) -> None:
    result, sample = bundle.read_result(lab / "out", "a"), read_fcs(lab / "a.fcs")
    members = members_of(sample, result.tree)
    del members["progenitors"]
    write(result, sample, members, tmp_path / "m.parquet")
    assert parquet.read_schema(tmp_path / "m.parquet").names == ["cells", "cd45neg", "msc"]


def test_other_events_and_a_place_that_is_none_are_refused(lab: Path, tmp_path: Path) -> None:
    result, sample = bundle.read_result(lab / "out", "a"), read_fcs(lab / "a.fcs")
    members = members_of(sample, result.tree)
    with pytest.raises(InputError, match="cannot be written") as caught:
        write(result, sample, members, tmp_path / "nowhere" / "m.parquet")
    assert caught.value.code == "file.unwritable"
    members["msc"] = members["msc"][1:]
    with pytest.raises(InputError, match="msc holds") as caught:
        write(result, sample, members, tmp_path / "m.parquet")
    assert caught.value.code == "export.changed"
    assert not list(tmp_path.iterdir())
