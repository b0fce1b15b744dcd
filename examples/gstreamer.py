"""Redact between two pipelines of GStreamer: appsink gives the pictures, appsrc takes them.

    apt install python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    python examples/gstreamer.py in.mp4 out.mkv

The pictures are redacted where they lie; times pass as they are.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstApp, GstVideo  # noqa: E402, F401  (GstApp gives appsink and appsrc their methods)

import facered  # noqa: E402

SOURCE = "filesrc location={} ! decodebin ! videoconvert ! video/x-raw,format=I420 ! appsink name=pictures sync=false"
SINK = "appsrc name=pictures format=time ! videoconvert ! {} ! matroskamux ! filesink location={}"


def redact(source: str, target: str, encoder: str = "openh264enc ! h264parse") -> int:
    """Redact a film, and return how many pictures it has."""
    Gst.init(None)
    reading, writing = Gst.parse_launch(SOURCE.format(source)), Gst.parse_launch(SINK.format(encoder, target))
    sink, src = reading.get_by_name("pictures"), writing.get_by_name("pictures")
    reading.set_state(Gst.State.PLAYING)
    frames = 0
    with facered.Redactor() as redactor:
        while (sample := sink.emit("pull-sample")) is not None:
            if not frames:
                src.set_property("caps", sample.get_caps())
                writing.set_state(Gst.State.PLAYING)
            buffer, info = sample.get_buffer(), GstVideo.VideoInfo.new_from_caps(sample.get_caps())
            data = bytearray(buffer.extract_dup(0, buffer.get_size()))
            begins = [*info.offset[:3], len(data)]
            planes = [memoryview(data)[begin:end] for begin, end in pairwise(begins)]
            size = {"width": info.width, "height": info.height}
            redactor.process_planes(planes, info.stride[:3], "yuv420p", buffer.pts, **size)  # lookahead is 0: this one
            clean = Gst.Buffer.new_wrapped(bytes(data))
            clean.pts, clean.duration = buffer.pts, buffer.duration
            src.emit("push-buffer", clean)
            frames += 1
    src.emit("end-of-stream")
    writing.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    for pipeline in (reading, writing):
        pipeline.set_state(Gst.State.NULL)
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--encoder", default="openh264enc ! h264parse", help="elements of GStreamer")
    given = parser.parse_args()
    print(redact(given.source, given.target, given.encoder), "pictures in", given.target)
