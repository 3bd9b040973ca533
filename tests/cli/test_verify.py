"""`verify` on the command line: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.review.signoff import SignOff
from stromagate.pipeline.review.store import ReviewStore
from tests.pipeline.reviews import copied, finished_run, put


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("verb"))


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return copied(finished, tmp_path)


def test_a_whole_run_ends_with_0(call, out: Path) -> None:
    result = call("verify", out)
    assert result.exit_code == 0
    assert result.stdout.startswith("nothing differs; looked at: ")
    assert "not checked: numbers were not counted from the files again" in result.stderr
    result = call("verify", out, "--files", out.parent / "in")
    assert result.exit_code == 0
    assert "tubes counted again 2" in result.stdout
    assert "not checked" not in result.stderr


def test_what_differs_is_said_in_words_and_as_json_with_5(call, said, out: Path) -> None:
    SignOff(ReviewStore(out)).sign("a", "Reader B", "reader", "seen")
    path = out / "samples" / "a" / "result.json"
    path.write_bytes(path.read_bytes().replace(b'"n_events": 1500', b'"n_events": 1501'))
    result = call("verify", out)
    assert result.exit_code == 5
    lines = result.stdout.splitlines()
    assert lines[0] == "samples/a/result.json: this result is not as it was written: its seal does not fit its content"
    assert lines[1] == "review/signatures.jsonl (a): the result is not the one that Reader B signed"
    assert lines[-1].startswith("2 things are not as written, or not what the files give; looked at: ")
    result = call("verify", out, "--json")
    assert result.exit_code == 5
    found = said(result)
    assert (found["ok"], found["whole"]) == (True, False)
    assert [(each["kind"], each["sample_id"]) for each in found["differences"]] == [("result", "a"), ("signature", "a")]


def test_what_is_no_run_ends_with_3(call, said, tmp_path: Path) -> None:
    result = call("verify", tmp_path, "--json")
    assert result.exit_code == 3
    assert said(result)["error"]["code"] == "run.none"


def test_a_folder_of_files_that_is_not_there_ends_with_3(call, out: Path) -> None:
    assert call("verify", out, "--files", out / "nowhere").exit_code == 3


def test_a_rerun_that_was_broken_off_is_finished_when_the_review_is_opened(call, out: Path) -> None:
    put(ReviewStore(out))
    (out / "run.json").rename(out / "review" / "run.json")
    assert call("verify", out).exit_code == 3
    result = call("review", out, "--files", out.parent / "in", "--get", "/grid.json")
    assert result.exit_code == 0, result.output
    assert "that is finished first" in result.stderr
    assert read_result(out, "a").edits
    assert call("verify", out).exit_code == 0
