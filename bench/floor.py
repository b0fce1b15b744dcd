"""Decode a video and encode it again, nothing between: what any redaction costs at least.

``python -m bench.floor SOURCE TARGET PRESET CRF``. Plain PyAV with the encoder settings of `facered.video.output.file`.
"""

from __future__ import annotations

import sys

import av
from av.video.frame import PictureType


def transcode(source: str, target: str, preset: str, crf: str) -> None:
    """Write the pictures of a video again, as fast as the encoder can."""
    with av.open(source) as container, av.open(target, "w", format="mp4") as output:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        stream.thread_type = "AUTO"
        encoder = output.add_stream("libx264", rate=stream.average_rate, options={"preset": preset, "crf": crf})
        context = encoder.codec_context
        context.width, context.height, context.pix_fmt = stream.width, stream.height, stream.pix_fmt
        context.time_base = stream.time_base
        context.thread_type, context.thread_count = "FRAME", 0
        for frame in container.decode(stream):
            frame.pict_type = PictureType.NONE
            output.mux(encoder.encode(frame))
        output.mux(encoder.encode(None))


if __name__ == "__main__":
    transcode(*sys.argv[1:])
