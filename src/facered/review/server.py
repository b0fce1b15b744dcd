"""The page's server: bare faces are shown here, so to one browser on this machine, that has the token, and no other."""

from __future__ import annotations

import secrets
import socket
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from facered.errors import ConfigurationUnsupportedError, FaceredError
from facered.review.gestures import Box, Delete, Erase, FrameNumber, Hide, Id, Ids, Merge, Move, Note
from facered.review.guard import Guard
from facered.review.rendering import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from facered.review.desk import Desk
    from facered.review.review import Review

PAGE = {
    "": ("index.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    **{name: (name, "text/javascript; charset=utf-8") for name in (
        "main.js", "server.js", "player.js", "people.js", "timeline.js", "keys.js"
    )},
}  # fmt: skip
"""All that is served of the page."""
MAX_BODY = 1 << 20
MAX_FRAMES = 2000
"""Frames whose boxes are told at a time."""


class _Split(msgspec.Struct, tag="split", tag_field="do", forbid_unknown_fields=True):
    id: Id
    at: FrameNumber


class _Show(msgspec.Struct, tag="show", tag_field="do", forbid_unknown_fields=True):
    ids: Ids
    reason: Note = ""
    by: Note = ""


class _Explain(msgspec.Struct, tag="explain", tag_field="do", forbid_unknown_fields=True):
    id: Id
    reason: Note
    by: Note = ""


class _Track(msgspec.Struct, tag="track", tag_field="do", forbid_unknown_fields=True):
    frame: FrameNumber
    box: Box


class _Undo(msgspec.Struct, tag="undo", tag_field="do", forbid_unknown_fields=True):
    pass


class _Redo(msgspec.Struct, tag="redo", tag_field="do", forbid_unknown_fields=True):
    pass


class _Save(msgspec.Struct, tag="save", tag_field="do", forbid_unknown_fields=True):
    pass


class _Redact(msgspec.Struct, tag="redact", tag_field="do", forbid_unknown_fields=True):
    pass


_Wish = Hide | Merge | Delete | Erase | Move | _Explain | _Show | _Split | _Track | _Undo | _Redo | _Save | _Redact
_DECODER = msgspec.json.Decoder(_Wish)


