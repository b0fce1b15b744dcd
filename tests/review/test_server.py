"""Who may look: what is served is bare faces."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from facered.review.desk import Desk
from facered.review.guard import AGAIN
from facered.review.server import PAGE, ReviewServer
from reviewed import annotate, make_film

Answer = tuple[int, dict[str, str], bytes]


class Client:
    """Asks the server, with the cookie unless told otherwise."""

    def __init__(self, server: ReviewServer) -> None:
        self.port = int(server.address.split(":")[2].split("/")[0])
        self.token = server.address.partition("token=")[2]
        self.host = f"127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: object = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        sent: dict[str, str | None] = {"Host": self.host, "Cookie": f"facered-{self.port}={self.token}"}
        if method == "POST":
            sent |= {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True)
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        content = response.read()
        connection.close()
        return response.status, found, content

    def do(self, **wish: object) -> Any:
        status, _, body = self.ask("/api/do", "POST", wish)
        return status, json.loads(body)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    film = make_film(folder)
    annotate(film)
    desk = Desk(film, folder, {})
    desk.begin()
    server = ReviewServer(desk)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Client(server)
    server.stop()
    thread.join()
    desk.close()


def test_the_token_becomes_a_cookie(client: Client) -> None:
    status, headers, body = client.ask(f"/?token={client.token}", Cookie=None)
    assert (status, headers["location"], body) == (303, "/", b"")
    assert headers["set-cookie"] == f"facered-{client.port}={client.token}; Path=/; HttpOnly; SameSite=Strict"
    status, headers, body = client.ask("/")
    assert status == 200
    assert b"<title>facered review</title>" in body
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


API = ["state", "status", "boxes?first=0&last=3", "times"]
PICTURES = ["frame/3.jpg", "thumb/1.jpg", "portrait/1/3.jpg", "sound.webm"]
PATHS = [*(f"/api/{name}" for name in API), *(f"/{name}" for name in (*PICTURES, *PAGE))]
REFUSED: dict[str, dict[str, str | None]] = {
    "no token": {"Cookie": None},
    "a wrong one": {"Cookie": "facered-{port}=AAAA"},
    "another port's": {"Cookie": "facered-1={token}"},
    "a foreign origin": {"Origin": "http://evil.example"},
    "another scheme": {"Origin": "https://127.0.0.1:{port}"},
    "the origin of a file": {"Origin": "null"},
    "another host": {"Host": "evil.example:{port}"},
    "another port": {"Host": "127.0.0.1:1"},
    "no host": {"Host": ""},
    "asked by another site": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", REFUSED)
def test_nobody_else_sees_anything(client: Client, path: str, kind: str) -> None:
    headers = {
        name: value and value.format(port=client.port, token=client.token) for name, value in REFUSED[kind].items()
    }
    if path == "/" and kind == "asked by another site":  # by a link: the page alone tells nothing
        return
    status, _, body = client.ask(path, **headers)
    assert status in (400, 403)
    assert len(body) < 200
    assert client.token.encode() not in body


@pytest.mark.parametrize("kind", [*REFUSED, "no origin"])
def test_nobody_else_does_anything(client: Client, kind: str) -> None:
    headers = {"Origin": None} if kind == "no origin" else REFUSED[kind]
    told = {name: value and value.format(port=client.port, token=client.token) for name, value in headers.items()}
    before = json.loads(client.ask("/api/status")[2])["revision"]
    assert client.ask("/api/do", "POST", {"do": "show", "ids": [1]}, **told)[0] in (400, 403)
    assert json.loads(client.ask("/api/status")[2])["revision"] == before


def test_a_browser_that_comes_from_elsewhere_asks_again_by_itself(client: Client) -> None:
    status, _, body = client.ask("/", Cookie=None)
    assert (status, body) == (403, AGAIN)
    assert client.ask("/?again", Cookie=None)[2].startswith(b"no token")
    assert client.ask("/?token=AAAA", Cookie=None)[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/history.py",
        "/page/index.html",
        "/foo.mp4",
        "/frame/..%2f..%2f1.jpg",
        "//etc/passwd",
    ],
)
def test_a_path_outside_is_not_there(client: Client, path: str) -> None:
    assert client.ask(path)[0] == 404


def test_what_cannot_be_done_is_told(client: Client) -> None:
    assert client.do(do="hide", ids=[77]) == (409, {"error": "there is no id 77 any more; reload"})
    assert client.do(do="dance")[0] == 400
    assert client.do(do="hide", ids=[])[0] == 400
    assert client.do(do="move", id=1, frame=3, box=[0, 0, 0, 1])[0] == 400
    assert client.do(do="draw", id=5, frame=1, first=1, boxes=[[0, 0, 1, 1]])[0] == 400  # the server follows by itself
    assert client.ask("/api/do", "POST", b"{")[0] == 400
    assert client.ask("/api/do", "POST", b"x" * 2_000_000)[0] == 413
    assert client.ask("/api/do", "POST", {"do": "undo"}, Content_Type="text/plain")[0] == 415
    assert client.ask("/api/do")[0] == 405
    assert client.ask("/frame/99999.jpg")[0] == 409
    assert client.ask("/frame/1.jpg?view=naked")[0] == 409
    assert client.ask("/thumb/99.jpg")[0] == 409


def test_gestures_come_back_with_what_they_made(client: Client) -> None:
    status, answer = client.do(do="split", id=1, at=40)
    assert (status, answer["made"]) == (200, 4)
    state = json.loads(client.ask("/api/state")[2])
    assert [person["id"] for person in state["people"]] == [1, 2, 3, 4]
    assert state["undo"]
    client.do(do="undo")
    boxes = json.loads(client.ask("/api/boxes?first=48&last=51")[2])["boxes"]
    assert [[one[0] for one in frame] for frame in boxes] == [[1, 2, 3], [1, 2, 3], [1, 2], [1, 2]]


def test_sound_is_served_in_parts(client: Client) -> None:
    status, _, whole = client.ask("/sound.webm")
    assert status == 200
    assert len(whole) > 5000
    status, headers, piece = client.ask("/sound.webm", Range="bytes=100-199")
    assert (status, headers["content-range"], piece) == (206, f"bytes 100-199/{len(whole)}", whole[100:200])
    assert client.ask("/sound.webm", Range=f"bytes={len(whole)}-")[0] == 416
