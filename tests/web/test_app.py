"""What the review answers: pages and their twins, refusals with a reason, and nothing of others where it is blinded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from stromagate.errors import UsageError
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.tubes import collect_tubes
from stromagate.web.app import make_app
from stromagate.web.once import answer
from stromagate.web.review import Review
from stromagate.web.security import Door
from tests.pipeline.reviews import copied, finished_run
from tests.tubes import TEMPLATE, write_template, write_tube
from tests.web.client import Client

DOOR = Door(4321, "the-token-of-this-session")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("made"), "abc")


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path)


def _client(run: Path, *, files: bool = True, blind: bool = False, reader: str = "Reader A") -> Client:
    finder = FileFinder(run, [run.parent / "in"] if files else [])
    return Client(make_app(Review(run, reader, finder, blind=blind), DOOR), DOOR)


def _cut(client: Client, tube: str, gate: str, low: float) -> dict[str, Any]:
    gates = {each["name"]: each for each in client.get(f"/samples/{tube}.json").json["gates"]}
    return {gate: gates[gate]["geometry"] | {"low": low}}


def _save(client: Client, tube: str, low: float, **changes: Any) -> Any:
    revision = client.get(f"/samples/{tube}.json").json["revision"]
    body = {"expected": revision, "why": "dim", "edits": _cut(client, tube, "msc", low)}
    return client.post(f"/samples/{tube}/edits.json", body | changes)


@pytest.mark.parametrize("path", ["/", "/samples/a", "/audit", "/static/plot.js", "/static/review.css"])
def test_pages_hold_nothing_from_elsewhere(run: Path, path: str) -> None:
    page = _client(run).get(path)
    assert page.status == 200
    text = page.body.decode()
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    if not path.startswith("/static"):
        assert "For Research Use Only. Not for use in diagnostic procedures." in text
        assert "onclick" not in text
        assert "<script>" not in text


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/app.py", "/static/nothing.js", "/nothing"])
def test_no_other_file_is_given(run: Path, path: str) -> None:
    assert _client(run).get(path).status == 404


def test_the_grid_has_every_tube_of_a_gate_with_its_plot(run: Path) -> None:
    shown = _client(run).get("/grid.json?gate=msc&order=name").json
    assert [each["sample_id"] for each in shown["samples"]] == ["a", "b", "c"]
    assert shown["gate"] == "msc"
    assert {"name": "msc", "label": shown["label"]} in shown["gates"]
    assert all(each["view"]["grid"] and each["gate"]["kind"] == "interval" for each in shown["samples"])
    fired = shown["codes"][0]["code"]
    some = _client(run).get(f"/grid.json?gate=msc&finding={fired}").json["samples"]
    assert some
    assert all(fired in each["findings"] for each in some)


def test_it_begins_with_the_boundary_of_the_msc_where_these_are_put_together_from_others(tmp_path: Path) -> None:
    alone = "gate: {method: fixed, axis: CD271, low: 0.45}}"
    both = "gate: {method: boolean, operation: all, of: [cd271pos]}}"
    first = f"  - {{name: cd271pos, parent: cd45neg, label: CD271-positive cells, {alone}\n"
    template = TEMPLATE.replace(alone, both).replace("  - {name: msc", f"{first}  - {{name: msc")
    (tmp_path / "in").mkdir()
    tubes = collect_tubes([write_tube(tmp_path / "in" / "a.fcs", 0, 1500).parent]).tubes
    run_batch(tubes, write_template(tmp_path / "small.yaml", template), tmp_path / "out")
    client = _client(tmp_path / "out")
    assert client.get("/grid.json").json["gate"] == "cd271pos"
    legend = client.post("/samples/a/view.json?gate=msc&x=CD271&y=CD146", {"edits": {}}).json["legend"]
    assert "It has no boundary of its own: move those of “CD271-positive cells”" in legend
    assert "Orange" not in legend


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/grid.json?gate=msk", 404, "review.gate"),
        ("/grid.json?order=best", 400, "review.order"),
        ("/samples/nobody.json", 404, "review.no_tube"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(run: Path, path: str, status: int, code: str) -> None:
    refused = _client(run).get(path)
    assert (refused.status, refused.json["ok"], refused.json["error"]["code"]) == (status, False, code)
    assert refused.json["error"]["hint"]


def test_a_tube_is_looked_at_and_counted_with_a_boundary_elsewhere(run: Path) -> None:
    client = _client(run)
    tube = client.get("/samples/a.json").json
    assert tube["file"]["at_hand"]
    asked = {"edits": _cut(client, "a", "msc", 0.9), "population": "msc"}
    told = client.post("/samples/a/preview.json", asked).json
    row = next(each for each in told["counts"] if each["name"] == "msc")
    assert row["changed"]
    assert told["ladder"]["msc"] == row["count_text"].split(" ")[0]
    seen = client.post("/samples/a/view.json?gate=msc&x=CD271&y=SSC-A&x0=0.2&x1=0.6&y0=0&y1=200000", {"edits": {}}).json
    assert (seen["view"]["x"]["low"], seen["view"]["x"]["high"]) == (0.2, 0.6)
    over = client.post("/samples/a/view.json?gate=cd45neg&x=CD45&population=msc", {"edits": {}}).json
    assert over["over"] is not None
    assert "Violet" in over["legend"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no json", "review.asked"),
        (b"[]", "review.asked"),
        ({"expected": 0, "why": "dim", "edits": {}}, "review.asked"),
        ({"expected": "0", "why": "dim", "edits": {"msc": None}}, "review.asked"),
        ({"expected": 0, "why": " ", "edits": {"msc": None}}, "review.why"),
        ({"expected": 0, "why": "dim", "edits": {"msc": {"kind": "circle"}}}, "review.geometry"),
        (b"[" * 100_000, "review.asked"),
        (
            {
                "expected": 0,
                "why": "dim",
                "edits": {"../msc": None, "m s c": {"kind": "interval", "axis": "CD271", "low": 0.4, "high": None}},
            },
            "review.asked",
        ),
        (
            {"expected": 0, "why": "dim", "edits": {"msc": {"kind": "boolean", "operation": "all", "of": ["nobody"]}}},
            "review.edits",
        ),
        (
            {
                "expected": 0,
                "why": "dim",
                "edits": {
                    "msc": {
                        "kind": "polygon",
                        "axes": ["CD271", "CD45"],
                        "vertices": [[i % 7, i % 11] for i in range(5_001)],
                    }
                },
            },
            "review.corners",
        ),
        ({"expected": 0, "why": "half a pair: \ud83d", "edits": {"msc": None}}, "review.asked"),
    ],
)
def test_what_makes_no_sense_changes_nothing(run: Path, body: Any, code: str) -> None:
    refused = _client(run).post("/samples/a/edits.json", body)
    assert (refused.status, refused.json["error"]["code"]) == (400, code)
    assert ReviewStore(run).edits() is None


@pytest.mark.parametrize("ends", [(-2, 3), (-70, 71), (-1e9, 1e9), (-1e300, 1e300), (0.4, 0.4000000000000001)])
def test_a_plot_can_be_zoomed_out_and_in_without_end(run: Path, ends: tuple[float, float]) -> None:
    asked = {"gate": "msc", "x": "CD271", "y": "SSC-A", "x0": ends[0], "x1": ends[1], "y0": 0, "y1": 262144}
    x = _client(run).post(f"/samples/a/view.json?{urlencode(asked)}", {"edits": {}}).json["view"]["x"]
    assert (x["low"], x["high"]) == ends
    assert all(ends[0] <= at <= ends[1] for at, _ in x["ticks"])
    assert len(x["ticks"]) < 40


@pytest.mark.parametrize("ends", [(1, 0), (0.5, 0.5), ("nan", 1), (0, "inf"), (-1e308, 1e308)])
def test_limits_that_leave_nothing_to_be_seen_are_refused(run: Path, ends: tuple[Any, Any]) -> None:
    asked = {"gate": "msc", "x": "CD271", "x0": ends[0], "x1": ends[1]}
    refused = _client(run).post(f"/samples/a/view.json?{urlencode(asked)}", {"edits": {}})
    assert (refused.status, refused.json["error"]["code"]) == (400, "live.range")


def test_moves_that_cannot_be_kept_are_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = _client(run)
    moves = _cut(client, "a", "msc", 0.8)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    for name in ("mkdir", "unlink"):
        monkeypatch.setattr(Path, name, refused)
    for edits in (moves, {}):
        answer = client.post("/samples/a/draft.json", {"edits": edits})
        assert (answer.status, answer.json["error"]["code"]) == (400, "out.write")


def test_an_edit_is_kept_with_who_and_why_and_a_second_window_is_told(run: Path) -> None:
    client = _client(run)
    saved = _save(client, "a", 0.8)
    assert (saved.status, saved.json["revision"]) == (200, 1)
    edit = ReviewStore(run).of("a").edits[0]
    assert (edit.who, edit.why, edit.population) == ("Reader A", "dim", "msc")
    late = _save(client, "a", 0.7, expected=0)
    assert (late.status, late.json["error"]["code"]) == (409, "review.conflict")
    assert "Reader A" in late.json["error"]["message"]
    grid = client.get("/grid.json?gate=msc").json
    assert [each["sample_id"] for each in grid["samples"] if each["edited"]] == ["a"]
    lines = client.get("/audit.json").json["entries"]
    assert [line["what"] for line in lines] == ["edited"]


def test_half_a_letter_signs_nothing(run: Path) -> None:
    refused = _client(run).post("/samples/a/sign.json", {"role": "reader", "meaning": "seen \ud83d"})
    assert (refused.status, refused.json["error"]["code"]) == (400, "review.asked")
    assert ReviewStore(run).signed("a") == ()
    whole = _client(run).post("/samples/a/sign.json", {"role": "reader", "meaning": "seen \U0001f600"})
    assert whole.status == 200


def test_a_tube_with_unsaved_moves_is_not_signed(run: Path) -> None:
    client = _client(run)
    moved = {"msc": {"kind": "interval", "axis": "CD271", "low": 0.7, "high": None}}
    assert client.post("/samples/a/draft.json", {"edits": moved}).status == 200
    refused = client.post("/samples/a/sign.json", {"role": "reader", "meaning": "seen"})
    assert (refused.status, refused.json["error"]["code"]) == (400, "review.unsaved")
    assert "msc" in refused.json["error"]["message"]
    assert ReviewStore(run).signed("a") == ()
    assert client.post("/samples/a/draft.json", {"edits": {}}).status == 200
    assert client.post("/samples/a/sign.json", {"role": "reader", "meaning": "seen"}).status == 200


def test_an_edit_is_given_to_those_that_can_take_it(run: Path) -> None:
    client = _client(run)
    _save(client, "a", 0.8)
    client.post("/samples/c/sign.json", {"role": "reader", "meaning": "seen"})
    body = {"gate": "msc", "from": "a", "samples": ["a", "b", "c"], "mode": "same_place", "expected": 1, "why": "lot"}
    given = client.post("/apply.json", body).json
    assert (given["given"], [each["sample_id"] for each in given["refused"]]) == (1, ["c"])
    assert ReviewStore(run).of("b").edits[0].geometry == ReviewStore(run).of("a").edits[0].geometry
    nothing = client.post("/apply.json", body | {"from": "c"})
    assert nothing.json["error"]["code"] == "review.not_edited"


def test_a_tube_that_cannot_take_an_edit_keeps_it_from_no_other(run: Path) -> None:
    client = _client(run)
    fitted = {}
    for tube in "abc":
        gates = {each["name"]: each["geometry"] for each in client.get(f"/samples/{tube}.json").json["gates"]}
        fitted[tube] = gates["cd45neg"]
    lowest, middle, highest = sorted(fitted, key=lambda tube: fitted[tube]["high"])
    narrow = fitted[middle] | {"low": fitted[middle]["high"] - 1e-9}
    asked = {"expected": 0, "why": "dim", "edits": {"cd45neg": narrow}}
    assert client.post(f"/samples/{middle}/edits.json", asked).status == 200
    body = {"gate": "cd45neg", "from": middle, "samples": [lowest, highest], "mode": "same_shift", "expected": 1}
    given = client.post("/apply.json", body | {"why": "lot"}).json
    assert (given["given"], [each["sample_id"] for each in given["refused"]]) == (1, [lowest])
    assert "can hold no event" in given["refused"][0]["message"]
    assert ReviewStore(run).of(highest) is not None


def test_a_signed_tube_is_not_moved_until_the_signature_is_withdrawn(run: Path) -> None:
    client = _client(run)
    seen = client.get("/samples/a.json").json["signature"]["result_sha256"]
    assert client.post("/samples/a/sign.json", {"role": "approver", "meaning": "right", "seen": seen}).status == 200
    assert _save(client, "a", 0.8).json["error"]["code"] == "review.signed"
    assert client.get("/samples/a.json").json["signature"]["signed"]
    assert client.post("/samples/a/unsign.json", {"why": "a slip"}).status == 200
    assert _save(client, "a", 0.8).status == 200


def test_moves_that_are_not_saved_are_there_again_and_nobody_elses(run: Path) -> None:
    client = _client(run)
    moves = _cut(client, "a", "msc", 0.8)
    assert client.post("/samples/a/draft.json", {"edits": moves}).status == 200
    assert _client(run).get("/samples/a.json").json["drafts"]["msc"]["low"] == 0.8
    assert _client(run, reader="Reader B").get("/samples/a.json").json["drafts"] == {}
    client.post("/samples/a/draft.json", {"edits": {}})
    assert _client(run).get("/samples/a.json").json["drafts"] == {}
    assert ReviewStore(run).edits() is None


def test_blinded_readers_see_numbers_in_place_of_names_and_work_in_a_run_of_their_own(run: Path) -> None:
    client = _client(run, blind=True, reader="Reader B")
    shown = client.get("/grid.json?gate=msc")
    names = [each["sample_id"] for each in shown.json["samples"]]
    assert sorted(names) == ["tube-1", "tube-2", "tube-3"]
    assert client.get("/samples/a.json").status == 404
    assert client.get(f"/samples/{names[0]}.json").json["tube"] == names[0]
    _save(client, names[0], 0.8)
    assert client.get("/audit.json").json["entries"] == []
    with pytest.raises(UsageError, match="Reader B worked in this folder"):
        _client(run, blind=True, reader="Reader C")


def test_no_refusal_tells_a_blinded_reader_which_tube_it_is(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "named", ("donor7_stained", "donor8_stained"))
    shutil.rmtree(run.parent / "in")
    client = _client(run, files=False, blind=True)
    msc = {"msc": {"kind": "interval", "axis": "CD271", "low": 0.5, "high": None}}
    asked = {"expected": 0, "why": "dim", "edits": msc, "population": "msc"}
    signed = {"role": "reader", "meaning": "seen"}
    answers = [client.get("/samples/tube-1.json"), client.post("/samples/tube-1/preview.json", asked)]
    answers += [client.post("/samples/tube-1/edits.json", asked | {"edits": {"nobody": msc["msc"]}})]
    answers += [client.post("/samples/tube-1/edits.json", asked | {"expected": 7})]
    answers += [client.post("/samples/tube-1/sign.json", signed) for _ in range(2)]
    answers += [client.post("/samples/tube-1/edits.json", asked), client.get("/samples/tube-1.json")]
    assert [answer.status for answer in answers] == [200, 400, 400, 409, 200, 400, 409, 200]
    assert not [answer.body for answer in answers if b"donor" in answer.body]
    assert "its file tube-1 (SHA-256" in answers[0].json["file"]["message"]
    client.post("/rerun.json", {})
    while (progress := client.get("/rerun.json")).json["running"]:
        pass
    assert progress.json["error"]["code"] == "review.files"
    assert b"donor" not in progress.body


def test_exports_that_could_not_be_written_are_told_without_a_name(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = {"samples/donor_1/gated.fcs": {"code": "file.unwritable", "message": "No space left", "hint": ""}}
    finished = bundle.read_run(run).model_copy(update={"not_exported": lost})
    monkeypatch.setattr("stromagate.web.changes.run_again", lambda *_, **__: finished)
    client = _client(run, blind=True)
    client.post("/rerun.json", {})
    while (progress := client.get("/rerun.json")).json["running"]:
        pass
    assert "; 1 exported files are missing" in progress.json["told"]
    assert b"donor" not in progress.body


def test_without_the_files_it_can_be_looked_at(run: Path) -> None:
    shutil.rmtree(run.parent / "in")
    client = _client(run, files=False)
    tube = client.get("/samples/a.json").json
    assert not tube["file"]["at_hand"]
    assert "--files" in tube["file"]["message"]
    x, y = next(gate["plot"] for gate in tube["gates"] if gate["name"] == "msc")
    assert client.post(f"/samples/a/view.json?gate=msc&x={x}&y={y}", {"edits": {}}).json["view"]["grid"]
    other = client.post("/samples/a/view.json?gate=msc&x=CD45&y=CD45", {"edits": {}})
    assert other.json["error"]["code"] == "review.no_view"


def test_one_question_is_answered_without_a_server(run: Path) -> None:
    review = Review(run, "Reader A", FileFinder(run, []))
    status, body = answer(review, "/grid.json?gate=msc")
    assert status == 200
    assert json.loads(body)["gate"] == "msc"
    assert answer(review, "/nothing.json")[0] == 404
