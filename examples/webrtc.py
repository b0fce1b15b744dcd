"""Redact a film on its way through WebRTC, here from one end to the other in one process.

    pip install aiortc
    python examples/webrtc.py in.mp4

Frames are redacted in a thread, so that the event loop goes on. `Redacted` can be added to any connection of aiortc.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError

import facered


class Redacted(MediaStreamTrack):
    """Another track's pictures, redacted."""

    kind = "video"

    def __init__(self, track: MediaStreamTrack, redactor: facered.Redactor) -> None:
        super().__init__()
        self._track, self._redactor = track, redactor

    async def recv(self) -> av.VideoFrame:
        """Return the next frame; with a lookahead of 0 it is the one that came."""
        frame = await self._track.recv()
        (clean,) = await asyncio.to_thread(self._redactor.process, frame)
        return clean


async def connect(sender: RTCPeerConnection, receiver: RTCPeerConnection) -> None:
    """Have two ends call each other; where they are apart, a server passes the descriptions on."""
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(receiver.localDescription)


async def send(source: str, seen: Callable[[av.VideoFrame], None]) -> int:
    """Send a film in real time; have the frames seen that come out, and return how many there were."""
    redactor = await asyncio.to_thread(facered.Redactor, detect="async", on_overload="hide")
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    player, over, frames = MediaPlayer(source), asyncio.Event(), 0
    watching = []

    async def watch(track: MediaStreamTrack) -> None:
        nonlocal frames
        try:
            while True:
                seen(await track.recv())
                frames += 1
        except MediaStreamError:
            over.set()

    @receiver.on("track")
    def begin(track: MediaStreamTrack) -> None:
        watching.append(asyncio.ensure_future(watch(track)))

    track = Redacted(player.video, redactor)
    sender.addTrack(track)
    await connect(sender, receiver)
    while player.video.readyState == "live":
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)  # what is on the way
    await sender.close()
    await receiver.close()
    await asyncio.wait_for(over.wait(), 5)
    redactor.close()
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    print(asyncio.run(send(parser.parse_args().source, lambda _: None)), "frames came through")
