"""Planes of a YUV picture -> the letterboxed float tensor that a detector takes, in one pass.

A picture is shrunk by area averaging and enlarged by linear interpolation, first down the columns (whole rows at a
time), then along the rows; each weight is an integer and a sample's weights sum to 256, so the sums are exact and the
same on every machine. Colour conversion follows on the small picture.
"""

from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.math cimport floor
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from planes cimport Plane, as_plane, plane_at, sample

cdef enum:
    ONE = 256  # the sum of a sample's weights
    SPARE = 4  # how many samples behind a line's end can be read


cdef struct Axis:
    # How the samples along one axis of the result are made from those of the source: result sample j is the sum over
    # t < taps of weight[j * pitch + t] * source[start[j] + t].
    int32_t* start
    uint16_t* weight
    int size
    int taps
    int pitch  # from the weights of one sample to those of the next: taps rounded up to fours, filled with zeros
    int ratio  # source samples a result sample where that is a whole number up to 4, else 0
    bint three_to_two  # whether it is 1.5


cdef int plan_axis(Axis* axis, int samples, double extent, int size) noexcept nogil:
    # Returns -1 where memory is short, else 0.
    # `extent` is the part of the source that is shown, in samples: half a sample less than there are where a picture of
    # odd width has subsampled chroma.
    cdef double scale = extent / size
    cdef int j
    axis.size = size
    axis.taps = min(samples, 2 if scale <= 1 else <int>scale + 2)
    axis.ratio = 0
    if scale == 1 or scale == 2 or scale == 3 or scale == 4:
        axis.taps = axis.ratio = <int>scale
    axis.three_to_two = scale == 1.5 and size % 2 == 0
    if axis.three_to_two:
        axis.taps = 2
    axis.start = <int32_t*>PyMem_RawCalloc(size, sizeof(int32_t))
    axis.pitch = (axis.taps + 3) & ~3
    axis.weight = <uint16_t*>PyMem_RawCalloc(size * axis.pitch, sizeof(uint16_t))
    if axis.start == NULL or axis.weight == NULL:
        return -1
    for j in range(size):
        if scale < 1:
            plan_linear(axis, j, (j + 0.5) * scale - 0.5, samples)
        else:
            plan_area(axis, j, j * scale, (j + 1) * scale, samples)
    return 0


cdef void free_axis(Axis* axis) noexcept nogil:
    PyMem_RawFree(axis.start)
    PyMem_RawFree(axis.weight)


cdef void plan_linear(Axis* axis, int j, double position, int samples) noexcept nogil:
    cdef int first, second
    position = min(max(position, 0.0), samples - 1.0)
    first = min(<int>position, max(samples - 2, 0))
    second = <int>floor(ONE * (position - first) + 0.5)
    axis.start[j] = first
    axis.weight[j * axis.pitch] = ONE - second
    if axis.taps > 1:
        axis.weight[j * axis.pitch + 1] = second


cdef void plan_area(Axis* axis, int j, double low, double high, int samples) noexcept nogil:
    cdef int t, first = min(<int>low, samples - axis.taps), before = 0, here
    axis.start[j] = first
    for t in range(axis.taps):
        # Rounding the running sum, not the weights, makes them sum to ONE whatever the scale.
        here = <int>floor(ONE * min(max((first + t + 1 - low) / (high - low), 0.0), 1.0) + 0.5)
        if t == axis.taps - 1:
            here = ONE
        axis.weight[j * axis.pitch + t] = here - before
        before = here


cdef inline uint16_t weigh(uint32_t weight, sample value, int shift) noexcept nogil:
    if sample is uint8_t:
        return <uint16_t>(weight * value)
    else:
        return <uint16_t>((weight * value) >> shift)


cdef void add_rows(const sample* data, const Plane* plane, const Axis* axis, int row, int shift, uint16_t* line,
                   Py_ssize_t n) noexcept nogil:
    """line[x] = the weighted sum of the plane's rows that make row `row`; at most 256 * 255.99, so 16 bits hold it."""
    cdef Py_ssize_t stride = plane.stride // plane.size
    cdef const sample* p = data + axis.start[row] * stride
    cdef const sample* q = p + stride
    cdef const sample* r = q + stride
    cdef const uint16_t* weight = axis.weight + row * axis.pitch
    cdef uint16_t a = weight[0], b, c
    cdef Py_ssize_t x
    cdef int t
    if axis.taps == 1:
        for x in range(n):
            line[x] = weigh(a, p[x], shift)
        return
    b = weight[1]
    if axis.taps == 2:
        for x in range(n):
            line[x] = <uint16_t>(weigh(a, p[x], shift) + weigh(b, q[x], shift))
        return
    c = weight[2]
    for x in range(n):
        line[x] = <uint16_t>(weigh(a, p[x], shift) + weigh(b, q[x], shift) + weigh(c, r[x], shift))
    for t in range(3, axis.taps):
        p, a = data + (axis.start[row] + t) * stride, weight[t]
        if a:
            for x in range(n):
                line[x] = <uint16_t>(line[x] + weigh(a, p[x], shift))


