"""Edits of a review: no window loses another's, a crash loses at most the act in progress, the log says everything."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stromagate.errors import DocumentError, InputError, SpecificationError, StromagateError, UsageError
from stromagate.model.gates import Ellipse, Interval, Polygon
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.edits import read_edits
from stromagate.pipeline.review import audit
from stromagate.pipeline.review.fitted import moved
from stromagate.pipeline.review.journal import Journal
from stromagate.pipeline.review.store import ConflictError, ReviewStore
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import WHO, WHY, cut, edits, put
from tests.reference_data import ROOT


@pytest.fixture
def store(out: Path) -> ReviewStore:
    return ReviewStore(out)


def log(out: Path) -> Path:
    return out / "review" / "audit.jsonl"


def test_nothing_is_written_by_looking(store: ReviewStore, out: Path) -> None:
    assert (store.revision(), store.edits(), store.of("a"), store.audit()) == (0, None, None, [])
    assert not (out / "review").exists()


def test_an_edit_stands_in_a_document_that_run_takes_and_in_the_log(store: ReviewStore, out: Path) -> None:
    assert put(store) == 1
    document = read_edits(out / "review" / "edits.json")
    assert document == store.edits()
    (sample,) = document.samples
    assert (sample.sample_id, sample.edits[0].geometry, sample.edits[0].who) == ("a", cut(0.7), WHO)
    assert sample.tree_sha256 == read_result(out, "a").fitted_tree_sha256
    (entry,) = store.audit()
    (change,) = entry.changes
    assert (entry.what, entry.who, entry.why, entry.revision) == ("edited", WHO, WHY, 1)
    assert (change.population, change.old, change.new) == ("msc", cut(0.45), cut(0.7))
    assert change.automatic == ("old",)
    assert entry.time.endswith("Z")


def test_the_document_that_is_written_is_run_as_it_is(store: ReviewStore, out: Path) -> None:
    put(store)
    from stromagate.model.config import RunConfig

    config = RunConfig(edits=str(out / "review" / "edits.json"))
    before = read_result(out, "a").count("msc")
    run = run_batch(collect_tubes([out.parent / "in"]).tubes, out.parent / "small.yaml", out, config)
    assert run.exit_code == 0
    assert read_result(out, "a").edits[0].why == WHY
    assert read_result(out, "a").count("msc") != before
    assert (out / "review" / "audit.jsonl").exists()
    assert store.fitted("a").boundaries["msc"] == cut(0.45), "the automatic boundary, not the edited one"


def test_setting_back_leaves_an_empty_document_and_every_step_in_the_log(store: ReviewStore) -> None:
    put(store, low=0.7)
    put(store, low=0.6)
    assert store.put("a", None, expected=2, who=WHO, why="it was right") == 3
    document = store.edits()
    assert document is not None
    assert document.samples == ()
    assert [(c.old, c.new) for entry in store.audit() for c in entry.changes] == [
        (cut(0.45), cut(0.7)),
        (cut(0.7), cut(0.6)),
        (cut(0.6), cut(0.45)),
    ]
    assert store.audit()[-1].changes[0].automatic == ("new",)


def test_the_same_again_is_no_act(store: ReviewStore, out: Path) -> None:
    put(store)
    before = log(out).read_bytes()
    assert store.put("a", store.of("a"), expected=1, who=WHO, why="again") == 1
    assert store.put("b", None, expected=1, who=WHO, why="there was none") == 1
    assert log(out).read_bytes() == before


def test_moving_keeps_the_edits_of_other_gates_in_the_order_of_the_tree(out: Path) -> None:
    result = read_result(out, "a")
    first = moved(result, None, {"progenitors": cut(0.5, "CD146")}, who="A", why="x")
    both = moved(result, first, {"msc": cut(0.6)}, who="B", why="y")
    assert both is not None
    assert [(edit.population, edit.who) for edit in both.edits] == [("msc", "B"), ("progenitors", "A")]
    assert moved(result, both, {"msc": None, "progenitors": None}, who="B", why="y") is None
    again = moved(result, both, {"msc": cut(0.6)}, who="C", why="z")
    assert again == both, "a boundary that is where it was keeps who put it there"


def test_edits_of_other_boundaries_are_not_bound_to_these(out: Path) -> None:
    result = read_result(out, "a")
    both = moved(result, None, {"msc": cut(0.6), "progenitors": cut(0.5, "CD146")}, who="A", why="x")
    assert both is not None
    stale = both.model_copy(update={"tree_sha256": "0" * 64})
    with pytest.raises(
        SpecificationError, match=r"other boundaries than those of the result .*: progenitors"
    ) as caught:
        moved(result, stale, {"msc": cut(0.7)}, who="B", why="y")
    assert caught.value.code == "review.tree"
    assert moved(result, stale, {"msc": None, "progenitors": None}, who="B", why="y") is None
    anew = moved(result, stale, {"msc": cut(0.6), "progenitors": None}, who="B", why="y")
    assert anew is not None
    assert [(edit.population, edit.who) for edit in anew.edits] == [("msc", "B")]


def test_threads_of_one_process_lose_nothing(store: ReviewStore, out: Path) -> None:
    result = read_result(out, "a")

    def work(number: int) -> int:
        tries = 0
        while True:
            tries += 1
            asked = moved(result, None, {"msc": cut(0.3 + 0.01 * number)}, who=f"T{number}", why="x")
            try:
                store.put("a", asked, expected=store.revision(), who=f"T{number}", why="x")
            except ConflictError:
                continue
            return tries

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert store.revision() == 24
    assert {entry.who for entry in store.audit()} == {f"T{number}" for number in range(24)}
    last = store.audit()[-1]
    assert store.of("a").edits[0].who == last.who


def test_two_windows_on_one_tube_the_second_is_told_what_the_first_did(store: ReviewStore, out: Path) -> None:
    other = ReviewStore(out)
    put(store, low=0.7, expected=0)
    with pytest.raises(ConflictError, match=f"boundaries of a were changed by {WHO}") as caught:
        put(other, low=0.5, expected=0)
    assert caught.value.code == "review.conflict"
    assert caught.value.entries[0].changes[0].new == cut(0.7)
    assert pickle.loads(pickle.dumps(caught.value)).entries == caught.value.entries
    assert other.of("a") == edits(out)
    assert put(other, low=0.5, expected=1) == 2


def test_two_windows_on_two_tubes_do_not_hinder_each_other(store: ReviewStore, out: Path) -> None:
    other = ReviewStore(out)
    assert put(store, "a", expected=0) == 1
    assert put(other, "b", expected=0) == 2
    document = store.edits()
    assert document is not None
    assert [sample.sample_id for sample in document.samples] == ["a", "b"]


@pytest.mark.parametrize("expected", [-1, 7])
def test_a_revision_that_never_was_is_a_conflict(store: ReviewStore, expected: int) -> None:
    with pytest.raises(ConflictError):
        put(store, expected=expected)
    assert store.revision() == 0


def test_several_tubes_are_edited_together_or_not_at_all(store: ReviewStore, out: Path) -> None:
    wanted = {name: edits(out, name) for name in "ab"}
    put(store, "b", 0.6)
    with pytest.raises(ConflictError, match="boundaries of b"):
        store.put_all(wanted, expected=0, who=WHO, why=WHY)
    assert store.of("a") is None
    assert store.put_all(wanted, expected=1, who=WHO, why=WHY) == 2
    assert [change.sample_id for change in store.audit()[-1].changes] == ["a", "b"]


def test_what_does_not_go_with_the_tube_is_refused_and_nothing_written(store: ReviewStore, out: Path) -> None:
    good = edits(out)
    assert good is not None
    edit = good.edits[0]
    bad = {
        "tree": (SpecificationError, good.model_copy(update={"tree_sha256": "0" * 64})),
        "other_tube": (UsageError, good.model_copy(update={"sample_id": "b"})),
        "population": (
            DocumentError,
            good.model_copy(update={"edits": (edit.model_copy(update={"population": "x"}),)}),
        ),
        "twice": (DocumentError, good.model_copy(update={"edits": (edit, edit)})),
        "axis": (DocumentError, edits(out, msc=cut(0.5, "CD999"))),
        "low above high": (DocumentError, edits(out, msc=Interval("CD271", 0.9, 0.1))),
        "flat": (DocumentError, edits(out, msc=Polygon(("CD271", "CD146"), ((0, 0), (1, 1), (2, 2))))),
        "no covariance": (
            DocumentError,
            edits(out, msc=Ellipse(("CD271", "CD146"), (0.5, 0.5), ((1.0, 2.0), (2.0, 1.0)), 1.0)),
        ),
    }
    for name, (kind, wrong) in bad.items():
        with pytest.raises(kind) as caught:
            store.put("a", wrong, expected=0, who=WHO, why=WHY)
        assert isinstance(caught.value, StromagateError), name
    with pytest.raises(UsageError, match="no analysed tube 'z'") as unknown:
        store.put("z", None, expected=0, who=WHO, why=WHY)
    assert unknown.value.code == "review.no_tube"
    assert not (out / "review").exists()


@pytest.mark.parametrize(("who", "why", "code"), [("", "x", "who"), (" \n", "x", "who"), ("x", "", "why")])
def test_nobody_and_no_reason_are_refused(store: ReviewStore, out: Path, who: str, why: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.put("a", edits(out), expected=0, who=who, why=why)
    assert caught.value.code == f"review.{code}"
    with pytest.raises(UsageError, match="501 signs"):
        store.put("a", edits(out), expected=0, who=WHO, why="x" * 501)


def test_a_run_that_was_made_with_edits_begins_with_them(out: Path) -> None:
    from stromagate.model.config import RunConfig

    made = edits(out, "b")
    path = out.parent / "own.json"
    path.write_text(json.dumps({"format": "stromagate.edits/1", "samples": [made.model_dump(mode="json")]}))
    run_batch(collect_tubes([out.parent / "in"]).tubes, out.parent / "small.yaml", out, RunConfig(edits=str(path)))
    store = ReviewStore(out)
    assert store.of("b").edits == made.edits
    assert store.revision() == 0
    put(store, "a")
    assert [sample.sample_id for sample in read_edits(out / "review" / "edits.json").samples] == ["a", "b"]
    assert ReviewStore(out).of("b").edits == made.edits


def test_a_document_changed_beside_the_review_is_not_written_over(store: ReviewStore, out: Path) -> None:
    put(store)
    path = out / "review" / "edits.json"
    mine = path.read_text().replace("0.7", "0.71")
    path.write_text(mine)
    with pytest.raises(InputError, match="not as the review wrote them"):
        put(ReviewStore(out), low=0.6)
    assert path.read_text() == mine


def test_no_review_of_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in this folder"):
        ReviewStore(tmp_path)


# What a crash leaves behind.


def test_an_act_that_was_said_and_not_done_is_done_by_the_next_who_looks(store: ReviewStore, out: Path) -> None:
    put(store, low=0.7)
    home = out / "review"
    before = {name: (home / name).read_bytes() for name in ("edits.json", "revision.json")}
    put(store, low=0.6)
    after = {name: (home / name).read_bytes() for name in before}
    for survivors in ((), ("edits.json",)):
        for name, data in before.items():
            (home / name).write_bytes(after[name] if name in survivors else data)
        late = ReviewStore(out)
        assert late.revision() == 2
        assert late.of("a").edits[0].geometry == cut(0.6)
        assert {name: (home / name).read_bytes() for name in before} == after


def test_the_very_first_act_is_done_late_too(store: ReviewStore, out: Path) -> None:
    put(store)
    for name in ("edits.json", "revision.json"):
        (out / "review" / name).unlink()
    late = ReviewStore(out)
    assert late.revision() == 1
    assert late.of("a") == edits(out)


def test_an_unfinished_line_is_taken_away_and_said(store: ReviewStore, out: Path) -> None:
    put(store)
    whole = log(out).read_bytes()
    log(out).write_bytes(whole + b'{"account": "x", "aft')
    assert [entry.what for entry in ReviewStore(out).audit()] == ["edited", "recovered"]
    assert log(out).read_bytes().startswith(whole)
    assert "21 bytes of an unfinished line" in store.audit()[-1].why
    assert put(store, low=0.5) == 2


def test_a_log_that_was_cut_or_continued_by_others_stops_the_review(store: ReviewStore, out: Path) -> None:
    put(store, low=0.7)
    put(store, low=0.6)
    whole = log(out).read_bytes()
    first, second = whole.splitlines(keepends=True)
    for wrong in (first, b"", whole + second, whole + first + second):
        log(out).write_bytes(wrong)
        with pytest.raises(InputError, match="do not go together") as caught:
            ReviewStore(out).revision()
        assert caught.value.code == "review.apart"
        assert log(out).read_bytes() == wrong


def test_a_full_disk_leaves_the_log_as_it_was(store: ReviewStore, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, low=0.7)
    whole = log(out).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(audit.os, "fsync", full)
        with pytest.raises(InputError, match="No space left"):
            put(store, low=0.6)
    assert log(out).read_bytes() == whole
    assert store.of("a").edits[0].geometry == cut(0.7)
    assert put(store, low=0.6) == 2


# The chain.


def test_every_changed_missing_doubled_and_moved_line_is_found(store: ReviewStore, out: Path) -> None:
    for low in (0.5, 0.55, 0.6, 0.65, 0.7):
        put(store, low=low)
    path = log(out)
    lines = path.read_bytes().splitlines(keepends=True)
    assert audit.check(path) is None
    for at in range(4):
        changed = [*lines]
        changed[at] = changed[at].replace(WHO.encode(), b"Reader C")
        cases = {
            "changed": (changed, at + 2),
            "missing": ([*lines[:at], *lines[at + 1 :]], at + 1),
            "doubled": ([*lines[: at + 1], lines[at], *lines[at + 1 :]], at + 2),
            "moved": ([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], at + 1),
        }
        for name, (wrong, line) in cases.items():
            path.write_bytes(b"".join(wrong))
            fault = audit.check(path)
            assert fault is not None, name
            assert fault.line == line, name
            with pytest.raises(InputError, match=f"line {line} of the audit log"):
                audit.read(path)


def test_any_flipped_byte_is_found(store: ReviewStore, out: Path) -> None:
    for low in (0.5, 0.6, 0.7):
        put(store, low=low)
    path = log(out)
    whole = path.read_bytes()
    last = whole.rfind(b"\n", 0, -1) + 1
    for at in range(0, len(whole), 37):
        wrong = bytearray(whole)
        wrong[at] ^= 1
        path.write_bytes(bytes(wrong))
        by_chain = audit.check(path)
        data = path.read_bytes()
        by_head = audit.link(data[last:]) != Journal(out)._read_head().audit_sha256
        assert by_chain is not None or by_head, at


# Real processes.

_WRITER = """
import sys
from pathlib import Path
from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.review.fitted import moved
from stromagate.pipeline.review.store import ConflictError, ReviewStore
from tests.pipeline.reviews import cut
out, name, n, tubes = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
store, done, place = ReviewStore(out), 0, float(len(name))
results = {tube: read_result(out, tube) for tube in tubes}
while done < n:
    tube = tubes[done % len(tubes)]
    seen = store.revision()
    boundary = {"msc": cut(0.3 + 0.001 * done + 0.0001 * place)}
    asked = moved(results[tube], None, boundary, who=name, why=str(done))
    try:
        store.put(tube, asked, expected=seen, who=name, why=str(done))
    except ConflictError:
        continue
    print(name, done, flush=True)
    done += 1
