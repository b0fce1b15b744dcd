"""Encoding and muxing: files, streams, images, raw pictures."""

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Videos that can be written, by the end of the file's name, and FFmpeg's names of the containers."""
IMAGES = frozenset({".jpg", ".jpeg", ".png"})
"""Images that can be written, by the end of the file's name."""
STREAMS = ("mp4", "nut")
"""FFmpeg's names of the containers that can be written without going back: MP4 then comes in fragments."""
