"""One outbound event for one real change, however Stripe tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from licenzy_django import operators, testing
from licenzy_django.models import (
    CheckoutAttempt,
    Delivery,
    Entitlement,
    EntitlementChange,
    EventType,
    OutboundEndpoint,
    OutboundEvent,
    StripeEvent,
)
from licenzy_django.outbound import endpoints, events, outbox, usage_events
from licenzy_django.signals import outbound_recorded
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble

BOOKKEEPING = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.sells(
        "PRO_MONTHLY",
        PRO_YEARLY={"interval": "year", "amount": 19_000},
        WEEK_PASS={"kind": "time_pass", "amount": 700},
        CREDITS={"kind": "usage_pack", "amount": 1000},
    ),
]


@pytest.fixture
def listener(stripe: StripeDouble) -> OutboundEndpoint:
    return endpoints.create("test", "https://hooks.example.com/")[0]


def told(event_type: str = "") -> list[OutboundEvent]:
    events = OutboundEvent.objects.order_by("pk")
    return list(events.filter(type=event_type) if event_type else events)


def counted() -> Counter[str]:
    return Counter(event.type for event in told())


def contents(event_type: str) -> dict[str, Any]:
    """Of the only event of this type."""
    [event] = told(event_type)
    return dict(events.body_of(event)["data"])


def test_a_subscription_that_was_bought_is_told_in_full(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")

    attempt, entitlement = CheckoutAttempt.objects.get(), Entitlement.objects.get()
    assert contents("purchase.finalized") == {
        "subject_ref": "user_1",
        "mode": "test",
        "product_code": "PRO_MONTHLY",
        "kind": "subscription",
        "status": "active",
        "reason": "checkout_finalized",
        "source": "stripe",
        "entitlement_id": entitlement.public_id,
        "attempt_id": attempt.public_id,
        "units": None,
        "usage_remaining": None,
        "amount_total": 1900,
        "currency": "eur",
        "stripe_checkout_session_id": session["id"],
        "stripe_payment_intent_id": None,
        "stripe_subscription_id": session["subscription"],
        "current_period_end": events.in_utc(entitlement.current_period_end),
        "expires_at": None,
        "canceled_at": None,
        "actor_user_id": None,
        "metadata": None,
        "created_at": events.in_utc(attempt.created_at),
        "updated_at": events.in_utc(stripe.now),
        "unit": None,
        "limits": None,
        "threshold": None,
        "usage_granted": None,
        "usage_resets_at": None,
        "previous_subject_ref": None,
    }
    paid = contents("invoice.payment_succeeded")
    assert (paid["amount_total"], paid["currency"], paid["reason"]) == (1900, "eur", "invoice_paid")
    assert (paid["product_code"], paid["entitlement_id"]) == ("PRO_MONTHLY", entitlement.public_id)
    assert paid["stripe_subscription_id"] == session["subscription"]
    assert told("subscription.updated")
    assert not told("subscription.deleted")


def test_a_pack_that_was_bought_is_told_with_its_units_and_payment(
    stripe: StripeDouble, listener: OutboundEndpoint
) -> None:
    session = stripe.buy("user_1", "CREDITS")

    assert counted() == {"purchase.finalized": 1, "entitlement.updated": 1}
    bought = contents("purchase.finalized")
    assert (bought["units"], bought["usage_remaining"], bought["amount_total"]) == (1000, 1000, 1000)
    assert bought["stripe_payment_intent_id"] == session["payment_intent"]
    assert contents("entitlement.updated")["stripe_checkout_session_id"] == session["id"]


def test_every_change_of_an_entitlement_is_told_once(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(days=32)
    stripe.cancel(session)
    stripe.refund(stripe.buy("user_1", "WEEK_PASS"))

    assert len(told("entitlement.updated")) == EntitlementChange.objects.count() > 4
    assert Delivery.objects.count() == OutboundEvent.objects.count()


def test_the_end_of_a_subscription_is_told_once_and_says_so(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    before = counted()

    stripe.cancel(session)

    assert counted() - before == {"entitlement.updated": 1, "subscription.deleted": 1}
    ended = contents("subscription.deleted")
    assert (ended["status"], ended["reason"]) == ("canceled", "subscription_deleted")
    assert ended["canceled_at"] is not None


def test_what_changes_after_the_end_is_no_second_end(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    stripe.cancel(stripe.buy("user_1", "PRO_MONTHLY"))
    Entitlement.objects.update(quantity=9)  # as a correction would

    inbox.process(StripeEvent.objects.get(type="customer.subscription.deleted"))

    assert Entitlement.objects.get().quantity == 1
    assert counted()["subscription.deleted"] == 1


def test_a_changed_price_is_an_update_of_the_subscription_and_not_its_end(
    stripe: StripeDouble, listener: OutboundEndpoint
) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    before = len(told("entitlement.updated"))
    stripe.simulator.swap_price(session["subscription"], "price_pro_yearly")
    stripe.deliver()

    assert not told("subscription.deleted")
    assert len(told("entitlement.updated")) >= before + 2
    assert told("subscription.updated")[-1].payload["product_code"] == "PRO_YEARLY"


def test_what_was_revoked_is_told_as_canceled_also_when_it_renews(
    stripe: StripeDouble, listener: OutboundEndpoint
) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    revoke(Entitlement.objects.get())
    [*_, revoked] = told("entitlement.updated")
    before = len(told())

    stripe.renew(session)

    said = [events.body_of(event)["data"] for event in [revoked, *told()[before:]]]
    assert len(said) > 2
    assert {(data["status"], data["canceled_at"]) for data in said} == {("canceled", said[0]["canceled_at"])}
    assert said[0]["canceled_at"] == events.in_utc(Entitlement.objects.get().revoked_at)


def test_of_a_subscription_it_is_told_what_was_not_revoked(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.simulator.add_item(session["subscription"], "price_pro_yearly")
    stripe.deliver()
    revoke(Entitlement.objects.get(product__code="PRO_YEARLY"))

    stripe.renew(session)

    changed = told("subscription.updated")[-1].payload
    assert (changed["product_code"], changed["status"]) == ("PRO_MONTHLY", "active")


def revoke(entitlement: Entitlement) -> None:
    operators.revoke(entitlement, actor=User.objects.create_user("ada"), reason="fraud")


def test_a_failed_renewal_is_told_and_its_recovery_too(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.renew(session, paid=False)
    failed = contents("invoice.payment_failed")
    assert (failed["status"], failed["reason"]) == ("past_due", "invoice_payment_failed")

    stripe.simulator.recover(session["subscription"])
    stripe.deliver()

    assert counted()["invoice.payment_succeeded"] == 2
    assert counted()["invoice.payment_failed"] == 1


def test_a_redelivered_event_tells_nothing_new(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    events = stripe.take_events()
    stripe.deliver(events)
    before = counted()

    stripe.deliver(events, times=3)

    assert counted() == before


def test_a_replayed_event_tells_nothing_new(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    stripe.renew(stripe.buy("user_1", "PRO_MONTHLY"), paid=False)
    before = counted()

    for row in StripeEvent.objects.filter(status="processed"):
        inbox.process(row)

    assert counted() == before


def test_several_events_of_one_payment_tell_of_it_once(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    """``invoice.paid``, ``invoice.payment_succeeded`` and ``invoice_payment.paid`` are one payment."""
    stripe.buy("user_1", "PRO_MONTHLY")
    assert StripeEvent.objects.filter(type__startswith="invoice", status="processed").count() > 1
    assert len(told("invoice.payment_succeeded")) == 1


def test_in_every_order_the_purchase_and_its_invoice_are_told_once(
    stripe: StripeDouble, listener: OutboundEndpoint
) -> None:
    stripe.simulator.pay(stripe.checkout("user_1", "PRO_MONTHLY"))
    events = [event for event in stripe.take_events() if event["type"] in inbox.HANDLED]
    for number, order in enumerate(testing.in_every_order(events)):
        if number % 7:
            continue
        start_again()
        stripe.deliver(order, times=2)

        once = ("purchase.finalized", "invoice.payment_succeeded", "subscription.deleted")
        assert [counted()[name] for name in once] == [1, 1, 0], [event["type"] for event in order]
        assert len(told("entitlement.updated")) == EntitlementChange.objects.count()


def start_again() -> None:
    """As it was before Stripe said anything."""
    OutboundEvent.objects.all().delete()
    EntitlementChange.objects.all().delete()
    Entitlement.objects.all().delete()
    StripeEvent.objects.all().delete()
    stripe_facts = CheckoutAttempt.objects.get().subject.stripe_facts.model
    stripe_facts.objects.exclude(object="customer").delete()
    CheckoutAttempt.objects.update(status="created", finalized_at=None)


def test_what_fails_halfway_tells_nothing(
    stripe: StripeDouble, listener: OutboundEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is written in the transaction of the change: both or none."""
    stripe.simulator.pay(stripe.checkout("user_1", "WEEK_PASS"))
    monkeypatch.setattr(inbox, "finish", lambda *_: 1 / 0)

    assert 500 in stripe.deliver()

    assert (told(), Entitlement.objects.count()) == ([], 0)


