"""The folder of a review under its lock: said in the audit log first, then done, if need be after a crash.

::

    DIR/review/edits.json        the boundaries that people moved: the document that ``run --edits`` takes
    DIR/review/audit.jsonl       every act, in a chain
    DIR/review/signatures.jsonl  signatures and their withdrawals
    DIR/review/revision.json     where all three stand; written last

An act is: one line added to the log, then the file that it changes written whole, then ``revision.json``. Who opens the
folder next sees from the log's length whether the last act was finished, and finishes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stromagate.errors import InputError, StromagateError, UsageError
from stromagate.model.audit import NOTHING, AuditEntry, ReviewHead, Signature
from stromagate.model.edits import GateEdits, SampleEdits
from stromagate.pipeline.bundle import cannot_write, first_fault, write_file
from stromagate.pipeline.review import audit
from stromagate.pipeline.seal import plain_bytes

REVIEW = "review"
EDITS_FILE = "edits.json"
AUDIT_FILE = "audit.jsonl"
SIGNATURES_FILE = "signatures.jsonl"
HEAD_FILE = "revision.json"
_LOCK = ".lock"
_PATIENCE_S = 30.0
_PAUSE_S = 0.003
_HERE = "stromagate"


@dataclass(frozen=True, slots=True)
class Journal:
    """A review's files. ``base`` are the edits that the run itself was made with, before any review."""

    folder: Path
    base: tuple[SampleEdits, ...] = ()

    @property
    def home(self) -> Path:
        """The folder of the review."""
        return self.folder / REVIEW

    def path(self, name: str) -> Path:
        """Return the place of one of its files."""
        return self.home / name

    def head(self) -> ReviewHead:
        """Return where the review stands; an act that a crash left half done is finished first.

        Raises
        ------
        InputError
            The files of the review do not go together.
        """
        if not self.home.is_dir():
            return ReviewHead()
        head = self._read_head()
        if _size(self.path(AUDIT_FILE)) == head.audit_bytes:
            return head
        with self.held() as settled:  # another process may be at work: then it has finished once the lock is ours
            return settled

    @contextmanager
    def held(self) -> Iterator[ReviewHead]:
        """Keep all others out, finish what a crash left half done, and give where the review stands.

        Raises
        ------
        UsageError
            Somebody else held it for half a minute.
        InputError
            The files of the review do not go together, or cannot be written.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            (self.home / _LOCK).touch()
        except OSError as cause:
            raise cannot_write(self.home, cause) from cause
        with _locked(self.home / _LOCK):
            yield self._settled()

    def act(self, head: ReviewHead, who: str, what: str, **fields: Any) -> ReviewHead:
        """Write one act, inside ``held``, and return where the review stands now.

        Parameters
        ----------
        head : ReviewHead
            As ``held`` gave it, or the act before.
        who, what : str
            Fields of `AuditEntry`, as all of ``fields``.
        """
        known = {"revision": head.revision, "edits_sha256": head.edits_sha256, **fields}
        entry = AuditEntry.model_validate(
            {"seq": head.seq + 1, "prev": head.audit_sha256, "time": now(), "who": who, "account": account()}
            | {"what": what, **known}
        )
        line = audit.append(self.path(AUDIT_FILE), entry)
        return self._done(head, entry, line)

    def document(self) -> GateEdits:
        """Return the edits as they stand on disk; where there is no document yet, those of the run.

        Raises
        ------
        InputError
            The document is damaged.
        """
        data = audit.content(self.path(EDITS_FILE))
        return _parsed(self.path(EDITS_FILE), GateEdits, data) if data else GateEdits(samples=self.base)

    def signature_lines(self) -> list[Signature]:
        """Return all signatures and withdrawals, oldest first.

        Raises
        ------
        InputError
            A line is damaged.
        """
        path = self.path(SIGNATURES_FILE)
        return [_parsed(path, Signature, line) for line in audit.whole_lines(audit.content(path))]

    def signed(self) -> dict[str, tuple[Signature, ...]]:
        """Return the signatures that stand, by tube, oldest first.

        Raises
        ------
        InputError
            A line is damaged.
        """
        found: dict[str, tuple[Signature, ...]] = {}
        for line in self.signature_lines():
            if line.what == "unsigned":
                found.pop(line.sample_id, None)
            else:
                found[line.sample_id] = (*found.get(line.sample_id, ()), line)
        return found

    def sha_of(self, name: str) -> str:
        """Return the SHA-256 of one of the files as it is; `NOTHING` where it is not there."""
        data = audit.content(self.path(name))
        return hashlib.sha256(data).hexdigest() if data else NOTHING

    def _read_head(self) -> ReviewHead:
        data = audit.content(self.path(HEAD_FILE))
        return _parsed(self.path(HEAD_FILE), ReviewHead, data) if data else ReviewHead()

    def _settled(self) -> ReviewHead:
        head, path = self._read_head(), self.path(AUDIT_FILE)
        data = audit.content(path)
        ahead = data[head.audit_bytes :]
        lines = list(audit.whole_lines(ahead))
        if len(data) < head.audit_bytes or len(lines) > 1:
            raise _apart(path, "the audit log does not end where revision.json says")
        if lines:
            head = self._finished(head, lines[0])
        if torn := len(ahead) - sum(map(len, lines)):
            head = self._without_torn_line(head, torn)
        return head

    def _finished(self, head: ReviewHead, line: bytes) -> ReviewHead:
        """Do what the log's last line says, where a crash kept it from being done."""
        entry = _parsed(self.path(AUDIT_FILE), AuditEntry, line)
        if (entry.seq, entry.prev) != (head.seq + 1, head.audit_sha256):
            raise _apart(self.path(AUDIT_FILE), "the last line of the audit log does not follow the one before")
        return self._done(head, entry, line)

    def _without_torn_line(self, head: ReviewHead, torn: int) -> ReviewHead:
        """Take away what a crash left of an unfinished line, and say so."""
        path = self.path(AUDIT_FILE)
        try:
            with path.open("r+b") as stream:
                stream.truncate(head.audit_bytes)
                os.fsync(stream.fileno())
        except OSError as cause:
            raise cannot_write(path, cause) from cause
        why = f"{torn} bytes of an unfinished line were taken away: the computer stopped while it was written"
        return self.act(head, _HERE, "recovered", why=why)

    def _done(self, head: ReviewHead, entry: AuditEntry, line: bytes) -> ReviewHead:
        if entry.what == "edited" and self.sha_of(EDITS_FILE) != entry.edits_sha256:
            written = plain_bytes(with_changes(self.document(), entry.after))
            if hashlib.sha256(written).hexdigest() != entry.edits_sha256:
                raise _apart(self.path(EDITS_FILE), "the edits are not those that the audit log speaks of")
            write_file(self.path(EDITS_FILE), written)
        if entry.signature is not None:
            self._sign(entry.signature)
        done = ReviewHead(
            revision=entry.revision,
            seq=entry.seq,
            audit_bytes=head.audit_bytes + len(line),
            audit_sha256=audit.link(line),
            edits_sha256=entry.edits_sha256,
            signatures_sha256=self.sha_of(SIGNATURES_FILE),
        )
        write_file(self.path(HEAD_FILE), plain_bytes(done))
        return done

    def _sign(self, signature: Signature) -> None:
        path = self.path(SIGNATURES_FILE)
        data, line = audit.content(path), signature_line(signature)
        if not data.endswith(line):  # a signature names its place in the log: no two lines are alike
            write_file(path, data + line)


