from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axes": ["FSC-A", "CD45"]},
    {"axes": ["CD45", "CD271"], "edges": ["lower", "upper"], "max_removed_frac": 0.02},
]
