"""Requests to an ASGI application in this process: no socket, and any header one likes, a forged one too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stromagate.web.security import Door


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A browser that has been let in: it sends the cookie, and its own page's origin with what changes something."""

    def __init__(self, app: Any, door: Door) -> None:
        self.app, self.door = app, door

    def get(self, path: str, headers: Mapping[str, str | None] | None = None) -> Answer:
        return self._ask("GET", path, b"", headers or {})

    def post(self, path: str, body: Any, headers: Mapping[str, str | None] | None = None) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = {
            "origin": f"http://127.0.0.1:{self.door.port}",
            "content-type": "application/json",
            "content-length": str(len(data)),
        }
        return self._ask("POST", path, data, {**usual, **(headers or {})})

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str | None]) -> Answer:
        asked = urlsplit(path)
        usual = {"host": f"127.0.0.1:{self.door.port}", "cookie": f"{self.door.cookie}={self.door.token}"}
        sent = {name: value for name, value in {**usual, **headers}.items() if value is not None}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": asked.path,
            "raw_path": asked.path.encode(),
            "query_string": asked.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "server": ("127.0.0.1", self.door.port),
            "client": ("127.0.0.1", 1),
        }
        started: dict[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                parts.append(message.get("body", b""))

        asyncio.run(self.app(scope, receive, send))
        found = {name.decode().lower(): value.decode() for name, value in started["headers"]}
        return Answer(started["status"], found, b"".join(parts))
