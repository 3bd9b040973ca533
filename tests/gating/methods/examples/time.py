from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [{}, {"signals": ["CD45"], "bins": 40}]
