from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "low": 0.3},
    {"axes": ["CD45"], "high": [0.55]},
    {"axes": ["CD45", "CD271"], "low": [0.1, None], "high": [0.5, 0.6], "inside": False},
    {"axis": "CD271", "low": 100, "high": 2000, "units": "linear"},
]
