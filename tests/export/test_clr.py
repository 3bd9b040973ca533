"""Classification results (CLR), read back by another reader event for event."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stromagate.errors import InputError
from stromagate.export.formats import clr
from stromagate.gating.replay import members_of
from tests.export.conftest import Exported


def test_every_event_is_in_the_populations_it_was_counted_in(exported: Exported) -> None:
    table = pd.read_csv(exported.home / "membership.clr")
    assert list(table.columns) == [each.name for each in exported.result.tree.nodes]
    assert len(table) == exported.sample.n_events == exported.result.n_events
    members = members_of(exported.sample, exported.result.tree)
    for name in table.columns:
        assert set(table[name]) <= {0, 1}
        assert np.array_equal(np.flatnonzero(table[name]), members[name])
        assert int(table[name].sum()) == exported.result.count(name)


def test_it_is_a_plain_table_of_commas(exported: Exported) -> None:
    content = (exported.home / "membership.clr").read_bytes()
    assert content.endswith(b"\n")
    assert {*content[content.index(b"\n") :]} == {*b"01,\n"}
    lines = list(csv.reader(content.decode("ascii").splitlines()))
    assert {len(line) for line in lines} == {len(exported.result.tree.nodes)}


def test_blocks_join_without_a_seam(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = members_of(exported.sample, exported.result.tree)
    monkeypatch.setattr(clr, "_BLOCK_ROWS", 7)
    clr.write(exported.result, exported.sample, members, tmp_path / "m.clr")
    assert (tmp_path / "m.clr").read_bytes() == (exported.home / "membership.clr").read_bytes()


def test_a_population_that_was_not_evaluable_has_no_column_and_none_at_all_is_said(
    exported: Exported, tmp_path: Path
) -> None:
    members = members_of(exported.sample, exported.result.tree)
    del members["progenitors"]
    clr.write(exported.result, exported.sample, members, tmp_path / "m.clr")
    assert (tmp_path / "m.clr").read_bytes().startswith(b"cells,cd45neg,msc\n")
    with pytest.raises(InputError, match="no population of this tube could be evaluated") as caught:
        clr.write(exported.result, exported.sample, {"all": members["all"]}, tmp_path / "n.clr")
    assert caught.value.code == "export.no_population"
    assert {path.name for path in tmp_path.iterdir()} == {"m.clr"}


def test_fewer_events_than_the_file_has_are_refused(exported: Exported, tmp_path: Path) -> None:
    """FlowJo lays row on row: a table that is one event short would put every later event elsewhere."""
    members = members_of(exported.sample, exported.result.tree)
    members["all"] = members["all"][:-1]
    with pytest.raises(InputError, match="all holds") as caught:
        clr.write(exported.result, exported.sample, members, tmp_path / "m.clr")
    assert caught.value.code == "export.changed"
    assert not list(tmp_path.iterdir())
