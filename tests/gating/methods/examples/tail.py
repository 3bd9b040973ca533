from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "keep": "above"},
    {"axis": "CD45", "keep": "below", "side": "below", "negative": "highest", "false_per_million": 20},
    {"axis": "CD45", "keep": "above", "second": "shoulder"},
]
