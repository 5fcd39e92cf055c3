"""A preview's token: what was previewed, signed, so that the change costs what was shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing

from licenzy_django.db.text import storable
from licenzy_django.exceptions import ChangeExpired, InvalidRequest

VALID_FOR = timedelta(minutes=15)
SALT = "licenzy_django.subscriptions"


@dataclass(frozen=True, slots=True)
class Previewed:
    """Attributes:
    meaning: a digest of the subscription as it was, and of what it was to become.
    proration_date: the moment that the amounts were computed for, in Unix seconds.
    """

    meaning: str
    proration_date: int
    expires_at: int


def token_of(previewed: Previewed) -> str:
    value = [previewed.meaning, previewed.proration_date, previewed.expires_at]
    return signing.Signer(salt=SALT).sign_object(value, compress=True)


def unreadable() -> InvalidRequest:
    return InvalidRequest(fields={"change_token": ["This is no token of a preview."]})


def refuse_unstorable(token: Any) -> None:
    """Raises InvalidRequest for what no database can hold: a token is kept with its request before it is read."""
    if not isinstance(token, str) or storable(token) != token:
        raise unreadable()


def read(token: Any, *, meaning: str, at: datetime) -> Previewed:
    """What a token says.

    Raises:
        InvalidRequest: it is none of ours.
        ChangeExpired: it is too old, or another change, or the subscription changed or renewed since.
    """
    try:
        previewed = Previewed(*signing.Signer(salt=SALT).unsign_object(token))
    except (signing.BadSignature, TypeError, ValueError, AttributeError):
        raise unreadable() from None
    if previewed.expires_at <= at.timestamp() or previewed.meaning != meaning:
        raise ChangeExpired()
    return previewed