class _Pages:
    """What the page asks for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return what is answered."""
        page = [Route(f"/{name}", self._file) for name in PAGE]
        return [
            *page,
            Route("/api/status", self._answer(self._status)),
            Route("/api/state", self._answer(self._state)),
            Route("/api/boxes", self._answer(self._boxes)),
            Route("/api/times", self._times),
            Route("/api/do", self._do, methods=["POST"]),
            Route("/frame/{number:int}.jpg", self._frame),
            Route("/portrait/{one:int}/{number:int}.jpg", self._portrait),
            Route("/thumb/{one:int}.jpg", self._thumb),
            Route("/sound.webm", self._sound),
        ]

    def _file(self, request: Request) -> Response:
        name, kind = PAGE[request.url.path.removeprefix("/")]
        return Response(files("facered.review").joinpath("page", name).read_bytes(), media_type=kind)

    def _answer(self, make: Callable[[Request], object]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                return _json(make(request))
            except (FaceredError, ValueError) as error:
                return _json({"error": str(error)}, 409)

        return answer

    @property
    def _review(self) -> Review:
        review = self._desk.review
        if review is None:
            raise ConfigurationUnsupportedError("the film is still being analyzed")
        return review

    def _status(self, _: Request) -> dict[str, object]:
        desk, review = self._desk, self._desk.review
        status: dict[str, object] = {"name": desk.video.name, "ready": review is not None, "trouble": desk.trouble}
        if review is not None:
            status |= {"revision": review.revision, "saved": review.saved}
        if desk.work is not None:
            work = desk.work
            keys = ("name", "done", "total", "finished", "error", "result")
            status["work"] = {key: getattr(work, key) for key in keys}
        return status

    def _state(self, _: Request) -> dict[str, object]:
        review = self._review
        width, height = review.size
        return {
            "revision": review.revision,
            "message": review.message,
            "film": {
                "name": review.video.name, "frames": review.frames, "fps": review.fps, "width": width, "height": height
            },
            "people": [_told(person) for person in review.people],
            "cuts": review.cuts,
            "places": review.places(),
            "suggestions": review.suggestions(),
            "undo": review.can_undo,
            "redo": review.can_redo,
        }  # fmt: skip

    def _boxes(self, request: Request) -> dict[str, object]:
        review = self._review
        first = max(int(request.query_params["first"]), 0)
        last = min(int(request.query_params["last"]), review.frames - 1, first + MAX_FRAMES)
        found = [
            [[one, *box] for one, boxes in review.boxes(number).items() for box in boxes.round(5).tolist()]
            for number in range(first, last + 1)
        ]
        return {"revision": review.revision, "first": first, "boxes": found}

    def _times(self, _: Request) -> Response:
        try:
            times = self._review.times.astype("<f4").tobytes()
        except FaceredError as error:
            return _json({"error": str(error)}, 409)
        return Response(times, media_type="application/octet-stream")

    async def _do(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        if request.headers.get("content-type") != "application/json":
            return _json({"error": "what is to be done comes as application/json"}, 415)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                return _json({"error": "too much"}, 413)
        try:
            wish = _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            return _json({"error": f"no gesture ({error})"}, 400)
        try:
            return _json(await run_in_threadpool(self._carry_out, wish))
        except FaceredError as error:
            return _json({"error": str(error)}, 409)

    def _carry_out(self, wish: Any) -> dict[str, object]:
        review, made = self._review, None
        match wish:
            case _Undo():
                review.undo()
            case _Redo():
                review.redo()
            case _Save():
                review.save()
            case _Redact():
                self._desk.redact()
            case _Show(ids, reason, by):
                review.show(*ids, reason=reason, by=by)
            case _Explain(one, reason, by):
                review.explain(one, reason, by)
            case _Split(one, at):
                made = review.split(one, at)
            case _Track(frame, box):
                made = review.track(frame, box)
            case _:
                review.do(wish)
        return {"revision": review.revision, "made": made}

    def _frame(self, request: Request) -> Response:
        try:
            kind = View(request.query_params.get("view", View.SOURCE.value))
            width = int(request.query_params["width"]) if "width" in request.query_params else None
            return _jpeg(self._review.jpeg(request.path_params["number"], kind, width and max(width, 16)))
        except (FaceredError, ValueError) as error:
            return _json({"error": str(error)}, 409)

    def _portrait(self, request: Request) -> Response:
        try:
            return _jpeg(self._review.portrait(request.path_params["one"], request.path_params["number"]))
        except FaceredError as error:
            return _json({"error": str(error)}, 409)

    def _thumb(self, request: Request) -> Response:
        one = request.path_params["one"]
        try:
            return _jpeg(self._review.thumbnail(one))
        except FaceredError as error:
            return _json({"error": str(error)}, 409)

    def _sound(self, request: Request) -> Response:
        sound = self._desk.sound()
        if sound is None:
            return Response("", 204)
        return _part(sound, request.headers.get("range", ""))


def _part(content: bytes, wanted: str) -> Response:
    """Return what a browser asks for of something long."""
    headers = {"accept-ranges": "bytes"}
    kind, _, span = wanted.partition("=")
    first, _, last = span.partition("-")
    if kind != "bytes" or not first.isdigit() or "," in span:
        return Response(content, 200, headers, "audio/webm")
    begin, end = int(first), min(int(last) if last.isdigit() else len(content) - 1, len(content) - 1)
    if begin > end:
        return Response("", 416, {"content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {begin}-{end}/{len(content)}"
    return Response(content[begin : end + 1], 206, headers, "audio/webm")


def _told(person: Any) -> dict[str, object]:
    return {
        "id": person.id,
        "kind": person.kind,
        "hidden": person.hidden,
        "spans": person.spans,
        "doubtful": person.doubtful,
        "frames": person.frames,
        "score": None if np.isnan(person.score) else round(person.score, 2),
        "reason": person.reason,
        "by": person.by,
        "byHand": person.by_hand,
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg")


class ReviewServer:
    """Serves a desk on the loopback address until it is told to stop.

    Parameters
    ----------
    desk : Desk
    port : int
        0 takes any.

    Attributes
    ----------
    address : str
        The page's, with the token.

    Raises
    ------
    ConfigurationUnsupportedError
        The port is taken.
    """

    def __init__(self, desk: Desk, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen()  # whoever calls at once waits
        except OSError as error:
            self._socket.close()
            raise ConfigurationUnsupportedError(
                f"port {port} cannot be taken ({error.strerror}); choose another --port, or none"
            ) from None
        port = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(32)
        self.address = f"http://127.0.0.1:{port}/?token={token}"
        app = Guard(Starlette(routes=_Pages(desk).routes()), port, token)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=2, ws="none"
            )
        )

    def run(self) -> None:
        """Serve until `stop`; in any thread."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Have `run` end soon."""
        self._server.should_exit = True
