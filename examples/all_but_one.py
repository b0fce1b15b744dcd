"""Hide everyone but one person: the speaker, say, who has agreed to be seen.

    python examples/all_but_one.py talk.mp4 out.mp4              # the person who is largest at first
    python examples/all_but_one.py talk.mp4 out.mp4 --person 2   # by the id that the first call has printed

Whoever the Redactor cannot tell to be that person is hidden: a person who comes back after a while has another id.
"""

from __future__ import annotations

import argparse

import av

import facered


class AllButOne:
    """Says who is hidden: everyone but the person with an id, or but the first one to be seen."""

    def __init__(self, person: int | None = None) -> None:
        self.person = person
        self.seen: set[int] = set()

    def __call__(self, face: facered.Face) -> bool:
        """Tell whether a face is hidden."""
        return face.id != self.person

    def look(self, faces: tuple[facered.Face, ...]) -> None:
        """Take note of who is there, and choose the largest if nobody is chosen yet."""
        self.seen |= {face.id for face in faces}
        if self.person is None and faces:
            self.person = max(faces, key=lambda face: face.width * face.height).id


def redact(source: str, target: str, person: int | None = None, lookahead: int = 15) -> AllButOne:
    """Write `target`, and return who was shown and who was seen."""
    choice = AllButOne(person)
    with (
        av.open(source) as container,
        av.open(target, "w") as output,
        facered.Redactor(lookahead=lookahead, select=choice) as redactor,
    ):
        pictures = container.streams.video[0]
        encoder = output.add_stream("libx264", rate=pictures.average_rate)
        encoder.width, encoder.height, encoder.pix_fmt = pictures.width, pictures.height, pictures.pix_fmt
        encoder.codec_context.time_base = pictures.time_base

        def write(clean: list[av.VideoFrame]) -> None:
            for frame in clean:
                frame.pict_type = 0
                output.mux(encoder.encode(frame))

        for frame in container.decode(pictures):
            clean = redactor.process(frame)
            choice.look(redactor.faces)  # of the newest frame: in time for those that are still held back
            write(clean)
        write(redactor.flush())
        output.mux(encoder.encode(None))
    return choice


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--person", type=int)
    given = parser.parse_args()
    done = redact(given.source, given.target, given.person)
    print(f"shown: {done.person}; hidden: {sorted(done.seen - {done.person}) or 'nobody else was seen'}")
