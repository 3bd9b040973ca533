"""What holds for every test: property tests draw the same examples each time, and none is held to a clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
