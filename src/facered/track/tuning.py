"""The tracker's tuned numbers, in one place: what each is, in which unit, what it trades, and where it comes from.

All were set by hand while the tracker was made, on the scenes of ``bench/scenes.py`` and the clips of the accuracy
table in docs/figures.md. No sweep is recorded, nor which clip led to which value; papers gave the structure, not the
numbers. Where more is known of one, its line says so. "Larger" and "smaller" tell what becomes worse then. Seconds
become frames by the video's rate; what is counted in frames, or is so much a frame, does not follow the rate.

Modules read them as ``tuning.NAME`` when they need them, so that ``python -m bench.sweep NAME VALUE ...`` can try
others. Those of the Kalman filter stand in `kalman`, because they are compiled in.
"""

from __future__ import annotations

# --- Association: which detection continues which track -------------------------------------------------------------

LOW_SCORE_FRACTION = 0.5
"""Part of the threshold that a detection needs to continue a track; the second association is ByteTrack's (Zhang et al.
2022), the value is not. Larger: faint faces lose their tracks. Smaller: tracks go on onto what is no face, and there is
more to match."""
CANDIDATES_PER_FACE = 2
"""Detections taken, in multiples of the faces that may be hidden. Larger: more to match. Smaller: where there are more
faces than may be hidden, known ones lose to others of higher score."""
IOU_PADDING = 0.3
"""Part of its size by which each box is enlarged before it is compared. Larger: neighbours are confused. Smaller: fast
and small faces lose their tracks."""
LOST_IOU_PADDING = 0.8
"""The same for a track not measured in the frame before. Larger: another person is taken for the lost one. Smaller: a
lost face begins a new track."""
MIN_IOU = 0.15
"""Least IoU, of padded boxes, of a prediction and a detection. Larger: fast faces lose their tracks. Smaller:
neighbours are confused."""
MIN_IOU_LOW_SCORE = 0.4
"""The same, without padding, for a detection below the threshold. Larger: faint faces lose their tracks. Smaller: in
crowds, tracks jump to a faint neighbour."""
MAX_MISSES = 2
"""Detections of the whole picture that may miss a track before only one that looks like it continues it. Larger:
another person takes the track over, unchecked. Smaller: likeness is asked after every short miss, more ids."""
MIN_NCC_REAPPEARED = 0.4
"""Least NCC of such a detection with the track's last or best patch. Larger: who has turned, or is lit otherwise, gets
a new id. Smaller: another person continues the track."""
SAME_FACE_IOU = 0.4
"""IoU above which two boxes are of one face. Larger: known faces are not recognised when verified or carried forward.
Smaller: neighbours are taken for one face."""
MAX_CONTAINMENT = 0.3
"""Part of a box's area within another face above which it is a part of that, or behind it. Larger: parts of faces begin
tracks, and faces are followed onto others. Smaller: faint faces behind others are missed."""

# --- Life of a track ------------------------------------------------------------------------------------------------

