from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axes": ["CD45", "CD271"], "pick": [{"axis": "CD45", "which": "brightest"}]},
    {
        "axes": ["CD45", "CD271"],
        "pick": [{"axis": "CD45", "which": "dim"}, {"which": "largest"}],
        "freedom": "estimated",
    },
    {"axes": ["CD45", "CD271", "FSC-A"], "nearest": [0.6, 0.3, 80_000], "shape": "normal", "clusters": 2},
]
