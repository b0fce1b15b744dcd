"""What may be shown of addresses."""

from __future__ import annotations

import pytest

from facered.video.address import shown_address

SHOWN = [
    ("rtsp://me:hunter2@cam:554/stream", "rtsp://***@cam:554/stream"),
    ("rtsp://me:p@ss@cam/stream", "rtsp://***@cam/stream"),
    ("http://cam/live.m3u8?token=hunter2&timeout=5", "http://cam/live.m3u8?token=***&timeout=5"),
    ("http://cam/a#token=hunter2", "http://cam/a"),
    ("http://cam/a?hunter2", "http://cam/a?***"),
    (
        "srt://cam:9000?passphrase=hunter2&mode=caller&streamid=me",
        "srt://cam:9000?passphrase=***&mode=caller&streamid=***",
    ),
    ("rtmp://server/live/hunter2", "rtmp://server/live/***"),
    ("rtmps://me:x@server:443/live/hunter2?key=hunter2", "rtmps://***@server:443/live/***?key=***"),
    ("rtmp://server/live", "rtmp://server/live"),
    ("udp://127.0.0.1:5000?pkt_size=1316", "udp://127.0.0.1:5000?pkt_size=1316"),
    ("tcp://127.0.0.1:5000?listen=1", "tcp://127.0.0.1:5000?listen=1"),
    ("me@home?x=1.mp4", "me@home?x=1.mp4"),
    ("file:///films/me@home?x=1.mp4", "file:///films/me@home?x=1.mp4"),
]


@pytest.mark.parametrize(("address", "shown"), SHOWN)
def test_who_calls_and_with_which_key_is_not_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown
