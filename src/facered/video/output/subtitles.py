"""Subtitles of text, from one form to another."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from av.subtitles.subtitle import AssSubtitle, SubtitleSet

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.codeccontext import SubtitleCodecContext

TEXT = frozenset({"ass", "mov_text", "ssa", "subrip", "text", "webvtt"})
"""FFmpeg's names for what can be converted."""

_STYLE = {
    "Name": "Default", "Fontname": "Arial", "Fontsize": "16", "PrimaryColour": "&Hffffff",
    "SecondaryColour": "&Hffffff", "OutlineColour": "&H0", "BackColour": "&H0", "Bold": "0", "Italic": "0",
    "Underline": "0", "StrikeOut": "0", "ScaleX": "100", "ScaleY": "100", "Spacing": "0", "Angle": "0",
    "BorderStyle": "1", "Outline": "1", "Shadow": "0", "Alignment": "2", "MarginL": "10", "MarginR": "10",
    "MarginV": "10", "Encoding": "0",
}  # fmt: skip
_HEADER = f"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: {", ".join(_STYLE)}
Style: {",".join(_STYLE.values())}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
""".encode()
_MILLISECOND = Fraction(1, 1000)


def converter(
    source: SubtitleCodecContext, target: SubtitleCodecContext
) -> Callable[[Packet[Stream]], list[Packet[Stream]]]:
    """Set up the target, an encoder, and return what makes its packets of those of the source."""
    target.subtitle_header = _HEADER
    target.time_base = _MILLISECOND
    target.open()

    def convert(packet: Packet[Stream]) -> list[Packet[Stream]]:
        packets = []
        for part in source.decode2(packet) or ():
            if not isinstance(part, AssSubtitle) or packet.pts is None:
                continue
            duration = round((packet.duration or 0) * packet.time_base / _MILLISECOND)
            text = b"0,0,Default,,0,0,0,," + part.dialogue.replace(b"\n", b"\\N")
            made: Packet[Stream] = target.encode_subtitle(SubtitleSet.create(text, 0, duration))
            made.pts = made.dts = round(packet.pts * packet.time_base / _MILLISECOND)
            made.duration, made.time_base = duration, _MILLISECOND
            packets.append(made)
        return packets

    return convert
