"""FCS files found again: their content decides, their names only say where to look first."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from stromagate.errors import InputError
from stromagate.fcs import hash_file
from stromagate.pipeline.review import files
from stromagate.pipeline.review.files import FileFinder
from tests.tubes import write_tube


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for seed, name in enumerate(("a.fcs", "b.fcs", "deep/c.fcs")):
        (folder / name).parent.mkdir(exist_ok=True)
        write_tube(folder / name, seed, 50)
    return folder


def test_content_decides_and_not_the_name(made: Path, tmp_path: Path) -> None:
    finder = FileFinder(tmp_path / "out", [made])
    assert finder.folders == (made,)
    for name in ("a.fcs", "b.fcs", "deep/c.fcs"):
        assert finder.find(hash_file(made / name), "a.fcs") == made / name
    assert finder.find("0" * 64, "a.fcs") is None


def test_a_renamed_file_is_found_and_a_changed_one_is_not(made: Path, tmp_path: Path) -> None:
    sha256 = hash_file(made / "a.fcs")
    folder = tmp_path / "moved"
    folder.mkdir()
    there = Path(shutil.copy(made / "a.fcs", folder / "other name.FCS"))
    finder = FileFinder(tmp_path / "out", [folder])
    assert finder.found(sha256, "a.fcs", "tube a") == there
    with there.open("ab") as stream:
        stream.write(b" ")
    assert finder.find(sha256, "a.fcs") is None
    there.unlink()
    assert finder.find(sha256, "a.fcs") is None


def test_an_unchanged_file_is_read_once_and_one_of_another_size_not_at_all(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256, read = hash_file(made / "b.fcs"), list[str]()

    def counted(path: Path) -> str:
        read.append(path.name)
        return hash_file(path)

    monkeypatch.setattr(files, "hash_file", counted)
    finder = FileFinder(tmp_path / "out", [made])
    for _ in range(3):
        assert finder.find(sha256, "b.fcs") == made / "b.fcs"
    assert read == ["b.fcs"]
    assert finder.find("0" * 64, "none.fcs", n_bytes=7) is None
    assert read == ["b.fcs"]
    os.utime(made / "b.fcs", ns=(1, 1))  # written again, perhaps with other content
    assert finder.find(sha256, "b.fcs") == made / "b.fcs"
    assert read == ["b.fcs", "b.fcs"]


def test_a_file_is_found_where_the_sheet_had_it(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --files: below the folder that holds the results, or the one the review was started in."""
    shutil.copytree(made, tmp_path / "plate")
    sha256 = hash_file(made / "deep" / "c.fcs")
    assert FileFinder(tmp_path / "plate" / "out").find(sha256, "deep/c.fcs") == tmp_path / "plate" / "deep" / "c.fcs"
    elsewhere = FileFinder(tmp_path / "results" / "of" / "may" / "out")
    assert elsewhere.find(sha256, "deep/c.fcs") is None
    monkeypatch.chdir(tmp_path / "plate")
    assert elsewhere.find(sha256, "deep/c.fcs") == tmp_path / "plate" / "deep" / "c.fcs"


@pytest.mark.parametrize("name", ["../secret.fcs", "/secret.fcs", ""])
def test_names_do_not_lead_out_of_the_folders(made: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(made / "a.fcs", tmp_path / "secret.fcs")
    (tmp_path / "plate").mkdir()
    assert FileFinder(tmp_path / "plate" / "out").find(hash_file(made / "a.fcs"), name) is None


def test_of_an_unknown_content_the_name_alone_is_found(made: Path, tmp_path: Path) -> None:
    finder = FileFinder(tmp_path / "out", [made])
    assert finder.find("", "x/b.fcs") == made / "b.fcs"
    assert finder.find("", "gone.fcs") is None


def test_what_is_missing_says_how_its_folder_is_named(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        FileFinder(tmp_path / "out", [made]).found("0" * 64, "p1/gone.fcs", "tube_7")
    assert caught.value.code == "review.no_file"
    assert caught.value.where == "tube_7"
    assert (
        caught.value.message == f"its file p1/gone.fcs (SHA-256 000000000000) is not at hand; looked for in {made.name}"
    )
    assert "--files FOLDER" in (caught.value.hint or "")
    with pytest.raises(InputError, match=r"is not at hand\n"):
        FileFinder(tmp_path / "out").found("0" * 64, "gone.fcs", "tube_7")


def test_a_named_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        FileFinder(tmp_path / "out", [tmp_path / "nothing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no FCS file was found"):
        FileFinder(tmp_path / "out", [tmp_path / "empty"])


def test_a_folder_that_is_taken_away_meanwhile_is_no_fault(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "stick")
    finder = FileFinder(tmp_path / "out", [tmp_path / "stick"])
    shutil.rmtree(tmp_path / "stick")
    assert finder.find(hash_file(made / "a.fcs"), "a.fcs") is None
