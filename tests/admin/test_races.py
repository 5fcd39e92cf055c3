"""Two operators, or one with a nervous finger, at the same moment: on a real database, by real threads."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from licenzy_django import access, operators
from licenzy_django.models import (
    ApiKey,
    Entitlement,
    EntitlementChange,
    LedgerEntry,
    OutboundEndpoint,
    Product,
    Subject,
)
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble
from tests.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)
CLICKS = 6


@pytest.fixture
def pack(stripe_double: StripeDouble) -> Product:
    return stripe_double.sell("CREDITS", kind="usage_pack")


@pytest.fixture
def ada(transactional_db: None) -> User:
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="licenzy"))
    return user


def clicked(user: User, url: str, form: dict[str, object]) -> list[int]:
    """The same form sent by all threads at once."""

    def click(number: int) -> int:
        client = Client()
        client.force_login(user)
        return client.post(url, form).status_code

    return in_threads(CLICKS, click)


def test_one_form_grants_once(ada: User, pack: Product) -> None:
    subject = Subject.objects.create(mode="test", subject_ref="user_1")
    url = reverse("admin:licenzy_subject_act", args=[subject.pk, "grant"])
    statuses = clicked(ada, url, {"product": pack.pk, "reason": "x", "request_id": "r"})
    assert statuses == [302] * CLICKS
    assert Entitlement.objects.count() == EntitlementChange.objects.count() == LogEntry.objects.count() == 1
    assert access.summary("user_1").usage_remaining == 1000


def test_the_verb_itself_grants_once_to_somebody_new(stripe_double: StripeDouble, pack: Product) -> None:
    done = in_threads(
        CLICKS, lambda number: operators.grant("new", pack, actor=None, reason="x", request_id="r").changed
    )
    assert sorted(done) == [False] * (CLICKS - 1) + [True]


@pytest.mark.parametrize(("slug", "units"), [("revoke", 0), ("adjust", 1500)])
def test_one_form_takes_or_gives_once(slug: str, units: int, ada: User, pack: Product) -> None:
    gift = operators.grant("user_1", pack, actor=None, reason="x", request_id="r").row
    url = reverse("admin:licenzy_subject_act_on", args=[gift.subject_id, slug, gift.public_id])
    assert clicked(ada, url, {"reason": "x", "units": 500, "request_id": "a"}) == [302] * CLICKS
    gift.refresh_from_db()
    assert gift.units_remaining == units
    assert EntitlementChange.objects.count() == 2
    assert LedgerEntry.objects.count() == 2
    assert LogEntry.objects.count() == 1


def test_one_form_makes_one_key(ada: User) -> None:
    url = reverse("admin:licenzy_apikey_add")
    statuses = clicked(ada, url, {"mode": "test", "name": "Shop", "request_id": "r"})
    assert sorted(statuses) == [200] + [302] * (CLICKS - 1)
    assert ApiKey.objects.count() == LogEntry.objects.count() == 1


def test_one_form_rotates_once(ada: User) -> None:
    endpoint, first = endpoints.create("test", "https://hooks.example.com/in")
    url = reverse("admin:licenzy_outboundendpoint_rotate", args=[endpoint.pk])
    statuses = clicked(ada, url, {"reason": "x", "changed_at": endpoint.updated_at.isoformat()})
    assert sorted(statuses) == [200] + [302] * (CLICKS - 1)
    assert OutboundEndpoint.objects.get().previous_secret == first
