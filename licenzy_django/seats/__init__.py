"""Seats held by people: who of an organisation has one, at most as many as the limit ``seats``."""

from licenzy_django.seats.holders import (
    LIMIT,
    PAGE_SIZE,
    Member,
    aassign,
    amembers,
    arelease,
    assign,
    members,
    release,
)

__all__ = ["LIMIT", "PAGE_SIZE", "Member", "aassign", "amembers", "arelease", "assign", "members", "release"]