cdef void add_plane_rows(const Plane* plane, const Axis* axis, int row, int shift, uint16_t* line,
                         Py_ssize_t n) noexcept nogil:
    if plane.size == 1:
        add_rows(<const uint8_t*>plane.data, plane, axis, row, shift, line, n)
    else:
        add_rows(<const uint16_t*>plane.data, plane, axis, row, shift, line, n)


cdef double chroma_extent(int luma, int chroma) noexcept nogil:
    """Return how many chroma samples the picture shows, whole or not, by the numbers of both along an axis."""
    if chroma == luma:
        return luma
    return luma / 2.0 if chroma == (luma + 1) // 2 else luma / 4.0


cdef extern from *:
    """
    /* out[j] = the sum over t < pitch of weight[j * pitch + t] * line[start[j] + t]; pitch is a multiple of 4. */
    #if defined(__SSE2__) || defined(_M_X64)
      #include <emmintrin.h>
      /* Four samples of one result are neighbours: one load. They are multiplied as signed numbers, 32768 too low each,
         which the weights, whose sum is 256, turn into a constant. */
      static inline __m128i two_results(const uint16_t* line, const int32_t* start, const uint16_t* weight,
                                        Py_ssize_t pitch, Py_ssize_t t) {
          __m128i samples = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i*)(line + start[0] + t)),
                                               _mm_loadl_epi64((const __m128i*)(line + start[1] + t)));
          __m128i weights = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i*)(weight + t)),
                                               _mm_loadl_epi64((const __m128i*)(weight + pitch + t)));
          return _mm_madd_epi16(_mm_xor_si128(samples, _mm_set1_epi16(-32768)), weights);
      }
      static inline Py_ssize_t gather_fours(const uint16_t* line, const int32_t* start, const uint16_t* weight,
                                            Py_ssize_t pitch, float* out, Py_ssize_t n) {
          Py_ssize_t j, t;
          for (j = 0; j + 4 <= n; j += 4) {
              const uint16_t* row = weight + j * pitch;
              __m128i low = two_results(line, start + j, row, pitch, 0);
              __m128i high = two_results(line, start + j + 2, row + 2 * pitch, pitch, 0);
              for (t = 4; t < pitch; t += 4) {
                  low = _mm_add_epi32(low, two_results(line, start + j, row, pitch, t));
                  high = _mm_add_epi32(high, two_results(line, start + j + 2, row + 2 * pitch, pitch, t));
              }
              __m128 even = _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(2, 0, 2, 0));
              __m128 odd = _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(3, 1, 3, 1));
              low = _mm_add_epi32(_mm_castps_si128(even), _mm_castps_si128(odd));
              _mm_storeu_ps(out + j, _mm_cvtepi32_ps(_mm_add_epi32(low, _mm_set1_epi32(256 * 32768))));
          }
          return j;
      }
    #else
      static inline Py_ssize_t gather_fours(const uint16_t* line, const int32_t* start, const uint16_t* weight,
                                            Py_ssize_t pitch, float* out, Py_ssize_t n) {
          (void)line, (void)start, (void)weight, (void)pitch, (void)out, (void)n;
          return 0;
      }
    #endif
    """
    # Fills the first results, as many as fit its vectors, and returns how many.
    Py_ssize_t gather_fours(const uint16_t* line, const int32_t* start, const uint16_t* weight, Py_ssize_t pitch,
                            float* out, Py_ssize_t n) noexcept nogil


cdef void gather(const uint16_t* line, const Axis* axis, float* out) noexcept nogil:
    cdef Py_ssize_t j, t, pitch = axis.pitch
    cdef uint32_t total
    for j in range(gather_fours(line, axis.start, axis.weight, pitch, out, axis.size), axis.size):
        total = 0
        for t in range(axis.taps):
            total += <uint32_t>axis.weight[j * pitch + t] * line[axis.start[j] + t]
        out[j] = <float><int32_t>total


