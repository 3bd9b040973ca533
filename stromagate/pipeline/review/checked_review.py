"""The review of a run looked through: its chain of acts, its edits and what they are bound to, its signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pydantic import ValidationError

from stromagate.errors import StromagateError
from stromagate.model.audit import NOTHING, AuditEntry, ReviewHead, Signature
from stromagate.model.edits import GateEdits, SampleEdits
from stromagate.model.result import SampleResult
from stromagate.pipeline.edits import read_edits
from stromagate.pipeline.review import audit
from stromagate.pipeline.review.differences import Difference, Kind, Verified
from stromagate.pipeline.review.fitted import edits_in
from stromagate.pipeline.review.journal import (
    AUDIT_FILE,
    EDITS_FILE,
    HEAD_FILE,
    REVIEW,
    SIGNATURES_FILE,
    Journal,
    signature_line,
)
from stromagate.pipeline.review.signoff import broken_by, result_sha256


@dataclass(frozen=True, slots=True)
class _Log:
    """The audit log as far as it fits, with its lines; ``settled`` where its last act was finished."""

    entries: Sequence[AuditEntry]
    lines: Sequence[bytes]
    whole: bool
    settled: bool


def check_review(folder: Path, results: Mapping[str, SampleResult], names: Sequence[str], found: Verified) -> None:
    """Look through ``DIR/review`` and say what differs; nothing is written, and nothing finished.

    Parameters
    ----------
    folder : path
        The run.
    results : mapping of str to SampleResult
        Those that could be read.
    names : sequence of str
        All tubes of the run.
    found : Verified
        Takes what was found.
    """
    home = folder / REVIEW
    if not home.is_dir():
        found.notes.append("the run was not reviewed")
        return
    try:
        log = _log(home, found)
        _check_edits(home, log, results, names, found)
        own = () if (home / EDITS_FILE).exists() else filter(None, map(edits_in, results.values()))
        _check_signatures(Journal(folder, tuple(own)), log, found)
    except StromagateError as error:
        found.add("review", [_difference("audit", "", error.message)])


def _log(home: Path, found: Verified) -> _Log:
    path = home / AUDIT_FILE
    data = audit.content(path)
    lines = list(audit.whole_lines(data))
    fault = audit.check(path)
    good = lines[: fault.line - 1] if fault else lines
    head = _head(home)
    behind = fault is None and head is not None and _is_behind(lines, head)
    log = _Log([audit.entry_of(line) for line in good], lines, fault is None, settled=fault is None and not behind)
    differs = [] if fault is None else [_difference("audit", AUDIT_FILE, f"line {fault.line} {fault.sentence}")]
    if head is None:
        differs.append(_difference("audit", HEAD_FILE, "is damaged"))
    elif not behind:
        differs += _end_of_log(lines, log, head)
    if behind or (data and not data.endswith(b"\n")):
        found.notes.append("the last act of the review was broken off; who opens the review next finishes it")
    found.add("lines of the audit log", differs, len(lines))
    return log


def _head(home: Path) -> ReviewHead | None:
    """Return where the review says it stands; None where that is damaged."""
    written = audit.content(home / HEAD_FILE)
    try:
        return ReviewHead.model_validate_json(written) if written else ReviewHead()
    except ValidationError:
        return None


def _is_behind(lines: Sequence[bytes], head: ReviewHead) -> bool:
    """Say whether the log is one line ahead of all else, as a crash between two writes leaves it."""
    before = b"".join(lines[:-1])
    return (
        len(lines) == head.seq + 1
        and len(before) == head.audit_bytes
        and (audit.link(lines[-2]) if len(lines) > 1 else NOTHING) == head.audit_sha256
    )


def _end_of_log(lines: Sequence[bytes], log: _Log, head: ReviewHead) -> Iterator[Difference]:
    """Yield what is wrong with where the log ends: lines cut off its end leave no other trace in it."""
    n_lines, last = len(lines), audit.link(lines[-1]) if lines else NOTHING
    if n_lines < head.seq:
        yield _difference("audit", AUDIT_FILE, f"{_n_lines(head.seq - n_lines)} missing at its end")
    elif n_lines > head.seq:
        yield _difference("audit", AUDIT_FILE, f"{_n_lines(n_lines - head.seq)} at its end that no review wrote")
    elif last != head.audit_sha256:
        yield _difference("audit", AUDIT_FILE, f"line {n_lines} is not as it was written")
    elif log.entries and (head.revision, head.edits_sha256) != (log.entries[-1].revision, log.entries[-1].edits_sha256):
        yield _difference("audit", HEAD_FILE, "names another revision than the audit log")


def _n_lines(n: int) -> str:
    return f"{n} line is" if n == 1 else f"{n} lines are"


def _check_edits(
    home: Path, log: _Log, results: Mapping[str, SampleResult], names: Sequence[str], found: Verified
) -> None:
    path = home / EDITS_FILE
    said = log.entries[-1].edits_sha256 if log.entries else NOTHING
    data = audit.content(path)
    there = hashlib.sha256(data).hexdigest() if data else NOTHING
    differs: list[Difference] = []
    if log.settled and there != said:
        what = "is missing" if not data else "is not as the audit log says" if log.entries else "is in no audit log"
        differs.append(_difference("edits", EDITS_FILE, what))
    document = GateEdits(samples=())
    if data:
        try:
            document = read_edits(path)
        except StromagateError as error:
            differs.append(_difference("edits", EDITS_FILE, error.message))
    for sample in document.samples:
        differs += _binding(sample, results.get(sample.sample_id), names)
        if (result := results.get(sample.sample_id)) is not None and result.edits != sample.edits:
            found.notes.append(f"{sample.sample_id}: edits wait for the tubes to be run again")
    found.add("edited tubes", differs, len(document.samples))


def _binding(sample: SampleEdits, result: SampleResult | None, names: Sequence[str]) -> Iterator[Difference]:
    if sample.sample_id not in names:
        yield _difference("edits", EDITS_FILE, "edits of a tube that is not in the run", sample.sample_id)
    elif result is not None and result.fitted_tree_sha256 != sample.tree_sha256:
        yield _difference(
            "edits", EDITS_FILE, "edits made on other boundaries than those of the result", sample.sample_id
        )


def _check_signatures(journal: Journal, log: _Log, found: Verified) -> None:
    path = journal.path(SIGNATURES_FILE)
    lines = list(audit.whole_lines(audit.content(path)))
    said = [signature_line(entry.signature) for entry in log.entries if entry.signature is not None]
    differs: list[Difference] = []
    if log.settled and lines != said:
        pairs = enumerate(zip_longest(lines, said), start=1)
        at = next(number for number, (there, written) in pairs if there != written)
        differs.append(_difference("signature", SIGNATURES_FILE, f"line {at} is not what the audit log says"))
    try:
        standing = journal.signed()
    except StromagateError as error:
        found.add("signatures", [*differs, _difference("signature", SIGNATURES_FILE, error.message)])
        return
    edits = {item.sample_id: item for item in _readable_edits(journal)}
    for name, signatures in standing.items():
        for each in signatures:
            differs += [
                _difference("signature", SIGNATURES_FILE, sentence, name)
                for sentence in (
                    *broken_by(each, result_sha256(journal.folder, name), edits.get(name)),
                    *_place_in_log(each, log),
                )
            ]
    found.add("signatures", differs, sum(map(len, standing.values())))


def _place_in_log(signature: Signature, log: _Log) -> Iterator[str]:
    """Yield what is wrong with the line of the log that a signature names."""
    seq = signature.audit_seq
    there = NOTHING if not seq else audit.link(log.lines[seq - 1]) if seq <= len(log.lines) else ""
    if there != signature.audit_sha256:
        yield f"line {seq} of the audit log is not the one that stood there when {signature.who} signed"


def _readable_edits(journal: Journal) -> Sequence[SampleEdits]:
    try:
        return journal.document().samples
    except StromagateError:  # said before
        return ()


def _difference(kind: Kind, name: str, sentence: str, sample_id: str = "") -> Difference:
    return Difference(kind, f"{REVIEW}/{name}".rstrip("/"), sentence, sample_id)
