"""The seal of a result: what tells one that was changed after it was written, and the bytes that are sealed."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel

from stromagate.model.result import SampleResult


def sealed(result: SampleResult) -> bytes:
    """Return the bytes of a result with their seal among them."""
    plain = _unsealed(result)
    return plain.replace(_seal_line(""), _seal_line(hashlib.sha256(plain).hexdigest()))


def seal_of(result: SampleResult) -> str:
    """Return what tells a result from one that was changed after it was written."""
    return hashlib.sha256(_unsealed(result)).hexdigest()


def bears_its_seal(written: bytes, seal: str) -> bool:
    """Say whether a file holds the very bytes that were sealed: told much faster than by writing them once more."""
    return hashlib.sha256(written.replace(_seal_line(seal), _seal_line(""))).hexdigest() == seal


def plain_bytes(document: BaseModel) -> bytes:
    """Return the canonical bytes of a document: sorted keys, no NaN, one trailing newline."""
    plain = document.model_dump(mode="json")
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", errors="replace")  # half a surrogate pair is no character, and no reader takes it


def _unsealed(result: SampleResult) -> bytes:
    return plain_bytes(result.model_copy(update={"seal": ""}))


def _seal_line(seal: str) -> bytes:
    """Return the line of the seal: one blank in front, which no line deeper in the document has."""
    return f'\n "seal": "{seal}"'.encode()
