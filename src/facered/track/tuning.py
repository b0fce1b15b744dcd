"""The tracker's tuned numbers, in one place: unit, what each trades, and where it comes from.

Modules read them as ``tuning.NAME`` when they need them, so that ``python -m bench.sweep NAME VALUE ...`` can try
others. Those of the Kalman filter stand in `kalman`, because Numba compiles them in. Seconds become frames by the
film's rate. Where a line says "by hand", the value was chosen while looking at the clips named, not swept.
"""

from __future__ import annotations

# --- Association: which detection continues which track -------------------------------------------------------------

LOW_SCORE_FRACTION = 0.5
"""Part of the threshold that a detection needs to continue a track; ByteTrack's second association."""
CANDIDATES_PER_FACE = 2
"""Detections asked for, in multiples of the faces that may be hidden: the tracker may know better which to keep."""
IOU_PADDING = 0.3
"""Part of its size that a box is enlarged by before it is compared: more follows faster faces, confuses neighbours."""
LOST_IOU_PADDING = 0.8
"""The same for a track that was not measured in the frame before: its place is a guess."""
MIN_IOU = 0.15
"""Least IoU of a track's padded prediction with its next detection."""
MIN_IOU_LOW_SCORE = 0.4
"""The same for a detection below the threshold, not padded: there are many in a crowd."""
MAX_MISSES = 2
"""Detections in which a track may be missing before only a detection that looks like it continues it."""
MIN_NCC_REAPPEARED = 0.4
"""Least NCC of such a detection with the track's last or best patch."""
SAME_FACE_IOU = 0.4
"""Boxes that overlap more are of the same face."""
MAX_CONTAINMENT = 0.3
"""A box of which more lies inside another face is a part of that face, or behind it."""

# --- Life of a track ------------------------------------------------------------------------------------------------

MAX_LOST_SECONDS = 1.0
"""A confirmed track that is not measured for so long ends."""
TENTATIVE_SECONDS = 0.5
"""The same for a tentative one; so long, too, is it verified and does it ask for detections."""
CONFIRMING_SCORE = 0.65
"""A track of two detections, one of them with this score, is confirmed."""
VERIFIED_SCORE = 0.55
"""So is one that has this score when it is verified on an enlarged crop."""
REDETECTED_SCORE = 0.45
"""Least score on the crop for a face that the detector no longer finds in the picture."""
MAX_VERIFICATIONS = 6
"""Verifications of a tentative track: at once, then 1, 3, 7, 15 and 31 frames after its first detection."""
MAX_VERIFICATIONS_PER_FRAME = 2
"""Most verifications beside a detection: each is an inference of its own."""
MISSES_PER_VERIFICATION = 3
"""Detections in vain between two verifications of a confirmed track that is no longer detected."""
MAX_SINGLE_VERIFICATIONS = 3
"""So many uncertain tracks are verified one by one instead of a detection in the whole picture."""
LOST_VELOCITY_DAMPING = 0.9
"""Part of its velocity that a track keeps from frame to frame while it is not measured."""

# --- Following by patches -------------------------------------------------------------------------------------------

MAX_FOLLOWED_SECONDS = 1.2
"""Longest time that a face is followed by its patch alone; back from its first detection, twice as long."""
MAX_PICTURES = 120
"""Most pictures kept for following backwards, whatever the frame rate: they are memory."""
MAX_PICTURE_BYTES = 16 << 20
"""Most bytes that these pictures take up at full size; their smaller levels take a third more."""
SCALE_STEP = 1.04
"""Change of size that is tried from frame to frame."""
COMPARE_RADIUS = 3
"""Samples by which a patch may be moved to fit a box that is compared with it."""
MIN_NCC_RECENT = 0.75
"""Least NCC of a face's last patch with the place that it is followed to."""
MIN_NCC_ANCHOR = 0.6
"""Least NCC there of the patch as it was last detected: errors of following add up, and this bounds them."""
MIN_NCC_BEST = 0.25
"""Least NCC there of the patch as it was detected best."""
MAX_SCALE_CHANGE = 1.5
"""Most that a face grows or shrinks until it is detected again."""
FLAT_NCC = 0.5
"""NCC of patches of which one shows nothing: undecided."""
NCC_SHIFT = 2
"""Samples by which two patches are moved against each other when they are compared."""

