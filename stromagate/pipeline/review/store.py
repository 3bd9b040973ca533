"""Boundaries that readers moved, kept so that no window loses another's: compare first, then write, under one lock."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

from stromagate.errors import InputError, UsageError, did_you_mean
from stromagate.model.audit import AuditEntry, ReviewHead, Signature
from stromagate.model.edits import GateEdits, SampleEdits
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline.bundle import RESULT_FILE, SAMPLES, read_result, read_results, read_run
from stromagate.pipeline.review import audit
from stromagate.pipeline.review.fitted import Fitted, changes, edits_in, must_fit
from stromagate.pipeline.review.journal import AUDIT_FILE, EDITS_FILE, SIGNATURES_FILE, Journal, with_changes
from stromagate.pipeline.review.refused import ConflictError, SignedError, raise_signed, said
from stromagate.pipeline.seal import plain_bytes

T = TypeVar("T")

__all__ = ["ConflictError", "ReviewStore", "SignedError"]


class ReviewStore:
    """The edits of a finished run, in ``DIR/review/edits.json``: a document that ``run --edits`` takes as it is.

    Nothing is written before the first edit or signature; until then the edits are those that the run was made with.
    Several processes and threads may hold a store of one folder.

    Parameters
    ----------
    folder : path
        A finished run.

    Raises
    ------
    InputError
        There is no finished run, or a result that was made with edits is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run = read_run(folder)
        self.names = tuple(entry.sample_id for entry in run.samples)
        self.journal = Journal(folder, edits_of_run(folder, run))
        self._read: dict[str, tuple[object, object]] = {}
        self._fitted: dict[str, tuple[tuple[int, int], Fitted]] = {}
        self._guard = threading.Lock()

    def revision(self) -> int:
        """Return how many times edits were written; 0 before the first.

        Raises
        ------
        InputError
            The files of the review do not go together.
        """
        return self.journal.head().revision

    def edits(self) -> GateEdits | None:
        """Return all edits as they stand; None where nobody ever moved a boundary.

        Raises
        ------
        InputError
            The document is damaged.
        """
        self.journal.head()
        document = self._once(EDITS_FILE, self.journal.document)
        return document if document.samples or self.journal.path(EDITS_FILE).exists() else None

    def of(self, sample_id: str) -> SampleEdits | None:
        """Return the edits of one tube; None where it has none."""
        document = self.edits()
        return next((item for item in document.samples if item.sample_id == sample_id), None) if document else None

    def audit(self) -> list[AuditEntry]:
        """Return the audit log, oldest line first.

        Raises
        ------
        InputError
            A line does not fit.
        """
        self.journal.head()
        return audit.read(self.journal.path(AUDIT_FILE))

    def signed(self, sample_id: str) -> tuple[Signature, ...]:
        """Return the signatures of a tube that stand."""
        return self._once(SIGNATURES_FILE, self.journal.signed).get(sample_id, ())

    def result(self, sample_id: str) -> SampleResult:
        """Read the result of a tube.

        Raises
        ------
        UsageError
            The run has no such tube.
        InputError
            The result is damaged, or was changed.
        """
        self._must_know(sample_id)
        return read_result(self.folder, sample_id)

    def fitted(self, sample_id: str) -> Fitted:
        """Return the automatic boundaries of a tube; read once for each result.

        Raises
        ------
        UsageError, InputError
            As `result`.
        """
        self._must_know(sample_id)
        try:
            stat = (self.folder / SAMPLES / sample_id / RESULT_FILE).stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
        except OSError:
            stamp = (0, 0)
        with self._guard:
            known = self._fitted.get(sample_id)
            if known is None or known[0] != stamp:
                known = self._fitted[sample_id] = (stamp, Fitted.of(read_result(self.folder, sample_id)))
        return known[1]

    def put(self, sample_id: str, edits: SampleEdits | None, *, expected: int, who: str, why: str) -> int:
        """Write the edits of one tube in place of those that stand, unless they were changed since ``expected``.

        Parameters
        ----------
        sample_id : str
            The tube.
        edits : SampleEdits or None
            All its edits from here on (see `moved`); None sets every boundary back to the automatic one.
        expected : int
            Revision that the person looked at. Edits of other tubes since then are no conflict: each is of one tube.
        who, why : str
            Go to the audit log.

        Returns
        -------
        int
            The revision from here on; the same as before where nothing changes.

        Raises
        ------
        ConflictError
            Another window changed this tube since ``expected``.
        SignedError
            The tube is signed.
        UsageError
            Nobody or no reason is named, or the run has no such tube.
        SpecificationError, DocumentError
            The edits do not go with the tube.
        InputError
            The files of the review do not go together, or cannot be written.
        """
        return self.put_all({sample_id: edits}, expected=expected, who=who, why=why)

    def put_all(self, edits: Mapping[str, SampleEdits | None], *, expected: int, who: str, why: str) -> int:
        """Write the edits of several tubes in one act: all of them or none. See `put`."""
        who, why = said(who, "who"), said(why, "why")
        for sample_id, each in edits.items():
            self._must_fit(sample_id, each)
        with self.journal.held() as head:
            self._untouched(head)
            self._not_changed_since(expected, head, edits)
            self._not_signed(edits)
            document = self.journal.document()
            before = {item.sample_id: item for item in document.samples}
            after = {name: each for name, each in edits.items() if _boundaries(before.get(name)) != _boundaries(each)}
            if not after:
                return head.revision
            written = plain_bytes(with_changes(document, after))
            return self.journal.act(
                head,
                who,
                "edited",
                why=why,
                revision=head.revision + 1,
                edits_sha256=hashlib.sha256(written).hexdigest(),
                changes=tuple(
                    change
                    for name, each in after.items()
                    for change in changes(
                        self.fitted(name) if self._has_result(name) else None, name, before.get(name), each
                    )
                ),
                after=after,
            ).revision

    def _once(self, name: str, read: Callable[[], T]) -> T:
        """Return what a file of the review says, read once for as long as it is the same: pages ask for every tube."""
        try:
            stat = self.journal.path(name).stat()
            stamp: object = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            return read()
        known = self._read.get(name)
        if known is None or known[0] != stamp:
            known = self._read[name] = (stamp, read())
        return cast("T", known[1])

    def _must_know(self, sample_id: str) -> None:
        there = [name for name in self.names if self._has_result(name)]
        if sample_id not in there:
            raise UsageError(
                "review.no_tube",
                f"the run has no analysed tube '{sample_id}'",
                where=str(self.folder),
                hint=did_you_mean(sample_id, there),
            )

    def _has_result(self, sample_id: str) -> bool:
        return (self.folder / SAMPLES / sample_id / RESULT_FILE).is_file()

    def _must_fit(self, sample_id: str, edits: SampleEdits | None) -> None:
        if edits is None and sample_id in self.names and not self._has_result(sample_id):
            return  # a tube that failed: what was edited on it can still be set back
        fitted = self.fitted(sample_id)
        if edits is None:
            return
        if edits.sample_id != sample_id:
            raise UsageError(
                "review.other_tube",
                f"these are edits of '{edits.sample_id}', not of '{sample_id}'",
                hint="put them under the tube they were drawn on",
            )
        must_fit(edits, fitted)

    def _untouched(self, head: ReviewHead) -> None:
        """Refuse to write over a document that somebody changed beside the review."""
        if self.journal.sha_of(EDITS_FILE) != head.edits_sha256:
            raise InputError(
                "review.changed",
                "the edits are not as the review wrote them",
                where=str(self.journal.path(EDITS_FILE)),
                hint="put back a copy of the file; edits of your own are for run --edits, outside of this folder",
            )

    def _not_changed_since(self, expected: int, head: ReviewHead, names: Mapping[str, object]) -> None:
        if expected == head.revision:
            return
        entries = audit.read(self.journal.path(AUDIT_FILE))
        later = [entry for entry in entries if entry.revision > expected and names.keys() & entry.after.keys()]
        if not later and 0 <= expected <= head.revision:
            return
        tubes = sorted({name for entry in later for name in entry.after if name in names}) or sorted(names)
        last = later[-1] if later else None
        by = f" by {last.who} at {last.time}" if last else ""
        raise ConflictError(
            "review.conflict",
            f"boundaries of {', '.join(tubes)} were changed{by}, after this page had read them"
            if later
            else f"the page has read revision {expected}, and the review is at {head.revision}",
            where=", ".join(tubes),
            hint="load the tube again, look at what is there now, and move the boundary once more; nothing was lost",
            entries=later,
        )

    def _not_signed(self, names: Mapping[str, object]) -> None:
        standing = self.journal.signed()
        for name in names:
            if name in standing:
                raise_signed(name, standing[name])


def edits_of_run(folder: Path, run: RunIndex) -> tuple[SampleEdits, ...]:
    """Return the edits that a run was made with, where a review has not taken them over; tubes sorted by name.

    Raises
    ------
    InputError
        A result is damaged.
    """
    if run.config.edits is None or Journal(folder).path(EDITS_FILE).exists():
        return ()
    made = (edits_in(result) for result in read_results(folder, run))
    return tuple(sorted((each for each in made if each is not None), key=lambda each: each.sample_id))


def _boundaries(edits: SampleEdits | None) -> object:
    return None if edits is None else (edits.tree_sha256, edits.edits)
