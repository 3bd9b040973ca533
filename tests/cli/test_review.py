"""The verbs ``review --get`` and ``agree`` on small runs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.rerun import rerun
from stromagate.pipeline.review.store import ReviewStore
from stromagate.web.review import Review
from tests.pipeline.reviews import WHY, copied, cut, edits, finished_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("made"), "abcd")


def test_one_address_is_answered_and_nothing_listens(call, made: Path) -> None:
    result = call("review", made, "--get", "/grid.json?gate=msc")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["gate"] == "msc"
    page = call("review", made, "--get", "/")
    assert "For Research Use Only" in page.stdout
    wrong = call("review", made, "--get", "/grid.json?gate=msk")
    assert wrong.exit_code == 2
    assert json.loads(wrong.stdout)["error"]["code"] == "review.gate"


def test_the_twin_of_the_first_page_is_answered_itself(call, made: Path) -> None:
    result = call("review", made, "--get", "/index.json?gate=msc")
    assert (result.exit_code, json.loads(result.stdout)["gate"]) == (0, "msc")


@pytest.mark.parametrize("busy", [False, True])
def test_a_review_that_is_ended_has_not_failed(call, made: Path, monkeypatch: pytest.MonkeyPatch, busy: bool) -> None:
    def served(review: Review, port: int, ready: Callable[[str], None]) -> None:
        ready("http://127.0.0.1:4321/?token=x")
        if busy:
            review.jobs.start(lambda tell: str(threading.Event().wait(5)))
        raise KeyboardInterrupt

    monkeypatch.setattr("stromagate.web.server.serve", served)
    ended = call("review", made, "--no-open", "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["ok"]) == (0, True)
    assert "the review has ended; what was saved is kept" in ended.stderr
    assert ("being made again" in ended.stderr) == busy


@pytest.mark.parametrize(("name", "known"), [("R" * 501, "me"), ("", "")])
def test_a_reader_under_whose_name_nothing_could_be_kept_is_refused(
    call, made: Path, monkeypatch: pytest.MonkeyPatch, name: str, known: str
) -> None:
    monkeypatch.setattr("stromagate.pipeline.review.journal.account", lambda: known)
    refused = call("review", made, "--get", "/grid.json", "--reader", name, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (2, "review.who")


def test_a_folder_without_a_run_is_refused(call, tmp_path: Path) -> None:
    result = call("review", tmp_path, "--get", "/")
    assert result.exit_code == 3
    assert "there is no run in this folder" in result.stderr.replace("\n", " ")


def test_two_readers_are_compared(call, made: Path, tmp_path: Path) -> None:
    first, second = copied(made, tmp_path / "one"), copied(made, tmp_path / "two")
    store = ReviewStore(second)
    moved = edits(second, "a", who="Reader C", msc=cut(0.7))
    store.put("a", moved, expected=0, who="Reader C", why=WHY)
    rerun(second, FileFinder(second, [second.parent / "in"]))
    result = call("agree", first, second)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("4 tubes; moved: 0 by nobody moved anything, 1 by Reader C")
    assert re.search(r"msc per million \w+: ICC -?0\.\d+ \(", result.stdout)
    plain = json.loads(call("agree", first, second, "--json").stdout)
    assert plain["ok"]
    assert plain["n_tubes"] == 4


def test_a_reader_is_not_compared_with_itself(call, made: Path) -> None:
    result = call("agree", made, made)
    assert result.exit_code == 2
    assert "named twice" in result.stderr
