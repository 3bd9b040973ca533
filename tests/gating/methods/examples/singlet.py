from __future__ import annotations

from typing import Any

EXAMPLES: list[dict[str, Any]] = [{}, {"axes": ["FSC-A", "FSC-H"], "mads": 3}]
