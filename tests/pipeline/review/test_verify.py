"""`verify` names what was tampered with, whatever it is, and says nothing against a run that is as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import InputError
from stromagate.model.audit import Signature
from stromagate.model.config import RunConfig
from stromagate.model.result import SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.review import audit, checked_numbers
from stromagate.pipeline.review import verify as verifying
from stromagate.pipeline.review.differences import Verified
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.journal import signature_line
from stromagate.pipeline.review.rerun import rerun
from stromagate.pipeline.review.signoff import SignOff
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.review.verify import verify
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import Folder, copied, edits, finished_run, put
from tests.tubes import write_template, write_tube

Tamper = Callable[[Path], object]


@pytest.fixture(scope="module")
def finished(plain_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was edited, run again and signed, with edits that wait."""
    out = copied(plain_run, tmp_path_factory.mktemp("verify"))
    store = ReviewStore(out)
    put(store, "a", 0.6)
    put(store, "a", 0.7)
    rerun(out, Folder(out.parent / "in"))
    desk = SignOff(store)
    desk.sign("a", "Reader B", "reader", "seen")
    desk.sign("a", "Head C", "approver", "approved")
    desk.sign("b", "Reader B", "reader", "seen")
    desk.unsign("b", "Reader B", "one more look")
    put(store, "b", 0.6)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return copied(finished, tmp_path)


def looked(out: Path, *, files: bool = False) -> Verified:
    return verify(out, FileFinder(out, [out.parent / "in"]) if files else None)


def said(found: Verified) -> set[tuple[str, str]]:
    return {(each.kind, each.where) for each in found.differences}


def result(name: str) -> str:
    return f"samples/{name}/result.json"


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def forged(out: Path, name: str, change: Callable[[SampleResult], SampleResult]) -> None:
    """Change a result and seal it anew, as someone would who knows how, and make all pages fit."""
    made = change(bundle.read_result(out, name))
    bundle.write_file(out / result(name), bundle.to_json_bytes(made))
    render_again(out)


def with_count(made: SampleResult, population: str, value: int) -> SampleResult:
    rows = tuple(
        row.model_copy(update={"value": float(value)})
        if (row.population, row.statistic) == (population, "count")
        else row
        for row in made.statistics
    )
    return made.model_copy(update={"statistics": rows})


def test_a_run_as_it_was_written_is_whole(out: Path) -> None:
    found = looked(out, files=True)
    assert found.differences == []
    assert found.notes == ["b: edits wait for the tubes to be run again"]
    assert found.not_checked == []
    assert found.checked["tubes counted again"] == 2
    assert found.checked["signatures"] == 2
    assert found.checked["lines of the audit log"] == 8
    assert found.checked["tables and pages"] > 8
    assert json.dumps(found.as_json())


def test_a_run_without_a_review_and_without_files(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "plain", "a")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    found = looked(out)
    assert found.whole
    assert found.notes == ["the run was not reviewed"]
    assert found.not_checked == ["numbers were not counted from the files again: name their folder with --files"]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before, "nothing is written"


def _signature(out: Path, **changes: Any) -> None:
    path = out / "review" / "signatures.jsonl"
    first, *others = path.read_bytes().splitlines(keepends=True)
    made = Signature.model_validate_json(first).model_copy(update=changes)
    path.write_bytes(b"".join([signature_line(made), *others]))


def _log(out: Path, at: int, old: str, new: str) -> None:
    path = out / "review" / "audit.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert old in lines[at]
    lines[at] = lines[at].replace(old, new, 1)
    path.write_text("".join(lines))


def _cut(out: Path) -> None:
    path = out / "review" / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def write_other(out: Path) -> None:
    (out / "samples" / "other").mkdir()
    (out / "samples" / "other" / "result.json").write_bytes((out / result("a")).read_bytes())