def test_a_dedup_key_is_unique_in_the_database(stripe: StripeDouble) -> None:
    first = OutboundEvent(
        mode="test", type="invoice.payment_failed", payload={}, dedup_key="invoice.payment_failed:in_1"
    )
    first.save()
    with pytest.raises(IntegrityError):
        OutboundEvent(mode="test", type=first.type, payload={}, dedup_key=first.dedup_key).save()


def test_an_endpoint_hears_only_of_what_happened_after_it_was_made(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(hours=1)
    endpoints.create("test", "https://hooks.example.com/")

    for row in StripeEvent.objects.filter(status="processed"):
        inbox.process(row)

    assert told() == []


def test_what_is_a_month_old_is_no_news(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    """A sync, or a replay after a prune, may learn of an old invoice again."""
    stripe.buy("user_1", "PRO_MONTHLY")
    OutboundEvent.objects.all().delete()
    event = StripeEvent.objects.get(type="invoice.paid")
    stripe.simulator.advance(events.PUBLISHED_WITHIN + timedelta(days=1))
    stripe.take_events()

    inbox.process(event)

    assert not told("invoice.payment_succeeded")


# --- what it costs ----------------------------------------------------------------------------------------------------


def statements_of(act: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        act()
    return [query["sql"] for query in queries if not query["sql"].startswith(BOOKKEEPING)]


def costs(stripe: StripeDouble, subject: str) -> dict[str, int]:
    """Statements of each event of a subscription's life, by type."""
    session = stripe.simulator.pay(stripe.checkout(subject, "PRO_MONTHLY"))
    stripe.simulator.renew(session["subscription"], paid=False)
    stripe.simulator.recover(session["subscription"])
    stripe.simulator.cancel(session["subscription"])
    by_type: dict[str, int] = {}
    for event in stripe.take_events():
        number = len(statements_of(lambda: stripe.deliver([event])))  # noqa: B023
        by_type[event["type"]] = max(number, by_type.get(event["type"], 0))
    return by_type


def test_with_nobody_listening_no_statement_is_made_for_it(stripe: StripeDouble) -> None:
    statements = statements_of(lambda: stripe.buy("user_1", "PRO_MONTHLY"))

    assert any("licenzy_outboundendpoint" in sql and "EXISTS" in sql for sql in statements)
    assert not [sql for sql in statements if 'FROM "licenzy_outboundendpoint"' in sql and "EXISTS" not in sql]


def test_with_somebody_listening_an_event_costs_at_most_five_statements_more(stripe: StripeDouble) -> None:
    unheard = costs(stripe, "user_1")
    endpoints.create("test", "https://hooks.example.com/")

    heard = costs(stripe, "user_2")

    more = {name: heard[name] - unheard[name] for name in unheard}
    assert max(more[name] for name in more if name != "checkout.session.completed") <= 5, more
    assert more["checkout.session.completed"] <= 9, more


def test_receivers_of_the_signal_are_told_after_the_commit(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    heard: list[int] = []

    def on_recorded(**_: Any) -> None:
        assert not connection.in_atomic_block
        heard.append(Delivery.objects.count())

    outbound_recorded.connect(on_recorded)
    try:
        stripe.buy("user_1", "CREDITS")
    finally:
        outbound_recorded.disconnect(on_recorded)

    assert heard
    assert heard[-1] == 2


def test_a_key_that_the_contract_does_not_have_cannot_be_told() -> None:
    with pytest.raises(TypeError, match="email"):
        events.payload("user_1", email="ada@example.com")


def test_usage_is_told_with_what_is_left(stripe: StripeDouble, listener: OutboundEndpoint) -> None:
    outbox.publish(
        "test", [usage_events.usage_consumed("user_1", 100, mode="test", unit="credits", usage_remaining=900)]
    )

    used = contents("usage.consumed")
    assert (used["units"], used["usage_remaining"]) == (100, 900)
    assert (used["source"], used["reason"], used["kind"]) == ("runtime", "usage_consumed", "usage_pack")
    assert set(EventType.values) >= set(counted())
