"""What a review refuses to write, and why: another window came first, the tube is signed, nobody is named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from stromagate.errors import UsageError
from stromagate.model.audit import AuditEntry, Signature

_LONGEST = 500
_ASKED = {"who": "who you are", "why": "why", "meaning": "what the signature means"}


class ConflictError(UsageError):
    """Another window changed the same tube meanwhile; ``entries`` are the lines of the audit log that say what."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        entries: Sequence[AuditEntry] = (),
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.entries = tuple(entries)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the lines between processes."""
        whole = partial(ConflictError, where=self.where, hint=self.hint, entries=self.entries)
        return (whole, (self.code, self.message))


class SignedError(UsageError):
    """The tube is signed; ``signatures`` are those that stand."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        signatures: Sequence[Signature] = (),
    ) -> None:
        super().__init__(code, message, where=where, hint=hint)
        self.signatures = tuple(signatures)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the signatures between processes."""
        whole = partial(SignedError, where=self.where, hint=self.hint, signatures=self.signatures)
        return (whole, (self.code, self.message))


def raise_signed(sample_id: str, signatures: Sequence[Signature]) -> NoReturn:
    """Say that a tube is signed.

    Raises
    ------
    SignedError
        Always.
    """
    names = ", ".join(f"{each.who} ({each.role}, {each.time})" for each in signatures)
    raise SignedError(
        "review.signed",
        f"this tube is signed by {names}",
        where=sample_id,
        hint="withdraw the signature with a reason, then move the boundary",
        signatures=signatures,
    )


def said(text: str, what: str) -> str:
    """Return what a person said on one line.

    Raises
    ------
    UsageError
        Nothing, or more than 500 signs.
    """
    line = " ".join(text.split())
    if not line or len(line) > _LONGEST:
        raise UsageError(
            f"review.{what}",
            f"`{what}` is empty" if not line else f"`{what}` has {len(line)} signs",
            hint=f"say {_ASKED[what]} in 1 to {_LONGEST} signs",
        )
    return line