"""


def writer(out: Path, name: str, n: int, tubes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(out), name, str(n), tubes]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.mark.parametrize("n", [25, pytest.param(100, marks=pytest.mark.soak)])
def test_two_processes_write_by_turns_and_none_is_lost(out: Path, n: int) -> None:
    both = [writer(out, name, n, "a") for name in ("one", "other")]
    said = [process.communicate(timeout=120)[0].split("\n") for process in both]
    assert [process.returncode for process in both] == [0, 0]
    store = ReviewStore(out)
    entries = store.audit()
    assert store.revision() == len(entries) == 2 * n
    for name, lines in zip(("one", "other"), said, strict=True):
        assert len([line for line in lines if line]) == n
        assert [entry.why for entry in entries if entry.who == name] == [str(number) for number in range(n)]
    last = entries[-1]
    assert store.of("a").edits[0].who == last.who
    for before, entry in itertools.pairwise(entries):  # each saw what the one before had left
        assert entry.changes[0].old == before.changes[0].new


def test_killed_in_the_middle_of_writing_all_that_was_answered_is_there(out: Path) -> None:
    for round_ in range(2):
        with writer(out, f"round{round_}", 10_000, "ab") as process:
            assert process.stdout is not None
            answered = [process.stdout.readline() for _ in range(3)]
            time.sleep(0.007 * round_)
            os.kill(process.pid, signal.SIGKILL)
            answered += process.stdout.readlines()
        n_answered = sum(line.endswith("\n") for line in answered)
        store = ReviewStore(out)
        read_edits(out / "review" / "edits.json")  # valid as the crash left it
        assert store.edits() == read_edits(out / "review" / "edits.json")
        entries = [entry for entry in store.audit() if entry.who == f"round{round_}"]
        assert len(entries) - n_answered in {0, 1}
        assert audit.check(log(out)) is None
        assert put(store, low=0.9) == store.revision()