TAMPERED: dict[str, tuple[Tamper, tuple[str, str], str]] = {
    "a digit of a result": (
        lambda out: replaced(out / result("a"), '"n_events": 1500', '"n_events": 1501'),
        ("result", result("a")),
        "seal",
    ),
    "a result that is none": (
        lambda out: (out / result("a")).write_text("{}"),
        ("result", result("a")),
        "Field required",
    ),
    "a result taken away": (lambda out: (out / result("b")).unlink(), ("result", result("b")), "cannot be read"),
    "a result put in": (
        write_other,
        ("result", "samples/other/result.json"),
        "speaks of no such tube",
    ),
    "a number in the table of all": (
        lambda out: replaced(out / "populations.csv", "1500", "1501"),
        ("page", "populations.csv"),
        "not what the results give (line 2)",
    ),
    "a number in the table of a tube": (
        lambda out: replaced(out / "samples/b/populations.csv", "1500", "1501"),
        ("page", "samples/b/populations.csv"),
        "(line 2)",
    ),
    "a word on a page": (
        lambda out: replaced(out / "samples/a/report.html", "</body>", "<p>approved</p></body>"),
        ("page", "samples/a/report.html"),
        "not what the results give",
    ),
    "the page of all": (
        lambda out: replaced(out / "index.html", "</body>", "ok</body>"),
        ("page", "index.html"),
        "not what the results give",
    ),
    "a page taken away": (lambda out: (out / "qc.csv").unlink(), ("page", "qc.csv"), "is missing"),
    "plotly": (
        lambda out: (out / "assets/plotly.min.js").write_text("alert(1)"),
        ("page", "assets/plotly.min.js"),
        "not what the results give",
    ),
    "a status in the index": (
        lambda out: replaced(out / "run.json", '"n_events": 1500', '"n_events": 1501'),
        ("run", result("a")),
        "number of events",
    ),
    "a setting in the index": (
        lambda out: replaced(out / "run.json", '"seed": 0', '"seed": 1'),
        ("run", result("a")),
        "settings",
    ),
    "a reason in the log": (
        lambda out: _log(out, 0, "dim events", "all events"),
        ("audit", "review/audit.jsonl"),
        "line 2 does not follow the line before",
    ),
    "the last line of the log": (
        lambda out: _log(out, -1, "dim events", "all events"),
        ("audit", "review/audit.jsonl"),
        "line 8 is not as it was written",
    ),
    "the end of the log": (_cut, ("audit", "review/audit.jsonl"), "1 line is missing at its end"),
    "the whole log": (
        lambda out: (out / "review/audit.jsonl").unlink(),
        ("audit", "review/audit.jsonl"),
        "8 lines are missing at its end",
    ),
    "where the review stands": (
        lambda out: (out / "review/revision.json").write_text("{"),
        ("audit", "review/revision.json"),
        "is damaged",
    ),
    "a boundary in the edits": (
        lambda out: replaced(out / "review/edits.json", "0.7", "0.71"),
        ("edits", "review/edits.json"),
        "not as the audit log says",
    ),
    "the edits": (
        lambda out: (out / "review/edits.json").unlink(),
        ("edits", "review/edits.json"),
        "is missing",
    ),
    "the name under a result": (
        lambda out: _signature(out, who="Somebody"),
        ("signature", "review/signatures.jsonl"),
        "line 1 is not what the audit log says",
    ),
    "a signature under another tube": (
        lambda out: _signature(out, sample_id="b"),
        ("signature", "review/signatures.jsonl"),
        "line 1 is not what the audit log says",
    ),
    "a signature taken away": (
        lambda out: (out / "review/signatures.jsonl").unlink(),
        ("signature", "review/signatures.jsonl"),
        "line 1 is not what the audit log says",
    ),
    "a damaged signature": (
        lambda out: replaced(out / "review/signatures.jsonl", '"who"', '"whose"'),
        ("signature", "review/signatures.jsonl"),
        "who: Field required",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_named(out: Path, name: str) -> None:
    tamper, where, sentence = TAMPERED[name]
    tamper(out)
    found = looked(out)
    assert where in said(found)
    assert sentence in " | ".join(each.sentence for each in found.differences if (each.kind, each.where) == where)


def test_a_count_forged_with_a_seal_that_fits_breaks_its_signature_and_the_files_object(out: Path) -> None:
    forged(out, "a", lambda made: with_count(made, "msc", 3))
    assert ("signature", "review/signatures.jsonl") in said(looked(out))
    found = looked(out, files=True)
    (number,) = [each for each in found.differences if each.kind == "number"]
    assert number.where == result("a")
    assert "msc, count: value is 3 in the result" in number.sentence


def test_an_interval_a_boundary_and_a_pattern_are_looked_at_too(out: Path) -> None:
    def narrower(made: SampleResult) -> SampleResult:
        rows = [row.model_copy(update={"ci_high": row.value}) if row.ci_high else row for row in made.statistics]
        return made.model_copy(update={"statistics": tuple(rows)})

    forged(out, "b", narrower)
    sentences = [each.sentence for each in looked(out, files=True).differences if each.sample_id == "b"]
    assert any("ci_high is" in sentence for sentence in sentences)
    assert any(sentence.endswith("further numbers") for sentence in sentences)

    def other_words(made: SampleResult) -> SampleResult:
        return made.model_copy(update={"pattern": made.pattern.model_copy(update={"pattern": "MSC-high"})})

    forged(out, "b", other_words)
    assert "its pattern is not what its numbers give" in [each.sentence for each in looked(out).differences]

    def moved(made: SampleResult) -> SampleResult:
        nodes = tuple(node for node in made.tree.nodes if node.name != "progenitors")
        return made.model_copy(update={"tree": type(made.tree)(nodes, made.tree.axes, made.tree.compensation)})

    forged(out, "b", moved)
    assert "its boundaries are not those that were fitted" in [each.sentence for each in looked(out).differences]


def test_a_changed_fcs_file_is_missed(out: Path) -> None:
    path = out.parent / "in" / "b.fcs"
    data = bytearray(path.read_bytes())
    data[-5000] ^= 1
    path.write_bytes(bytes(data))
    assert looked(out).whole
    (only,) = looked(out, files=True).differences
    assert (only.kind, only.sample_id) == ("file", "b")
    assert "no file has the content that this result was made from (b.fcs)" in only.sentence


def test_without_the_template_events_are_counted_and_no_more_is_claimed(out: Path) -> None:
    forged(out, "a", lambda made: with_count(made, "msc", 3))
    (out.parent / "small.yaml").unlink()
    found = looked(out, files=True)
    assert any("the template of this run is not at hand" in text for text in found.not_checked)
    (number,) = [each for each in found.differences if each.kind == "number"]
    assert number.sentence.startswith("msc: 3 in the result, ")


def test_another_version_compares_no_pages_and_says_so(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / "index.html").write_text("other")
    for module in (verifying, checked_numbers):
        monkeypatch.setattr(module, "__version__", "99.0.0")
    found = looked(out, files=True)
    assert found.whole
    assert any("this is 99.0.0, which may write others" in text for text in found.not_checked)
    assert found.checked["tubes counted again"] == 2


def test_findings_taken_out_of_the_index_are_missed_by_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_tube(folder / "a.fcs", 1, 1500)
    (folder / "b.fcs").write_bytes((folder / "a.fcs").read_bytes())
    out = tmp_path / "out"
    template = write_template(tmp_path / "small.yaml")
    run = run_batch(collect_tubes([folder]).tubes, template, out)
    assert run.findings
    assert looked(out, files=True).whole
    bundle.write_file(out / "run.json", bundle.to_json_bytes(run.model_copy(update={"findings": ()})))
    render_again(out)
    assert looked(out).whole
    (only,) = looked(out, files=True).differences
    assert only.where == "run.json"
    assert "findings on all tubes together" in only.sentence


def test_an_act_that_a_crash_broke_off_is_a_note_and_no_difference(out: Path) -> None:
    home = out / "review"
    before = {name: (home / name).read_bytes() for name in ("edits.json", "revision.json")}
    put(ReviewStore(out), "b", 0.55)
    for name, data in before.items():
        (home / name).write_bytes(data)
    found = looked(out)
    assert found.whole
    assert "the last act of the review was broken off; who opens the review next finishes it" in found.notes
    assert (home / "edits.json").read_bytes() == before["edits.json"], "nothing is written by looking"
    assert ReviewStore(out).revision() == 4
    assert looked(out).whole


def test_a_line_put_behind_the_log_by_hand_is_missed_by_its_edits(out: Path) -> None:
    path = out / "review" / "audit.jsonl"
    *_, last = audit.read(path)
    made = last.model_copy(
        update={"seq": last.seq + 1, "prev": audit.link(path.read_bytes().splitlines(keepends=True)[-1]), "who": "X"}
    )
    path.write_bytes(path.read_bytes() + audit.line_of(made) + audit.line_of(made))
    assert ("audit", "review/audit.jsonl") in said(looked(out))


def test_background_and_markers_that_were_lent_are_counted_again_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_tube(tmp_path / "in" / "s.fcs", 1, 2000)
    write_tube(tmp_path / "in" / "fmo.fcs", 2, 2000, stains=["", "", "", "CD45", "", "CD271", ""])
    (tmp_path / "sheet.csv").write_text("file,role,patient_id\nin/s.fcs,stained,P\nin/fmo.fcs,fmo:CD146,P\n")
    out = tmp_path / "out"
    run = run_batch(collect_tubes([], tmp_path / "sheet.csv").tubes, write_template(tmp_path / "small.yaml"), out)
    assert run.exit_code == 0
    assert "markers" in bundle.read_result(out, "fmo").record.conventions, "its marker was lent"
    assert bundle.read_result(out, "s").background
    assert looked(out, files=True).differences == []

    def less(made: SampleResult) -> SampleResult:
        first, *others = made.background
        return made.model_copy(update={"background": (first.model_copy(update={"events": 0}), *others)})

    forged(out, "s", less)
    (number,) = [each for each in looked(out, files=True).differences if each.kind == "number"]
    assert number.sentence == "background and limits of detection"


def test_a_run_that_was_made_with_edits_is_whole_when_it_is_signed(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "edited", "a")
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"format": "stromagate.edits/1", "samples": [edits(out).model_dump(mode="json")]}))
    tubes = collect_tubes([out.parent / "in"]).tubes
    run_batch(tubes, out.parent / "small.yaml", out, RunConfig(edits=str(path)))
    SignOff(ReviewStore(out)).sign("a", "B", "reader", "seen")
    assert looked(out, files=True).differences == []


def test_there_must_be_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in this folder"):
        verify(tmp_path)
