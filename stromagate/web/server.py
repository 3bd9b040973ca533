"""The program that listens: on this machine alone, on a port that is free, until it is stopped."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from stromagate.errors import UsageError
from stromagate.web.app import make_app
from stromagate.web.review import Review
from stromagate.web.security import Door, new_token

HOST = "127.0.0.1"


def bound(port: int) -> socket.socket:
    """Return a socket of this machine on a port; 0 takes one that is free.

    Raises
    ------
    UsageError
        The port is taken, or may not be used.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere this would let a second program take the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()  # a browser that is quicker than the server waits, and is not refused
    except OSError as cause:
        listening.close()
        raise UsageError(
            "review.port", f"port {port} cannot be used: {cause.strerror}", hint="leave --port out to take a free one"
        ) from cause
    return listening


def serve(review: Review, port: int, ready: Callable[[str], None]) -> None:
    """Serve the review until it is stopped (ctrl+c).

    Parameters
    ----------
    review : Review
        The run.
    port : int
        0 takes one that is free.
    ready : callable
        Told the address to open, which carries the session's token.
    """
    import uvicorn

    listening = bound(port)
    door = Door(int(listening.getsockname()[1]), new_token())
    config = uvicorn.Config(
        make_app(review, door),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        ws="none",
    )
    ready(door.address)
    uvicorn.Server(config).run(sockets=[listening])
