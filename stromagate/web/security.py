"""Who may talk to the review: this machine, this port, and whoever was given the address with its token.

A page of the web that a reader has open in another tab can send requests to 127.0.0.1 too. Against it stand the name of
the host (a foreign name that was pointed at this machine is refused), the origin of what changes anything, and a token
that only the opened address carries; it is traded for a cookie that no script reads and no other site sends.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_LARGEST_BODY = 4_000_000


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Door:
    """What is let in: the hosts by which this server is called, and the token of this session."""

    port: int
    token: str = field(repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """Values of ``Host`` that are this server's own."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost"))

    @property
    def origins(self) -> frozenset[str]:
        """Values of ``Origin`` that are this server's own pages."""
        return frozenset(f"http://{host}" for host in self.hosts)

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers do not tell ports apart, and two reviews may be open at once."""
        return f"stromagate_review_{self.port}"

    @property
    def address(self) -> str:
        """The address to open: it carries the token."""
        return f"http://127.0.0.1:{self.port}/?{urlencode({TOKEN: self.token})}"


class Guard:
    """Lets a request in or says why not, and puts the same strict headers on every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets
            return
        answer = self._refused(scope) or self._let_in(scope)
        await (answer or self.app)(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self.door.hosts:
            return _said(421, "review.host", "this server answers to 127.0.0.1 alone", scope)
        if scope["method"] in _CHANGING:
            if headers.get("origin", "") not in self.door.origins:
                return _said(403, "review.origin", "this was not asked for by a page of the review", scope)
            if headers.get("content-type", "").partition(";")[0] != "application/json":
                return _said(415, "review.type", "what changes something is sent as application/json", scope)
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > _LARGEST_BODY:
                return _said(413, "review.size", f"at most {_LARGEST_BODY:,} bytes can be sent at once", scope)
        return None

    def _let_in(self, scope: Scope) -> Response | None:
        """Return the refusal of a request without the session's token, or the trade of the token for the cookie."""
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        shown = asked.get(TOKEN, [""])[-1]
        if shown and self._is_token(shown) and scope["method"] == "GET":
            rest = urlencode([(key, value) for key, values in asked.items() if key != TOKEN for value in values])
            answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), status_code=303)
            answer.set_cookie(self.door.cookie, self.door.token, httponly=True, samesite="strict", path="/")
            return answer
        # Other programs of this machine leave cookies too, of whatever form; the standard library stops at the first.
        cookie = cookie_parser(Headers(scope=scope).get("cookie", "")).get(self.door.cookie)
        if cookie is not None and self._is_token(cookie):
            return None
        return _said(403, "review.token", "open the address that stromagate review printed: it carries a token", scope)

    def _is_token(self, said: str) -> bool:
        return hmac.compare_digest(said.encode(), self.door.token.encode())


def _said(status: int, code: str, message: str, scope: Scope) -> Response:
    """Return a refusal, for a program as JSON and for a person as text."""
    if scope["path"].endswith(".json") or scope["method"] in _CHANGING:
        error = {"code": code, "message": message, "where": None, "hint": None}
        return JSONResponse({"ok": False, "error": error}, status_code=status)
    return PlainTextResponse(f"{message}\n", status_code=status)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sent
