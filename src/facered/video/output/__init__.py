"""Encoding and muxing: files, streams, images, raw pictures."""
