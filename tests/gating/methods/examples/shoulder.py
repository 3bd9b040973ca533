from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "keep": "above"},
    {"axis": "CD45", "keep": "below", "side": "below", "negative": "highest", "from_mads": 3},
]
