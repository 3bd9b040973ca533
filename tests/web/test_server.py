"""The port of a review: open before its address is told, free again once the review has ended, never shared."""

from __future__ import annotations

import os
import socket

import pytest

from stromagate.errors import UsageError
from stromagate.web.server import HOST, bound


def test_a_browser_that_is_quicker_than_the_server_is_not_refused() -> None:
    with bound(0) as listening, socket.create_connection(listening.getsockname(), timeout=5):
        pass


def test_a_port_in_use_is_refused_with_what_to_do() -> None:
    with bound(0) as listening, pytest.raises(UsageError, match="cannot be used") as refused:
        bound(listening.getsockname()[1])
    assert "--port" in (refused.value.hint or "")


@pytest.mark.skipif(os.name != "posix", reason="other systems let a second program take such a port")
def test_the_port_of_a_review_that_was_ended_can_be_taken_again_at_once() -> None:
    with bound(0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection((HOST, port), timeout=5) as window:
            answering, _ = listening.accept()
            answering.close()  # the server goes first, as on ctrl+c: the system keeps the port for a minute
            assert window.recv(1) == b""
    with bound(port) as again:
        assert again.getsockname()[1] == port
