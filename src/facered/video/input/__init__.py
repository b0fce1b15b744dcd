"""Decoding: files, streams, and the times of what they hold."""