MAX_LOST_SECONDS = 1.0
"""Seconds without a measurement after which a confirmed track ends. Larger: it takes over somebody else. Smaller: more
tracklets, which linking has to mend."""
TENTATIVE_SECONDS = 0.5
"""The same for a tentative track; so long, too, a tentative or lost one asks for detections. Larger: more inference,
and false tracks live longer. Smaller: faint faces are given up."""
CONFIRMING_SCORE = 0.65
"""Score that confirms a track of two detections; fainter ones within another face begin no track. Larger: real faces
stay tentative and are verified more. Smaller: false boxes."""
FAINT_FRACTION = 0.67
"""Part of the threshold from which a detection begins a track that is looked at again. Larger: faces that are always
faint are not hidden. Smaller: inference for what is no face."""
CROPS = ((4.0, 32), (2.0, 64), (4.0, 48), (4.0, 24))
"""The crops of one look after the other, in turn: their extents in sizes of the face, and pixels that the face has in
each. Which shows a faint face depends on the face; a look at one small crop costs little, so that there can be many:
with two larger ones, as many face-frames of 24 hard films were bare, at a ninth more inference. More, larger:
inference, and later the next time. Fewer: some faces are not shown by any."""
CROPS_SEEN_ONCE = ((4.0, 32), (3.0, 64), (2.0, 96), (4.0, 24), (4.0, 48), (8.0, 40))
"""Those of somebody who is seen in one frame only: until one shows a face. More: inference. Fewer: they are bare."""
CROPS_OF_KNOWN = ((3.0, 32), (4.0, 48))
"""The same of a confirmed face, the first alone while it is followed well: until one crop shows it. More: inference.
Fewer: faces that turn away are lost."""
WHOLE_PICTURE_WEIGHT, WHOLE_PICTURE_MOST = 0.9, 0.6
"""What the score of a detection of the whole picture counts beside that of a look, and at most: one by itself does not
confirm. Larger: false boxes. Smaller: what is seen again and again in the whole picture counts for nothing."""
CERTAIN_MEANS = (0.68, 0.55, 0.5)
"""Mean of the best one, two, three pieces of evidence that confirms a track; of 286 tracks of no face in filmed clips
and darkened, halved and masked ones, looks alone, then at two larger crops each, reached it with 1, of 175 faint faces
with 148. Larger: faint faces are doubtful. Smaller: false boxes that are not."""
LIKELY_MEANS = (0.55, 0.5, 0.46, 0.44, 0.41)
"""The same of what is hidden to be safe, and is called doubtful, of up to five: with 0.42 it was 6 of those and 158 of
these. Larger: faint faces are bare. Smaller: false boxes."""
LOOK_SECONDS = 0.08
"""Seconds between looks at a tentative track, when it is no longer young. Larger: who shows seldom is not confirmed.
Smaller: inference."""
REDETECTED_SCORE = 0.45
"""Least score on the crop of a face that the whole picture no longer shows. Larger: such faces are lost. Smaller:
tracks stay on nobody."""
YOUNG_LOOKS = 6
"""Looks at a tentative track after which it is no longer young: live, what was not confirmed until then is hidden only
if it is likely to be a face. Larger: live, doubtful faces are hidden longer. Smaller: faces that show late are bare."""
MAX_VERIFICATIONS_PER_FRAME = 4
"""Most looks a frame; each is an inference on two small crops. Larger: time a frame. Smaller: in crowds, doubtful faces
wait longer."""
USUAL_RATE = 25.0
"""Frames a second from which down more are looked at in each, so that it is as many a second. Larger: inference.
Smaller: who is seen in one frame of a film of few frames a second is not hidden."""
MAX_SPARSE_RATE = 6.5
"""Frames a second up to which somebody may come and go between two frames, so that one good detection is enough.
Larger: false boxes. Smaller: who is seen in one frame of such a film is not hidden."""
MISSES_PER_VERIFICATION = 3
"""Detections in vain between two verifications of a confirmed track. Larger: lost faces are found again later. Smaller:
more inference."""
MAX_SINGLE_VERIFICATIONS = 3
"""Most uncertain tracks that are verified one by one in place of a detection. Larger: many crops cost more than the
whole picture. Smaller: whole pictures for few faces."""
LOST_VELOCITY_DAMPING = 0.9
"""Part of its velocity that a track keeps each frame while it is not measured. Larger: predictions overshoot who stops.
Smaller: they lag behind who goes on."""

HOPELESS_LOOKS, HOPELESS_SCORE, HOPELESS_WAIT = 2, 0.35, 3
"""After so many looks that all showed less than such a score, the next ones come so many times later. Fewer, larger,
larger: who shows seldom is not confirmed. More, smaller, smaller: inference for what is no face."""
STANDARD_THRESHOLD = 0.3
"""The threshold that all scores here were set at; a lower one lowers them in proportion, and none is less than a higher
one."""


def scaled(score: float, threshold: float) -> float:
    """Return what a score that is asked for becomes with a threshold."""
    return max(score * min(threshold / STANDARD_THRESHOLD, 1.0), threshold if threshold > STANDARD_THRESHOLD else 0.0)


# --- Following by patches -------------------------------------------------------------------------------------------

