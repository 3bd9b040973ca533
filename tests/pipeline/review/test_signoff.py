"""Signatures: bound to what was signed, in the way of every edit, withdrawn with a reason and never wiped out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stromagate.errors import InputError, UsageError
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import read_result, to_json_bytes, write_file
from stromagate.pipeline.render_again import render_again
from stromagate.pipeline.review.signoff import ROLES, SignOff, content_sha256
from stromagate.pipeline.review.store import ReviewStore, SignedError
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import WHO, WHY, edits, put

SAYS = "I have looked at every boundary"


@pytest.fixture
def desk(out: Path) -> SignOff:
    return SignOff(ReviewStore(out))


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "review" / "signatures.jsonl").read_text().splitlines()]


def test_a_signature_names_who_as_what_when_and_what_was_signed(desk: SignOff, out: Path) -> None:
    assert desk.state("a").status == "unsigned"
    assert not (out / "review").exists()
    made = desk.sign("a", "Reader B", "reviewer", SAYS)
    state = desk.state("a")
    assert (state.status, state.signatures, state.differs) == ("signed", (made,), ())
    assert (made.who, made.role, made.meaning) == ("Reader B", "reviewer", SAYS)
    assert made.result_sha256 == state.result_sha256
    assert made.template_sha256 == read_result(out, "a").template.sha256
    assert made.content_sha256 == content_sha256(made.result_sha256, made.edits_sha256, made.template_sha256)
    assert desk.state("b").status == "unsigned"
    (entry,) = desk.store.audit()
    assert (entry.what, entry.who, entry.signature) == ("signed", "Reader B", made)
    assert SignOff(ReviewStore(out)).state("a") == state


def test_a_signed_tube_takes_no_edit_until_the_signature_is_withdrawn(desk: SignOff, out: Path) -> None:
    desk.sign("a", "Reader B", "reader", SAYS)
    desk.sign("a", "Head C", "approver", "approved")
    with pytest.raises(SignedError, match=r"signed by Reader B \(reader, .*\), Head C \(approver") as caught:
        put(desk.store)
    assert caught.value.code == "review.signed"
    assert len(caught.value.signatures) == 2
    assert put(desk.store, "b") == 1, "the other tube is not signed"
    with pytest.raises(SignedError):
        desk.store.put_all({name: edits(out, name) for name in "ba"}, expected=1, who=WHO, why=WHY)
    assert desk.store.of("a") is None
    desk.unsign("a", "Head C", "a boundary is too low")
    assert desk.state("a").status == "unsigned"
    assert put(desk.store) == 2
    assert [(line["what"], line["who"]) for line in lines(out)] == [
        ("signed", "Reader B"),
        ("signed", "Head C"),
        ("unsigned", "Head C"),
    ]
    assert desk.store.audit()[-2].why == "a boundary is too low"


def test_what_was_not_run_yet_cannot_be_signed(desk: SignOff, out: Path) -> None:
    put(desk.store)
    assert desk.state("a").pending
    assert not desk.state("b").pending
    with pytest.raises(UsageError, match="moved since this result was made") as caught:
        desk.sign("a", "B", "reader", SAYS)
    assert caught.value.code == "review.pending"
    from stromagate.model.config import RunConfig

    config = RunConfig(edits=str(out / "review" / "edits.json"))
    run_batch(collect_tubes([out.parent / "in"]).tubes, out.parent / "small.yaml", out, config)
    assert not desk.state("a").pending
    assert desk.sign("a", "B", "reader", SAYS).edits_sha256 != "0" * 64
    assert desk.state("a").status == "signed"


def test_who_did_not_see_this_result_cannot_sign_it(desk: SignOff) -> None:
    with pytest.raises(UsageError, match="not the one that was looked at"):
        desk.sign("a", "B", "reader", SAYS, seen="0" * 64)
    assert desk.sign("a", "B", "reader", SAYS, seen=desk.state("a").result_sha256)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a", "", "reader", SAYS), "review.who"),
        (("a", "B", "reader", " "), "review.meaning"),
        (("a", "B", "boss", SAYS), "review.role"),
        (("z", "B", "reader", SAYS), "review.no_tube"),
    ],
)
def test_a_signature_that_says_too_little_is_refused(desk: SignOff, out: Path, arguments, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        desk.sign(*arguments)
    assert caught.value.code == code
    assert not (out / "review").exists()
    assert caught.value.hint


def test_one_signature_a_person_and_role(desk: SignOff) -> None:
    for role in ROLES:
        desk.sign("a", "Reader B", role, SAYS)
    with pytest.raises(UsageError, match="has signed as reader already"):
        desk.sign("a", "reader b", "reader", SAYS)
    assert len(desk.state("a").signatures) == 3


def test_there_must_be_a_signature_to_withdraw_and_a_reason(desk: SignOff) -> None:
    with pytest.raises(UsageError, match="is not signed"):
        desk.unsign("a", "B", "why not")
    desk.sign("a", "B", "reader", SAYS)
    with pytest.raises(UsageError, match="`why` is empty"):
        desk.unsign("a", "B", "")
    assert desk.state("a").status == "signed"


def test_a_result_made_otherwise_breaks_its_signature_and_no_other(desk: SignOff, out: Path) -> None:
    for name in "ab":
        desk.sign(name, "B", "reader", SAYS)
    other = read_result(out, "a").model_copy(update={"n_events": 7})
    write_file(out / "samples" / "a" / "result.json", to_json_bytes(other))  # with a seal that fits
    state = desk.state("a")
    assert state.status == "broken"
    assert state.differs == ("the result is not the one that B signed",)
    assert desk.state("b").status == "signed"
    with pytest.raises(UsageError, match="no longer fits"):
        desk.sign("a", "C", "reviewer", SAYS)
    with pytest.raises(SignedError):
        put(desk.store)
    desk.unsign("a", "B", "the tube was analysed again")
    assert desk.sign("a", "C", "reviewer", SAYS)
    (out / "samples" / "b" / "result.json").unlink()
    assert desk.state("b").differs == ("the result that B signed is gone",)


def test_a_damaged_result_is_not_signed(desk: SignOff, out: Path) -> None:
    path = out / "samples" / "a" / "result.json"
    path.write_bytes(path.read_bytes().replace(b'"n_events": 1500', b'"n_events": 1501'))
    with pytest.raises(InputError, match="not as it was written"):
        desk.sign("a", "B", "reader", SAYS)


def test_a_signed_result_that_was_damaged_is_said_to_be_broken(desk: SignOff, out: Path) -> None:
    desk.sign("a", "B", "reader", SAYS)
    path = out / "samples" / "a" / "result.json"
    for wrong in (path.read_bytes().replace(b'"n_events": 1500', b'"n_events": 1501'), b"{}"):
        path.write_bytes(wrong)
        assert SignOff(ReviewStore(out)).state("a").status == "broken"


def test_a_signature_moved_under_another_tube_is_broken(desk: SignOff, out: Path) -> None:
    desk.sign("a", "B", "reader", SAYS)
    path = out / "review" / "signatures.jsonl"
    path.write_text(path.read_text().replace('"sample_id": "a"', '"sample_id": "b"'))
    assert desk.state("b").status == "broken"


def test_pages_made_again_leave_signatures_as_they_are(desk: SignOff, out: Path) -> None:
    desk.sign("a", "B", "reader", SAYS)
    render_again(out)
    run_batch(collect_tubes([out.parent / "in"]).tubes, out.parent / "small.yaml", out)
    assert desk.state("a").status == "signed"


def test_a_signature_said_and_not_written_is_written_by_the_next(desk: SignOff, out: Path) -> None:
    desk.sign("a", "B", "reader", SAYS)
    head = (out / "review" / "revision.json").read_bytes()
    signed = (out / "review" / "signatures.jsonl").read_bytes()
    desk.sign("b", "B", "reader", SAYS)
    whole = (out / "review" / "signatures.jsonl").read_bytes()
    for there in (signed, whole):
        (out / "review" / "revision.json").write_bytes(head)
        (out / "review" / "signatures.jsonl").write_bytes(there)
        assert SignOff(ReviewStore(out)).state("b").status == "signed"
        assert (out / "review" / "signatures.jsonl").read_bytes() == whole
