"""One question without a server: the same answer that a browser would get."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from stromagate.web.app import make_app
from stromagate.web.review import Review
from stromagate.web.security import Door, new_token


def answer(review: Review, path: str) -> tuple[int, bytes]:
    """Return status and body of a page or of its ``.json`` twin.

    Parameters
    ----------
    review : Review
        The run.
    path : str
        Such as ``/grid.json?gate=msc``.
    """
    door = Door(1, new_token())
    asked = urlsplit(path if path.startswith("/") else f"/{path}")
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": asked.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:1"), (b"cookie", f"{door.cookie}={door.token}".encode())],
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 0),
    }
    status, body = 500, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    asyncio.run(make_app(review, door)(scope, receive, send))  # type: ignore[arg-type]
    return status, bytes(body)
