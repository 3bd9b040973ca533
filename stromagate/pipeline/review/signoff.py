"""Signatures: a name, a role and a meaning under one result, bound to its bytes, the tube's edits and the template.

This supports the work that 21 CFR Part 11 asks for; that a record complies with it is the user's to see to. Who a
person is, is said and not proven here: the account of the computer goes to the audit log beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from stromagate.errors import StromagateError, UsageError, did_you_mean
from stromagate.model.audit import NOTHING, Role, Signature
from stromagate.model.edits import SampleEdits
from stromagate.model.result import SampleResult
from stromagate.pipeline.bundle import RESULT_FILE, SAMPLES
from stromagate.pipeline.review import audit, drafts
from stromagate.pipeline.review.journal import now
from stromagate.pipeline.review.refused import said
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.seal import plain_bytes

ROLES: tuple[Role, ...] = get_args(Role)
NOTE = (
    "Signatures and the audit log support work under 21 CFR Part 11; that records comply with it is for the user to "
    "ensure."
)


@dataclass(frozen=True, slots=True)
class SignState:
    """Whether a tube is signed, and whether what was signed is still there.

    ``result_sha256`` is what a signature given now would be under (empty where there is no result); ``differs`` says in
    sentences what is not as it was signed. ``pending`` tells that boundaries were moved since the result was made.
    """

    status: Literal["unsigned", "signed", "broken"]
    signatures: tuple[Signature, ...] = ()
    differs: tuple[str, ...] = ()
    result_sha256: str = ""
    pending: bool = False


class SignOff:
    """Signatures of a review, in ``DIR/review/signatures.jsonl``."""

    def __init__(self, store: ReviewStore) -> None:
        self.store = store

    def sign(self, sample_id: str, who: str, role: str, meaning: str, *, seen: str | None = None) -> Signature:
        """Put a name under the result of a tube.

        Parameters
        ----------
        sample_id : str
            The tube.
        who : str
            The person.
        role : {"reader", "reviewer", "approver"}
            As what.
        meaning : str
            What the signature says, such as ``"I have looked at every boundary"``.
        seen : str, optional
            ``result_sha256`` of the state that the person looked at; refused where the result is another by now.

        Raises
        ------
        UsageError
            Something is not said; the result is not what was looked at, or older than the edits; the person moved a
            boundary of it and did not save that; the same name stands there in that role, or a signature there no
            longer fits.
        InputError
            The result is damaged or was changed, or the review's files do not go together.
        """
        who, meaning = said(who, "who"), said(meaning, "meaning")
        as_what = _role(role)
        there = self._result_sha256(sample_id)
        result = self.store.result(sample_id)  # its seal is looked at
        self._nothing_unsaved(result, who)
        with self.store.journal.held() as head:
            edits, standing = self._edits(sample_id), self.store.signed(sample_id)
            _must_be_new(sample_id, who, as_what, standing)
            if list(self._differs(sample_id, standing, edits)):
                _refuse("broken", sample_id, "a signature of this tube no longer fits", "withdraw it first")
            if (edits.edits if edits else ()) != result.edits:
                hint = "run the tubes again (Re-run), look at the new numbers, then sign"
                _refuse("pending", sample_id, "boundaries were moved since this result was made", hint)
            hashes = (self._result_sha256(sample_id), edits_sha256(edits), result.template.sha256)
            if {hashes[0], seen or there} != {there}:
                _refuse("stale", sample_id, "the result is not the one that was looked at", "load the tube again")
            signature = Signature(
                what="signed",
                sample_id=sample_id,
                who=who,
                time=now(),
                role=as_what,
                meaning=meaning,
                result_sha256=hashes[0],
                edits_sha256=hashes[1],
                template_sha256=hashes[2],
                content_sha256=content_sha256(*hashes),
                audit_seq=head.seq,
                audit_sha256=head.audit_sha256,
            )
            self.store.journal.act(head, who, "signed", why=meaning, signature=signature)
        return signature

    def _nothing_unsaved(self, result: SampleResult, who: str) -> None:
        """Refuse a name under boundaries that are not those the person sees: moved, and not saved."""
        moves = drafts.kept(self.store.journal.home, result.sample_id, who, result.fitted_tree_sha256)
        if moves:
            hint = "save them and run again, or drop them, then sign"
            _refuse("unsaved", result.sample_id, f"you moved {', '.join(moves)} and did not save that", hint)

    def unsign(self, sample_id: str, who: str, why: str) -> Signature:
        """Withdraw all signatures of a tube; they stay in the log.

        Raises
        ------
        UsageError
            Nobody or no reason is named, or the tube is not signed.
        InputError
            The review's files do not go together, or cannot be written.
        """
        who, why = said(who, "who"), said(why, "why")
        with self.store.journal.held() as head:
            standing = self.store.signed(sample_id)
            if not standing:
                _refuse("not_signed", sample_id, "this tube is not signed", "there is nothing to withdraw")
            line = standing[-1].model_copy(
                update={
                    "what": "unsigned",
                    "who": who,
                    "time": now(),
                    "role": None,
                    "meaning": why,
                    "audit_seq": head.seq,
                    "audit_sha256": head.audit_sha256,
                }
            )
            self.store.journal.act(head, who, "unsigned", why=why, signature=line)
        return line

    def state(self, sample_id: str) -> SignState:
        """Return whether a tube is signed, and whether what was signed is still there."""
        self.store.journal.head()
        edits, standing = self._edits(sample_id), self.store.signed(sample_id)
        differs = tuple(dict.fromkeys(self._differs(sample_id, standing, edits)))
        return SignState(
            "broken" if differs else "signed" if standing else "unsigned",
            standing,
            differs,
            self._result_sha256(sample_id),
            pending=self._pending(sample_id, edits),
        )

    def _pending(self, sample_id: str, edits: SampleEdits | None) -> bool:
        """Say whether boundaries were moved since the result was made; of one damaged or gone nothing can be said."""
        try:
            own = self.store.fitted(sample_id).own
        except StromagateError:
            return False
        return (edits.edits if edits else ()) != (own.edits if own else ())

    def _edits(self, sample_id: str) -> SampleEdits | None:
        document = self.store.journal.document()
        return next((item for item in document.samples if item.sample_id == sample_id), None)

    def _result_sha256(self, sample_id: str) -> str:
        return result_sha256(self.store.folder, sample_id)

    def _differs(self, sample_id: str, standing: tuple[Signature, ...], edits: SampleEdits | None) -> Iterator[str]:
        now_there = self._result_sha256(sample_id) if standing else ""
        for each in standing:
            yield from broken_by(each, now_there, edits)


def broken_by(signature: Signature, result_sha256_now: str, edits: SampleEdits | None) -> Iterator[str]:
    """Yield in sentences what is not as it was signed.

    Parameters
    ----------
    signature : Signature
        One that stands.
    result_sha256_now : str
        Of the tube's ``result.json``; empty where it is not there.
    edits : SampleEdits or None
        Of the tube, as they stand.
    """
    if content_sha256(signature.result_sha256, signature.edits_sha256, signature.template_sha256) != (
        signature.content_sha256
    ):
        yield f"the signature of {signature.who} does not fit itself: its hashes were changed"
    if not result_sha256_now:
        yield f"the result that {signature.who} signed is gone"
    elif result_sha256_now != signature.result_sha256:
        yield f"the result is not the one that {signature.who} signed"
    if edits_sha256(edits) != signature.edits_sha256:
        yield f"the edits are not those that {signature.who} signed"


def result_sha256(folder: Path, sample_id: str) -> str:
    """Return the SHA-256 of the bytes of a tube's ``result.json``; empty where there is none."""
    data = audit.content(folder / SAMPLES / sample_id / RESULT_FILE)
    return hashlib.sha256(data).hexdigest() if data else ""


def edits_sha256(edits: SampleEdits | None) -> str:
    """Return the SHA-256 of a tube's edits."""
    return NOTHING if edits is None else hashlib.sha256(plain_bytes(edits)).hexdigest()


def content_sha256(result: str, edits: str, template: str) -> str:
    """Return what a signature is bound to: one hash of three."""
    return hashlib.sha256(f"{result}\n{edits}\n{template}\n".encode()).hexdigest()


def _role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise UsageError("review.role", f"there is no role '{role}'", hint=did_you_mean(role, ROLES))


def _must_be_new(sample_id: str, who: str, role: Role, standing: tuple[Signature, ...]) -> None:
    if any((each.who.casefold(), each.role) == (who.casefold(), role) for each in standing):
        _refuse("signed_twice", sample_id, f"{who} has signed as {role} already", "one signature a person and role")


def _refuse(code: str, sample_id: str, message: str, hint: str) -> None:
    raise UsageError(f"review.{code}", message, where=sample_id, hint=hint)
