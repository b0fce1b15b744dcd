"""The kernels, compiled for every processor of the architecture."""
