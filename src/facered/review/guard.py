"""Who may look: one browser on this machine, that has the token, and asks by this machine's own name."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
AGAIN = b"<!doctype html><meta http-equiv=refresh content='0;url=/?again'><title>facered review</title>"
"""Where a browser was sent here from elsewhere, it keeps the cookie back; asked by its own page, it gives it."""


class Guard:
    """Lets only the one browser through that has the token, asking by this machine's own name.

    Parameters
    ----------
    app : ASGI application
    port : int
    token : str
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.cookie = f"facered-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope) if scope["type"] == "http" else Response("", 403)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                new = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given]
                message["headers"] = [*message["headers"], *new]
            await send(message)

        await (answer or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to who is not let through."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key = name.decode("latin-1").lower()
            if key in ("host", "origin", "cookie") and key in headers:
                return Response("twice the same header\n", 400)
            headers[key] = value.decode("latin-1")
        host = headers.get("host", "")
        if host not in self._hosts:
            return Response("another host\n", 403)
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return Response("another origin\n", 403)
        if scope["method"] not in ("GET", "HEAD") and "origin" not in headers:
            return Response("no origin\n", 403)
        if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") and scope["path"] != "/":
            return Response("asked from elsewhere\n", 403)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and "token" in query:
            if not self._is_token(query["token"][-1]):
                return Response("a wrong token\n", 403)
            cookie = f"{self.cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            return Response("", 303, {"location": "/", "set-cookie": cookie})
        if not any(self._is_token(value) for value in self._cookies(headers.get("cookie", ""))):
            if scope["path"] == "/" and scope["method"] == "GET" and scope["query_string"] == b"":
                return Response(AGAIN, 403, media_type="text/html")
            return Response("no token; take the address that facered review printed\n", 403)
        return None

    def _cookies(self, text: str) -> list[str]:
        pairs = (part.strip().partition("=") for part in text.split(";"))
        return [value for name, _, value in pairs if name == self.cookie]

    def _is_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode("utf-8", "replace"), self._token.encode())
