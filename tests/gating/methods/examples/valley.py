from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "keep": "above"},
    {"axis": "CD45", "keep": "below", "search": [0.2, 0.6]},
    {"axis": "CD45", "keep": "above", "second": "shoulder"},
]
