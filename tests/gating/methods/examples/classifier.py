from __future__ import annotations

from typing import Any

from tests.gating.methods.classifiers import document

EXAMPLES: list[dict[str, Any]] = [
    {"model": "some.json", "trained": document().model_dump(mode="json")},
]