MAX_FOLLOWED_SECONDS = 1.2
"""Most seconds that a face is followed by its patch; back from its first detection, twice as long. Larger: drift, false
boxes, more pictures in memory. Smaller: heads that turn away are not hidden sooner."""
MAX_PICTURES = 120
"""Most pictures kept for that; it binds above 50 frames a second. Larger: memory. Smaller: following back is
shorter."""
MAX_PICTURE_BYTES = 16 << 20
"""Most bytes of these pictures, without their smaller levels, a third more: 32 of 960 x 540. Larger: memory, for which
it was halved. Smaller: following back is shorter on large pictures."""
SCALE_STEP = 1.04
"""Change of size, as a factor, that is tried each frame. Larger: sizes jump. Smaller: who comes near quickly is
lost."""
COMPARE_RADIUS = 3
"""Samples, of a patch's 24, by which one may be moved to fit a box; less than when it is searched for (8) only for
speed. Larger: time, and drift is forgiven. Smaller: small shifts count as unlike."""
MIN_NCC_RECENT = 0.75
"""Least NCC of a face's last patch with where it is followed to. Larger: following stops early, more inference, gaps.
Smaller: faces are followed onto the background."""
MIN_NCC_ANCHOR = 0.6
"""Least NCC there of the patch as it was last detected: it bounds the errors of following, which add up. Larger:
following stops where a head turns. Smaller: drift."""
MIN_NCC_BEST = 0.25
"""Least NCC there of the patch as it was detected best. Larger: as above. Smaller: drift onto anything."""
MAX_SCALE_CHANGE = 1.5
"""Most, as a factor, that a followed face differs in size from its nearest detection. Larger: sizes drift. Smaller: who
comes near quickly is not followed."""
SHOULDERS_EXTENT = (-1.0, -0.8, 1.0, 1.2)
"""Left, top, right, bottom of head and shoulders, which are followed where the face is not found any more, from the
face's middle on, in its widths and heights. Larger: what is behind it is followed. Smaller: features that turn away end
it."""
MIN_NCC_HEAD, MIN_NCC_HEAD_ANCHOR = 0.8, 0.5
"""Least NCC of these with how they looked a frame ago, and when the face was last detected. In 1,989 face-frames of
filmed clips up to 2.4 s after the detector was taken away, 86 % stay hidden with it, 76 without. Larger: who bows or
turns away is bare. Smaller: boxes on nobody."""
MIN_NCC_TURNED = 0.3
"""Least NCC there of the features themselves with how they were last detected. Larger: as above. Smaller: what somebody
has gone behind is taken for them."""
FLAT_NCC = 0.5
"""NCC taken where a patch is flat, as in darkness. It equals MIN_LINK_NCC, so that flat patches just pass for alike.
Larger: strangers in the dark are linked. Smaller: people in the dark get new ids."""
NCC_SHIFT = 2
"""Samples of a patch by which two are moved to be compared. Larger: time, and strangers look alike. Smaller: boxes a
little off look unlike."""

# --- When the detector is asked -------------------------------------------------------------------------------------

