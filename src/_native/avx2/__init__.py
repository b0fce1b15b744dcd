"""The kernels, compiled for x86-64 processors with AVX2."""
