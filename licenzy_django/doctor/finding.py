from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know, in plain words.

    Attributes:
        message: what is so, with the names to find it by.
        hint: what to do.
        is_wrong: whether somebody has to act; otherwise it is only good to know.
    """

    message: str
    hint: str = ""
    is_wrong: bool = True
