"""Every event with its population, read back event for event: by this program, by FlowIO, and through Gating-ML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import flowio
import flowkit as fk
import numpy as np
import pytest

from stromagate.errors import InputError, UsageError
from stromagate.export.formats.gated_fcs import codes, write
from stromagate.fcs import read_fcs, write_fcs
from stromagate.gating.replay import members_of
from stromagate.model.gates import Boolean, GateTree, Interval
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.review.verify import verify
from stromagate.pipeline.tubes import collect_tubes
from tests.gating.tubes import node
from tests.results import make_result
from tests.tubes import NAMES, SPILLOVER, STAINS, write_template, write_tube

PEOPLE = {"$SRC": "Mustermann, Erika", "$OP": "Technician Tidy", "PATIENT ID": "4711-0815", "$DATE": "17-MAR-2026"}
MEASURED = {"$CYT": "LSRFortessa", "$P4V": "512", "$P4F": "530/30", "$VOL": "100"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tube with a gain, a time step, people's names and measured keywords, and its run with the export."""
    folder = tmp_path_factory.mktemp("gated")
    (folder / "in").mkdir()
    plain = read_fcs(write_tube(folder / "plain.fcs"))
    words = {"$SPILLOVER": SPILLOVER, "$TIMESTEP": "0.5", "$P1G": "4", "$P4R": "524288", **PEOPLE, **MEASURED}
    events = plain.events * np.array([4, 1, 1, 1, 1, 1, 1], dtype=np.float32)
    write_fcs(folder / "in/a.fcs", events, NAMES, labels=STAINS, keywords=words)
    _run(folder, "gated_fcs", "ro_crate")
    return folder


def _run(folder: Path, *exports: str) -> Any:
    template = write_template(folder / "t.yaml")
    options = BatchOptions(exports=exports)
    return run_batch(collect_tubes([folder / "in"]).tubes, template, folder / "out", options=options)


def gated(lab: Path) -> Path:
    return lab / "out/samples/a/gated.fcs"


def test_every_event_is_as_it_was_gated_and_has_its_population(lab: Path) -> None:
    before, after = read_fcs(lab / "in/a.fcs"), read_fcs(gated(lab), policy="strict")
    result = bundle.read_result(lab / "out", "a")
    assert after.pnn == (*before.pnn, "Population")
    assert np.array_equal(after.events[:, :-1], before.events)
    named = {int(key.rpartition("_")[2]): said for key, said in after.keywords.items() if "POPULATION_" in key}
    assert list(named.values()) == [each.name for each in result.tree.nodes]
    members = {name: set(rows.tolist()) for name, rows in members_of(before, result.tree).items()}
    column = after.events[:, -1]
    for row in range(before.n_events):  # every population of this template lies in the one before it
        holding = [name for name in ("cells", "cd45neg", "msc", "progenitors") if row in members[name]]
        assert (named[int(column[row])] if column[row] else None) == (holding[-1] if holding else None)
    assert int((column == 4).sum()) == result.count("progenitors")


def test_another_reader_sees_the_same(lab: Path) -> None:
    other = flowio.FlowData(str(gated(lab)))
    events = np.reshape(np.asarray(other.events), (-1, other.channel_count))
    assert np.array_equal(events.astype(np.float32), read_fcs(gated(lab)).events)
    assert other.pnn_labels[-1] == "Population"


def test_boundaries_applied_to_it_hold_the_same_events(lab: Path) -> None:
    """The matrix, the scales and Time still fit: Gating-ML on this file gives what the run counted."""
    result = bundle.read_result(lab / "out", "a")
    strategy = fk.parse_gating_xml(str(lab / "out/samples/a/gates.gatingml.xml"))
    found = strategy.gate_sample(fk.Sample(str(gated(lab))))
    for name in ("cells", "cd45neg", "msc", "progenitors"):
        assert int(np.asarray(found.get_gate_membership(name)).sum()) == result.count(name)
    anew = members_of(read_fcs(gated(lab)), result.tree)
    assert {name: len(rows) for name, rows in anew.items() if name != "all"} == {
        each.name: result.count(each.name) for each in result.tree.nodes
    }


