"""What the machine's processor can do."""

cdef extern from *:
    """
    #if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
      #include <intrin.h>
      static int facered_has_avx2(void) {
          int info[4];
          __cpuid(info, 0);
          if (info[0] < 7) return 0;
          __cpuid(info, 1);
          if (!(info[2] & (1 << 27)) || (_xgetbv(0) & 6) != 6) return 0;
          __cpuidex(info, 7, 0);
          return (info[1] >> 5) & 1;
      }
    #elif defined(__x86_64__) || defined(__i386__)
      static int facered_has_avx2(void) {
          return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
      }
    #else
      static int facered_has_avx2(void) { return 0; }
    #endif
    """
    int facered_has_avx2() noexcept


def has_avx2():
    """Return whether processor and operating system support AVX2 and FMA."""
    return bool(facered_has_avx2())
