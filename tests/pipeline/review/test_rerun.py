"""A run made again with its review: as `run --edits` makes it, of changed tubes alone, or refused before all."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import InputError, SpecificationError, StromagateError
from stromagate.gating.edits import apply
from stromagate.model.config import RunConfig
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.review import rerun as rerunning
from stromagate.pipeline.review.rerun import rerun
from stromagate.pipeline.review.signoff import SignOff
from stromagate.pipeline.review.store import ReviewStore, SignedError
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import WHO, WHY, Folder, cut, edits, put
from tests.tubes import TEMPLATE, write_template, write_tube


def made(out: Path) -> dict[str, int]:
    """Return what tells a tube's folder from one that was written anew."""
    return {path.parent.name: path.stat().st_ino for path in out.glob("samples/*/result.json")}


def contents(out: Path) -> dict[str, bytes]:
    """Return all that a run wrote, but for the times of its index."""
    found = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and not path.relative_to(out).parts[0].startswith((".", "review"))
    }
    index = json.loads(found.pop("run.json"))
    return {**found, "run.json": json.dumps({**index, "times": {}}).encode()}


def again(out: Path, **more: Any) -> Any:
    return rerun(out, Folder(out.parent / "in"), **more)


def test_only_the_changed_tube_is_made_again_and_its_number_stands_in_the_table(out: Path) -> None:
    put(ReviewStore(out), "a", 0.7)
    before, done = made(out), []
    count = bundle.read_result(out, "a").count("msc")
    run = again(out, on_done=lambda outcome: done.append(outcome.entry.sample_id), who=WHO)
    assert run.exit_code == 0
    assert sorted(done) == ["a", "b"]
    after = made(out)
    assert (after["a"] != before["a"], after["b"] == before["b"]) == (True, True)
    rows = list(csv.DictReader((out / "populations.csv").read_text().splitlines()))
    (value,) = [
        float(row["value"])
        for row in rows
        if (row["sample_id"], row["population"], row["statistic"]) == ("a", "msc", "count")
    ]
    assert value == bundle.read_result(out, "a").count("msc") < count
    entry = ReviewStore(out).audit()[-1]
    assert (entry.what, entry.who, list(entry.results)) == ("rerun", WHO, ["a"])
    assert sorted(path.name for path in (out / "review").iterdir()) == [
        ".lock",
        "audit.jsonl",
        "edits.json",
        "revision.json",
    ]
    assert not SignOff(ReviewStore(out)).state("a").pending


def test_it_is_byte_for_byte_what_run_with_edits_makes(out: Path) -> None:
    put(ReviewStore(out), "a", 0.7)
    put(ReviewStore(out), "b", 0.6)
    other = out.parent / "other"
    config = RunConfig(edits=str(out / "review" / "edits.json"))
    run_batch(collect_tubes([out.parent / "in"]).tubes, out.parent / "small.yaml", other, config)
    again(out)
    assert contents(out) == contents(other)


def test_an_edit_taken_back_gives_the_run_as_it_was(out: Path) -> None:
    plain = contents(out)
    put(ReviewStore(out))
    again(out)
    assert contents(out) != plain
    ReviewStore(out).put("a", None, expected=1, who=WHO, why=WHY)
    again(out)
    assert contents(out) == plain


