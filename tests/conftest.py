"""What holds for every test: property tests draw the same examples each time, and none is held to a clock."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from tests.sample_run import SampleRun, once_for_all

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a shell a process is deaf to Ctrl-C, and so are those that it starts to be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """The demonstration, run once for every test that looks at it, whichever worker it runs in."""
    return once_for_all(tmp_path_factory.getbasetemp())