# --- When the detector is asked -------------------------------------------------------------------------------------

ACTIVE_INTERVAL_SECONDS = 0.2
"""Longest time without a detection where something changes that no known face explains."""
IDLE_INTERVAL_SECONDS = 0.5
"""The same where nothing changes."""
MIN_NCC_STEADY = 0.8
"""A track is certain while its patch correlates so well"""
MAX_STEADY_MOTION = 0.1
"""and moves by no more than this part of its size a frame."""
FINE_INTERVAL_SECONDS = (1.0, 0.2)
"""Time between detections on a larger picture: while there are no small faces, and while there are some."""
NATIVE_INTERVAL_SECONDS = (3.0, 1.2)
"""Time between detections on very large pictures in their own size, likewise."""
NATIVE_MIN_SIDE = 1920
"""Pixels of the longer side above which a picture is very large."""
FINE_EARLINESS = 0.1
"""Part of the interval by which a fine detection may come early, together with another one."""
FULL_DETECTIONS_PER_SHOT = 2
"""Fine detections at the start of a shot that are of the whole picture: the first frames are often the worst."""
SMALL_FACE = 1 / 32
"""Part of the picture's longer side below which a face is small."""

# --- What changed since the last detection --------------------------------------------------------------------------

MIN_CELL_CHANGE = 3.0
"""Change of a cell's mean, in 8-bit steps, that is more than noise."""
MIN_CHANGED_CELLS = 2
"""Cells that change at least where something enters."""
HEAD_EXTENT = (-1.25, -1.0, 1.25, 0.5)
"""Left, top, right and bottom of what a head moves, from the middle of the face on, in parts of its size."""
BODY_EXTENT = (-2.0, 0.25, 2.0, 4.0)
"""The same of what a body moves."""
FACE_EXTENT = (-1.0, -1.0, 1.0, 1.0)
"""The same of what a known face is looked for in."""

# --- Motion of the camera -------------------------------------------------------------------------------------------

MIN_AGREEING_FACES = 5
"""Faces that must share a motion for it to be the camera's."""
MIN_AGREEING_FRACTION = 0.7
"""Part of all steady faces that must: people who each go their own way say nothing of the camera."""
MAX_MOTION_RESIDUAL = 0.15
"""Part of its size by which a face may miss the common motion and still agree with it."""
MOTION_FIT_ROUNDS = 4
"""Rounds in which faces that do not agree are left out of the fit."""
MAX_ZOOM = 1.25
"""Most by which the picture grows or shrinks from one frame to the next."""

# --- Cuts and dissolves ---------------------------------------------------------------------------------------------

CUT_SAMPLES = 64
"""Cells along the longer side in which pictures are compared: what is where matters, not detail."""
CUT_ROWS_PER_CELL = 4
"""Rows of each cell that are averaged."""
MIN_SHOT_CORRELATION = 0.5
"""Pictures of the same shot correlate better, whatever the light does."""
MIN_SHIFTED_CORRELATION = 0.85
"""So well do pictures of the same shot correlate that were moved against each other"""
MAX_SHIFT = 0.2
"""by up to this part of their size."""
MIN_CUT_DIFFERENCE = 8.0
"""Mean difference of two pictures, in 8-bit steps, below which nothing has happened: darkness is mostly noise."""
CUT_LOOKAHEAD = 3
"""Frames that a flash may last; a change that is gone by then is no cut."""
DISSOLVE_SECONDS = (0.4, 1.0, 2.0)
"""Spans in which a dissolve is looked for."""
MAX_UNEXPLAINED = 0.07
"""Part of a picture's variance that a mixture of two others may leave unexplained."""
MIN_SHARE = 0.25
"""Least share of either picture in the mixture, in the middle of a dissolve."""
VISIBLE_SHARE = 0.08
"""Share of a shot that can be seen."""
DISSOLVE_SETTLED_SECONDS = 0.6
"""A dissolve is over when for so long nothing of it has been found."""
MAX_FLAT_DEVIATION = 3.0
"""Standard deviation, in 8-bit steps, of a picture faded to black or white at most"""
MIN_CLEAR_DEVIATION = 8.0
"""and of one that shows something again at least."""

