"""What the machine's processor can do."""

cdef extern from *:
    """
    #if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
      #include <intrin.h>
      #define FACERED_X86 1
      static int facered_cpuid(int leaf, int subleaf, int *info) {
          __cpuid(info, 0);
          if (info[0] < leaf) return 0;
          __cpuidex(info, leaf, subleaf);
          return 1;
      }
      static unsigned long long facered_saved_registers(void) { return _xgetbv(0); }
    #elif defined(__x86_64__) || defined(__i386__)
      #include <cpuid.h>
      #define FACERED_X86 1
      static int facered_cpuid(int leaf, int subleaf, int *info) {
          unsigned *r = (unsigned *)info;
          return __get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]);
      }
      static unsigned long long facered_saved_registers(void) {
          unsigned low, high;
          __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
          return (unsigned long long)high << 32 | low;
      }
    #endif

    enum { FACERED_AVX2 = 1, FACERED_VNNI = 2 };

    static int facered_cpu(void) {
        int found = 0;
    #ifdef FACERED_X86
        int info[4], fma;
        unsigned long long saved;
        if (!facered_cpuid(1, 0, info) || !(info[2] >> 27 & 1)) return 0;
        fma = info[2] >> 12 & 1;
        saved = facered_saved_registers();
        if ((saved & 0x6) != 0x6 || !facered_cpuid(7, 0, info)) return 0;
        if (info[1] >> 5 & 1 && fma) found |= FACERED_AVX2;
        if ((saved & 0xe6) == 0xe6 && info[1] >> 31 & 1 && info[2] >> 11 & 1) found |= FACERED_VNNI;
        if (info[0] >= 1 && facered_cpuid(7, 1, info) && info[0] >> 4 & 1) found |= FACERED_VNNI;
    #endif
        return found;
    }
    """
    enum:
        FACERED_AVX2
        FACERED_VNNI
    int facered_cpu() noexcept


def has_avx2():
    """Return whether processor and operating system support AVX2 and FMA."""
    return bool(facered_cpu() & FACERED_AVX2)


def has_vnni():
    """Return whether they support dot products of 8-bit integers, AVX512-VNNI or AVX-VNNI."""
    return bool(facered_cpu() & FACERED_VNNI)
