"""The addresses of the review, and what answers each: every page has a twin that ends in ``.json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from stromagate.errors import StromagateError, UsageError
from stromagate.pipeline.bundle import first_fault
from stromagate.web import changes, grid, sample
from stromagate.web.audit import audit_page
from stromagate.web.review import Review
from stromagate.web.security import Door, Guard

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
_STATUS = {
    "review.conflict": 409,
    "review.signed": 409,
    "review.busy": 409,
    "review.no_tube": 404,
    "review.gate": 404,
}

Answer = Callable[[Request], Any]


def make_app(review: Review, door: Door) -> ASGIApp:
    """Return the review of a run as an ASGI application."""

    def given(request: Request) -> dict[str, str]:
        return dict(request.query_params)

    def tube(request: Request) -> str:
        return str(request.path_params["tube"])

    reads: dict[str, Answer] = {
        **dict.fromkeys(("/index.json", "/grid.json"), lambda request: grid.grid(review, given(request))),
        "/samples/{tube}.json": lambda request: sample.sample(review, tube(request)),
        "/rerun.json": lambda request: {"ok": True, **_progress(review)},
        "/audit.json": lambda request: audit_page(review),
    }
    writes: dict[str, Callable[[Request, dict[str, Any]], Any]] = {
        "/samples/{tube}/preview.json": lambda request, asked: sample.preview(review, tube(request), asked),
        "/samples/{tube}/view.json": lambda request, asked: sample.view(review, tube(request), given(request), asked),
        "/samples/{tube}/draft.json": lambda request, asked: changes.keep_draft(review, tube(request), asked),
        "/samples/{tube}/edits.json": lambda request, asked: changes.save(review, tube(request), asked),
        "/samples/{tube}/sign.json": lambda request, asked: changes.sign(review, tube(request), asked),
        "/samples/{tube}/unsign.json": lambda request, asked: changes.unsign(review, tube(request), asked),
        "/apply.json": lambda request, asked: changes.give(review, asked),
        "/rerun.json": lambda request, asked: changes.run_anew(review),
    }
    pages = {"/": "grid.html", "/samples/{tube}": "sample.html", "/audit": "audit.html"}
    routes = [
        *(Route(path, _read(review, answer)) for path, answer in reads.items()),
        *(Route(path, _write(review, answer), methods=["POST"]) for path, answer in writes.items()),
        *(Route(path, _page(name)) for path, name in pages.items()),
        Route("/static/{name}", _static),
    ]
    return Guard(Starlette(routes=routes), door)


def _read(review: Review, answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, review, lambda: answer(request))

    return endpoint


def _write(review: Review, answer: Callable[[Request, dict[str, Any]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, review, lambda: answer(request, _asked(body)))

    return endpoint


def _progress(review: Review) -> dict[str, Any]:
    now = asdict(review.jobs.progress)
    error = {key: value and review.unnamed(value) for key, value in (now["error"] or {}).items()}
    return {**now, "told": review.unnamed(now["told"]), "error": error or None}


def _asked(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
        if b"\\u" in body:  # half of a surrogate pair is no text: it could be neither kept nor answered
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as cause:
        raise UsageError("review.asked", "what was sent is no JSON", hint="load the page again") from cause
    if not isinstance(value, dict):
        raise UsageError("review.asked", "what was sent is no object", hint="load the page again")
    return value


def _answered(review: Review, made: Callable[[], Any]) -> Response:
    """Return an answer as JSON; what was refused with its reason, and a fault of ours as what it is."""
    try:
        return JSONResponse(made())
    except StromagateError as error:
        status = _STATUS.get(error.code, 400)
        return JSONResponse({"ok": False, "error": review.refusal(error)}, status_code=status)
    except ValidationError as cause:  # such as a name that no population can have
        refused = UsageError("review.asked", f"this cannot be kept: {first_fault(cause)}", hint="load the page again")
        return JSONResponse({"ok": False, "error": refused.as_json()}, status_code=400)


def _page(name: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return _file(name)

    return endpoint


async def _static(request: Request) -> Response:
    return _file(str(request.path_params["name"]))


def _file(name: str) -> Response:
    """Return a file of the folder ``static``, and no other."""
    there = {each.name: each for each in (files("stromagate.web") / "static").iterdir()}
    kind = next((kind for suffix, kind in _TYPES.items() if name.endswith(suffix)), "")
    if name not in there or not kind:
        return JSONResponse({"ok": False, "error": {"code": "review.no_page", "message": "no such page"}}, 404)
    return Response(there[name].read_bytes(), media_type=kind)
