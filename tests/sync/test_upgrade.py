"""A new version of ours takes no right away: facts that an earlier one kept say less, and are fetched again first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from licenzy_django import access, catalog, sync
from licenzy_django.entitlements import catalog_changes
from licenzy_django.models import Product, StripeFact, Subject, UnknownPrice
from licenzy_django.testing import StripeDouble
from tests.histories import EVERYTHING, REF, newest, sub

pytestmark = [pytest.mark.logic, pytest.mark.sells(**EVERYTHING)]

OLD_STATE = {
    "invoice": ("status", "paid_at", "failed_at", "created", "amount_paid", "currency", "lines"),
    "invoice_payment": ("status",),
    "subscription": (
        "status", "created", "items", "cancel_at", "cancel_at_period_end", "canceled_at", "ended_at",
        "latest_invoice", "seen_at",
    ),
    "subscription_price": ("price", "seen_at"),
}  # fmt: skip
OLD_LINE = ("item", "price", "start", "end", "proration")


def as_the_first_version_kept_them() -> None:
    """Facts in the form that they had before rights followed money: no totals, no amounts, no quantities."""
    StripeFact.objects.exclude(object__in=[*OLD_STATE, "checkout.session", "charge", "refund", "customer"]).delete()
    for fact in StripeFact.objects.filter(object__in=OLD_STATE):
        fact.state = only(fact.state, OLD_STATE[fact.object])
        if fact.state.get("lines"):
            fact.state["lines"] = [only(line, OLD_LINE) for line in fact.state["lines"]]
        fact.save()
    for seen in StripeFact.objects.filter(object="subscription_price").order_by("pk"):
        # They were by price alone.
        seen.stripe_id = seen.stripe_id.rpartition("/")[0]
        is_known = StripeFact.objects.filter(stripe_id=seen.stripe_id).exists()
        seen.delete() if is_known else seen.save()


def only(state: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: state[name] for name in names}


def one_payment(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS", quantity=3)


def years_and_changes(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "SEATS", quantity=3)
    stripe.renew(session)
    stripe.simulator.set_quantity(sub(stripe), 2, proration_behavior="always_invoice")
    stripe.renew(session)
    stripe.simulator.set_quantity(sub(stripe), 3, proration_behavior="always_invoice")
    stripe.deliver()


def many_lines(stripe: StripeDouble) -> None:
    session = stripe.buy(REF, "SEATS")
    for quantity in (2, 3, 4, 5, 6, 3):
        stripe.simulator.advance(86_400)
        stripe.simulator.set_quantity(sub(stripe), quantity, prorated=True)
    stripe.renew(session)


def what_is_there() -> Any:
    return [(view.product_code, view.available, view.quantity, view.reason) for view in access.entitlements_of(REF)]


BEFORE = [one_payment, years_and_changes, many_lines]


@pytest.fixture(params=BEFORE, ids=lambda before: before.__name__)
def upgraded(request: pytest.FixtureRequest, stripe: StripeDouble) -> StripeDouble:
    """A subscription of three seats, as the first version has left it."""
    request.param(stripe)
    assert what_is_there() == [("SEATS", True, 3, None)]
    as_the_first_version_kept_them()
    return stripe


def any_event(stripe: StripeDouble) -> list[dict[str, Any]]:
    return [stripe.simulator.event("customer.subscription.updated", "subscription", sub(stripe)["id"])]


def test_a_webhook_completes_the_facts_first(upgraded: StripeDouble) -> None:
    assert upgraded.deliver(any_event(upgraded)) == [200]

    assert what_is_there() == [("SEATS", True, 3, None)]
    assert all("total" in fact.state for fact in StripeFact.objects.filter(object="invoice"))


@pytest.mark.parametrize("since", [None, timedelta(seconds=-1)], ids=["all", "of what is new"])
def test_sync_completes_the_facts_first(upgraded: StripeDouble, since: timedelta | None) -> None:
    moment = None if since is None else upgraded.now - since
    subject = Subject.objects.get()

    assert sync.drift(subject, since=moment) == []
    assert sync.repair(subject, since=moment) == []

    assert what_is_there() == [("SEATS", True, 3, None)]


def test_sync_completes_the_facts_of_two_subscriptions(stripe: StripeDouble) -> None:
    stripe.buy(REF, "SEATS", quantity=3)
    stripe.buy(REF, "PRO_MONTHLY")
    before = what_is_there()
    as_the_first_version_kept_them()

    assert sync.repair(Subject.objects.get(), since=stripe.now + timedelta(seconds=1)) == []

    assert what_is_there() == before


@pytest.mark.parametrize(
    "path", ["/v1/invoices/*", "/v1/invoices/*/lines", "/v1/*"], ids=["no invoice", "no lines", "nothing"]
)
def test_where_stripe_cannot_be_reached_nothing_is_taken(upgraded: StripeDouble, path: str) -> None:
    event = any_event(upgraded)
    upgraded.faults.add("GET", path, "drop_before", times=99)

    upgraded.deliver(event)
    assert what_is_there() == [("SEATS", True, 3, None)]

    upgraded.faults.clear()
    assert upgraded.deliver(event) == [200]
    assert what_is_there() == [("SEATS", True, 3, None)]


def without_its_price(stripe: StripeDouble) -> dict[str, Any]:
    """Three seats whose price the catalog did not know when it was paid, as the first version has left them. Returns
    the product's entry with the price."""
    [entry] = catalog.dump(Product.objects.filter(code="SEATS"))
    Product.objects.filter(code="SEATS").delete()
    customer = stripe.buy(REF, "WEEK_PASS")["customer"]
    stripe.simulator.subscribe(customer, [("price_seats", 3)])
    stripe.deliver()
    assert [row.stripe_price_id for row in UnknownPrice.objects.all()] == ["price_seats"]
    as_the_first_version_kept_them()
    return entry


