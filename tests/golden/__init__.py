"""Golden files: what users read, kept as they read it.

Set ``STROMAGATE_UPDATE_GOLDEN=1`` to write them anew, then look at the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def matches_golden(name: str, content: str | bytes) -> None:
    """Compare with the golden file ``name``, byte for byte; a missing one is an error, not a pass."""
    path, found = FOLDER / name, content.encode() if isinstance(content, str) else content
    if os.environ.get("STROMAGATE_UPDATE_GOLDEN") == "1":
        path.write_bytes(found)
    # As text, so that pytest shows the lines that differ.
    assert found.decode() == path.read_bytes().decode()
