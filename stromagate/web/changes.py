"""What a reader does: moves boundaries, gives an edit to other tubes, signs, and has the run made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from stromagate.errors import StromagateError, UsageError
from stromagate.model.edits import SampleEdits
from stromagate.model.gates import Geometry
from stromagate.model.result import SampleResult
from stromagate.pipeline.review import drafts
from stromagate.pipeline.review.fitted import moved, must_fit
from stromagate.pipeline.review.refused import said
from stromagate.pipeline.review.rerun import rerun as run_again
from stromagate.pipeline.review.same_edit import same_edit
from stromagate.web.plain import read_geometry
from stromagate.web.review import Review

Asked = Mapping[str, Any]


def save(review: Review, called: str, asked: Asked) -> dict[str, Any]:
    """Keep the boundaries that were moved on a tube.

    Parameters
    ----------
    review : Review
        The run.
    called : str
        What the pages call the tube.
    asked : mapping
        ``expected``: the revision that the page has read; ``why``; ``edits``: boundary by population, null for the
        automatic one.

    Raises
    ------
    ConflictError, SignedError, UsageError, SpecificationError, DocumentError
        See `ReviewStore.put`.
    """
    result = review.seen.result(called)
    boundaries = {str(name): read_geometry(plain) for name, plain in _mapping(asked, "edits").items()}
    why = said(_text(asked, "why"), "why")
    before = review.edits_of(result.sample_id)
    after = moved(result, before, boundaries, who=review.reader, why=why)
    revision = review.store.put(
        result.sample_id, after, expected=_number(asked, "expected"), who=review.reader, why=why
    )
    return {"ok": True, "revision": revision, "told": f"saved, {_n_edits(after)} in all on this tube"}


def keep_draft(review: Review, called: str, asked: Asked) -> dict[str, Any]:
    """Keep what a reader moved and did not save yet, so that no crash takes it."""
    result = review.seen.result(called)
    plain = asked.get("edits")
    moves = {str(name): read_geometry(each) for name, each in (plain if isinstance(plain, dict) else {}).items()}
    drafts.keep(review.store.journal.home, _draft(review, result, moves))
    return {"ok": True}


def _draft(review: Review, result: SampleResult, moves: dict[str, Geometry | None]) -> drafts.Draft:
    return drafts.Draft(
        sample_id=result.sample_id,
        reader=review.reader,
        tree_sha256=result.fitted_tree_sha256,
        boundaries=moves,
    )


def give(review: Review, asked: Asked) -> dict[str, Any]:
    """Give the edit of one tube's gate to others: all of those that can take it, in one act."""
    seen = review.seen
    gate, why = _text(asked, "gate"), said(_text(asked, "why"), "why")
    source = seen.result(_text(asked, "from"))
    edits = review.edits_of(source.sample_id)
    edit = next((each for each in edits.edits if each.population == gate), None) if edits else None
    if edit is None:
        raise UsageError("review.not_edited", "that tube's boundary is not edited", hint="move it there first")
    fitted = review.store.fitted(source.sample_id).boundaries.get(gate)
    taken: dict[str, SampleEdits | None] = {}
    refused = list[dict[str, str]]()
    for called in dict.fromkeys(map(str, _list(asked, "samples"))):
        result = seen.result(called)
        if result.sample_id == source.sample_id:
            continue
        try:
            taken[result.sample_id] = _given(review, result, gate, (edit.geometry, fitted), _text(asked, "mode"), why)
        except StromagateError as error:
            refused.append({"sample_id": called, "message": review.unnamed(error.message)})
    revision = review.store.revision()
    if taken:
        revision = review.store.put_all(taken, expected=_number(asked, "expected"), who=review.reader, why=why)
    told = f"{len(taken)} {'tube was' if len(taken) == 1 else 'tubes were'} given the boundary"
    if refused:
        told += "; not " + ", ".join(f"{each['sample_id']} ({each['message']})" for each in refused)
    return {"ok": True, "revision": revision, "given": len(taken), "refused": refused, "told": told}