ACTIVE_INTERVAL_SECONDS = 0.2
"""Most seconds between detections where something changes that no known face explains; live, also where nothing does.
Larger: who comes in is found later, which live nothing makes up for. Smaller: inference."""
DOUBTFUL_INTERVAL_SECONDS = 0.12
"""The same while it is not known of somebody new whether it is a face. Larger: faces that are seen in few frames are
bare. Smaller: inference."""
WINDOW_EXTENT = 4.0
"""What of a picture is detected about a face that has to be found again, in its sizes. Larger: inference. Smaller:
it is gone from there, or its surroundings do not show that it is a face."""
VISIBLE_SIZE = 8
"""Mean side of a face, in pixels as the detector sees it, from which it is missing where it is not detected. Larger:
who is gone is waited for. Smaller: tiny faces are given up where only larger pictures show them."""
UNCUT_EXTENT = 1.6
"""What of a picture about a known face is not cut, in its sizes. Larger: inference. Smaller: fragments of faces."""
WINDOW_MARGIN = 0.05
"""What is detected about everything that has to be, as a part of the picture's longer side. Larger: inference. Smaller:
faces at its rim are cut, or not known by their surroundings."""
MAX_WINDOW_PART = 0.7
"""Part of the picture above which all of it is detected. Larger: many small gains, and all of it is detected later.
Smaller: inference."""
IDLE_INTERVAL_SECONDS = 0.5
"""The same where nothing changes; STEADY_SECONDS is half of it. Larger: faint, still faces are found later. Smaller:
inference."""
REFRESH_SECONDS, MIN_NCC_FRESH, MAX_STALE_MOTION = 0.2, 0.85, 0.2
"""Seconds without a detection after which a confirmed face is looked at by itself, where its patch fits worse than that
NCC, or it has moved by that part of its size. Longer, smaller, larger: boxes drift off faces that turn. Shorter,
larger, smaller: inference."""
MIN_NCC_STEADY = 0.8
"""NCC from which a track is certain, and tells of the camera's motion; 0.9 at first. Larger: inference. Smaller: faces
that are followed badly are not detected anew."""
MAX_STEADY_MOTION = 0.1
"""Most motion of a certain track, in parts of the face's size a frame. Larger: fast faces are lost. Smaller:
inference."""
FIRST_FINE_INTERVAL_SECONDS, FINE_INTERVAL_SECONDS = (1.0, 0.4), (2.0, 1.0)
"""Seconds between detections on a larger picture, without small faces and with some, while there were not
FULL_DETECTIONS_PER_SHOT yet and later. Larger: small faces are found later; who is found is followed back for as long.
Smaller: inference, several times a plain one."""
NATIVE_INTERVAL_SECONDS = (3.0, 1.2)
"""The same for very large pictures in their own size, without faces of half SMALL_FACE and with some. Larger: the
tiniest faces are found later. Smaller: very long inference."""
NATIVE_MIN_SIDE = 1920
"""Pixels of the longer side, 1080p's, above which a picture is very large. Larger: more sizes lose tiny faces. Smaller:
inference and memory for smaller videos."""
FINE_EARLINESS = 0.1
"""Part of the interval by which a fine detection may come early to share its frame with another. Larger: they come more
often than meant. Smaller: each costs a frame of its own."""
FULL_DETECTIONS_PER_SHOT = 2
"""Fine detections at the start of a shot that are of the whole picture; the first frames are often bad. Larger:
inference at each cut. Smaller: faces that those frames hide are missed until something changes."""
SMALL_FACE = 1 / 32
"""Part of the picture's longer side below which a face's mean side is small. Larger: fine detections more often.
Smaller: small faces are found later."""

LARGE_FACE = 1 / 6
"""Part of the picture's longer side above which a face's mean side is large. Larger: faces that leave fast are bare.
Smaller: whole pictures are detected where single crops would do."""

# --- What changed since the last detection --------------------------------------------------------------------------

MIN_CELL_CHANGE = 3.0
"""Change of a cell's mean, in 8-bit steps, that counts. Larger: who enters with little contrast is noticed late.
Smaller: noise asks for detections."""
MIN_CHANGED_CELLS = 2
"""Changed cells, of about 1 / CUT_SAMPLES of the longer side, that ask for a detection. Larger: small newcomers are
noticed late. Smaller: noise asks for detections."""
HEAD_EXTENT = (-1.25, -1.0, 1.25, 0.5)
"""Left, top, right, bottom of what a head moves, from the face's middle on, in its widths and heights. Larger: who
appears beside a known head is noticed late. Smaller: nodding asks for detections."""
BODY_EXTENT = (-2.0, 0.25, 2.0, 4.0)
"""The same of what a body moves. Larger: who appears before it is noticed late. Smaller: gestures ask for
detections."""
FACE_EXTENT = (-1.0, -1.0, 1.0, 1.0)
"""The same of the part of a fine detection that must hold a known face. Larger: inference. Smaller: known small faces
fall out of that part."""

# --- Motion of the camera -------------------------------------------------------------------------------------------

MIN_AGREEING_FACES = 5
"""Faces that must share a motion. Larger: the camera's is known in crowds only. Smaller: people who walk together pass
for it."""
MIN_AGREEING_FRACTION = 0.7
"""Part of all steady faces that must. Larger: a few walkers hide the camera's motion. Smaller: a group passes for
it."""
MAX_MOTION_RESIDUAL = 0.15
"""Distance from the common motion at which a face agrees with it, in parts of its size. Larger: own motions pass for
common. Smaller: the noise of following breaks it."""
MOTION_FIT_ROUNDS = 4
"""Rounds in which faces that do not agree are left out. Larger: time. Smaller: they stay in the fit."""
MAX_ZOOM = 1.25
"""Most zoom as a factor a frame. Larger: bad fits are believed. Smaller: quick zooms are not followed."""

