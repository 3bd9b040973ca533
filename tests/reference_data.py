"""Where the real files and reference truths are, for tests that read them; such tests skip where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("STROMAGATE_REFERENCE_DATA", ROOT.parent / "shared" / "data"))

needs_reference_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"reference data not found at {DATA}")