def with_changes(document: GateEdits, changed: Mapping[str, SampleEdits | None]) -> GateEdits:
    """Return a document with the edits of some tubes put in, in place of theirs, or taken out; tubes sorted by name."""
    samples = {item.sample_id: item for item in document.samples}
    for name, edits in changed.items():
        samples.pop(name, None)
        if edits is not None:
            samples[name] = edits
    return GateEdits(samples=tuple(samples[name] for name in sorted(samples)))


def signature_line(signature: Signature) -> bytes:
    """Return a signature as its line."""
    text = json.dumps(signature.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def now() -> str:
    """Return the time (UTC) to the second, as edits have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def account() -> str:
    """Return the name of the computer's account; empty where it has none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _parsed(path: Path, kind: type[Any], data: bytes) -> Any:
    try:
        return kind.model_validate_json(data)
    except ValidationError as cause:
        raise InputError(
            "review.damaged",
            first_fault(cause),
            where=str(path),
            hint="put back a copy of the folder `review`; stromagate verify DIR says all that differs",
        ) from cause


def _apart(path: Path, sentence: str) -> StromagateError:
    return InputError(
        "review.apart",
        f"the files of this review do not go together: {sentence}",
        where=str(path),
        hint="put back a copy of the folder `review`; stromagate verify DIR says all that differs",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def _locked(marker: Path) -> Iterator[None]:
    """Hold a file; where the platform or the share knows no locks, nothing is held."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with marker.open("rb") as stream:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as cause:
                if time.monotonic() > until:
                    raise UsageError(
                        "review.busy",
                        "another window has been writing into this review for half a minute",
                        where=str(marker.parent),
                        hint="wait, or end the other program; nothing was written",
                    ) from cause
                time.sleep(_PAUSE_S)
            except OSError:  # a share without locks
                break
        yield
