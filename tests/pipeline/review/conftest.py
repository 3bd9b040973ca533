"""One finished run for all tests of the review; each works on a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.reviews import copied, finished_run


@pytest.fixture(scope="session")
def plain_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of two small tubes that nobody has reviewed."""
    return finished_run(tmp_path_factory.mktemp("plain"))


@pytest.fixture
def out(plain_run: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return copied(plain_run, tmp_path)
