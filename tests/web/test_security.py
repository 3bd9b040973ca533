"""Who is let into the review: this machine, this port, this session, and no other page of the browser."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from stromagate.web.security import Door, Guard, new_token
from tests.web.client import Client

DOOR = Door(4321, "the-token-of-this-session")


def _app() -> Guard:
    async def page(request: object) -> PlainTextResponse:
        return PlainTextResponse("let in")

    async def change(request: object) -> JSONResponse:
        return JSONResponse({"ok": True})

    routes = [Route("/", page), Route("/x.json", change, methods=["GET", "POST"])]
    return Guard(Starlette(routes=routes), DOOR)


@pytest.fixture
def client() -> Client:
    return Client(_app(), DOOR)


def test_the_opened_page_is_let_in_with_strict_headers(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status, answer.body) == (200, b"let in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_token_is_traded_for_a_cookie_that_no_script_reads_and_no_other_site_sends(client: Client) -> None:
    answer = client.get(f"/?token={DOOR.token}&gate=msc", {"cookie": None})
    assert (answer.status, answer.headers["location"]) == (303, "/?gate=msc")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert DOOR.address == f"http://127.0.0.1:4321/?token={DOOR.token}"
    assert DOOR.token not in repr(DOOR)
    assert len(new_token()) >= 43
    assert new_token() != new_token()


@pytest.mark.parametrize(
    "headers",
    [{"cookie": None}, {"cookie": "stromagate_review_4321=wrong"}, {"cookie": "stromagate_review_1=" + DOOR.token}],
)
def test_without_the_token_nothing_is_shown(client: Client, headers: dict[str, str | None]) -> None:
    assert client.get("/", headers).status == 403
    refused = client.get("/x.json", headers)
    assert (refused.status, refused.json["ok"], refused.json["error"]["code"]) == (403, False, "review.token")
    assert client.get("/?token=wrong", headers).status == 403


@pytest.mark.parametrize("other", ["app/x:y=1", 'prefs={"a": 1}', "no name", "="])
def test_a_cookie_of_another_program_on_this_machine_locks_nobody_out(client: Client, other: str) -> None:
    own = f"{DOOR.cookie}={DOOR.token}"
    assert client.get("/x.json", {"cookie": f"{other}; {own}"}).status == 200
    assert client.get("/x.json", {"cookie": f"{own}; {other}"}).status == 200
    assert client.get("/x.json", {"cookie": other}).status == 403


@pytest.mark.parametrize("host", ["evil.example:4321", "127.0.0.1:80", "127.0.0.1", "localhost", "", "[::1]:4321"])
def test_a_foreign_name_for_this_machine_is_refused(client: Client, host: str) -> None:
    assert client.get("/x.json", {"host": host}).json["error"]["code"] == "review.host"
    assert client.post("/x.json", {}, {"host": host}).status == 421


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:80", "https://127.0.0.1:4321"]
)
def test_nothing_is_changed_for_another_page(client: Client, origin: str | None) -> None:
    refused = client.post("/x.json", {}, {"origin": origin})
    assert (refused.status, refused.json["error"]["code"]) == (403, "review.origin")
    assert client.post("/x.json", {}).status == 200
    assert client.post("/x.json", {}, {"origin": "http://localhost:4321", "host": "localhost:4321"}).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; x"])
def test_a_form_of_another_page_cannot_be_sent(client: Client, kind: str) -> None:
    assert client.post("/x.json", {}, {"content-type": kind}).json["error"]["code"] == "review.type"


@pytest.mark.parametrize("length", ["4000001", "-1", "x", None])
def test_what_is_sent_has_a_length_and_a_limit(client: Client, length: str | None) -> None:
    assert client.post("/x.json", {}, {"content-length": length}).status == 413
