"""A person looks before footage is released: who is hidden, where, from when to when, and why."""

from __future__ import annotations

from facered.review.people import Person
from facered.review.review import Review

__all__ = ["Person", "Review"]
