from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axes": ["CD45", "CD271"], "vertices": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]},
    {"axes": ["FSC-A", "CD271"], "vertices": [[10, 10], [90000, 10], [500, 900]], "units": "linear"},
]
