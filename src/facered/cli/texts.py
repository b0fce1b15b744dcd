"""What ``facered --help`` says beside the options."""

from __future__ import annotations

DESCRIPTION = """\
Find every face in a video, follow it forwards and backwards in time, and write
the video again with those faces made unrecognisable. Runs on the CPU.
"""

COMBINED = """\
Find and follow every face in a video and write the video with the faces
hidden. For foo.mp4 the result is foo_redacted.mp4: the same size, frames,
times, colours and sound as the source. Images become images.
"""

ANALYZE = """\
Find and follow every face in a video. For foo.mp4 this writes
foo_annotations.json, which says where each face is in each frame, and
foo_thumb000001.jpg and so on, a picture of each person; the number is the
person's id. Look at them, edit what needs it, then run facered redact.
"""

REDACT = """\
Hide annotated faces: all of them, or those of some people. For foo.mp4 this
reads foo_annotations.json, and foo_IDList.txt if it is beside it (an id a
line), and writes foo_redacted.mp4. No face is looked for.
"""

RUN = """\
Do what a job configuration says, in the form that Azure Media Redactor took:
{'version':'1.0', 'options': {'mode':'combined', 'blurType':'High'}}
"""

BENCH = """\
Measure analyze, redact and combined on a video, beside the floor: decoding it
and encoding it again with the same settings, nothing between. All run in turn,
several times. Only temporary files are written.
"""

REVIEW = """\
Look at what was found before footage is released: who is hidden, where, and
from when to when. The page is served to this machine alone; what is done is
kept at once, in foo_annotations.json and foo_IDList.txt, and facered redact
needs nothing more. The first line printed is the page's address; Ctrl-C ends.
"""

PIPE = """\
Redact a stream as it goes by. From standard input, as NUT or Y4M (or whatever
FFmpeg can read from a pipe), to standard output, as raw pictures in the same
container: sound and subtitles in NUT pass untouched. Or from a camera or an
address, which is called again when it is lost, and to a file or an address.
"""

PIPE_EXIT_CODES = """\
exit codes:
  0 the source ended   1 internal error, or the output failed   2 wrong call,
  missing input, output in the way   3 the input is damaged, no video, or lost
  for good   130 stopped by a signal   141 nobody reads the output any more
"""

EXIT_CODES_HELP = """\
exit codes:
  0 done   1 internal error   2 wrong call, missing input, output in the way
  3 the input is damaged or not a video that can be redacted   130 cancelled
  141 nobody reads the output any more
"""

EXAMPLES = {
    "combined": """\
examples:
  facered combined foo.mp4 -o out/
  facered combined *.mov -o out/ --preset medium --crf 20
  facered combined foo.mp4 -o released.mp4 --threshold 0.2 --margin 1.6
  facered combined - -o - < foo.mp4 | ffmpeg -i - ...
""",
    "analyze": """\
examples:
  facered analyze foo.mp4 -o out/
  facered analyze foo.mp4 -o out/ --start 1:30 --end 2:00
""",
    "redact": """\
examples:
  facered redact foo.mp4 -o out/
  facered redact foo.mp4 -o out/ --ids 1,3 --blur High
  facered redact foo.mp4 -o out/ --except-ids 2 --blur Black
  facered redact foo.mp4 -o check.mp4 --blur Box
""",
    "run": """\
examples:
  facered run foo.mp4 -o out/ --config job.json
  facered run foo.mp4 -o out/ --config "{'version':'1.0', 'options': {'mode':'analyze'}}"
""",
    "review": """\
examples:
  facered review foo.mp4 -o out/
  facered review foo.mp4 -o out/ --no-browser --port 8000
  facered review foo.mp4 -o out/ --export review.html
""",
    "pipe": """\
examples:
  ffmpeg -i in.mp4 -f nut -c:v rawvideo - | facered pipe | ffmpeg -i - out.mp4
  ffmpeg -i in.mp4 -f yuv4mpegpipe - | facered pipe --blur Black > out.y4m
  ... | facered pipe --lookahead 30 --faces faces.jsonl | ...
  ... | facered pipe --faces /dev/fd/3 3> >(jq .faces) | ...
  facered pipe rtsp://camera/stream -o udp://127.0.0.1:5000
  facered pipe /dev/video0 -o rtmp://server/live/key --bitrate 3M
""",
    "bench": """\
examples:
  facered bench foo.mp4
  facered bench foo.mp4 --preset medium --repeat 5
""",
}

HEADINGS = {
    ("regions", "live"): "regions, as corners X,Y,X,Y,X,Y... in parts of the picture's width and height",
    ("encoding", "live"): "encoding, with -o",
}
"""Headings of groups of options that say more than the group's name, by its name and use."""
