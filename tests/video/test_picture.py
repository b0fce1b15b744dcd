"""Frames as planes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.filter import Graph

import videos
from facered.video import formats
from facered.video.picture import view


@pytest.fixture(scope="module")
def frame(carphone: Path) -> av.VideoFrame:
    return videos.decode(carphone, 1)[0]


def upside_down(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame with rows that run upwards in memory, as FFmpeg's vflip makes them."""
    graph = Graph()
    source = graph.add("buffer", f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/25")
    graph.link_nodes(source, graph.add("vflip"), graph.add("buffersink")).configure()
    graph.push(frame)
    flipped = graph.pull()
    assert isinstance(flipped, av.VideoFrame)
    assert flipped.planes[0].line_size < 0
    return flipped


FORMATS = ["yuv420p", "yuvj422p", "yuv444p", "yuv440p", "yuv411p", "gray", "nv12", "nv16", "nv24"]
DEEP = ["yuv420p10le", "yuv422p12le", "yuv444p16le", "gray10le", "gray16le", "p010le", "p016le", "p210le", "nv20le"]


def chroma(form: formats.Layout, frame: av.VideoFrame) -> list[Any]:
    """Return the chroma planes by way of swscale, which is asked for planes of their own."""
    name = formats.planar_name(form.across, form.down, form.depth)
    planes = frame.reformat(format=name).planes[1:]
    kind = np.uint8 if form.depth == 8 else np.uint16
    return [np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width] for p in planes]


@pytest.mark.parametrize("name", [*FORMATS, *DEEP, "nv21", "nv42"])
def test_the_planes_are_what_swscale_makes_of_them(frame: av.VideoFrame, name: str) -> None:
    converted = frame.reformat(format=name)
    picture, form = view(converted), formats.layout(name)
    assert form is not None
    assert (picture.depth, picture.across, picture.down) == (form.depth, form.across, form.down)
    assert picture.y.shape == (144, 176)
    assert picture.y.dtype == (np.uint8 if form.depth == 8 else np.uint16)
    gray = frame.reformat(format="gray").to_ndarray().astype(float)
    assert np.corrcoef(picture.y.ravel(), gray.ravel())[0, 1] > 0.999
    if form.chroma == "none":
        assert picture.u is picture.v is None
        return
    wanted = chroma(form, converted if name != "nv20le" else frame)
    for plane, expected in zip((picture.u, picture.v), wanted, strict=True):
        assert plane is not None
        assert plane.shape == (-(-144 // form.down), -(-176 // form.across))
        assert np.corrcoef(plane.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "gray", "yuv422p10le", "p010le", "gray12le"])
def test_rows_that_run_upwards(frame: av.VideoFrame, name: str) -> None:
    picture = frame.reformat(format=name)
    expected, flipped = view(picture), view(upside_down(picture))
    for plane, other in ((expected.y, flipped.y), (expected.u, flipped.u), (expected.v, flipped.v)):
        if plane is not None:
            assert other is not None
            np.testing.assert_array_equal(plane[::-1], other)