def test_measured_keywords_are_kept_and_nobody_is_named(lab: Path) -> None:
    words, content = read_fcs(gated(lab)).keywords, gated(lab).read_bytes()
    assert {key: words[key] for key in MEASURED} == MEASURED
    assert words["$P4R"] == "524288"
    assert words["$TIMESTEP"] == "1"
    assert "$P1G" not in words
    assert [words[f"$P{n}S"] for n in (4, 5, 6)] == STAINS[3:6]
    assert words["STROMAGATE_RESEARCH_USE"].startswith("For Research Use Only")
    for key, said in PEOPLE.items():
        assert key not in words
        assert said.encode() not in content


def test_a_label_that_names_someone_is_left_out(tmp_path: Path) -> None:
    plain = read_fcs(write_tube(tmp_path / "a.fcs", n=50))
    labels = ["", "", "", "CD45", "CD146 Mustermann, Erika", "CD271", ""]
    write_fcs(tmp_path / "b.fcs", plain.events, NAMES, labels=labels, keywords=PEOPLE)
    sample = read_fcs(tmp_path / "b.fcs")
    write(make_result(tree=GateTree((), {}, None), statistics=()), sample, {}, tmp_path / "c.fcs")
    assert [channel.pns for channel in read_fcs(tmp_path / "c.fcs").channels][3:6] == ["CD45", "", "CD271"]
    assert b"Mustermann" not in (tmp_path / "c.fcs").read_bytes()


def test_the_matrix_is_the_one_that_was_used(lab: Path) -> None:
    stated, used = read_fcs(gated(lab)).spillover, bundle.read_result(lab / "out", "a").tree.compensation
    assert used is not None
    assert stated.matrix is not None
    assert stated.channels == used.channels
    assert np.array_equal(stated.matrix, np.array(used.matrix))


def test_it_comes_with_a_run_only_and_goes_with_it(lab: Path) -> None:
    _run(lab)
    assert not gated(lab).exists()
    with pytest.raises(UsageError, match="a finished run holds none") as caught:
        render_again(lab / "out", exports=("gated_fcs",))
    assert caught.value.code == "export.events"
    _run(lab, "gated_fcs", "ro_crate")
    content = gated(lab).read_bytes()
    assert "1 file made from events (gated.fcs): run again" in verify(lab / "out").not_checked
    render_again(lab / "out", exports=("gated_fcs", "parquet"))
    assert gated(lab).read_bytes() == content
    assert "samples/a/gated.fcs" in (lab / "out/ro-crate-metadata.json").read_text()
    _run(lab, "gated_fcs", "ro_crate")
    assert gated(lab).read_bytes() == content


def test_events_that_are_not_those_of_the_result_are_refused(lab: Path, tmp_path: Path) -> None:
    sample, result = read_fcs(lab / "in/a.fcs"), bundle.read_result(lab / "out", "a")
    members = members_of(sample, result.tree)
    members["msc"] = members["msc"][1:]
    with pytest.raises(InputError, match="msc holds") as caught:
        write(result, sample, members, tmp_path / "x.fcs")
    assert caught.value.code == "export.changed"
    assert not list(tmp_path.iterdir())


def test_the_deepest_population_is_told_and_of_equals_the_last() -> None:
    gate = Interval("x", 0.0, None)
    nodes = [
        node("a", "all", gate),
        node("b", "a", gate),
        node("c", "all", gate),
        node("d", "a", Boolean("any", ("b",))),
    ]
    rows = {"all": range(6), "a": [0, 1, 2], "b": [1, 2], "c": [2, 3], "d": [2]}
    found = codes(GateTree(tuple(nodes)), {name: np.array(each, dtype=np.intp) for name, each in rows.items()}, 6)
    assert found.tolist() == [1, 2, 4, 3, 0, 0]


def test_names_that_a_file_cannot_hold_are_changed_and_the_matrix_follows(tmp_path: Path) -> None:
    plain = read_fcs(write_tube(tmp_path / "a.fcs", n=50))
    tree = GateTree((), {}, None)
    result = make_result(tree=tree, statistics=())
    odd = ["Population", "FSC,H", " SSC", "FITC-A", "PE-A", "FSC_H", "Time"]
    channels = tuple(replace(channel, pnn=name) for channel, name in zip(plain.channels, odd, strict=True))
    write(result, replace(plain, channels=channels), {}, tmp_path / "b.fcs")
    assert read_fcs(tmp_path / "b.fcs").pnn == (
        "Population",
        "FSC_H",
        "SSC",
        "FITC-A",
        "PE-A",
        "FSC_H_6",
        "Time",
        "Population_8",
    )
