"""Who is asking: from a request or a user to the opaque ``subject_ref`` that the host chose."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest

MAX_LENGTH = 255


def user_subject(request: HttpRequest) -> str | None:
    """The default ``LICENZY["SUBJECT"]``: ``user_<pk>`` of the logged-in user, nobody for an anonymous one."""
    user = getattr(request, "user", None)
    return f"user_{user.pk}" if user is not None and user.is_authenticated else None


def request_subject(request: HttpRequest) -> str | None:
    """The subject of a request, as the ``SUBJECT`` setting says; None means nobody, who is never entitled.

    Raises ImproperlyConfigured if it answers with anything but a text or None.
    """
    chosen = licenzy_settings().SUBJECT
    subject: Callable[[HttpRequest], Any] = import_string(chosen) if isinstance(chosen, str) else chosen
    subject_ref = subject(request)
    if subject_ref is not None and not isinstance(subject_ref, str):
        given = type(subject_ref).__name__
        raise ImproperlyConfigured(f"LICENZY['SUBJECT'] has to be a plain function that returns a text, not a {given}.")
    return text_or_nobody(subject_ref)


def is_request(subject: Any) -> bool:
    """Whether it is a request, Django's or DRF's."""
    return isinstance(getattr(subject, "META", None), dict)


def subject_ref_of(subject: str | HttpRequest | AbstractBaseUser | Any | None) -> str | None:
    """The ``subject_ref`` of whatever a host has at hand: a ref, a request, a user, or None.

    A user becomes ``user_<pk>``; hosts whose subjects are not users pass the ref or the request.
    """
    if subject is None or isinstance(subject, str):
        return text_or_nobody(subject)
    if is_request(subject):
        return request_subject(cast("HttpRequest", subject))
    if getattr(subject, "is_anonymous", False) or getattr(subject, "pk", None) is None:
        return None
    return f"user_{cast('AbstractBaseUser', subject).pk}"


def text_or_nobody(subject_ref: str | None) -> str | None:
    """What no database can hold was never entitled: a host may take it from an address or a header."""
    return subject_ref if subject_ref and storable(subject_ref) == subject_ref else None


def validate_subject_ref(subject_ref: Any) -> str:
    """The ref itself, if it is one: 1 to 255 characters, no control characters, no white space or slash at an end.

    Raises InvalidRequest naming the field otherwise.
    """
    problem = ""
    if not isinstance(subject_ref, str) or not subject_ref:
        problem = "This must be a text of 1 to 255 characters."
    elif len(subject_ref) > MAX_LENGTH:
        problem = "This has more than 255 characters."
    elif not subject_ref.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in subject_ref):
        problem = "This has control characters."
    elif subject_ref.strip() != subject_ref or subject_ref.strip("/") != subject_ref:
        problem = "This begins or ends with white space or a slash."
    if problem:
        raise InvalidRequest(f"subject_ref: {problem}", fields={"subject_ref": [problem]})
    return str(subject_ref)
