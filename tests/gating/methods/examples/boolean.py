from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [{"operation": "none", "of": ["singlets"]}]
