"""Weighted sums of samples along rows and columns: how lines are shrunk and enlarged, for `tensor`.

The weights of a sample of the result are integers that sum to `ONE`.
"""

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
