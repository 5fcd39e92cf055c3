"""From a request, a user or a text to the subject that the host means."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, Group, User
from django.http import HttpRequest
from django.template import Context
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject

from licenzy_django import access, billing_portal, checkout, operators, usage
from licenzy_django.access import account
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import request_subject, subject_ref_of, user_subject, validate_subject_ref
from licenzy_django.models import Product, Subject
from licenzy_django.templatetags import licenzy
from licenzy_django.testing import StripeDouble, entitled


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
    assert subject_ref_of(SimpleLazyObject(lambda: User(pk=7))) == "user_7"
    assert subject_ref_of(ProxyOfUser(pk=7)) == "user_7"


class ProxyOfUser(User):
    class Meta:
        proxy = True
        app_label = "of_no_app"


NO_SUBJECTS = [
    pytest.param(Group(pk=7), id="another model with the same number"),
    pytest.param(SimpleLazyObject(lambda: Group(pk=7)), id="lazy"),
    pytest.param(SimpleNamespace(pk=7, is_authenticated=True), id="looks like a user"),
    pytest.param(SimpleNamespace(META={}, user=User(pk=7)), id="looks like a request"),
    pytest.param(User, id="the class"),
    pytest.param(7, id="int"),
    pytest.param(True, id="bool"),
    pytest.param(b"user_7", id="bytes"),
    pytest.param(["user_7"], id="list"),
    pytest.param(request_of(Group(pk=7)), id="a request of another model"),
]
VERBS: dict[str, Callable[[Any], object]] = {
    "check": access.check,
    "require": access.require,
    "acheck": lambda who: async_to_sync(access.acheck)(who),
    "summary": access.summary,
    "entitlements_of": access.entitlements_of,
    "account": account.of,
    "has_access": licenzy.has_access,
    "has_feature": lambda who: licenzy.has_feature(who, "export"),
    "units_left": licenzy.units_left,
    "units_left_of": lambda who: licenzy.units_left_of(who, "credits"),
    "entitlements": lambda who: licenzy.entitlements(Context(), who),
    "remaining": usage.remaining,
    "by_day": usage.by_day,
    "consume": lambda who: usage.consume(who, 1, idempotency_key="k"),
    "reserve": lambda who: usage.reserve(who, 1, idempotency_key="k"),
    "start": lambda who: checkout.start(who, "PRO", idempotency_key="k"),
    "session_url": billing_portal.session_url,
    "grant": lambda who: operators.grant(who, Product(), actor=None, reason="a test", request_id="r"),
    "entitled": entitled,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("subject", NO_SUBJECTS)
def test_no_verb_takes_anything_else_for_a_subject(subject: Any) -> None:
    for name, verb in VERBS.items():
        with pytest.raises(TypeError, match="A subject is a text, a request, an instance of User"):
            pytest.fail(f"{name} gave {verb(subject)!r}")


@pytest.mark.django_db(transaction=True)
def test_every_verb_takes_a_text_a_request_and_a_user(stripe_double: StripeDouble) -> None:
    user = User.objects.create(pk=7, username="ada")
    product = stripe_double.sell("CREDITS", kind="usage_pack", units=100)
    for number, who in enumerate(("user_7", user, request_of(SimpleLazyObject(lambda: user)))):
        stripe_double.buy(who, "CREDITS")
        operators.grant(who, product, actor=user, reason="a test", request_id=f"r{number}")
        assert access.check(who).subject_ref == "user_7"
        usage.consume(who, 1, idempotency_key=f"k{number}")
        assert billing_portal.session_url(who)
    assert {subject_ref for (subject_ref,) in Subject.objects.values_list("subject_ref")} == {"user_7"}
    assert usage.remaining(user) == 6 * 100 - 3


def test_what_no_database_can_hold_is_nobody(db: None) -> None:
    for impossible in ("a\x00", "a\ud800"):
        assert subject_ref_of(impossible) is None
        assert not access.check(impossible)
        assert access.summary(impossible).status == "none"
        with override_settings(LICENZY={"SUBJECT": lambda request, ref=impossible: ref}):
            assert request_subject(request_of(AnonymousUser())) is None


@pytest.mark.parametrize("nobody", [None, "", AnonymousUser(), User(), SimpleLazyObject(AnonymousUser)])
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
