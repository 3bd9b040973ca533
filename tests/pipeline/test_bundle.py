"""The folder of results: never a partial file under a final name, never another run's results lost unasked."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from stromagate.errors import InputError, OutputError, UsageError
from stromagate.pipeline import bundle
from stromagate.pipeline.bundle import read_result, to_json_bytes, write_sample
from tests.results import make_result


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def opened(out: Path, *sample_ids: str, force: bool = False) -> None:
    with bundle.open_folder(out, sample_ids, force=force):
        pass


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with bundle.open_folder(out, ["a"], force=False):
        assert names(out) == {".stromagate", ".stromagate.by"}
    assert names(out) == {".stromagate"}


def test_a_folder_with_other_files_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    for force in (False, True):
        with pytest.raises(UsageError, match="not results of a run"):
            opened(tmp_path, "a", force=force)
    assert names(tmp_path) == {"thesis.docx"}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        opened(tmp_path / "out", "a", force=True)


def test_results_of_other_tubes_need_force(tmp_path: Path) -> None:
    opened(tmp_path, "a", "b")
    for name in ("a", "b"):
        bundle.write_sample(tmp_path, name, {"result.json": b"{}"})
    with pytest.raises(UsageError, match="1 tube not in this run: b"):
        opened(tmp_path, "a")
    assert "samples/b/result.json" in names(tmp_path)
    opened(tmp_path, "a", force=True)
    assert names(tmp_path) == {".stromagate", "samples/a/result.json"}


def test_a_tube_is_replaced_whole(tmp_path: Path) -> None:
    bundle.write_sample(tmp_path, "a", {"result.json": b"1", "old.csv": b"x"})
    bundle.write_sample(tmp_path, "a", {"result.json": b"2"})
    assert names(tmp_path / "samples") == {"a/result.json"}
    assert (tmp_path / "samples/a/result.json").read_bytes() == b"2"


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "populations.csv"
    bundle.write_file(target, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left") as caught:
        bundle.write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == {"populations.csv"}
    assert caught.value.where == str(target)


def test_a_place_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written") as caught:
        bundle.write_file(tmp_path / "file" / "below", b"new")
    assert caught.value.code == "out.write"


def test_no_run_an_unfinished_run_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in this folder"):
        bundle.read_run(tmp_path)
    opened(tmp_path, "a")
    with pytest.raises(InputError, match="not finished"):
        bundle.read_run(tmp_path)
    bundle.write_file(tmp_path / "run.json", b'{"format": "stromagate.run/9"}')
    with pytest.raises(InputError, match="format") as caught:
        bundle.read_run(tmp_path)
    assert caught.value.code == "result.damaged"


def test_tables_of_an_older_run_go_when_a_new_one_begins(tmp_path: Path) -> None:
    opened(tmp_path, "a")
    bundle.write_sample(tmp_path, "a", {"result.json": b"{}"})
    bundle.close_folder(tmp_path, dict.fromkeys(bundle.RUN_FILES, b"{}"))
    (tmp_path / "my_notes.txt").write_text("kept")
    (tmp_path / ".index.html.4711.tmp").write_text("half a page")
    opened(tmp_path, "a")
    assert names(tmp_path) == {".stromagate", "my_notes.txt", "samples/a/result.json"}
    with pytest.raises(InputError, match="not finished"):
        bundle.read_run(tmp_path)


def test_a_folder_takes_one_run_at_a_time(tmp_path: Path) -> None:
    with bundle.open_folder(tmp_path, ["a"], force=False):
        bundle.write_file(tmp_path / "run.json", b"{}")
        for force in (False, True):
            with pytest.raises(UsageError, match="another run is writing") as caught:
                opened(tmp_path, "a", force=force)
        assert caught.value.code == "out.busy"
        with pytest.raises(UsageError, match="another run is writing"), bundle.hold(tmp_path):
            pass
        assert (tmp_path / "run.json").is_file()
    opened(tmp_path, "a")


def test_only_what_differs_is_written_again(tmp_path: Path) -> None:
    bundle.write_sample(tmp_path, "a", {"result.json": b"1", "report.html": b"2", "populations.csv": b"3"})
    folder = tmp_path / "samples" / "a"
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    (folder / "report.html").unlink()
    bundle.refresh_sample(tmp_path, "a", {"result.json": b"1", "report.html": b"2", "populations.csv": b"33"})
    assert (folder / "report.html").read_bytes() == b"2"
    assert (folder / "populations.csv").read_bytes() == b"33"
    assert (folder / "result.json").stat().st_ino == before["result.json"]
    assert (folder / "populations.csv").stat().st_ino != before["populations.csv"]


def test_two_workers_may_have_the_same_tube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a scheduler lost sight of one: the second puts its folder in place within the first one's step."""
    bundle.write_sample(tmp_path, "a", {"result.json": b"old"})
    rename, others = Path.rename, ["once"]

    def late(path: Path, target: Path) -> Path:
        made = rename(path, target)
        if path.parent.name == "samples" and others:
            others.clear()
            bundle.write_sample(tmp_path, "a", {"result.json": b"new"})
        return made

    monkeypatch.setattr(Path, "rename", late)
    bundle.write_sample(tmp_path, "a", {"result.json": b"new"})
    assert names(tmp_path) == {"samples/a/result.json"}
    assert (tmp_path / "samples/a/result.json").read_bytes() == b"new"


def test_a_page_in_whose_place_something_else_lies_is_no_fault_of_the_tube(tmp_path: Path) -> None:
    """Else the tube would count as failed, and its result be taken away."""
    bundle.write_sample(tmp_path, "a", {"result.json": b"1"})
    (tmp_path / "samples" / "a" / "report.html" / "mine").mkdir(parents=True)
    (tmp_path / "samples" / "a" / "page.pdf" / "mine").mkdir(parents=True)
    for page in ("report.html", "page.html"):
        with pytest.raises(OutputError, match="cannot be written"):
            bundle.refresh_sample(tmp_path, "a", {page: b"2"})
    assert (tmp_path / "samples" / "a" / "result.json").read_bytes() == b"1"


@pytest.mark.parametrize("labels", [{"role": "stained"}, {"seal": "", "role": ""}, {"seal": '"seal": ""'}])
def test_a_result_bears_the_seal_of_its_own_bytes_whatever_its_columns_are_called(tmp_path: Path, labels) -> None:
    result = make_result(labels=labels)
    written = to_json_bytes(result)
    write_sample(tmp_path, result.sample_id, {"result.json": written})
    assert read_result(tmp_path, result.sample_id) == result
    path = tmp_path / "samples" / result.sample_id / "result.json"
    # Other blanks say the same; another number does not, nor does a seal that was taken away.
    plain = json.loads(written)
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert read_result(tmp_path, result.sample_id) == result
    for changed in ({"n_events": plain["n_events"] + 1}, {"seal": ""}, {"seal": "0" * 64}):
        path.write_bytes(
            json.dumps({**plain, **changed}, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
        )
        with pytest.raises(InputError, match="not as it was written"):
            read_result(tmp_path, result.sample_id)