def seats() -> Any:
    return [view[1:] for view in what_is_there() if view[0] == "SEATS"]


def test_loading_a_price_completes_the_facts_first(stripe: StripeDouble) -> None:
    entry = without_its_price(stripe)

    catalog.load([entry])

    assert seats() == [(True, 3, None)]
    assert not UnknownPrice.objects.exists()


def test_where_stripe_cannot_be_reached_who_waits_for_a_price_goes_on_waiting(
    stripe: StripeDouble, caplog: pytest.LogCaptureFixture
) -> None:
    entry = without_its_price(stripe)
    stripe.faults.add("GET", "/v1/invoices/*", "drop_before", times=99)

    catalog.load([entry])

    assert UnknownPrice.objects.exists()
    assert f"waits for licenzy_sync --subject {REF}" in caplog.text
    stripe.faults.clear()
    catalog.load([entry])
    assert seats() == [(True, 3, None)]


def test_applying_the_catalog_completes_the_facts_first(upgraded: StripeDouble) -> None:
    product = Product.objects.get(code="SEATS")
    product.features = ["sso"]
    product.save()

    assert catalog_changes.apply_to_everybody(product, actor=None, reason="for all") == 1

    assert what_is_there() == [("SEATS", True, 3, None)]
    assert access.check(REF, feature="sso")
    assert all("total" in fact.state for fact in StripeFact.objects.filter(object="invoice"))


def test_an_invoice_that_stripe_no_longer_has_still_proves_what_was_known(upgraded: StripeDouble) -> None:
    for invoice in upgraded.simulator.all("invoice"):
        upgraded.simulator.forget("invoice", invoice["id"])
    upgraded.simulator.find("subscription", sub(upgraded)["id"])["latest_invoice"] = None

    assert upgraded.deliver(any_event(upgraded)) == [200]

    assert what_is_there() == [("SEATS", True, 3, None)]


def test_a_refund_that_comes_right_after_the_upgrade_ends_what_it_paid(stripe: StripeDouble) -> None:
    one_payment(stripe)
    as_the_first_version_kept_them()

    stripe.refund(newest(stripe, "payment_intent"))

    assert what_is_there() == [("SEATS", False, 3, "refunded")]