# --- Cuts and dissolves ---------------------------------------------------------------------------------------------

CUT_SAMPLES = 64
"""Cells along the longer side of compared pictures, those of `changes` too; 40 before cells were averaged. Larger:
time, and motion of detail counts. Smaller: shots look alike, and changes are told coarsely."""
CUT_ROWS_PER_CELL = 4
"""Rows of each cell that are averaged; not all, for speed. Larger: time. Smaller: noise."""
MIN_SHOT_CORRELATION = 0.5
"""Correlation below which pictures may be of two shots. Larger: motion and light pass for cuts, tracks break. Smaller:
cuts are missed, faces are followed across them."""
MIN_SHIFTED_CORRELATION = 0.85
"""Correlation, of pictures moved against each other, that makes them one shot all the same. Larger: swings of the
camera pass for cuts. Smaller: cuts between like pictures are missed."""
MAX_SHIFT = 0.2
"""Most of that movement, as a part of either side. Larger: time, and the small middle fits by chance, cuts are missed.
Smaller: fast swings pass for cuts."""
MIN_CUT_DIFFERENCE = 8.0
"""Least mean difference at a cut, in 8-bit steps. Larger: cuts in dark films are missed. Smaller: noise in darkness
passes for a cut."""
CUT_LOOKAHEAD = 3
"""Frames that a flash may last, and that a cut is judged late; live, `HELD_FRAMES` follows from it. Larger: shorter
shots are none. Smaller: flashes pass for cuts."""
DISSOLVE_SECONDS = (0.4, 1.0, 2.0)
"""Spans in seconds in which a dissolve is looked for. More or longer: time, false dissolves. Fewer: those of other
lengths are missed."""
MIN_DISSOLVE_FRAMES = 4
"""Least frames of such a span. Larger: at few frames a second dissolves are missed. Smaller: some slide is a mixture of
its neighbours by chance."""
MAX_DISSOLVE_FRAMES = 480
"""Most frames of such a span, two seconds at 240 a second. Larger: time and memory for films of very high rate.
Smaller: long dissolves in them are missed."""
MAX_UNEXPLAINED = 0.07
"""Part of a picture's variance that a mixture of two others may leave unexplained. Larger: motion passes for a
dissolve. Smaller: dissolves with motion are missed."""
MIN_SHARE = 0.25
"""Least share of either picture in the mixture, halfway. Larger: uneven dissolves are missed. Smaller: false ones."""
VISIBLE_SHARE = 0.08
"""Least share at which a shot can be seen. Larger: faint faces are not hidden. Smaller: boxes on who cannot be seen."""
DISSOLVE_SETTLED_SECONDS = 0.6
"""Seconds without a find after which a dissolve is over; 0.2 until its extent was measured. Larger: two become one,
told later. Smaller: it ends too early, at a short span."""
MAX_FLAT_DEVIATION = 3.0
"""Standard deviation, in 8-bit steps, of a picture faded to black or white at most. Larger: dim scenes pass for black.
Smaller: fades with noise are missed."""
MIN_CLEAR_DEVIATION = 8.0
"""The same of one that shows something again, at least. Larger: the new shot begins late. Smaller: it begins on nothing
that can be compared."""
FADED_SECONDS = 3.0
"""Seconds for which it is known what was shown before black or white; after that it is another shot whatever comes: as
MAX_GAP_SECONDS, nobody is linked across more. Longer: blocks of a film have to be warmed up for longer. Shorter: a shot
that goes on after black becomes two."""

# --- Cameras that repeat pictures and jump --------------------------------------------------------------------------

