"""Who is asking: from a request or a user to the opaque ``subject_ref`` that the host chose."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.module_loading import import_string

from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

MAX_LENGTH = 255


def user_subject(request: HttpRequest) -> str | None:
    """The default ``LICENZY["SUBJECT"]``: ``user_<pk>`` of the logged-in user, nobody for an anonymous one.

    Raises TypeError if ``request.user`` is neither: of something else that has a number, the user of that number would
    pay. Say in ``LICENZY["SUBJECT"]`` who it is.
    """
    return subject_ref_of_user(getattr(request, "user", None))


def request_subject(request: HttpRequest) -> str | None:
    """The subject of a request, as the ``SUBJECT`` setting says; None means nobody, who is never entitled.

    Raises ImproperlyConfigured if it answers with anything but a text or None.
    """
    not_for_a_cache(request)
    chosen = licenzy_settings().SUBJECT
    subject: Callable[[HttpRequest], Any] = import_string(chosen) if isinstance(chosen, str) else chosen
    subject_ref = subject(request)
    if subject_ref is not None and not isinstance(subject_ref, str):
        given = type(subject_ref).__name__
        raise ImproperlyConfigured(f"LICENZY['SUBJECT'] has to be a plain function that returns a text, not a {given}.")
    return text_or_nobody(subject_ref)


def not_for_a_cache(request: HttpRequest) -> None:
    """From here on the answer depends on who asks: Django's cache middlewares, which ask the request, must not keep it.

    Caches on the way look at the answer, which gates mark as private; this also holds where a view or a template asks.
    """
    getattr(request, "_request", request)._cache_update_cache = False  # type: ignore[union-attr]


def is_request(subject: Any) -> TypeGuard[HttpRequest]:
    """Whether it is a request, Django's or DRF's, which wraps Django's."""
    return isinstance(getattr(subject, "_request", subject), HttpRequest)


def subject_ref_of(subject: str | HttpRequest | AbstractBaseUser | Any | None) -> str | None:
    """The ``subject_ref`` of whatever a host has at hand: a ref, a request, a user, or None. All verbs ask here.

    A user becomes ``user_<pk>``; hosts whose subjects are not users pass the ref or the request. None, an anonymous
    user and one that was never saved are nobody. Raises TypeError for anything else.
    """
    if isinstance(subject, str):
        return text_or_nobody(str(subject))
    return request_subject(subject) if is_request(subject) else subject_ref_of_user(subject)


def subject_ref_of_user(user: Any) -> str | None:
    if user is None or getattr(user, "is_anonymous", False) is True:
        return None
    # isinstance sees through lazy objects, and knows proxies and children of the user model.
    user_model: type[Any] = get_user_model()
    if isinstance(user, user_model):
        return None if user.pk is None else f"user_{user.pk}"
    given = user.__name__ if isinstance(user, type) else f"an instance of {type(user).__name__}"
    raise TypeError(
        f"A subject is a text, a request, an instance of {user_model.__name__}, or None for nobody; not {given}. "
        "Pass the text that names the subject, such as 'org:acme'."
    )


def required_subject_ref(subject: Any) -> str:
    """The ref of somebody, for verbs that can do nothing for nobody. Raises InvalidRequest for nobody or a bad text."""
    return validate_subject_ref(subject if isinstance(subject, str) else subject_ref_of(subject))


def text_or_nobody(subject_ref: str | None) -> str | None:
    """What no database can hold was never entitled: a host may take it from an address or a header."""
    return subject_ref if subject_ref and storable(subject_ref) == subject_ref else None


def validate_subject_ref(subject_ref: Any) -> str:
    """The ref itself, if it is one: 1 to 255 characters, no control characters, no white space or slash at an end.

    Raises InvalidRequest naming the field otherwise.
    """
    return validate_ref(subject_ref, "subject_ref")


def required_member_ref(member: Any) -> str:
    """The ref of a member: a text of the form of a ``subject_ref``, but without a slash, or that of a user.

    Raises InvalidRequest naming the field ``member_ref`` for anything else.
    """
    member_ref = validate_ref(member if isinstance(member, str) else subject_ref_of(member), "member_ref")
    if "/" in member_ref:
        raise invalid("member_ref", "This has a slash.")
    return member_ref


def validate_ref(ref: Any, field: str) -> str:
    problem = ""
    if not isinstance(ref, str) or not ref:
        problem = "This must be a text of 1 to 255 characters."
    elif len(ref) > MAX_LENGTH:
        problem = "This has more than 255 characters."
    elif not ref.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in ref):
        problem = "This has control characters."
    elif ref.strip() != ref or ref.strip("/") != ref:
        problem = "This begins or ends with white space or a slash."
    if problem:
        raise invalid(field, problem)
    return str(ref)


def invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {problem}", fields={field: [problem]})
