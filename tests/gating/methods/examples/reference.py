from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "keep": "below", "population": "singlets", "at": "upper", "offset_widths": 1.5},
    {"axis": "CD45", "keep": "above", "population": "singlets", "offset_decades": -1},
]
