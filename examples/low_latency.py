"""Send a redacted video to an address as it plays, with H.264 that holds no frame back.

    ffplay -fflags nobuffer udp://127.0.0.1:5000         # in one shell
    python examples/low_latency.py in.mp4 udp://127.0.0.1:5000

The detector works beside the stream, so that no frame waits for it. What is longest on its way is printed.
"""

from __future__ import annotations

import argparse
import time

import av

import facered


def send(source: str, address: str, real_time: bool = True) -> list[float]:
    """Send a video; return for how many seconds each frame was on its way from the decoder to the network."""
    delays = []
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "50"}
    with (
        av.open(source) as container,
        av.open(address, "w", format="mpegts", container_options={"flush_packets": "1"}) as output,
        facered.Redactor(detect="async", on_overload="hide") as redactor,
    ):
        pictures = container.streams.video[0]
        encoder = output.add_stream("libx264", rate=pictures.average_rate, options=options)
        encoder.width, encoder.height, encoder.pix_fmt = pictures.width, pictures.height, pictures.pix_fmt
        encoder.codec_context.time_base = pictures.time_base
        started = time.monotonic()
        for frame in container.decode(pictures):
            if real_time:
                time.sleep(max(0.0, started + frame.time - time.monotonic()))
            came = time.monotonic()
            for clean in redactor.process(frame):  # lookahead is 0: the very frame
                clean.pict_type = 0
                output.mux(encoder.encode(clean))
            delays.append(time.monotonic() - came)
        output.mux(encoder.encode(None))
    return delays


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("address", help="udp://host:port or tcp://host:port")
    parser.add_argument("--fast", action="store_true", help="do not wait for each frame's time")
    given = parser.parse_args()
    times = sorted(send(given.source, given.address, not given.fast))
    print(f"{len(times)} frames; median {times[len(times) // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms")
