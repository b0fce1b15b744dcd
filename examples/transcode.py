"""Transcode a video with PyAV, with a Redactor between the decoder and the encoder.

    python examples/transcode.py in.mp4 out.mp4

The stream is delayed by 30 frames, so that faces are hidden before they are first detected. Sound is copied.
"""

from __future__ import annotations

import argparse

import av

import facered


def transcode(source: str, target: str, lookahead: int = 30) -> int:
    """Write `target`, and return how many frames it has."""
    frames = 0
    with (
        av.open(source) as container,
        av.open(target, "w") as output,
        facered.Redactor(lookahead=lookahead) as redactor,
    ):
        pictures = container.streams.video[0]
        encoder = output.add_stream("libx264", rate=pictures.average_rate, options={"preset": "veryfast", "crf": "18"})
        encoder.width, encoder.height, encoder.pix_fmt = pictures.width, pictures.height, pictures.pix_fmt
        encoder.codec_context.time_base = pictures.time_base  # keeps every frame's time
        copies = {sound.index: output.add_stream_from_template(sound) for sound in container.streams.audio}

        def write(clean: list[av.VideoFrame]) -> int:
            for frame in clean:
                frame.pict_type = 0  # the source's choice of key frames is not ours
                output.mux(encoder.encode(frame))
            return len(clean)

        for packet in container.demux(pictures, *container.streams.audio):
            if packet.stream is not pictures:
                if packet.size:
                    packet.stream = copies[packet.stream_index]
                    output.mux(packet)
                continue
            for frame in packet.decode():
                frames += write(redactor.process(frame))
        frames += write(redactor.flush())
        output.mux(encoder.encode(None))
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--lookahead", type=int, default=30)
    given = parser.parse_args()
    print(transcode(given.source, given.target, given.lookahead), "frames")
