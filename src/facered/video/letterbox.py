"""Pictures of another shape within a picture of a given size: scaled to fit, with black bars beside or above them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.video.frame import VideoFrame

from facered.video.formats import layout
from facered.video.picture import view

if TYPE_CHECKING:
    from facered.video.formats import Converter

ALIGNED = 4
"""Bars begin and end at a multiple of so many samples: chroma of any subsampling, and fields, stay in their places."""
MAX_STRETCH = Fraction(1, 50)
"""Part by which a picture may be stretched instead of getting bars; by hand. With less, rounding and rows that codecs
add would make thin bars; with more, faces would look wrong."""


def fit(shape: Fraction, size: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size within another one, width and height, at which a picture keeps its shape.

    `shape` is its width by its height, in samples of the whole.
    """
    width, height = size
    stretch = shape * height / width
    if abs(stretch - 1) <= MAX_STRETCH:
        return size
    if stretch > 1:
        return width, min(height, max(ALIGNED, round(width / shape / ALIGNED) * ALIGNED))
    return min(width, max(ALIGNED, round(height * shape / ALIGNED) * ALIGNED)), height


def letterbox(frame: VideoFrame, aspect: Fraction, size: tuple[int, int], converter: Converter) -> VideoFrame:
    """Return a copy of a frame in a converter's format, scaled to fit into a size, in the middle.

    `aspect` is width by height of the frame's samples, those of the whole being square.
    """
    fitted = fit(aspect * frame.width / frame.height, size)
    inner = converter.convert(frame, fitted)
    if fitted == size:
        return inner
    whole = VideoFrame(*size, converter.name)
    whole.colorspace, whole.color_range = inner.colorspace, inner.color_range
    whole.color_primaries, whole.color_trc = inner.color_primaries, inner.color_trc
    whole.pts, whole.time_base, whole.duration = inner.pts, inner.time_base, inner.duration
    form, target, source = layout(converter.name), view(whole), view(inner)
    assert form is not None
    left, top = ((outside - inside) // 2 // ALIGNED * ALIGNED for outside, inside in zip(size, fitted, strict=True))
    part = target.part(left, top, left + fitted[0], top + fitted[1])
    black = 0 if target.full_range else 16 << form.depth - 8
    for plane, place, samples, value in (
        (target.y, part.y, source.y, black),
        (target.u, part.u, source.u, 128 << form.depth - 8),
        (target.v, part.v, source.v, 128 << form.depth - 8),
    ):
        if plane is not None and place is not None and samples is not None:
            plane[:] = value
            place[:] = samples
    return whole
