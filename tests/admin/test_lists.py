"""What the plain lists of the admin show, find, and refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from licenzy_django import subscriptions, usage
from licenzy_django.models import (
    ApiKey,
    CheckoutAttempt,
    Entitlement,
    EntitlementChange,
    Product,
    StripeEvent,
    Subject,
    SubscriptionChange,
)
from licenzy_django.testing import StripeDouble
from tests.admin.conftest import Operator

pytestmark = pytest.mark.slow

LISTS = ["apikey", "checkoutattempt", "entitlement", "entitlementchange", "product", "stripeevent", "subject"]
LISTS += ["subscriptionchange"]


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def listed(client: Client, model: str, **query: str) -> list[Any]:
    answer = client.get(reverse(f"admin:licenzy_{model}_changelist"), query, follow=True)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


@pytest.fixture
def bought(stripe_double: StripeDouble) -> dict[str, Any]:
    stripe_double.sell("PRO_MONTHLY")
    return stripe_double.buy("org:acme/eu west", "PRO_MONTHLY")


def subscription_change(bought: dict[str, Any]) -> SubscriptionChange:
    subscriptions.resume("org:acme/eu west", "PRO_MONTHLY", idempotency_key="k")
    return SubscriptionChange.objects.get(stripe_subscription_id=bought["subscription"])


@pytest.mark.parametrize("model", LISTS)
def test_every_list_opens_for_those_who_look_and_for_nobody_else(
    model: str, looker: Client, operator: Operator, bought: Any
) -> None:
    url = reverse(f"admin:licenzy_{model}_changelist")
    assert looker.get(url).status_code == 200
    assert operator().get(url).status_code == 403
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize("model", LISTS)
def test_nothing_is_added_changed_or_deleted_by_those_who_look(model: str, looker: Client, bought: Any) -> None:
    row = {
        "apikey": lambda: ApiKey.objects.issue("test", "Shop")[0],
        "checkoutattempt": CheckoutAttempt.objects.get,
        "entitlement": Entitlement.objects.get,
        "entitlementchange": EntitlementChange.objects.first,
        "product": Product.objects.get,
        "stripeevent": StripeEvent.objects.first,
        "subject": Subject.objects.get,
        "subscriptionchange": lambda: subscription_change(bought),
    }[model]()
    page = reverse(f"admin:licenzy_{model}_change", args=[row.pk])
    assert looker.get(page).status_code == 200
    assert looker.post(page, {"name": "other"}).status_code in (403, 405)
    assert looker.get(reverse(f"admin:licenzy_{model}_add")).status_code == 403
    assert looker.post(reverse(f"admin:licenzy_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_the_page_of_an_entitlement_says_what_became_of_its_units(looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack", units=100)
    stripe_double.buy("user_1", "CREDITS")
    usage.consume("user_1", 30, idempotency_key="1")

    page = looker.get(reverse("admin:licenzy_entitlement_change", args=[Entitlement.objects.get().pk]))

    assert "units granted: 100 · units consumed: 30 · " in page.content.decode()


def test_a_superuser_cannot_rewrite_history_either(admin_client: Client, bought: Any) -> None:
    for model, row in {
        "entitlement": Entitlement.objects.get(),
        "entitlementchange": EntitlementChange.objects.first(),
        "stripeevent": StripeEvent.objects.first(),
    }.items():
        page = reverse(f"admin:licenzy_{model}_change", args=[row.pk])
        assert admin_client.post(page, {"status": "canceled"}).status_code == 403
        delete = reverse(f"admin:licenzy_{model}_delete", args=[row.pk])
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_ids_are_found_pasted_as_they_are(looker: Client, bought: dict[str, Any]) -> None:
    attempt, entitlement = CheckoutAttempt.objects.get(), Entitlement.objects.get()
    event = StripeEvent.objects.filter(object_id=bought["id"]).first()
    assert event is not None
    assert listed(looker, "checkoutattempt", q=f"  {bought['id']}\n") == [attempt]
    assert listed(looker, "checkoutattempt", q="org:acme/eu west") == [attempt]
    assert listed(looker, "entitlement", q=entitlement.public_id) == [entitlement]
    assert listed(looker, "entitlement", q=bought["subscription"]) == [entitlement]
    assert listed(looker, "stripeevent", q=event.event_id) == [event]


def test_a_part_of_an_id_or_another_case_finds_nothing(looker: Client, bought: dict[str, Any]) -> None:
    assert listed(looker, "checkoutattempt", q=bought["id"][:-1]) == []
    assert listed(looker, "entitlement", q="ORG:ACME/EU WEST") == []
    assert listed(looker, "entitlement", q="\x00") == listed(looker, "entitlement")


@pytest.mark.parametrize("model", LISTS)
def test_a_longer_list_costs_no_more_queries(model: str, looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack")
    url = reverse(f"admin:licenzy_{model}_changelist")

    def more_of_everything() -> None:
        subject = f"user_{Subject.objects.count()}"
        stripe_double.buy(subject, "CREDITS")
        stripe_double.sell(f"PRO_{subject}")
        ApiKey.objects.issue("test", subject)

    more_of_everything()
    few = queries_of(looker, url)
    more_of_everything()
    more_of_everything()
    assert queries_of(looker, url) == few


def test_digests_and_key_material_are_nowhere(looker: Client, admin_client: Client, bought: Any) -> None:
    row, key = ApiKey.objects.issue("test", "Shop")
    event = StripeEvent.objects.first()
    assert event is not None
    for client in (looker, admin_client):
        for page in (
            reverse("admin:licenzy_apikey_changelist"),
            reverse("admin:licenzy_apikey_change", args=[row.pk]),
            reverse("admin:licenzy_stripeevent_change", args=[event.pk]),
        ):
            text = client.get(page).content.decode()
            assert key not in text
            assert row.digest not in text
