"""What was done in a review, line by line, as the page shows it."""

from __future__ import annotations

from typing import Any

from stromagate.pipeline.review.signoff import NOTE
from stromagate.web.review import Review


def audit_page(review: Review) -> dict[str, Any]:
    """Return the audit log, newest line first; where readers are blinded, only that it is kept."""
    entries = [] if review.blind else review.store.audit()
    lines = [entry.model_dump(mode="json", exclude={"after"}) for entry in reversed(entries)]
    return {"ok": True, "note": NOTE, "blind": review.blind, "entries": lines}
