"""A feed on one side, a sink on the other, a `Redactor` between."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from facered.errors import ConfigurationUnsupportedError, ServiceError
from facered.runtime.profiling import timed
from facered.runtime.stages import Stage
from facered.video.input.stream import Event, Feed
from facered.video.picture import VideoFrame

if TYPE_CHECKING:
    from facered.live.face import Face, Stats
    from facered.live.redactor import Redactor
    from facered.video.input.decode import Packet, Stream
    from facered.video.input.source import Source
    from facered.video.output.raw import Sink

logger = logging.getLogger(__name__)

REPORT_SECONDS = 10.0
"""How often it is told how a live stream fares; by hand."""
MAX_ALONE = 2000
"""Packets that may come without a picture before they wait for none any more; by hand. More: memory, where sound goes
on without pictures. Fewer: sound is lost that comes long before the first one."""


class Pipe:
    """Redacts what a source sends until it ends.

    Parameters
    ----------
    source : Source
    redactor : Redactor
    make_sink : callable
        Returns the sink for a feed whose first frame has come; again where pictures of another size are passed on.
    """

    def __init__(self, source: Source, redactor: Redactor, make_sink: Callable[[Feed], Sink]) -> None:
        self._feed = Feed(source)
        self._redactor, self._make_sink = redactor, make_sink
        self._sink: Sink | None = None
        self._order: deque[Packet[Stream] | VideoFrame] = deque()
        self._failing = False
        self._alone = 0  # packets since the last picture
        self._written = self._missed = 0
        self._restarts = source.restarts
        self._report = Report(source.name) if source.live else None

    @property
    def frames(self) -> int:
        """How many frames were written."""
        return self._written - self._missed - (self._sink.missed if self._sink is not None else 0)

    def cancel(self) -> None:
        """Have `run` end soon, with all that has come until then."""
        self._feed.stop()

    def run(self) -> None:
        """Work until the source ends; where the redactor fails, frames go on coming, hidden whole.

        Raises
        ------
        FaceredError
            The source or the sink fails.
        ConnectionError
            Nobody takes the frames any more.
        """
        try:
            for item in self._feed.items():
                self._take(item)
            self._flush()
        except ConnectionError:
            raise
        except BaseException:
            if self._sink is not None:
                with closing(self._sink):
                    self._flush()
            raise
        finally:
            self._feed.stop()
        if self._sink is not None:
            self._sink.close()

    def _take(self, item: object) -> None:
        if item is Event.RESIZED:
            self._flush()  # nobody is where they were
            if self._restarts:
                self._restart()
        elif item is Event.LOST:
            self._flush()
            if self._sink is None:  # what came without any picture belongs to streams that are gone
                self._order.clear()
        elif isinstance(item, VideoFrame):
            if self._sink is None:
                self._sink = self._make_sink(self._feed)
            self._order.append(item)
            self._alone = 0
            with timed(Stage.REDACT):
                ready = self._ready(partial(self._redactor.process, item))
            self._write(ready)
            if self._report is not None:
                self._report.note(self._redactor.stats)
        else:
            self._order.append(item)  # type: ignore[arg-type]  # a packet
            self._write([])
            self._alone += 1
            if self._alone > MAX_ALONE:
                self._make_room()

    def _restart(self) -> None:
        """End what is written; what comes has another size."""
        if self._sink is not None:
            self._sink.close()
            self._missed += self._sink.missed
            self._sink = None

    def _make_room(self) -> None:
        """Have packets wait no longer: no more pictures come, or none has come yet."""
        if self._sink is not None:
            self._flush()
        else:
            self._order.popleft()

    def _flush(self) -> None:
        """Write all frames that wait in the redactor."""
        ready = self._ready(self._redactor.flush)
        self._write(self._redactor.flush() if self._failing else ready)

    def _ready(self, call: Callable[[], Sequence[VideoFrame]]) -> Sequence[VideoFrame]:
        """Return the frames that are ready; none where something failed, whose frame the redactor keeps.

        It raises twice in a row only where a frame cannot even be hidden whole.
        """
        try:
            ready = call()
        except ServiceError as error:
            if self._failing:
                raise
            self._failing = True
            logger.warning("%s", error)
            return ()
        self._failing = False
        return ready

    def _write(self, ready: Sequence[VideoFrame]) -> None:
        """Write frames, and the packets about them, in the order in which all came."""
        if self._sink is None:
            return
        with timed(Stage.WRITE):
            for frame in ready:
                self._write_packets()
                assert self._order.popleft() is frame
                self._sink.write_frame(frame)
                self._written += 1
            self._write_packets()

    def _write_packets(self) -> None:
        assert self._sink is not None
        while self._order and not isinstance(packet := self._order[0], VideoFrame):
            self._order.popleft()
            self._sink.write_packet(packet)


class Report:
    """Tells now and then how a live stream fares.

    Parameters
    ----------
    name : str
        Its source.
    """

    def __init__(self, name: str) -> None:
        self._name, self._at = name, time.monotonic()
        self._latest = 0.0
        self._frames = 0

    def note(self, stats: Stats) -> None:
        """Take notice of a frame."""
        if stats.lag is None or stats.frames == self._frames:
            return
        self._frames, self._latest = stats.frames, max(self._latest, stats.lag)
        if time.monotonic() - self._at >= REPORT_SECONDS:
            told = "%s: %d frames, %.2f s late, %.2f s at most since last told; %d looked at less to catch up"
            logger.warning(told, self._name, stats.frames, stats.lag, self._latest, stats.hurried)
            self._at, self._latest = time.monotonic(), 0.0


class FaceLines:
    """Writes who is where in each frame: a JSON line a frame.

    Parameters
    ----------
    path : path-like
        A file, which is replaced, a named pipe or a device.

    Raises
    ------
    ConfigurationUnsupportedError
        It cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._count = 0
        try:
            self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115  (until `close`)
        except OSError as error:
            raise ConfigurationUnsupportedError(f"{path}: cannot be written ({error.strerror})") from error

    def __call__(self, frame: Any, faces: Sequence[Face]) -> None:
        """Write the line of a frame, at once."""
        number, self._count = self._count, self._count + 1
        record = {
            "frame": number,
            "pts": frame.pts,
            "time": round(float(frame.pts * frame.time_base), 6),
            "faces": [
                {
                    "id": face.id,
                    **{name: round(getattr(face, name), 6) for name in ("x", "y", "width", "height", "score")},
                    "hidden": face.hidden,
                }
                for face in faces
            ],
        }
        if self._file.closed:
            return
        try:
            self._file.write(msgspec.json.encode(record) + b"\n")
        except OSError as error:
            logger.warning("%s: cannot be written any more (%s); the stream goes on", self.path, error.strerror)
            self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
