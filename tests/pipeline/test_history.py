"""The history on disk: a run is added once, whole or not at all, and nothing that was written changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stromagate.errors import InputError, UsageError
from stromagate.pipeline import history
from stromagate.pipeline.history import HISTORY_FILE, add_run, check_history, read_baseline
from tests.pipeline.histories import kept_run, kept_tube


def lines(folder: Path) -> list[bytes]:
    return (folder / HISTORY_FILE).read_bytes().splitlines(keepends=True)


def test_the_same_run_twice_adds_nothing(tmp_path: Path) -> None:
    run = kept_run(kept_tube("a"))
    assert add_run(tmp_path, run) == [run]
    before = lines(tmp_path)
    later = kept_run(kept_tube("a"), recorded="2027-01-01T00:00:00Z")
    assert add_run(tmp_path, later) == [run]
    assert lines(tmp_path) == before
    other = kept_run(kept_tube("b"))
    assert add_run(tmp_path, other) == [run, other]
    assert lines(tmp_path)[:1] == before


def test_a_line_cut_off_anywhere_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    first, second = kept_run(kept_tube("a")), kept_run(kept_tube("b"))
    add_run(tmp_path, first)
    add_run(tmp_path, second)
    whole = (tmp_path / HISTORY_FILE).read_bytes()
    start = len(lines(tmp_path)[0])
    for cut in {start, start + 1, (start + len(whole)) // 2, len(whole) - 2, len(whole) - 1}:
        (tmp_path / HISTORY_FILE).write_bytes(whole[:cut])
        check_history(tmp_path, tmp_path / "out")
        assert add_run(tmp_path, second) == [first, second]
        assert (tmp_path / HISTORY_FILE).read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("92.0", "93.0"), "history.changed"),
        (lambda text: text.replace('"recorded"', '"written"'), "history.damaged"),
        (lambda text: text.replace("stromagate.history/1", "stromagate.history/9"), "history.damaged"),
        (lambda text: "\n" + text, "history.damaged"),
    ],
)
def test_a_changed_line_is_refused_with_its_number(tmp_path: Path, change, code: str) -> None:
    add_run(tmp_path, kept_run(kept_tube("a")))
    path = tmp_path / HISTORY_FILE
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(InputError, match="line 1") as caught:
        check_history(tmp_path, tmp_path / "out")
    assert caught.value.code == code
    assert caught.value.hint
    with pytest.raises(InputError):
        add_run(tmp_path, kept_run(kept_tube("b")))
    assert path.read_bytes() == before


def test_the_results_are_no_place_for_a_history(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one folder"):
        check_history(tmp_path / "out", tmp_path / "deep" / ".." / "out")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file"):
        check_history(tmp_path / "file", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        check_history(tmp_path / "file" / "below", tmp_path / "out")


def test_a_full_disk_leaves_the_lines_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run(tmp_path, kept_run(kept_tube("a")))
    before = lines(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history.os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        add_run(tmp_path, kept_run(kept_tube("b")))
    monkeypatch.undo()
    assert lines(tmp_path)[:1] == before
    assert len(add_run(tmp_path, kept_run(kept_tube("b")))) == 2


def test_two_runs_at_once_both_stand_there(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from stromagate.pipeline.history import add_run\n"
        "from tests.pipeline.histories import kept_run, kept_tube\n"
        "[add_run(Path(sys.argv[1]), kept_run(kept_tube(f'{sys.argv[2]}{i}'))) for i in range(5)]\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], cwd=Path(__file__).parents[2])
        for name in "ab"
    ]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    written = [json.loads(line) for line in lines(tmp_path)]
    assert sorted(run["tubes"][0]["sample_id"] for run in written) == sorted(f"{n}{i}" for n in "ab" for i in range(5))


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_a_history_that_is_held_too_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(history, "_TRIES", 2)
    monkeypatch.setattr(history, "_PAUSE_S", 0.0)
    check_history(tmp_path, tmp_path / "out")
    with (tmp_path / ".lock").open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another run"):
            add_run(tmp_path, kept_run(kept_tube("a")))


def test_the_baseline_is_read_line_by_line(tmp_path: Path) -> None:
    assert read_baseline(tmp_path) == ()
    (tmp_path / "baseline.txt").write_text("\ufeff# after the service\nb21\n\n  b22 \nb21\n", encoding="utf-8")
    assert read_baseline(tmp_path) == ("b21", "b22")
    (tmp_path / "baseline.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_baseline(tmp_path)