def _given(
    review: Review, result: SampleResult, gate: str, drawn: tuple[Any, Any], mode: str, why: str
) -> SampleEdits | None:
    if review.store.signed(result.sample_id):
        raise UsageError("review.signed", "it is signed")
    fitted = review.store.fitted(result.sample_id)
    if gate not in fitted.boundaries:
        raise UsageError("review.gate", "it has no such gate")
    geometry = same_edit(drawn[0], drawn[1], fitted.boundaries[gate], mode)
    before = review.edits_of(result.sample_id)
    after = moved(result, before, {gate: geometry}, who=review.reader, why=why)
    if after is not None:
        must_fit(after, fitted)  # one tube that cannot take it must not keep it from the others
    return after


def sign(review: Review, called: str, asked: Asked) -> dict[str, Any]:
    """Sign a tube as it was seen."""
    result = review.seen.result(called)
    meaning = said(_text(asked, "meaning"), "meaning")
    seen = asked.get("seen")
    signature = review.signoff.sign(
        result.sample_id,
        review.reader,
        _text(asked, "role"),
        meaning,
        seen=str(seen) if seen else None,
    )
    return {
        "ok": True,
        "signature": signature.model_dump(mode="json", exclude={"sample_id"}),
        "told": f"signed as {signature.role}",
    }


def unsign(review: Review, called: str, asked: Asked) -> dict[str, Any]:
    """Withdraw the signatures of a tube, with a reason."""
    result = review.seen.result(called)
    review.signoff.unsign(result.sample_id, review.reader, said(_text(asked, "why"), "why"))
    return {"ok": True, "told": "the signatures are withdrawn; boundaries can be moved again"}


def run_anew(review: Review) -> dict[str, Any]:
    """Begin to make the run again with all edits, as ``run --edits`` does."""

    def work(tell: Callable[[str], None]) -> str:
        done, seen = 0, review.seen
        total = len(seen.run.samples)

        def called(sample_id: str) -> str:  # a blinded reader is not told names
            return next((alias for alias, name in seen.aliases.items() if name == sample_id), "a tube")

        def on_done(outcome: Any) -> None:
            nonlocal done
            done += 1
            tell(f"{done} of {total}: {called(outcome.entry.sample_id)}")

        left_out: list[str] = []
        tell("looking for the files")
        finished = run_again(
            review.folder,
            review.files,
            on_done=on_done,
            on_left_out=lambda name, reason: left_out.append(f"the edits of {called(name)} were left out: {reason}"),
            who=review.reader,
        )
        review.reload()
        if left_out:
            return f"made again; {'; '.join(left_out)}"
        failed = [called(entry.sample_id) for entry in finished.samples if entry.status == "failed"]
        if failed:
            return f"made again; {len(failed)} failed: {', '.join(failed[:3])}"
        told = f"made again: {total} tubes, with the edits of revision {review.store.revision()}"
        lost = len(finished.not_exported)  # counted only: the path of a file has the name of its tube
        return f"{told}; {lost} exported files are missing: the page of the run says why" if lost else told

    review.jobs.start(work)
    return {"ok": True, **asdict(review.jobs.progress)}


def _n_edits(edits: SampleEdits | None) -> str:
    n = len(edits.edits) if edits else 0
    return f"{n} {'edit' if n == 1 else 'edits'}" if n else "no edit"


def _text(asked: Asked, name: str) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str):
        raise UsageError("review.asked", f"`{name}` is no text", hint="load the page again")
    return value


def _number(asked: Asked, name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError("review.asked", f"`{name}` is no whole number", hint="load the page again")
    return value


def _mapping(asked: Asked, name: str) -> Mapping[str, Any]:
    value = asked.get(name)
    if not isinstance(value, dict) or not value:
        raise UsageError("review.asked", f"`{name}` holds nothing", hint="load the page again")
    return value


def _list(asked: Asked, name: str) -> list[Any]:
    value = asked.get(name)
    if not isinstance(value, list) or not value:
        raise UsageError("review.asked", f"`{name}` holds nothing", hint="select tubes first")
    return value
