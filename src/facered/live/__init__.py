"""Redaction inside somebody else's encoder: a frame in, a frame out, with a bounded delay."""
