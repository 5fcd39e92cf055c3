"""Text that every database can hold."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL refuses, and without half characters, which no encoding has."""
    return text.replace("\x00", "").encode(errors="replace").decode()