def test_everything_that_the_run_was_told_is_told_again(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed, name in enumerate(("s1.fcs", "s2.fcs", "fmo.fcs")):
        write_tube(folder / name, seed, 1500)
    (tmp_path / "sheet.csv").write_text(
        "file,sample_id,role,controls,patient_id,note\n"
        "in/s1.fcs,one,stained,FMO-1,P1,x\nin/s2.fcs,two,stained,none,P2,y\nin/fmo.fcs,fmo-1,fmo:CD146,,P1,z\n"
    )
    (tmp_path / "matrix.csv").write_text("FITC-A,PE-A,APC-A\n1,0.1,0\n0.02,1,0.01\n0,0.03,1\n")
    template = write_template(tmp_path / "small.yaml")
    (tmp_path / "kept").mkdir()
    config = RunConfig(compensation=str(tmp_path / "matrix.csv"), seed=7, interval="wilson", markers={"CD45": "FITC-A"})
    options = BatchOptions(standalone=True, history=tmp_path / "kept", command="stromagate run x")
    out = tmp_path / "out"
    first = run_batch(collect_tubes([], tmp_path / "sheet.csv").tubes, template, out, config, options)
    before, plain = made(out), contents(out)
    run = rerun(out, Folder(folder))
    assert run.config == first.config
    assert made(out) == before, "nothing changed: nothing is analysed"
    assert contents(out) == plain
    assert run.times["command"] == "stromagate run x (run again by review)"
    put(ReviewStore(out), "one", 0.6)
    assert rerun(out, Folder(folder)).times["command"] == "stromagate run x (run again by review)"
    assert made(out)["two"] == before["two"]
    assert (out / "history.html").is_file()


@pytest.mark.parametrize(
    ("lost", "code", "named"),
    [
        ("in/b.fcs", "review.files", "1 of 2 files of this run are not at hand: b.fcs"),
        ("small.yaml", "review.template", "the template of this run is not at hand: 'small' 1.0.0"),
    ],
)
def test_what_is_not_at_hand_is_named_and_nothing_is_touched(out: Path, lost: str, code: str, named: str) -> None:
    put(ReviewStore(out))
    (out.parent / lost).unlink()
    before = contents(out)
    with pytest.raises(StromagateError, match=named) as caught:
        again(out)
    assert caught.value.code == code
    assert "--files FOLDER" in str(caught.value.hint)
    assert contents(out) == before


def test_a_changed_file_or_template_is_not_taken_for_the_old_one(out: Path) -> None:
    write_template(
        out.parent / "small.yaml", TEMPLATE.replace("low: 0.45}}\n  - {name: prog", "low: 0.5}}\n  - {name: prog")
    )
    with pytest.raises(InputError, match="template of this run is not at hand"):
        again(out)
    write_template(out.parent / "small.yaml")
    write_tube(out.parent / "in" / "b.fcs", 9, 1500)
    with pytest.raises(InputError, match=r"not at hand: b\.fcs"):
        again(out)


def test_files_under_other_names_in_other_folders_are_found(out: Path) -> None:
    put(ReviewStore(out))
    deep = out.parent / "archive" / "2026"
    deep.mkdir(parents=True)
    for name in "ab":
        shutil.move(out.parent / "in" / f"{name}.fcs", deep / f"renamed_{name}.fcs")
    shutil.move(out.parent / "small.yaml", deep / "template_of_ours.yaml")
    assert rerun(out, Folder(out.parent / "archive")).exit_code == 0
    assert bundle.read_result(out, "a").source.path == "a.fcs"


def test_a_signed_tube_is_not_made_anew_by_another_version(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SignOff(ReviewStore(out)).sign("a", "B", "reader", "seen")
    put(ReviewStore(out), "b")
    now = {**rerunning.environment(), "stromagate": "99.0.0"}
    with monkeypatch.context() as patched:
        patched.setattr(rerunning, "environment", lambda: now)
        with pytest.raises(SignedError):
            again(out)
    again(out)
    assert SignOff(ReviewStore(out)).state("a").status == "signed"


def test_a_rerun_that_was_broken_off_goes_on(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ReviewStore(out))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("stromagate.pipeline.batch.look_over", interrupted)
        with pytest.raises(KeyboardInterrupt):
            again(out)
    assert not (out / "run.json").exists()
    assert rerunning.broken_off(out)
    assert again(out).exit_code == 0
    assert bundle.read_run(out).exit_code == 0
    assert not (out / "review" / "run.json").exists()
    assert not rerunning.broken_off(out)


def test_edits_that_the_run_was_made_with_are_not_lost(out: Path) -> None:
    path = out.parent / "own.json"
    made_by_hand = edits(out, "b", msc=cut(0.66))
    path.write_text(json.dumps({"format": "stromagate.edits/1", "samples": [made_by_hand.model_dump(mode="json")]}))
    tubes = collect_tubes([out.parent / "in"]).tubes
    run_batch(tubes, out.parent / "small.yaml", out, RunConfig(edits=str(path)))
    again(out)
    assert bundle.read_result(out, "b").edits == made_by_hand.edits
    put(ReviewStore(out), "a")
    again(out)
    assert bundle.read_result(out, "b").edits == made_by_hand.edits
    assert bundle.read_result(out, "a").edits


def test_edits_that_can_no_longer_be_taken_cost_no_result(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ReviewStore(out), "a", 0.7)
    put(ReviewStore(out), "b", 0.6)

    def refused(prepared: object, gated: Any, sample: Any, **more: Any) -> Any:
        if sample.sample_id == "a":
            raise SpecificationError("edits.tree", "these edits were made on other boundaries", where="a")
        return apply(prepared, gated, sample, **more)

    monkeypatch.setattr("stromagate.pipeline.tube.apply", refused)
    left: list[tuple[str, str]] = []
    run = again(out, on_left_out=lambda *said: left.append(said))
    assert run.exit_code == 0
    assert left == [("a", "these edits were made on other boundaries")]
    assert bundle.read_result(out, "a").edits == ()
    assert bundle.read_result(out, "b").edits
    store = ReviewStore(out)
    assert store.of("a") is not None, "the edits stay in the review"
    assert SignOff(store).state("a").pending
    assert "without those of a: these edits were made on other boundaries" in store.audit()[-1].why


def test_edits_of_a_tube_that_failed_can_be_set_back(out: Path) -> None:
    store = ReviewStore(out)
    put(store)
    shutil.rmtree(out / "samples" / "a")
    with pytest.raises(StromagateError, match="no analysed tube 'a'"):
        store.fitted("a")
    assert store.put("a", None, expected=1, who=WHO, why=WHY) == 2
    (change,) = store.audit()[-1].changes
    assert (change.old, change.new) == (cut(0.7), None)
    assert store.of("a") is None
