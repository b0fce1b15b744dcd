"""How a face is made unrecognisable, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facered.options import Options


@dataclass(frozen=True, slots=True)
class Style:
    """What becomes of a face; strengths follow its size, so that small and large faces are hidden alike.

    Attributes
    ----------
    radius : float
        Radius of each pass of the blur, as a part of the hidden box's width; 0.5 of a box with the default margin of
        1.4 is 0.7 of the face's own width. 0 does not blur.
    feather : float
        Width of the fading rim around the mask, as a part of its semi-axes.
    cells : int or None
        How many cells a box is averaged to along each side before it is blurred; a grid that does not begin at the box
        cuts it into one more. None takes cells so small that they do not matter.
    smooth : bool
        Whether cells run into each other; else they are flat.
    fill : bool
        Whether the mask is filled with black instead.
    outlined : bool
        Whether nothing is hidden, and boxes and ids are drawn instead.
    rectangle : bool
        Whether the mask is the box itself, not the ellipse inscribed in it.
    """

    radius: float = 0.5
    feather: float = 0.15
    cells: int | None = None
    smooth: bool = True
    fill: bool = False
    outlined: bool = False
    rectangle: bool = False


STYLES = {
    "Low": Style(radius=0.2),
    "Med": Style(),
    "High": Style(cells=5),
    "Black": Style(fill=True),
    "Mosaic": Style(radius=0.0, cells=5, smooth=False),
    "Box": Style(outlined=True),
}
"""The styles by name; the names are Azure Media Redactor's. Low is not safe: detectors, and people, still see a face in
it.

The numbers were set by hand; how often detectors find a face again was measured afterwards (docs/figures.md). A larger
radius, and fewer cells, hide more; a larger radius costs time and shows in more of the surroundings. A smaller one, and
more cells, leave faces that are found again.
"""


def chosen_style(options: Options) -> Style:
    """Return the style that the options ask for."""
    style = replace(STYLES[options.blur], feather=options.feather, rectangle=options.shape == "rectangle")
    return style if options.blur_radius is None else replace(style, radius=options.blur_radius)
