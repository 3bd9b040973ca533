"""The folder of results: never a partial file under a final name, never another run's results lost unasked."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from stromagate.errors import InputError, UsageError
from stromagate.pipeline import bundle


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    bundle.open_folder(out, ["a"], force=False)
    assert names(out) == {".stromagate"}


def test_a_folder_with_other_files_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    for force in (False, True):
        with pytest.raises(UsageError, match="not results of a run"):
            bundle.open_folder(tmp_path, ["a"], force=force)
    assert names(tmp_path) == {"thesis.docx"}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        bundle.open_folder(tmp_path / "out", ["a"], force=True)


def test_results_of_other_tubes_need_force(tmp_path: Path) -> None:
    bundle.open_folder(tmp_path, ["a", "b"], force=False)
    for name in ("a", "b"):
        bundle.write_sample(tmp_path, name, {"result.json": b"{}"})
    with pytest.raises(UsageError, match="1 tube not in this run: b"):
        bundle.open_folder(tmp_path, ["a"], force=False)
    assert "samples/b/result.json" in names(tmp_path)
    bundle.open_folder(tmp_path, ["a"], force=True)
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

    monkeypatch.setattr(bundle.os, "fsync", full)
    with pytest.raises(InputError, match="No space left") as caught:
        bundle.write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == {"populations.csv"}
    assert caught.value.where == str(target)


def test_no_run_an_unfinished_run_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in this folder"):
        bundle.read_run(tmp_path)
    bundle.open_folder(tmp_path, ["a"], force=False)
    with pytest.raises(InputError, match="not finished"):
        bundle.read_run(tmp_path)
    bundle.write_file(tmp_path / "run.json", b'{"format": "stromagate.run/9"}')
    with pytest.raises(InputError, match="format") as caught:
        bundle.read_run(tmp_path)
    assert caught.value.code == "result.damaged"
