"""Times of sound and subtitles as containers ask for them: growing, where those of the source stand still or fall."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

logger = logging.getLogger(__name__)

MAX_WAITING = 50
"""Packets of sound that wait until the times go on, about a second; by hand. With fewer, longer stretches without times
would be taken for sound that comes twice; with more, a live stream would wait longer."""


class Retimer:
    """Mends the times of the packets of one stream.

    Packets whose times grow pass as they are. Sound whose times stand still or fall waits until they go on, and then
    gets times one behind the other, as far as there is room; where there is none, the sound overlaps what was heard
    before, and is left out. A subtitle that comes too late is shown when half the time of the one before is over.

    Parameters
    ----------
    sound : bool
        Whether it is sound: subtitles do not wait.
    strict : bool
        Whether times of sound must grow; otherwise they may stand still.

    Attributes
    ----------
    taken, retimed, dropped : int
        Packets that came, that got other times, and that were left out.
    """

    def __init__(self, sound: bool, strict: bool = True) -> None:
        self._sound, self._step = sound, int(strict and sound)
        self._last: int | None = None
        self._due = 0  # when the last packet ends
        self._leap: Packet[Stream] | None = None  # begins later than it should; the next one tells whether that is true
        self._waiting: list[Packet[Stream]] = []
        self.taken = self.retimed = self.dropped = 0

    def take(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Take a packet with times in ticks of the output, and return those that are due."""
        self.taken += 1
        self._complete(packet)
        ready: list[Packet[Stream]] = []
        own = _begin(packet)
        if self._leap is not None:
            leap, self._leap = self._leap, None
            if own > _begin(leap):
                ready += self._pass(leap)
            else:
                self._waiting.append(leap)
                if self._fits(own):
                    ready += self._place(None)
        if not self._fits(own):
            if not self._sound:
                return ready + self._postpone(packet)
            self._waiting.append(packet)
            return ready + (self._place(None) if len(self._waiting) > MAX_WAITING else [])
        due = self._due + sum(waiting.duration or 0 for waiting in self._waiting)
        if self._sound and self._last is not None and own - due > (packet.duration or 0) / 2:
            self._leap = packet
            return ready
        return ready + self._pass(packet)

    def flush(self) -> list[Packet[Stream]]:
        """Return what still waits."""
        leap, self._leap = self._leap, None
        return self._place(None) if leap is None else self._pass(leap)

    def tell(self, what: str) -> None:
        """Warn of packets that did not stay as they were; `what` says which stream of what."""
        if self.retimed or self.dropped:
            logger.warning(
                "%s: times stand still or fall; of %d packets %d got other times and %d were left out",
                what, self.taken, self.retimed, self.dropped,
            )  # fmt: skip

    def _complete(self, packet: Packet[Stream]) -> None:
        """Give a packet the times that it lacks."""
        if packet.dts is None:
            packet.dts = packet.pts if packet.pts is not None else self._due
        if packet.pts is None or packet.pts < packet.dts:
            packet.pts = packet.dts

    def _fits(self, own: int) -> bool:
        return self._last is None or own >= self._last + self._step

    def _pass(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """Return those that wait and fit before a packet, and the packet, which keeps its time."""
        ready = [*self._place(_begin(packet)), packet]
        self._written(packet)
        return ready

    def _postpone(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        assert self._last is not None
        self._move(packet, (self._last + self._due) // 2)
        self._written(packet)
        return [packet]

    def _place(self, until: int | None) -> list[Packet[Stream]]:
        """Return those that wait, with times after the last packet and before `until`, if that is known."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        assert self._last is not None
        kept: list[Packet[Stream]] = []
        times: list[int] = []
        before, due = self._last, self._due
        for packet in waiting:
            duration = packet.duration or 0
            # Times are rounded: half a packet too much is no overlap.
            if until is not None and (due + duration / 2 > until or until - self._last <= len(kept) + 1):
                self.dropped += 1
                continue
            before = max(due, before + 1)
            due = before + duration
            kept.append(packet)
            times.append(before)
        if until is not None and before >= until:
            room = until - self._last
            times = [self._last + room * number // (len(kept) + 1) for number in range(1, len(kept) + 1)]
        for packet, time in zip(kept, times, strict=True):
            self._move(packet, time)
            self._written(packet)
        return kept

    def _move(self, packet: Packet[Stream], time: int) -> None:
        self.retimed += time != packet.dts
        packet.pts = packet.dts = time

    def _written(self, packet: Packet[Stream]) -> None:
        self._last = _begin(packet)
        self._due = self._last + (packet.duration or 0)


def _begin(packet: Packet[Stream]) -> int:
    assert packet.dts is not None
    return packet.dts
