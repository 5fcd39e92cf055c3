"""From a request, a user or a text to the subject that the host means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import RequestFactory, override_settings

from licenzy_django import access
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import request_subject, subject_ref_of, user_subject, validate_subject_ref


def request_of(user: Any) -> HttpRequest:
    request = RequestFactory().get("/", headers={"X-Org": "acme"})
    request.user = user
    return request


def organisation(request: HttpRequest) -> str | None:
    """A host whose subjects are not users."""
    name = request.headers.get("X-Org")
    return f"org:{name}" if name else None


def test_by_default_the_subject_is_the_logged_in_user() -> None:
    assert user_subject(request_of(User(pk=7))) == "user_7"
    assert request_subject(request_of(User(pk=7))) == "user_7"


def test_an_anonymous_visitor_and_a_request_without_users_are_nobody() -> None:
    assert request_subject(request_of(AnonymousUser())) is None
    assert request_subject(RequestFactory().get("/")) is None


@pytest.mark.parametrize("chosen", [organisation, "tests.test_subjects.organisation"], ids=["callable", "dotted path"])
def test_the_host_says_in_one_setting_who_the_subject_is(chosen: Any) -> None:
    with override_settings(LICENZY={"SUBJECT": chosen}):
        assert request_subject(request_of(User(pk=7))) == "org:acme"
        assert subject_ref_of(request_of(AnonymousUser())) == "org:acme"


def test_a_host_that_answers_nothing_means_nobody() -> None:
    for nothing in ("", None):
        with override_settings(LICENZY={"SUBJECT": lambda request, nothing=nothing: nothing}):
            assert request_subject(request_of(User(pk=7))) is None


def test_whatever_is_at_hand_names_the_subject() -> None:
    assert subject_ref_of("org:acme/eu") == "org:acme/eu"
    assert subject_ref_of(request_of(User(pk=7))) == "user_7"
    assert subject_ref_of(User(pk=7)) == "user_7"
    assert subject_ref_of(SimpleNamespace(pk="0f-uuid")) == "user_0f-uuid"


def test_what_no_database_can_hold_is_nobody(db: None) -> None:
    for impossible in ("a\x00", "a\ud800"):
        assert subject_ref_of(impossible) is None
        assert not access.check(impossible)
        assert access.summary(impossible).status == "none"
        with override_settings(LICENZY={"SUBJECT": lambda request, ref=impossible: ref}):
            assert request_subject(request_of(AnonymousUser())) is None


@pytest.mark.parametrize("nobody", [None, "", AnonymousUser(), User(), SimpleNamespace()])
def test_nobody_has_no_subject_ref(nobody: Any) -> None:
    assert subject_ref_of(nobody) is None


@pytest.mark.parametrize("ref", ["u", "user_123", "org:acme/eu", "a b", "🙂" * 255, "ü", "User_1"])
def test_a_subject_ref_is_any_text_that_the_host_chose(ref: str) -> None:
    assert validate_subject_ref(ref) == ref


@pytest.mark.parametrize(
    "ref", ["", " a", "a ", "/a", "a/", "a\x00", "a\n", "\x7f", "a\x9f", "\ud800", "a" * 256, None, 1]
)
def test_what_is_no_subject_ref_is_an_invalid_request(ref: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate_subject_ref(ref)

    assert set(refused.value.extra["fields"]) == {"subject_ref"}
