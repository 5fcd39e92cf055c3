"""Packs together may have more units than a column holds: every door answers. What one cannot hold is refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from licenzy_django import access, operators, usage
from licenzy_django.checkout.order import MAX_QUANTITY
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Entitlement, LedgerEntry, Pack
from licenzy_django.models.product_units import MAX_UNITS
from licenzy_django.models.usage import MOST_UNITS
from tests.backend import Backend
from tests.shelf import Shelf
from tests.usage.steps import reserve

pytestmark = pytest.mark.sells(CREDITS={"kind": "usage_pack"})


@pytest.fixture
def packs(shelf: Shelf) -> list[Entitlement]:
    """Three of user_1, as full as can be."""
    full = [shelf.give(1) for _ in range(3)]
    for pack in full:
        Pack.objects.filter(entitlement=pack).update(units_granted=MOST_UNITS, units_remaining=MOST_UNITS)
        LedgerEntry.objects.filter(pack=pack.pack_id).update(units=MOST_UNITS, balance_after=MOST_UNITS)
        pack.refresh_from_db()
    return full


@pytest.mark.usefixtures("way_of_taking_units", "balanced_books")
def test_every_answer_says_the_most_that_a_column_holds(packs: list[Entitlement], backend: Backend) -> None:
    assert usage.remaining("user_1") == MOST_UNITS
    assert access.summary("user_1").usage_remaining == MOST_UNITS
    assert backend.get("customer/access/user_1").json()["usage_remaining"] == MOST_UNITS
    assert usage.consume("user_1", 5, idempotency_key="k").usage_remaining == MOST_UNITS
    assert usage.consume("user_1", 5, idempotency_key="k").usage_remaining == MOST_UNITS
    held = reserve(5)
    assert held.usage_remaining == MOST_UNITS
    assert usage.confirm(held.reservation_id, 2).usage_remaining == MOST_UNITS
    assert access.check("user_1")


def test_an_operator_who_gives_more_than_a_pack_can_hold_is_told_so(packs: list[Entitlement], ada: User) -> None:
    with pytest.raises(InvalidRequest) as refused:
        usage.adjust(packs[0], 1, actor=ada, reason="a gift")

    assert refused.value.extra["fields"] == {"units": ["A pack holds at most 9,223,372,036,854,775,807 units in all."]}
    assert usage.adjust(packs[0], -1, actor=ada, reason="a test").units_remaining == MOST_UNITS - 1
    assert usage.adjust(packs[0], 1, actor=ada, reason="a test").units_remaining == MOST_UNITS


def test_the_admin_says_it_too(packs: list[Entitlement], admin_client: Client) -> None:
    where = [packs[0].subject_id, "adjust", packs[0].public_id]
    form = {"units": 1, "reason": "a gift", "request_id": "r1"}
    answer = admin_client.post(reverse("admin:licenzy_subject_act_on", args=where), form, follow=True)

    assert (answer.status_code, "A pack holds at most" in answer.text) == (200, True)
    page = reverse("admin:licenzy_subject_change", args=where[:1])
    assert admin_client.get(page).status_code == 200


def test_a_grant_and_a_purchase_beside_full_packs_are_taken(packs: list[Entitlement], ada: User, shelf: Shelf) -> None:
    operators.grant("user_1", shelf.product(), units=MAX_UNITS, actor=ada, reason="a gift", request_id="r1")
    shelf.double.buy("user_1", "CREDITS", quantity=2)

    assert Entitlement.objects.filter(grants_access=True).count() == 5
    assert usage.remaining("user_1") == MOST_UNITS


def test_revoked_and_restored_a_full_pack_is_full_again(packs: list[Entitlement], ada: User) -> None:
    operators.revoke(packs[0], actor=ada, reason="a test")
    operators.restore(packs[0], actor=ada, reason="a test")

    assert Entitlement.objects.get(pk=packs[0].pk).units_remaining == MOST_UNITS


def test_no_purchase_is_larger_than_a_pack_can_be() -> None:
    assert MAX_UNITS * MAX_QUANTITY < MOST_UNITS
