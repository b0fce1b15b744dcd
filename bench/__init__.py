"""Benchmarks: kernels and whole jobs beside their rivals, accuracy on clips with truth, what detectors find again."""
