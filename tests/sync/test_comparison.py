"""Lost webhooks cost nothing."""

from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from licenzy_django import access, clock, sync
from licenzy_django.models import CheckoutAttempt, Entitlement, Subject
from licenzy_django.sync import at_stripe, comparison
from licenzy_django.testing import StripeDouble
from tests.histories import HISTORIES, History, handled, newest, sell_everything, state

pytestmark = pytest.mark.slow

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def what_counts() -> set[tuple[object, ...]]:
    """Status and access; the second in which a purchase was confirmed only an event can tell."""
    columns = (
        "product__code",
        "source_id",
        "status",
        "status_reason",
        "grants_access",
        "quantity",
        "pack__units_remaining",
    )
    attempts = CheckoutAttempt.objects.values_list("public_id", "status", "failure_reason")
    return {*Entitlement.objects.values_list(*columns), *attempts}


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_one_repair_is_as_good_as_all_the_webhooks(history: History, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    stripe.deliver()
    history.tail(stripe)
    events = handled(stripe.take_events())
    subject = Subject.objects.get()

    expected = sync.drift(subject)
    repaired = sync.repair(subject)
    after_repair = what_counts()
    stripe.deliver(events)

    assert [str(one) for one in expected] == [str(one) for one in repaired]
    assert after_repair <= what_counts()
    # What a subscription gained and lost again meanwhile, no object at Stripe can tell any more: it has ended anyway.
    assert {row[4] for row in what_counts() - after_repair} <= {False}
    assert sync.drift(subject) == []


@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_missed_events_are_handled_as_if_they_had_arrived(history: History, stripe_double: StripeDouble) -> None:
    stripe = stripe_double
    sell_everything(stripe)
    history.prelude(stripe)
    history.tail(stripe)
    events = handled(stripe.take_events())

    handled_late = list(sync.missed_events("test", since=LONG_AGO))
    after_sync = state()
    stripe.deliver(events)

    assert {row.event_id for row in handled_late} >= {event["id"] for event in events}
    assert after_sync == state()
    assert list(sync.missed_events("test", since=LONG_AGO)) == []


def test_many_missed_events_are_handled_in_pieces_and_oldest_first(
    stripe_double: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_stripe, "PAGE", 2)
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))
    for _ in range(5):
        stripe_double.simulator.renew(newest(stripe_double, "subscription")["id"])
    events = handled(stripe_double.take_events())

    pieces = list(comparison.events_between("test", 0, int(stripe_double.now.timestamp()) + 1))
    missed = list(sync.missed_events("test", since=LONG_AGO))

    assert max(len(piece) for piece in pieces) <= 4
    assert {row.event_id for row in missed} == {event["id"] for event in events}
    assert [row.occurred_at for row in missed] == sorted(row.occurred_at for row in missed)
    assert {row.status for row in missed} == {"processed"}
    assert access.check("user_1", at=stripe_double.now)


def test_a_refund_in_the_customers_own_currency_is_seen(stripe_double: StripeDouble) -> None:
    """Adaptive pricing: the session says 7.00 EUR, the card was charged, and refunded, in yen."""
    stripe = stripe_double
    stripe.sell("WEEK_PASS", kind="time_pass", amount=700)
    page = stripe.checkout("user_1", "WEEK_PASS")
    stripe.simulator.decline(page)
    stripe.pay(page)
    stripe.simulator.refund(newest(stripe, "payment_intent"))
    for kind in ("charge", "refund"):
        for thing in stripe.simulator.store.all(kind):
            thing |= {"currency": "jpy", "amount": 120_000}
            thing |= {"amount_refunded": 120_000} if thing.get("refunded") else {}
    assert access.check("user_1")

    sync.repair(Subject.objects.get())

    refused = access.check("user_1")
    assert (bool(refused), refused.reason) == (False, "refunded")


def test_a_dry_run_prints_the_drift_and_changes_nothing(
    stripe_double: StripeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))

    call_command("licenzy_sync", dry_run=True)

    assert "PRO_MONTHLY" in capsys.readouterr().out
    assert not access.check("user_1")


def test_sync_repairs_and_then_finds_nothing(stripe_double: StripeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))

    call_command("licenzy_sync", subject="user_1")
    assert access.check("user_1")
    call_command("licenzy_sync", subject="user_1", dry_run=True)
    assert "Nothing differs" in capsys.readouterr().out
    call_command("licenzy_sync", dry_run=True)
    said = capsys.readouterr().out
    assert "checkout.session.completed had not been handled" in said
    assert "Nothing else differs" in said
    call_command("licenzy_sync")
    capsys.readouterr()
    call_command("licenzy_sync", dry_run=True)

    assert capsys.readouterr().out == "Nothing differs from what Stripe says.\n"


def test_the_return_page_may_ask_at_once_but_only_for_its_own_subject(stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK_PASS", kind="time_pass")
    session = stripe_double.checkout("user_1", "WEEK_PASS")
    before_paying = sync.refresh_checkout(session["id"], "user_1", mode="test")
    stripe_double.simulator.pay(session)

    assert before_paying is not None
    assert before_paying.status == "created"
    assert sync.refresh_checkout(session["id"], "user_2", mode="test") is None
    assert sync.refresh_checkout("../customers", "user_1", mode="test") is None
    assert not access.check("user_1")
    assert not any(comparison.may_ask(before_paying) for _ in range(3)), "The row decides, not what was read of it."
    too_early = sync.refresh_checkout(session["id"], "user_1", mode="test")
    assert too_early is not None
    assert too_early.status == "created"
    CheckoutAttempt.objects.update(asked_at=clock.now() - comparison.ASK_EVERY)
    attempt = sync.refresh_checkout(session["id"], "user_1", mode="test")
    assert attempt is not None
    assert attempt.status == "finalized"
    assert access.check("user_1")
