from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD45", "keep": "above"},
    {"axis": "CD45", "keep": "below", "components": [2, 3]},
    {"axes": ["CD45", "CD271"], "pick": "largest", "components": [1, 3]},
    {"axes": ["CD45", "CD271"], "nearest": [0.6, 0.3]},
    {"axis": "CD45", "keep": "above", "shape": "t"},
    {"axes": ["CD45", "CD271"], "pick": "largest", "shape": "t"},
]
