"""What a review leaves behind: who moved, signed or ran what, when and why (``stromagate.audit/1``), and signatures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stromagate.model.edits import Said, SampleEdits, Sha256
from stromagate.model.gates import Geometry
from stromagate.model.template import Document, Name

AUDIT_FORMAT: Literal["stromagate.audit/1"] = "stromagate.audit/1"
SIGNATURE_FORMAT: Literal["stromagate.signature/1"] = "stromagate.signature/1"

Role = Literal["reader", "reviewer", "approver"]
Action = Literal["edited", "signed", "unsigned", "rerun", "recovered"]
Boundary = Annotated[Geometry, Field(discriminator="kind")] | None

NOTHING = "0" * 64
"""Stands for the line before the first one, and for the edits of a tube that has none."""


class Change(Document):
    """One boundary before and after: the automatic one where nobody had moved it, or where an edit was taken back.

    ``old`` or ``new`` is None where the tube had no boundary there. ``automatic`` says which of the two is the fitted
    one.
    """

    sample_id: str
    population: Name
    old: Boundary
    new: Boundary
    automatic: tuple[Literal["old", "new"], ...] = ()


class Signature(Document):
    """A name under a result, or its withdrawal: one line of ``signatures.jsonl``.

    The three hashes are of the bytes of ``result.json``, of the tube's edits and of the template; ``content_sha256`` is
    of the three together. ``audit_seq`` and ``audit_sha256`` name the last line of the audit log before this one, so
    that lines taken off its end are missed.
    """

    format: Literal["stromagate.signature/1"] = SIGNATURE_FORMAT
    what: Literal["signed", "unsigned"]
    sample_id: str
    who: Said
    time: str = Field(description="UTC.")
    role: Role | None = Field(None, description="As what; None of a withdrawal.")
    meaning: str = Field("", description="What the signature says, or why it was withdrawn.")
    result_sha256: Sha256
    edits_sha256: Sha256
    template_sha256: Sha256
    content_sha256: Sha256
    audit_seq: int
    audit_sha256: Sha256


class AuditEntry(Document):
    """One line of the audit log. ``prev`` is the SHA-256 of the line before, its line feed included.

    ``after`` holds the whole edits of every tube that the entry touches (None: none are left), so that what a crash
    kept from being written can be written later. ``edits_sha256`` is of the document of edits as it is from here on.
    """

    format: Literal["stromagate.audit/1"] = AUDIT_FORMAT
    seq: int = Field(ge=1)
    prev: Sha256
    time: str = Field(description="UTC.")
    who: Said
    account: str = Field("", description="Name of the account of the computer.")
    what: Action
    why: str = ""
    revision: int = Field(ge=0, description="Revision of the edits from here on.")
    edits_sha256: Sha256
    changes: tuple[Change, ...] = ()
    after: dict[str, SampleEdits | None] = Field(default_factory=dict)
    signature: Signature | None = None
    results: dict[str, Sha256] = Field(default_factory=dict, description="Results that a re-run made, by tube.")


class ReviewHead(Document):
    """Where a review stands (``revision.json``): the end of its audit log, revision and content of its edits."""

    format: Literal["stromagate.review/1"] = "stromagate.review/1"
    revision: int = 0
    seq: int = 0
    audit_bytes: int = 0
    audit_sha256: Sha256 = Field(NOTHING, description="Of the last line.")
    edits_sha256: Sha256 = Field(NOTHING, description="Of the whole document of edits.")
    signatures_sha256: Sha256 = Field(NOTHING, description="Of all signatures.")