REPEATED_CHANGE, REPEATED_PART = 4.0, 0.1
"""Change of any cell's mean, in 8-bit steps, and part of the greatest change that the picture itself came with, below
which a picture is a repeat: those that are compressed again differ by up to 3.8, those between them by 13 and more.
Larger: slow motion in the dark passes for a repeat. Smaller: badly compressed repeats are not known."""
MAX_REPEATS = 5
"""Most repeats of a picture that count. Larger: where something came to rest, slow motion waits. Smaller: cameras of
four pictures a second are not known."""
MAX_JUMP_INTERVAL = 12
"""Most frames between the jumps of such a camera. Larger: a film that stood still once passes for one. Smaller: it is
forgotten where nothing moves for a moment."""
MIN_JUMP_CORRELATION, MIN_JUMP_OVERLAP = 0.68, 0.6
"""Correlation of the common part of two pictures, and least part that is common, from which a jump is the camera's: in
made films it is 0.69 to 0.97, at cuts of filmed ones up to 0.56. Larger: jumps pass for cuts. Smaller: cuts of jerky
films are missed."""

# --- Who is who -----------------------------------------------------------------------------------------------------

REID_MIN_SCORE = 0.65
"""Score from which likeness may tell two people apart; that of CONFIRMING_SCORE. Larger: it seldom does, and people are
swapped. Smaller: bad views tear one person apart."""
MIN_NCC_IDENTITY = 0.6
"""NCC of best patches below which a track is split between two detection runs. Larger: more ids a person. Smaller: an
id goes over to another person."""
MIN_NCC_STRANGERS = 0.4
"""NCC below which tracklets seen well are not linked. Larger: turned faces are not linked, gaps stay open. Smaller:
strangers are linked."""
REID_MAX_COST = 0.7
"""Live, most distance plus 1 - NCC at which who appears is who was lost. Larger: newcomers get old ids. Smaller: who
returns gets a new one."""

# --- Linking tracklets to trajectories ------------------------------------------------------------------------------

MAX_GAP_SECONDS = 3.0
"""Longest gap in a trajectory, in seconds. Larger: wrong links; live, memory. Smaller: who returns gets a new id."""
OCCLUSION_SECONDS = 0.2
"""Seconds in which a face is detected at both sides of what passes before it, and need not look alike. Larger: two
people at once may be linked. Smaller: a passer-by tears a track."""
MIN_OVERLAPPING_IOU = 0.3
"""Least mean IoU of tracklets that overlap in time. Larger: one face stays two. Smaller: neighbours are joined."""
GAP_DISTANCE = 1.0
"""Most distance of a gap's ends from where they are expected, in longest sides of the face. Larger: neighbours are
linked. Smaller: who moves is not."""
GAP_DISTANCE_PER_SECOND = 1.0
"""What each second of the gap adds to it. Larger and smaller: likewise, over long gaps."""
MAX_GAP_SCALE = 1.7
"""Most, as a factor, that one end is larger. Larger: large and small faces are linked. Smaller: who comes near is
not."""
MAX_LINK_COST = 1.1
"""Most distance, 0 to 1 of what is allowed, plus 1 - NCC. Larger: wrong links. Smaller: more ids, gaps stay open."""
GAP_COST_PER_SECOND = 1.0
"""Cost of a second's gap when links compete. Larger: the next tracklet wins although it is unlike. Smaller: a later one
wins, and the next is left over."""
DRIFT_PENALTY = 10.0
"""Marks the cost of a link that only fits without what was followed by patches: not a weight, but it must stay above 1
+ MAX_LINK_COST."""
DRIFT_ORDER = 1.5
"""What counts in its place when links compete, against 1 for other links. Larger: such links lose to those that drifted
patches lead to. Smaller: they win over those of patches that did not drift."""
MIN_LINK_NCC = 0.5
"""Least NCC of tracklets across a long gap; 0.6 at first, see FLAT_NCC. Larger: turned faces are not linked. Smaller:
strangers are."""
SHORT_GAP_SECONDS = 1.2
"""Seconds from which a gap is long, as long as MAX_FOLLOWED_SECONDS. Larger: strangers are linked whatever they look
like. Smaller: more ids, as likeness is asked sooner."""
VELOCITY_FRAMES = 5
"""Measured frames that tell the velocity at an end. Larger: it lags. Smaller: it jitters."""
EMERGING_FRAMES = 15
"""Measured frames whose largest box tells the size of a face that comes out from behind something. Larger: sizes of
long ago count. Smaller: such faces differ too much in size to be linked."""
GAP_DAMPING = 0.9
"""Part of the velocity that is kept each frame in a gap. Larger: it overshoots. Smaller: it lags behind walkers."""
DUPLICATE_CONTAINMENT = 0.5
"""Part of a box's area that must lie within another track's box"""
DUPLICATE_FRAMES = 0.7
"""in more than this part of its frames to be a duplicate. Either larger: duplicates stay. Smaller: people behind others
vanish into them."""
STANDALONE_SCORE = 0.6
"""Score from which a duplicate enlarges the other track to hold it. Larger: a real second face sticks out, not hidden.
Smaller: boxes swell by false ones."""

