"""Which files are meant, what is never opened, and a file that changes under the reader."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError, UsageError
from stromagate.fcs import find_inputs, hash_file, open_fcs, read_fcs, write_fcs
from stromagate.fcs.source import opened


@pytest.fixture
def tube(tmp_path: Path) -> Path:
    path = tmp_path / "tube.fcs"
    write_fcs(path, np.arange(3000, dtype=np.float32).reshape(1000, 3), ["FSC-A", "SSC-A", "Time"])
    return path


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"FCS")
    return path


def test_folders_are_searched_in_any_letter_case(tmp_path: Path) -> None:
    wanted = [_touch(tmp_path / name) for name in ("a.fcs", "b.FCS", "deep/er/c.Lmd", "z z/ü.fcs")]
    for other in ("notes.txt", "._a.fcs", "deep/._c.lmd", "fcs", "a.fcs.bak", ".fcs"):
        _touch(tmp_path / other)
    (tmp_path / "folder.fcs").mkdir()
    assert find_inputs([tmp_path]) == sorted(wanted)


def test_files_are_taken_as_given_and_once(tmp_path: Path) -> None:
    odd, plain = _touch(tmp_path / "tube.001"), _touch(tmp_path / "a.fcs")
    assert find_inputs([odd, tmp_path, plain, plain]) == sorted([odd, plain])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_inputs([tmp_path / "nothing.fcs"])
    assert (caught.value.code, caught.value.where) == ("file.missing", str(tmp_path / "nothing.fcs"))
    with pytest.raises(InputError, match="no FCS file was found") as caught:
        find_inputs([tmp_path])
    assert caught.value.code == "file.missing"
    with pytest.raises(InputError):
        find_inputs([])
    with pytest.raises(InputError) as caught:
        find_inputs([Path("a\0b")])
    assert caught.value.code == "file.missing"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    """Opening it would wait for a writer for ever."""
    pipe = tmp_path / "pipe.fcs"
    os.mkfifo(pipe)
    tube = _touch(tmp_path / "tube.fcs")
    assert find_inputs([tmp_path]) == [pipe, tube]  # found, so that it is refused by name and not left out in silence
    for ask in (lambda: find_inputs([pipe]), lambda: hash_file(pipe), lambda: read_fcs(pipe)):
        with pytest.raises(InputError) as caught:
            ask()
        assert caught.value.code == "file.not_regular"


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "/"])
def test_devices_and_folders_are_refused(place: str) -> None:
    for reader in (hash_file, read_fcs, open_fcs):
        with pytest.raises(InputError) as caught:
            reader(place)
        assert caught.value.code == "file.not_regular"


def test_one_file_by_several_paths_is_found_once(tmp_path: Path) -> None:
    (tmp_path / "day1").mkdir()
    tube = _touch(tmp_path / "a.fcs")
    (tmp_path / "day1" / "b.fcs").symlink_to(tube)
    assert find_inputs([tube, tmp_path / "day1" / ".." / "a.fcs", tmp_path]) == [tube]


def test_links_to_nowhere_and_in_circles(tmp_path: Path) -> None:
    (tmp_path / "nowhere.fcs").symlink_to(tmp_path / "gone.fcs")
    (tmp_path / "circle.fcs").symlink_to(tmp_path / "circle.fcs")
    assert find_inputs([tmp_path]) == [tmp_path / "circle.fcs", tmp_path / "nowhere.fcs"]
    for name, code in (("nowhere.fcs", "file.missing"), ("circle.fcs", "file.unreadable")):
        with pytest.raises(InputError) as caught:
            read_fcs(tmp_path / name)
        assert caught.value.code == code


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tube: Path) -> None:
    tube.chmod(0)
    with pytest.raises(InputError) as caught:
        hash_file(tube)
    assert caught.value.code == "file.unreadable"


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    for size in (0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 5):
        path = tmp_path / "a.bin"
        path.write_bytes(os.urandom(size))
        assert hash_file(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_grows_between_two_looks_is_refused(tube: Path) -> None:
    found = open_fcs(tube)
    with tube.open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(InputError) as caught:
        list(found.blocks())
    assert caught.value.code == "file.changed"


def test_a_file_that_changes_while_it_is_read_is_refused(tube: Path) -> None:
    blocks = open_fcs(tube).blocks(rows=100)
    next(blocks)
    os.utime(tube, ns=(1, 1))
    with pytest.raises(InputError) as caught:
        list(blocks)
    assert (caught.value.code, caught.value.where) == ("file.changed", str(tube))
    assert "acquisition" in (caught.value.hint or "")


def test_a_file_that_is_cut_while_it_is_read_is_refused(tube: Path) -> None:
    blocks = open_fcs(tube).blocks(rows=100)
    next(blocks)
    os.truncate(tube, 2000)
    with pytest.raises(InputError) as caught:
        list(blocks)
    assert caught.value.code == "file.changed"


def test_an_error_that_knows_its_place_keeps_it(tube: Path) -> None:
    with pytest.raises(InputError) as caught, opened(tube):
        raise InputError("some.code", "a sentence", where="elsewhere")
    assert caught.value.where == "elsewhere"


def test_options_that_do_not_exist_are_refused(tube: Path) -> None:
    with pytest.raises(UsageError, match="lenient"):
        open_fcs(tube, policy="lenient")  # type: ignore[arg-type]  # what a user may type
    with pytest.raises(UsageError, match="multiply"):
        read_fcs(tube, gain="multiply")  # type: ignore[arg-type]  # what a user may type


@pytest.mark.parametrize("dataset", [-1, 1, 7])
def test_a_data_set_that_is_not_there(tube: Path, dataset: int) -> None:
    with pytest.raises(InputError, match=str(dataset)) as caught:
        read_fcs(tube, dataset=dataset)
    assert caught.value.code == "fcs.dataset"
    assert "1,000 events" in str(caught.value) or "1000 events" in str(caught.value)


def test_the_reader_loads_nothing_heavy() -> None:
    script = "import stromagate.fcs, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "pydantic", "pandas", "flowio", "fcsparser", "flowkit", "sklearn", "yaml"}
