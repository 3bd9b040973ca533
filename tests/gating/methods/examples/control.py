from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD271", "keep": "above", "anchor": "singlets"},
    {"axis": "CD271", "keep": "below", "anchor": "singlets", "max_false": 20, "target": "singlets"},
    {"axis": "CD271", "keep": "above", "control": "unstained", "anchor": "singlets", "min_events": 100},
    {"axis": "CD271", "keep": "above", "anchor": "singlets", "match": False, "max_false": 1000},
]