# --- Smooth, filled, extended ---------------------------------------------------------------------------------------

EXTENSION_SECONDS = 0.2
"""Seconds that a track goes on beyond its ends, unless a cut is nearer. Larger: boxes on nobody. Smaller: who comes or
leaves is not hidden."""
EXTENSION_DAMPING = 0.8
"""Part of the velocity that is kept there each frame. Larger: boxes run away. Smaller: they stay behind."""
MIN_SUDDEN_MOTION = 0.1
"""Part of its size a frame, by which the last step of a face differs from those before, from which its end also holds
where that step leads. Larger: who leaves suddenly is bare. Smaller: boxes swell by jitter."""
MAX_FILLED_SECONDS = 1.2
"""Longest gap that is filled, in seconds, as long as MAX_FOLLOWED_SECONDS. Larger: boxes on nobody. Smaller: faces that
are there are not hidden in gaps."""
GROWTH_PER_FRAME = 0.02
"""Part of its size by which a box grows each frame away from the nearest detection. Larger: more is hidden than faces.
Smaller: rims are not hidden."""
MAX_GROWTH_FRAMES = 10
"""Frames in which it grows, to 20 % at most. Larger and smaller: likewise."""
FITTING_SCORE, LOOSE_SCORE, GROWTH_WHERE_FAINT = 0.7, 0.3, 0.25
"""The score of a detection from which its box fits the face, that from which down it fits worst, and the part of its
size by which it grows there: faint boxes lie half a face beside it. Larger: more is hidden than faces. Smaller: rims of
faint faces are not hidden."""
KNOWN_SCORE, UNKNOWN_SCORE, KNOWN_SECONDS, MAX_KNOWN_GROWTH = 0.6, 0.4, 3.0, 1.5
"""The score of a detection that tells the size of a face, that from which down a box is at least as large, seconds for
which that holds, and by how much it enlarges a box at most; between the scores, a part of it. Faint boxes of heads that
bow or turn hold a part of the face. Lower, higher, longer, more: more is hidden than faces. Otherwise: rims of faint
faces are not hidden."""
STEADY_SECONDS = 0.25
"""Seconds from a detection in which it does not, half of IDLE_INTERVAL_SECONDS: change both; 0.12 while detections were
0.2 s apart. Larger: rims are not hidden. Smaller: masks pulsate."""
PATCH_ERROR_FRAMES = 3
"""Frames beyond that in which boxes grow by a pixel of the small pictures at each side. Larger: that comes late, rims
are not hidden. Smaller: masks jump."""
HULL_SECONDS = 0.04
"""Seconds, a frame at least: what makes a box larger in one frame does so for twice as long before and after, ever
less. Larger: more is hidden. Smaller: masks tremble."""

# --- Live -----------------------------------------------------------------------------------------------------------

SMOOTHED_SECONDS = 1.0
"""Seconds of measurements that tell where a face is. Larger: time a frame. Smaller: places are less smooth."""
LOST_GROWTH_PER_SECOND = 1.2
"""Part of its size by which the box of a face grows each second while it is not measured. Larger: large masks. Smaller:
a lost face walks out of its mask."""
MAX_LOST_GROWTH = 2.0
"""Most of that, as a factor of the size. Larger and smaller: likewise."""
EXCESS_DECAY = 0.85
"""Part kept each frame of what made a box larger than its filter says. Larger: masks stay large. Smaller: they
tremble."""
MAX_CARRIED = 16
"""Most new faces of a late detection that are searched for in the pictures since. Larger: time of that frame. Smaller:
in crowds, boxes stay where the faces were."""
