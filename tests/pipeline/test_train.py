"""From runs on disk to a trained gate: whose tubes count, what is refused, and that replay gives the same cells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.fcs import read_fcs, write_fcs
from stromagate.gating.replay import members_of
from stromagate.model.config import RunConfig
from stromagate.model.edits import GateEdit, GateEdits, SampleEdits
from stromagate.model.gates import Ellipse, GateState, Interval
from stromagate.model.result import Finding, SampleResult
from stromagate.pipeline import analyze, count_populations
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import RUN_FILE, read_result, read_run, to_json_bytes, write_file, write_sample
from stromagate.pipeline.template import load_template
from stromagate.pipeline.train import Trained, Wanted, train, written
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import TEMPLATE, write_template, write_tube

DONORS = ("P1", "P2", "P3", "P4")
MSC = Wanted("msc", ("CD271", "SSC-A"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four donors, one of them with two tubes, run by the small template."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "tubes").mkdir()
    rows = ["file,sample_id,patient_id,role,hospital"]
    for seed, (donor, name) in enumerate([*((d, d) for d in DONORS), ("p4 ", "P4b")]):
        write_tube(folder / "tubes" / f"{name}.fcs", seed)
        rows.append(f"tubes/{name}.fcs,{name},{donor},stained,{'A' if seed < 2 else 'B'}")
    (folder / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    write_template(folder / "small.yaml")
    run(folder, folder / "out")
    return folder


def run(lab: Path, out: Path, *, template: str = "small.yaml", sheet: str = "samples.csv", **config: Any) -> None:
    run_batch(collect_tubes([], lab / sheet).tubes, lab / template, out, RunConfig(**config))


def trained(lab: Path, wanted: Wanted = MSC, **more: Any) -> Trained:
    return train([lab / "out"], [lab / "tubes"], wanted, **more)


def changed(lab: Path, out: Path, change: Callable[[SampleResult], Mapping[str, Any]]) -> Path:
    """Return a copy of the run with results as another run could have written them."""
    shutil.copytree(lab / "out", out)
    finished = read_run(out)
    for entry in finished.samples:
        result = read_result(out, entry.sample_id)
        write_sample(out, entry.sample_id, {"result.json": to_json_bytes(result.model_copy(update=change(result)))})
    return out


def test_a_gate_is_learned_and_every_donor_is_scored_by_the_others(lab: Path) -> None:
    model = trained(lab).document
    assert [score.donor for score in model.held_out] == list(DONORS)
    assert [tube.donor for tube in model.tubes] == [*DONORS, "P4"]
    assert model.f1_worst > 0.95
    assert model.names == ("CD271", "SSC-A")
    assert (model.population, model.parent, model.template.name) == ("msc", "cd45neg", "small")
    assert {tube.sha256 for tube in model.tubes} == {entry.sha256 for entry in read_run(lab / "out").samples}
    counts = {entry.sample_id: read_result(lab / "out", entry.sample_id) for entry in read_run(lab / "out").samples}
    assert [tube.n_members for tube in model.tubes] == [result.count("msc") for result in counts.values()]
    assert [tube.n_parent for tube in model.tubes] == [result.count("cd45neg") for result in counts.values()]
    assert not any(tube.by_hand for tube in model.tubes)
    assert all(score.own_f1 is None for score in model.held_out)


def test_scales_are_those_of_the_template_where_it_fixes_them(lab: Path) -> None:
    made = trained(lab)
    scale = made.document.axes[0].scale
    assert (scale.kind, scale.top, scale.width_decades) == ("logicle", 262144, 0.5)
    assert made.document.axes[1].scale.kind == "linear"
    assert made.own_scales == ()


def test_the_same_runs_give_the_same_document(lab: Path, tmp_path: Path) -> None:
    first = trained(lab, made_on="2026-11-30").document
    run(lab, tmp_path / "again")
    again = train([tmp_path / "again"], [lab / "tubes"], MSC, made_on="2026-12-01").document
    assert again.sha256 == first.sha256
    assert json.loads(written(again))["made_on"] == "2026-12-01"


def test_a_gate_that_was_learned_gates_and_replays(lab: Path, tmp_path: Path) -> None:
    model = trained(lab).document
    (tmp_path / "m.json").write_bytes(written(model))
    text = TEMPLATE.replace(
        "gate: {method: fixed, axis: CD271, low: 0.45}", "gate: {method: classifier, model: m.json}"
    )
    template = load_template(write_template(tmp_path / "t.yaml", text))
    path = write_tube(tmp_path / "new.fcs", 17)
    result, before = analyze(path, template), analyze(path, lab / "small.yaml")
    node = result.tree.node("msc")
    assert node.state == "fitted"
    assert isinstance(node.geometry, Ellipse)
    assert node.source == f"model {model.sha256[:12]}, 4 donors"
    assert abs((result.count("msc") or 0) - (before.count("msc") or 0)) <= 3
    assert count_populations(path, result.tree)["msc"] == result.count("msc")
    (msc,) = [row for row in result.statistics if (row.population, row.statistic) == ("msc", "count")]
    assert msc.boundary_low is not None
    assert analyze(path, template) == result


def test_a_tube_of_another_gain_falls_back(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(written(trained(lab).document))
    learned = "gate: {method: classifier, model: m.json, otherwise: {method: fixed, axis: CD271, low: 0.45}}"
    text = TEMPLATE.replace("gate: {method: fixed, axis: CD271, low: 0.45}", learned)
    sample = read_fcs(write_tube(tmp_path / "new.fcs", 17))
    events = sample.events * np.array([1, 1, 1.6, 1, 1, 1, 1], dtype=np.float32)
    spill = {"$SPILLOVER": sample.keywords["$SPILLOVER"], "$TIMESTEP": "1"}
    names, stains = [c.pnn for c in sample.channels], [c.pns for c in sample.channels]
    write_fcs(tmp_path / "brighter.fcs", events, names, labels=stains, keywords=spill)
    result = analyze(tmp_path / "brighter.fcs", write_template(tmp_path / "t.yaml", text))
    assert result.tree.node("msc").state == "fallback"
    assert "the median SSC-A of cd45neg is" in result.tree.node("msc").sentence


def edited(lab: Path, out: Path, tmp_path: Path) -> None:
    """Run with the boundary of CD271 drawn further down in two donors."""
    samples = [
        SampleEdits(
            sample_id=name,
            tree_sha256=read_result(lab / "out", name).fitted_tree_sha256,
            edits=(
                GateEdit(
                    population="msc",
                    geometry=Interval("CD271", 0.3, None),
                    who="ab",
                    when="2026-11-30T09:00:00Z",
                    why="dim cells",
                ),
            ),
        )
        for name in ("P1", "P2")
    ]
    write_file(tmp_path / "edits.json", to_json_bytes(GateEdits(samples=tuple(samples))))
    run(lab, out, edits=str(tmp_path / "edits.json"))


def test_edits_are_what_is_learned_and_the_template_s_own_gate_stands_beside(lab: Path, tmp_path: Path) -> None:
    edited(lab, tmp_path / "out", tmp_path)
    model = train([tmp_path / "out"], [lab / "tubes"], MSC).document
    assert [tube.by_hand for tube in model.tubes] == [True, True, False, False, False]
    drawn, plain = read_result(tmp_path / "out", "P1"), read_result(lab / "out", "P1")
    members, own = drawn.count("msc") or 0, plain.count("msc") or 0
    assert members > own
    assert model.tubes[0].n_members == members
    assert model.held_out[0].own_f1 == pytest.approx(2 * own / (members + own), abs=1e-4)
    assert model.held_out[2].own_f1 is None


def test_listed_events_take_the_place_of_the_tree_s(lab: Path, tmp_path: Path) -> None:
    for entry in read_run(lab / "out").samples:
        result = read_result(lab / "out", entry.sample_id)
        rows = _members(lab, result, "msc")
        lines = [str(row) for row in rows[:-3]] + [str(row) for row in _members(lab, result, "all")[:2]]
        (tmp_path / f"{entry.sample_id}.csv").write_text("event,note\n" + "".join(f"{x},\n" for x in lines), "utf-8")
    made = trained(lab, labels=tmp_path)
    plain = trained(lab).document
    assert [t.n_members for t in made.document.tubes] == [t.n_members - 3 for t in plain.tubes]
    assert all(tube.by_hand for tube in made.document.tubes)
    assert made.listed_elsewhere == 10
    assert all(score.own_f1 is not None and score.own_f1 < 1 for score in made.document.held_out)


def _members(lab: Path, result: SampleResult, name: str) -> list[int]:
    rows = members_of(read_fcs(lab / "tubes" / Path(result.source.path).name), result.tree)
    outside = np.setdiff1d(rows["all"], rows["cd45neg"]) if name == "all" else rows[name]
    return [int(row) for row in outside]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cell\n1\n", "no column `event`"),
        ("event\n1\n-2\n", "line 3: '-2' is no event of this tube"),
        ("event\n3000\n", "line 2: '3000' is no event"),
        ("event\n1.5\n", "line 2: '1.5' is no event"),
        ("event\n" + "9" * 5_000 + "\n", "is no event of this tube"),
        ("", "no column `event`"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(lab: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "P1.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SpecificationError, match=said):
        trained(lab, labels=tmp_path)


def test_a_list_that_is_not_there_is_an_input_that_is_missing(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the list of events cannot be read"):
        trained(lab, labels=tmp_path)
    (tmp_path / "P1.csv").write_bytes(b"event\n\xff\n")
    with pytest.raises(InputError, match="it is not UTF-8"):
        trained(lab, labels=tmp_path)


def test_a_wider_parent_can_be_asked_for(lab: Path) -> None:
    model = trained(lab, Wanted("msc", ("CD271", "CD45"), parent="cells")).document
    assert model.parent == "cells"
    assert model.tubes[0].n_parent == read_result(lab / "out", "P1").count("cells")
    with pytest.raises(SpecificationError, match="'msc' is not made from 'progenitors'"):
        trained(lab, Wanted("msc", ("CD271", "CD45"), parent="progenitors"))
    with pytest.raises(SpecificationError, match="'msc' is not made from 'msc'"):
        trained(lab, Wanted("msc", ("CD271", "CD45"), parent="msc"))


def test_another_column_may_say_whose_a_tube_is(lab: Path) -> None:
    with pytest.raises(SpecificationError, match="2 donors are too few") as caught:
        trained(lab, Wanted("msc", MSC.axes, donor="Hospital"))
    assert "`Hospital`" in (caught.value.hint or "")


def test_a_share_to_find_is_kept_in_the_document(lab: Path) -> None:
    model = trained(lab, Wanted("msc", MSC.axes, recall=1.0)).document
    assert (model.goal, model.recall) == ("recall", 1.0)
    assert model.distance_squared > trained(lab).document.distance_squared


def test_tubes_that_were_read_in_two_ways_are_refused(lab: Path, tmp_path: Path) -> None:
    def ignored(result: SampleResult) -> Mapping[str, Any]:
        return {"tree": replace(result.tree, gain="ignore")} if result.sample_id == "P2" else {}

    def bare(result: SampleResult) -> Mapping[str, Any]:
        cd271 = replace(result.tree.axes["CD271"], compensated=False)
        axes = {**result.tree.axes, "CD271": cd271}
        return {"tree": replace(result.tree, axes=axes)} if result.sample_id == "P2" else {}

    with pytest.raises(SpecificationError, match=r"read with \$PnG and others without"):
        train([changed(lab, tmp_path / "gain", ignored)], [lab / "tubes"], MSC)
    with pytest.raises(SpecificationError, match="CD271 is compensated in some tubes and not in others"):
        train([changed(lab, tmp_path / "bare", bare)], [lab / "tubes"], MSC)


def test_a_scale_of_each_tube_s_own_becomes_the_middle_one_and_is_told(lab: Path, tmp_path: Path) -> None:
    def wider(result: SampleResult) -> Mapping[str, Any]:
        width = {"P1": 0.3, "P2": 0.41, "P3": 0.6}.get(result.sample_id, 0.41)
        axis = result.tree.axes["CD271"]
        side = result.tree.axes["SSC-A"]
        return {
            "tree": replace(
                result.tree,
                axes={
                    **result.tree.axes,
                    "CD271": replace(axis, scale=replace(axis.scale, width_decades=width)),
                    "SSC-A": replace(side, scale=replace(side.scale, top=1e6 * width)),
                },
            )
        }

    made = train([changed(lab, tmp_path / "out", wider)], [lab / "tubes"], MSC)
    assert made.own_scales == ("CD271",)
    assert made.document.axes[0].scale.width_decades == 0.41


def test_tubes_without_a_donor_are_refused(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="nothing says whose marrow these tubes are: P1, P2, P3 and 2 more"):
        trained(lab, Wanted("msc", MSC.axes, donor="surgeon"))


def test_the_same_file_twice_is_refused_under_whatever_name(lab: Path, tmp_path: Path) -> None:
    shutil.copy(lab / "tubes/P1.fcs", tmp_path / "other.fcs")
    (tmp_path / "samples.csv").write_text("file,sample_id,patient_id\nother.fcs,X,P9\n", encoding="utf-8")
    write_template(tmp_path / "small.yaml")
    run(tmp_path, tmp_path / "out")
    with pytest.raises(SpecificationError, match="X has the same content as P1"):
        train([lab / "out", tmp_path / "out"], [lab / "tubes"], MSC)


def test_controls_failed_tubes_and_those_with_grave_findings_teach_nothing(lab: Path, tmp_path: Path) -> None:
    def change(result: SampleResult) -> Mapping[str, Any]:
        if result.sample_id == "P1":
            return {"labels": {**result.labels, "role": "fmo:CD271"}}
        return {"left_out": {"msc": "needs CD271"}} if result.sample_id == "P2" else {}

    out = changed(lab, tmp_path / "out", change)
    with pytest.raises(SpecificationError, match="2 donors are too few") as caught:
        train([out], [lab / "tubes"], MSC)
    assert "P1 is left out: it is a control (fmo:CD271); P2 is left out: needs CD271" in (caught.value.hint or "")


def test_a_grave_finding_leaves_a_tube_out_unless_somebody_had_the_last_word(lab: Path, tmp_path: Path) -> None:
    grave = Finding(code="Q19", check="invented", status="fail", sentence="Something is wrong.")
    few = Finding(code="Q07", check="invented", status="fail", sentence="Few cells.")

    def change(result: SampleResult) -> Mapping[str, Any]:
        return {"findings": (few, grave) if result.sample_id == "P1" else (few,)}

    out = changed(lab, tmp_path / "out", change)
    made = train([out], [lab / "tubes"], MSC)
    assert [item.reason for item in made.left_out] == ["its finding Q19 is a failure: Something is wrong."]
    for entry in read_run(out).samples:
        (tmp_path / f"{entry.sample_id}.csv").write_text(
            "event\n" + "\n".join(map(str, _members(lab, read_result(out, entry.sample_id), "msc"))), encoding="utf-8"
        )
    assert train([out], [lab / "tubes"], MSC, labels=tmp_path).left_out == ()


def test_what_was_learned_teaches_nothing_unless_a_hand_has_drawn_it_again(lab: Path, tmp_path: Path) -> None:
    def learned(state: GateState) -> Callable[[SampleResult], Mapping[str, Any]]:
        def change(result: SampleResult) -> Mapping[str, Any]:
            nodes = [
                replace(node, method="classifier", state=state) if node.name == "msc" else node
                for node in result.tree.nodes
            ]
            return {"tree": replace(result.tree, nodes=tuple(nodes))} if result.sample_id == "P4b" else {}

        return change

    made = train([changed(lab, tmp_path / "fitted", learned("fitted"))], [lab / "tubes"], MSC)
    assert [item.reason for item in made.left_out] == ["its boundary was itself learned, and teaches nothing new"]
    made = train([changed(lab, tmp_path / "edited", learned("edited"))], [lab / "tubes"], MSC)
    assert made.left_out == ()
    assert made.document.tubes[-1].by_hand


def test_of_many_other_events_some_stand_for_all(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Wanted("msc", ("CD45", "CD146"), parent="all", recall=1.0)
    whole = trained(lab, wanted).document
    monkeypatch.setattr("stromagate.pipeline.told_events.OTHERS_KEPT", 600)
    some = trained(lab, wanted).document
    assert (some.mean, some.covariance, some.distance_squared) == (whole.mean, whole.covariance, whole.distance_squared)
    assert [tube.n_parent for tube in some.tubes] == [tube.n_parent for tube in whole.tubes]
    assert [axis.parent_median for axis in some.axes] == [axis.parent_median for axis in whole.axes]
    false = [sum(score.false_events for score in model.held_out) for model in (whole, some)]
    assert false[0] > 100
    assert false[1] == pytest.approx(false[0], rel=0.2)


def test_what_is_left_out_is_told(lab: Path, tmp_path: Path) -> None:
    out = changed(
        lab, tmp_path / "out", lambda r: {"labels": {**r.labels, "role": "unstained"}} if r.sample_id == "P4b" else {}
    )
    made = train([out], [lab / "tubes"], MSC)
    assert [(item.sample_id, item.reason) for item in made.left_out] == [("P4b", "it is a control (unstained)")]
    assert len(made.document.tubes) == 4


def test_a_tube_in_which_the_population_could_not_be_placed_is_left_out(lab: Path, tmp_path: Path) -> None:
    def change(result: SampleResult) -> Mapping[str, Any]:
        nodes = tuple(
            replace(node, geometry=None, state="not_evaluable") if node.name == "cd45neg" else node
            for node in result.tree.nodes
        )
        return {"tree": replace(result.tree, nodes=nodes)} if result.sample_id == "P4b" else {}

    made = train([changed(lab, tmp_path / "out", change)], [lab / "tubes"], MSC)
    assert [item.reason for item in made.left_out] == ["'msc' could not be evaluated"]


def test_runs_of_two_templates_are_refused(lab: Path, tmp_path: Path) -> None:
    write_template(tmp_path / "small.yaml", TEMPLATE.replace("low: 0.45", "low: 0.46"))
    shutil.copytree(lab / "tubes", tmp_path / "tubes")
    shutil.copy(lab / "samples.csv", tmp_path / "samples.csv")
    run(tmp_path, tmp_path / "out")
    with pytest.raises(SpecificationError, match="the runs are not of one template"):
        train([lab / "out", tmp_path / "out"], [lab / "tubes"], MSC)


def test_files_are_found_by_content_and_nothing_else(lab: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted((lab / "tubes").iterdir())):
        shutil.copy(path, tmp_path / f"moved{number}.fcs")
    assert train([lab / "out"], [tmp_path], MSC).document.sha256 == trained(lab).document.sha256
    write_tube(tmp_path / "moved0.fcs", 99)
    with pytest.raises(InputError, match=r"1 of 5 files were not found, such as tubes/P1\.fcs of P1"):
        train([lab / "out"], [tmp_path], MSC)


@pytest.mark.parametrize(
    ("wanted", "kind", "said"),
    [
        (Wanted("msc", ("CD271",)), UsageError, "1 axes were named"),
        (Wanted("msc", ("CD271", "CD271")), UsageError, "the axis CD271 is named twice"),
        (Wanted("msc", ("CD271", "Time")), UsageError, "the time of an event says nothing of its cell"),
        (Wanted("msc", ("CD271", "CD45"), recall=1.5), UsageError, "1.5 is no share"),
        (Wanted("msc", ("CD271", "CD90")), SpecificationError, "the tube carries no CD90"),
        (Wanted("mcs", MSC.axes), SpecificationError, "no population 'mcs'"),
    ],
)
def test_what_cannot_be_learned_is_refused(lab: Path, wanted: Wanted, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        trained(lab, wanted)


def test_folders_that_are_no_runs_or_the_same_one_are_refused(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run in this folder"):
        train([tmp_path], [lab / "tubes"], MSC)
    with pytest.raises(UsageError, match="a folder is named twice"):
        train([lab / "out", lab / "tubes" / ".." / "out"], [lab / "tubes"], MSC)
    assert (lab / "out" / RUN_FILE).is_file()
