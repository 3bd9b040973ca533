"""Golden files: what users read, kept as they read it.

Set ``STROMAGATE_UPDATE_GOLDEN=1`` to write them anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def matches_golden(name: str, text: str) -> None:
    """Compare with the golden file ``name``; a missing one is an error, not a pass."""
    path = FOLDER / name
    if os.environ.get("STROMAGATE_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
