"""A person looks before footage is released: who is hidden, where, from when to when, and why."""

from __future__ import annotations

from facered.review.review import Person, Review

__all__ = ["Person", "Review"]
