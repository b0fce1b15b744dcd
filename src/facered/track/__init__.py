"""Following faces through time: boxes of single frames -> tracks. Knows boxes and small luma pictures, nothing else."""

from facered.runtime import compilation

backend: str = compilation.backend()
"""What the inner loops run in: ``"aot"``, compiled when the package was built, ``"jit"`` or ``"python"``."""