cdef inline void stride_sum(const uint16_t* line, const uint16_t* weight, int ratio, float* out,
                            Py_ssize_t n) noexcept nogil:
    # Whole-number ratios: every sample has the same weights, and the constant step lets the compiler use shuffles.
    cdef Py_ssize_t j
    cdef uint32_t a = weight[0], b, c, d
    if ratio == 1:
        for j in range(n):
            out[j] = <float><int32_t>(a * line[j])
        return
    b = weight[1]
    if ratio == 2:
        for j in range(n):
            out[j] = <float><int32_t>(a * line[2 * j] + b * line[2 * j + 1])
        return
    c = weight[2]
    if ratio == 3:
        for j in range(n):
            out[j] = <float><int32_t>(a * line[3 * j] + b * line[3 * j + 1] + c * line[3 * j + 2])
        return
    d = weight[3]
    for j in range(n):
        out[j] = <float><int32_t>(a * line[4 * j] + b * line[4 * j + 1] + c * line[4 * j + 2] + d * line[4 * j + 3])


cdef inline void three_to_two(const uint16_t* line, const uint16_t* weight, Py_ssize_t pitch, float* out,
                              Py_ssize_t n) noexcept nogil:
    # The chroma of full HD shrunk to a third: samples take turns with two patterns of weights over three of the source.
    cdef Py_ssize_t j
    cdef uint32_t a = weight[0], b = weight[1], c = weight[pitch], d = weight[pitch + 1]
    for j in range(n // 2):
        out[2 * j] = <float><int32_t>(a * line[3 * j] + b * line[3 * j + 1])
        out[2 * j + 1] = <float><int32_t>(c * line[3 * j + 1] + d * line[3 * j + 2])


cdef void add_columns(const uint16_t* line, const Axis* axis, float* out) noexcept nogil:
    """out[j] = 65536 * the j-th sample of the result's row; three samples behind the line's end may be read."""
    if axis.ratio:
        stride_sum(line, axis.weight, axis.ratio, out, axis.size)
    elif axis.three_to_two:
        three_to_two(line, axis.weight, axis.pitch, out, axis.size)
    else:
        gather(line, axis, out)


cdef void luma_row(const Plane* y, const Axis* across, const Axis* down, int row, int shift, uint16_t* line,
                   float* out, uint8_t* small) noexcept nogil:
    cdef Py_ssize_t j, n = across.size
    add_plane_rows(y, down, row, shift, line, y.width)
    add_columns(line, across, out)
    for j in range(n):
        small[j] = <uint8_t>((<uint32_t>(<int32_t>out[j]) + 32768) >> 16)


cdef void halve_row(const uint8_t* p, const uint8_t* q, uint8_t* small, Py_ssize_t n) noexcept nogil:
    # What the sums of `luma_row` come to where all four weights are the same.
    cdef Py_ssize_t j
    cdef uint16_t above, below  # two samples each; which is the first does not matter
    for j in range(n):
        memcpy(&above, p + 2 * j, 2)
        memcpy(&below, q + 2 * j, 2)
        small[j] = <uint8_t>(<uint16_t>((above & 255) + (above >> 8) + (below & 255) + (below >> 8) + 2) >> 2)


cdef void split(const uint16_t* line, uint16_t* even, uint16_t* odd, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t x
    for x in range(n):
        even[x] = line[2 * x]
        odd[x] = line[2 * x + 1]


cdef void convert(const float* y, const float* u, const float* v, const float* matrix, float low, float high,
                  float* out, Py_ssize_t n) noexcept nogil:
    """One channel of one row: an affine map of Y, U and V, held between low and high."""
    cdef Py_ssize_t j
    cdef float a = matrix[0], b = matrix[1], c = matrix[2], d = matrix[3], value
    for j in range(n):
        value = a * y[j] + b * u[j] + c * v[j] + d
        value = value if value > low else low
        out[j] = value if value < high else high


cdef struct Plan:
    # How pictures of one size are brought to another.
    Axis luma_x
    Axis luma_y
    Axis chroma_x
    Axis chroma_y
    int width
    int height
    int chroma_width
    int chroma_height
    int depth


cdef int make_plan(Plan* plan, int width, int height, int chroma_width, int chroma_height, int content_width,
                   int content_height, int depth) noexcept nogil:
    """Fill a plan whose bytes are 0; return -1 where memory is short, else 0. It is to be dropped in both cases."""
    cdef int lack = 0
    plan.width, plan.height, plan.depth = width, height, depth
    plan.chroma_width, plan.chroma_height = chroma_width, chroma_height
    lack |= plan_axis(&plan.luma_x, width, width, content_width)
    lack |= plan_axis(&plan.luma_y, height, height, content_height)
    if chroma_width:
        lack |= plan_axis(&plan.chroma_x, chroma_width, chroma_extent(width, chroma_width), content_width)
        lack |= plan_axis(&plan.chroma_y, chroma_height, chroma_extent(height, chroma_height), content_height)
    return lack


cdef void drop_plan(Plan* plan) noexcept nogil:
    free_axis(&plan.luma_x)
    free_axis(&plan.luma_y)
    free_axis(&plan.chroma_x)
    free_axis(&plan.chroma_y)


cdef int fill(const Plan* plan, const Plane* y, const Plane* u, const Plane* v, const float* matrix,
              const float* limits, float* out, Py_ssize_t rows, Py_ssize_t columns, uint8_t* luma) noexcept nogil:
    """Fill the tensor, rows x columns, and the small luma picture; return -1 where memory is short, else 0."""
    cdef Py_ssize_t j, n = plan.luma_x.size, chroma_width = plan.chroma_width
    cdef int row, channel, shift = plan.depth - 8
    cdef Py_ssize_t widest = max(plan.width, 2 * plan.chroma_width) + SPARE
    # The two kinds of samples of NV12 share their rows: one pass down the columns serves both.
    cdef Py_ssize_t interleaved = v.data - u.data if chroma_width and u.step == 2 else 0
    cdef float scaled[3][4]
    cdef float* yf = <float*>PyMem_RawCalloc(
        3 * n * sizeof(float) + (widest + 2 * (chroma_width + SPARE)) * sizeof(uint16_t), 1)
    cdef float* uf = yf + n
    cdef float* vf = yf + 2 * n
    cdef uint16_t* line = <uint16_t*>(yf + 3 * n)
    cdef uint16_t* even = line + widest
    cdef uint16_t* odd = even + chroma_width + SPARE
    if yf == NULL:
        return -1
    for channel in range(3):
        for j in range(4):
            scaled[channel][j] = matrix[4 * channel + j] / (ONE * ONE) if j < 3 else matrix[4 * channel + j]
    for j in range(n):
        uf[j] = vf[j] = 128.0 * ONE * ONE
    for row in range(plan.luma_y.size):
        luma_row(y, &plan.luma_x, &plan.luma_y, row, shift, line, yf, luma + row * n)
        if interleaved:
            add_plane_rows(u if interleaved > 0 else v, &plan.chroma_y, row, shift, line, 2 * chroma_width)
            split(line, even, odd, chroma_width)
            add_columns(even if interleaved > 0 else odd, &plan.chroma_x, uf)
            add_columns(odd if interleaved > 0 else even, &plan.chroma_x, vf)
        elif chroma_width:
            add_plane_rows(u, &plan.chroma_y, row, shift, line, chroma_width)
            add_columns(line, &plan.chroma_x, uf)
            add_plane_rows(v, &plan.chroma_y, row, shift, line, chroma_width)
            add_columns(line, &plan.chroma_x, vf)
        for channel in range(3):
            convert(yf, uf, vf, scaled[channel], limits[2 * channel], limits[2 * channel + 1],
                    out + (channel * rows + row) * columns, n)
    PyMem_RawFree(yf)
    return 0


cdef int shrink_luma(const Plan* plan, const Plane* y, uint8_t* luma) noexcept nogil:
    """Fill the small luma picture alone; return -1 where memory is short, else 0."""
    cdef Py_ssize_t n = plan.luma_x.size
    cdef int row, shift = plan.depth - 8
    cdef const uint8_t* two
    cdef float* yf
    if y.size == 1 and plan.luma_x.ratio == 2 and plan.luma_y.ratio == 2:
        for row in range(plan.luma_y.size):
            two = y.data + 2 * row * y.stride
            halve_row(two, two + y.stride, luma + row * n, n)
        return 0
    yf = <float*>PyMem_RawCalloc(n * sizeof(float) + (plan.width + SPARE) * sizeof(uint16_t), 1)
    if yf == NULL:
        return -1
    for row in range(plan.luma_y.size):
        luma_row(y, &plan.luma_x, &plan.luma_y, row, shift, <uint16_t*>(yf + n), yf, luma + row * n)
    PyMem_RawFree(yf)
    return 0


cdef api void* new_letterbox(int width, int height, int chroma_width, int chroma_height, int content_width,
                             int content_height, int depth) noexcept nogil:
    """What `Letterbox` makes; to be given back to `free_letterbox`. NULL where memory is short."""
    cdef Plan* plan = <Plan*>PyMem_RawCalloc(1, sizeof(Plan))
    if plan != NULL and make_plan(plan, width, height, chroma_width, chroma_height, content_width, content_height,
                                  depth):
        free_letterbox(plan)
        return NULL
    return plan


cdef api void free_letterbox(void* letterbox) noexcept nogil:
    """Give back what `new_letterbox` made."""
    drop_plan(<Plan*>letterbox)
    PyMem_RawFree(letterbox)


cdef api int letterbox_at(const void* letterbox, const void* y, Py_ssize_t stride, const void* u, const void* v,
                          Py_ssize_t chroma_stride, Py_ssize_t chroma_step, const float* matrix, const float* limits,
                          float* out, Py_ssize_t rows, Py_ssize_t columns, uint8_t* luma) noexcept nogil:
    """As a call of `Letterbox`; -1 where memory is short, else 0. Strides are in bytes, the step in samples."""
    cdef const Plan* plan = <const Plan*>letterbox
    cdef Plane yp = plane_at(y, stride, 1, plan.width, plan.height, plan.depth)
    cdef Plane up = plane_at(u, chroma_stride, chroma_step, plan.chroma_width, plan.chroma_height, plan.depth)
    cdef Plane vp = plane_at(v, chroma_stride, chroma_step, plan.chroma_width, plan.chroma_height, plan.depth)
    return fill(plan, &yp, &up, &vp, matrix, limits, out, rows, columns, luma)


cdef api int shrink_at(const void* letterbox, const void* y, Py_ssize_t stride, uint8_t* luma) noexcept nogil:
    """As `Letterbox.shrink`; -1 where memory is short, else 0."""
    cdef const Plan* plan = <const Plan*>letterbox
    cdef Plane yp = plane_at(y, stride, 1, plan.width, plan.height, plan.depth)
    return shrink_luma(plan, &yp, luma)


cdef class Letterbox:
    """Shrinks or enlarges pictures of one size into the upper left corner of a tensor.

    Parameters
    ----------
    width, height : int
        Size of the picture in luma samples.
    chroma_width, chroma_height : int
        Size of its chroma planes; 0 for gray pictures.
    content_width, content_height : int
        Size of the result inside the tensor, at most that of the tensor.
    depth : int
        Bits of a sample: 8 where they are uint8, 9 to 16 where they are uint16.
    """

    cdef Plan plan
    cdef readonly int width, height, chroma_width, chroma_height, content_width, content_height, depth

    def __cinit__(self, int width, int height, int chroma_width, int chroma_height, int content_width,
                  int content_height, int depth=8):
        self.depth = depth
        self.width, self.height = width, height
        self.chroma_width, self.chroma_height = chroma_width, chroma_height
        self.content_width, self.content_height = content_width, content_height
        if make_plan(&self.plan, width, height, chroma_width, chroma_height, content_width, content_height, depth):
            raise MemoryError

    def __dealloc__(self):
        drop_plan(&self.plan)

    def __call__(self, y, u, v, const float[:, ::1] matrix, const float[:, ::1] limits,
                 float[:, :, ::1] out, uint8_t[:, ::1] luma):
        """Fill the tensor and the small luma picture; the GIL is released meanwhile.

        Parameters
        ----------
        y : (height, width) uint8 or uint16, any stride between rows
        u, v : (chroma_height, chroma_width) uint8 or uint16, or None for gray pictures
            The planes, either with contiguous rows or those of NV12, ``uv[:, 0::2]`` and ``uv[:, 1::2]``.
        matrix : (3, 4) float32
            Channel c of the tensor is ``matrix[c] @ (Y, U, V, 1)``, of samples brought to 8 bits and a fraction.
        limits : (3, 2) float32
            The least and the greatest value of each channel.
        out : (3, rows, columns) float32
            The tensor; what lies right of and below the content stays as it was.
        luma : (content_height, content_width) uint8
            The small picture's luma, as the source stores it, of 8 bits.

        Sizes are not checked here.
        """
        cdef Plane yp = as_plane(y, False), up, vp
        cdef int lack
        up, vp = yp, yp  # not looked at where the picture is gray
        if u is not None:
            up, vp = as_plane(u, False), as_plane(v, False)
        with nogil:
            lack = fill(&self.plan, &yp, &up, &vp, &matrix[0, 0], &limits[0, 0], &out[0, 0, 0], out.shape[1],
                        out.shape[2], &luma[0, 0])
        if lack:
            raise MemoryError

    def shrink(self, y, uint8_t[:, ::1] luma):
        """Fill the small luma picture alone, to the same bytes; the GIL is released meanwhile.

        Parameters
        ----------
        y : (height, width) uint8 or uint16, rows contiguous
        luma : (content_height, content_width) uint8
        """
        cdef Plane yp = as_plane(y, False)
        cdef int lack
        with nogil:
            lack = shrink_luma(&self.plan, &yp, &luma[0, 0])
        if lack:
            raise MemoryError
