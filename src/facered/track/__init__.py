"""Following faces through time: boxes of single frames -> tracks. Knows boxes and small luma pictures, nothing else."""

from facered.runtime.compilation import backend as backend
