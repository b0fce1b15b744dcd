# Compiled from the functions that `facered.runtime.compilation` marks, under the names of their modules and their own.
from typing import Any

def __getattr__(name: str) -> Any: ...