# --- Who is who -----------------------------------------------------------------------------------------------------

REID_MIN_SCORE = 0.65
"""Only detections with this score say by their looks that two people are two."""
MIN_NCC_IDENTITY = 0.6
"""Detection runs of one track whose best patches are less alike may be of two people: it is split there."""
MIN_NCC_STRANGERS = 0.4
"""Tracklets less alike than this, both seen well, are not linked."""
REID_MAX_COST = 0.7
"""Live, who appears is who was lost if linking them costs less."""

# --- Linking tracklets to trajectories ------------------------------------------------------------------------------

MAX_GAP_SECONDS = 3.0
"""Longest gap between two tracklets of a trajectory."""
OCCLUSION_SECONDS = 0.2
"""So long may a face that something passes in front of be detected at either side of it."""
MIN_OVERLAPPING_IOU = 0.3
"""Least mean IoU of tracklets of one face that overlap in time."""
GAP_DISTANCE = 1.0
"""Distance, in parts of the face's size, that the ends of a gap may be apart from where they are expected"""
GAP_DISTANCE_PER_SECOND = 1.0
"""and what each second of the gap adds."""
MAX_GAP_SCALE = 1.7
"""Most by which one end may be larger than the other."""
MAX_LINK_COST = 1.1
"""Most that distance and unlikeness, each 0 to 1, may sum up to."""
GAP_COST_PER_SECOND = 1.0
"""Cost of a second's gap when links compete: of several tracklets that would fit, the next one does."""
DRIFT_PENALTY = 10.0
"""Added to the cost of a link that only fits without what was followed by patches."""
DRIFT_ORDER = 1.5
"""What counts instead of it when links compete."""
MIN_LINK_NCC = 0.5
"""Least NCC of tracklets across a gap longer than"""
SHORT_GAP_SECONDS = 1.2
"""this."""
VELOCITY_FRAMES = 5
"""Frames over which the velocity at an end is taken."""
EMERGING_FRAMES = 15
"""Frames in which a face comes out from behind something, or goes there: the largest of them tells its size."""
GAP_DAMPING = 0.9
"""Part of the velocity that is kept from frame to frame in a gap."""
DUPLICATE_CONTAINMENT = 0.5
"""A track of which this part lies inside another"""
DUPLICATE_FRAMES = 0.7
"""in this part of its frames is a duplicate of it."""
STANDALONE_SCORE = 0.6
"""A duplicate with a detection of this score enlarges the other track to hold it."""

# --- Smooth, filled, extended ---------------------------------------------------------------------------------------

EXTENSION_SECONDS = 0.2
"""Time by which a track goes on beyond its ends, unless a cut is nearer: more hides earlier, and hides more."""
EXTENSION_DAMPING = 0.8
"""Part of the velocity that is kept from frame to frame there."""
MAX_FILLED_SECONDS = 1.2
"""Longest gap that is filled; in longer ones the face is out of sight, but for the extensions."""
GROWTH_PER_FRAME = 0.02
"""Part by which a box grows a frame away from the nearest detection: its place is a guess"""
MAX_GROWTH_FRAMES = 10
"""up to so many frames."""
STEADY_SECONDS = 0.25
"""So near to a detection boxes do not grow, or masks would pulsate where one follows another closely."""
PATCH_ERROR_FRAMES = 3
"""Frames beyond that in which boxes become larger by a pixel of the small pictures in which patches are found."""
HULL_SECONDS = 0.04
"""What makes a box larger in one frame makes it larger for twice as long before and after, ever less."""

# --- Live -----------------------------------------------------------------------------------------------------------

SMOOTHED_SECONDS = 1.0
"""What was measured longer before a frame says nothing about where a face is in it."""
LOST_GROWTH_PER_SECOND = 1.2
"""Part by which the box of a face grows a second that is neither detected nor followed"""
MAX_LOST_GROWTH = 2.0
"""up to so many times its size."""
EXCESS_DECAY = 0.85
"""Part that is kept from frame to frame of what made a box larger than its filter says: masks that shrink at once would
tremble."""
MAX_CARRIED = 16
"""New faces of a late detection that are searched for in the pictures since; the others stay where they were."""
