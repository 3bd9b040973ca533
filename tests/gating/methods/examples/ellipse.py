from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axes": ["CD45", "CD271"], "mean": [0.4, 0.3], "covariance": [[0.02, 0.001], [0.001, 0.03]], "distance": 2}
]
