from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [
    {"axis": "CD271", "keep": "above", "boundary": "msc", "negative": "singlets", "positive": "bright"},
]
