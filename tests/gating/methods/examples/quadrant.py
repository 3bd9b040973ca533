from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axes": ["CD45", "CD271"], "keep": ["above", "above"], "second_cut": {"rule": "tail"}},
    {
        "axes": ["CD45", "CD271"],
        "keep": ["below", "above"],
        "first_cut": {"rule": "tail", "mads": 6},
        "second_cut": {"rule": "control", "anchor": "singlets"},
        "second_on": "all",
    },
]
