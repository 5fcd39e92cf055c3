"""Two subscriptions of one plan group can still come about: operators are told, with what to refund."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from licenzy_django import doctor
from licenzy_django.checkout.plan_groups import paid_twice
from licenzy_django.models import Subject
from licenzy_django.testing import StripeDouble

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells(
        "SUPPORT", PRO_MONTHLY={"group": "plans"}, PRO_YEARLY={"group": "plans", "interval": "year", "amount": 19000}
    ),
]


def doubled(stripe: StripeDouble, price: str = "price_pro_yearly") -> tuple[str, str]:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(days=1)
    later = stripe.simulator.subscribe(session["customer"], [(price, 1)])
    stripe.deliver()
    return session["subscription"], later["id"]


@pytest.mark.parametrize("price", ["price_pro_yearly", "price_pro_monthly"])
def test_doctor_health_page_and_subject_page_name_the_later_one(
    stripe: StripeDouble, admin_client: Client, price: str
) -> None:
    first, later = doubled(stripe, price)

    [found] = doctor.examine(["billing"])
    assert f"user_1 pays for {first} (PRO_MONTHLY" in found.message
    assert f"Cancel {later} at Stripe" in found.hint
    health = admin_client.get(reverse("admin:licenzy_stripeevent_health"), {"mode": "test"}).content.decode()
    page = admin_client.get(reverse("admin:licenzy_subject_change", args=[Subject.objects.get().pk])).content.decode()
    assert f"user_1 pays for {first}" in health
    assert f"Cancel {later} at Stripe" in page


def test_one_that_ended_is_not_paid_twice(stripe: StripeDouble) -> None:
    _, later = doubled(stripe)
    stripe.cancel(later)
    assert paid_twice("test") == []


def test_two_products_that_are_no_group_are_not_paid_twice(stripe: StripeDouble) -> None:
    doubled(stripe, "price_support")
    assert paid_twice("test") == []


def test_a_price_that_nobody_knows_is_named_everywhere(stripe: StripeDouble, admin_client: Client) -> None:
    stripe.simulator.create_price(
        {"id": "price_new", "currency": "eur", "unit_amount": 2900, "recurring": {"interval": "month"}}
    )
    _, later = doubled(stripe, "price_new")

    [found] = doctor.examine(["billing"])
    assert "No product has the price price_new (test), and 1 subscriptions are billed for it" in found.message
    health = admin_client.get(reverse("admin:licenzy_stripeevent_health"), {"mode": "test"}).content.decode()
    page = admin_client.get(reverse("admin:licenzy_subject_change", args=[Subject.objects.get().pk])).content.decode()
    assert "price_new · 1 subscription" in health
    assert f"{later} is billed for the price price_new, which no product has" in page
