"""What operators decide: once, with who and why, and never against the facts."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction

from licenzy_django import access, operators
from licenzy_django.exceptions import IdempotencyKeyInUse, IdempotencyKeyReused, InvalidRequest, StripeUnavailable
from licenzy_django.models import (
    CheckoutAttempt,
    Entitlement,
    EntitlementChange,
    Product,
    StripeEvent,
)
from licenzy_django.testing import StripeDouble


@pytest.fixture
def pro(stripe_double: StripeDouble) -> Product:
    return stripe_double.sell("PRO_MONTHLY")


@pytest.fixture
def credits_pack(stripe_double: StripeDouble) -> Product:
    return stripe_double.sell("CREDITS", kind="usage_pack", units=1000, valid_days=30)


def granted(subject: str, product: Product, actor: Any, **given: Any) -> operators.Done[Entitlement]:
    given = {"reason": "ticket 7", "request_id": "r1"} | given
    return operators.grant(subject, product, actor=actor, **given)


# --- grant -----------------------------------------------------------------------------------------------------------


def test_a_grant_turns_access_on_at_once_and_says_who_and_why(ada: User, pro: Product) -> None:
    assert not access.check("user_1")
    entitlement = granted("user_1", pro, ada).row
    assert access.check("user_1", "PRO_MONTHLY")
    assert (entitlement.source, entitlement.source_id) == ("portal", "grant_r1")
    [change] = EntitlementChange.objects.all()
    assert (change.reason, change.source, change.actor, change.note) == ("manual_grant", "portal", ada, "ticket 7")


def test_a_grant_ends_by_the_clock(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    granted("user_1", pro, ada, until=stripe_double.now + timedelta(days=3))
    stripe_double.advance(days=2)
    assert access.check("user_1")
    stripe_double.advance(days=1)
    assert access.check("user_1").reason == "expired"


def test_a_granted_pass_and_a_granted_pack_are_as_the_product_says(
    ada: User, credits_pack: Product, stripe_double: StripeDouble
) -> None:
    week = stripe_double.sell("WEEK", kind="time_pass")
    pass_ends = granted("user_1", week, ada).row.expires_at
    pack = granted("user_1", credits_pack, ada, request_id="r2").row
    more = granted("user_1", credits_pack, ada, request_id="r3", units=50).row
    assert pass_ends is not None
    assert pass_ends - stripe_double.now == timedelta(days=7)
    assert (pack.units_granted, pack.units_remaining, more.units_remaining) == (1000, 1000, 50)
    assert pack.expires_at == stripe_double.now + timedelta(days=30)
    assert access.summary("user_1").usage_remaining == 1050


def test_a_double_click_grants_once(ada: User, credits_pack: Product, stripe_double: StripeDouble) -> None:
    first = granted("user_1", credits_pack, ada)
    stripe_double.advance(seconds=2)
    second = granted("user_1", credits_pack, ada)
    assert (first.changed, second.changed) == (True, False)
    assert first.row == second.row
    assert EntitlementChange.objects.count() == 1
    assert access.summary("user_1").usage_remaining == 1000


@pytest.mark.parametrize("other", ["subject", "product", "units"])
def test_a_form_sent_again_with_something_else_grants_nothing(
    other: str, ada: User, pro: Product, credits_pack: Product
) -> None:
    granted("user_1", credits_pack, ada, units=5)
    given: dict[str, Any] = {"subject": "user_1", "product": credits_pack, "units": 5}
    given |= {"subject": {"subject": "user_2"}, "product": {"product": pro, "units": None}, "units": {"units": 6}}[
        other
    ]
    with pytest.raises(IdempotencyKeyReused):
        granted(actor=ada, **given)
    assert Entitlement.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"units": 5}, "units"),
        ({"until": timedelta(0)}, "until"),
        ({"until": timedelta(days=-1)}, "until"),
        ({"until": timedelta(days=365 * 7000)}, "until"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    given: dict[str, Any], field: str, ada: User, pro: Product, stripe_double: StripeDouble
) -> None:
    if "until" in given:
        given = {"until": stripe_double.now + given["until"]}
    with pytest.raises(InvalidRequest) as refused:
        granted("user_1", pro, ada, **given)
    assert set(refused.value.extra["fields"]) == {field}
    assert not Entitlement.objects.exists()


@pytest.mark.parametrize("units", [0, -1, operators.MAX_UNITS + 1])
def test_a_pack_is_granted_with_a_sane_number_of_units(units: int, ada: User, credits_pack: Product) -> None:
    with pytest.raises(InvalidRequest):
        granted("user_1", credits_pack, ada, units=units)


def test_stripe_does_not_touch_what_an_operator_granted(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    session = stripe_double.buy("user_1", "PRO_MONTHLY")
    gift = granted("user_1", pro, ada).row
    stripe_double.cancel(session)
    gift.refresh_from_db()
    assert gift.grants_access
    assert access.check("user_1").entitlement_id == gift.public_id


# --- revoke and restore ----------------------------------------------------------------------------------------------


def test_revoked_is_off_and_restored_is_on_again(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    stripe_double.buy("user_1", "PRO_MONTHLY")
    entitlement = Entitlement.objects.get()

    assert operators.revoke(entitlement, actor=ada, reason="fraud").changed
    assert access.check("user_1").reason == "revoked"
    assert operators.restore(entitlement, actor=ada, reason="no fraud").changed
    assert access.check("user_1")

    newest = EntitlementChange.objects.all()[:2]
    assert [(change.reason, change.note, change.actor) for change in newest] == [
        ("manual_restore", "no fraud", ada),
        ("manual_revoke", "fraud", ada),
    ]


def test_a_second_click_revokes_nothing_more(ada: User, pro: Product) -> None:
    entitlement = granted("user_1", pro, ada).row
    assert not operators.restore(entitlement, actor=ada, reason="x").changed
    operators.revoke(entitlement, actor=ada, reason="x")
    changes = EntitlementChange.objects.count()
    assert not operators.revoke(entitlement, actor=ada, reason="x").changed
    assert EntitlementChange.objects.count() == changes


def test_a_revoked_pack_has_no_units_and_a_restored_one_has_them_again(ada: User, credits_pack: Product) -> None:
    pack = granted("user_1", credits_pack, ada).row
    revoked = operators.revoke(pack, actor=ada, reason="x").row
    assert (revoked.pack.units_remaining, revoked.pack.units_voided) == (0, 1000)
    restored = operators.restore(pack, actor=ada, reason="x").row
    assert (restored.pack.units_remaining, restored.pack.units_voided) == (1000, 0)


def test_news_from_stripe_does_not_undo_a_revocation(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    session = stripe_double.buy("user_1", "PRO_MONTHLY")
    operators.revoke(Entitlement.objects.get(), actor=ada, reason="fraud")
    stripe_double.renew(session)
    assert access.check("user_1").reason == "revoked"


def test_restoring_what_was_refunded_meanwhile_gives_nothing(
    ada: User, credits_pack: Product, stripe_double: StripeDouble
) -> None:
    session = stripe_double.buy("user_1", "CREDITS")
    operators.revoke(Entitlement.objects.get(), actor=ada, reason="x")
    stripe_double.refund(session)
    restored = operators.restore(Entitlement.objects.get(), actor=ada, reason="x").row
    assert restored.units_remaining == 0
    assert access.check("user_1").reason == "refunded"


def test_a_revoked_pass_does_not_hold_back_the_next_one(ada: User, stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.buy("user_1", "WEEK")
    stripe_double.advance(days=1)
    operators.revoke(Entitlement.objects.get(), actor=ada, reason="paid back in cash")
    stripe_double.advance(days=1)

    stripe_double.buy("user_1", "WEEK")

    assert access.check("user_1", at=stripe_double.now + timedelta(days=6))
    assert not access.check("user_1", at=stripe_double.now + timedelta(days=7))


def test_revoking_and_restoring_a_pass_move_those_behind_it(ada: User, stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.buy("user_1", "WEEK")
    stripe_double.buy("user_1", "WEEK")
    first, second = Entitlement.objects.order_by("starts_at")
    stacked_at = second.starts_at
    stripe_double.advance(days=1)

    operators.revoke(first, actor=ada, reason="fraud")

    second.refresh_from_db()
    assert second.starts_at == stripe_double.now
    assert access.check("user_1")
    operators.restore(first, actor=ada, reason="a mistake")
    second.refresh_from_db()
    assert second.starts_at == stacked_at
    assert access.check("user_1", at=stripe_double.now + timedelta(days=12))
    by_whom = EntitlementChange.objects.filter(entitlement=second).order_by("pk").values_list("reason", "actor")
    assert list(by_whom)[1:] == [("manual_revoke", ada.pk), ("manual_restore", ada.pk)]


@pytest.mark.parametrize("verb", [operators.revoke, operators.restore])
def test_without_a_reason_nothing_is_taken_or_given_back(verb: Any, ada: User, pro: Product) -> None:
    entitlement = granted("user_1", pro, ada).row
    with pytest.raises(InvalidRequest):
        verb(entitlement, actor=ada, reason=" ")


# --- expire an attempt -----------------------------------------------------------------------------------------------


def test_an_expired_page_cannot_be_paid_any_more(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    session = stripe_double.checkout("user_1", "PRO_MONTHLY")
    attempt = CheckoutAttempt.objects.get()
    assert operators.expire_attempt(attempt, reason="wrong product").changed
    assert (attempt.status, attempt.failure_reason) == ("failed", "expired")
    assert stripe_double.simulator.get("checkout.session", session)["status"] == "expired"
    assert not operators.expire_attempt(attempt, reason="again").changed


def test_a_page_that_was_paid_before_we_closed_it_counts_as_paid(
    ada: User, pro: Product, stripe_double: StripeDouble
) -> None:
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))
    attempt = CheckoutAttempt.objects.get()
    operators.expire_attempt(attempt, reason="too slow")
    assert attempt.status == "finalized"
    assert access.check("user_1")


def test_a_page_whose_answer_was_lost_is_found_and_closed(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    stripe_double.faults.add("POST", "/v1/checkout/sessions", "drop_after", times=3)
    with pytest.raises(StripeUnavailable):
        stripe_double.checkout("user_1", "PRO_MONTHLY")
    attempt = CheckoutAttempt.objects.get()
    assert attempt.stripe_session_id == ""
    operators.expire_attempt(attempt, reason="stuck")
    [session] = stripe_double.simulator.all("checkout.session")
    assert (attempt.status, session["status"]) == ("failed", "expired")


def test_a_page_that_stripe_was_never_asked_for_is_given_up(
    ada: User, pro: Product, stripe_double: StripeDouble
) -> None:
    stripe_double.faults.add("POST", "/v1/customers", "drop_before", times=3)
    with pytest.raises(StripeUnavailable):
        stripe_double.checkout("user_1", "PRO_MONTHLY")
    attempt = CheckoutAttempt.objects.get()
    assert operators.expire_attempt(attempt, reason="stuck").changed
    assert (attempt.status, attempt.failure_reason) == ("failed", "expired")


def test_a_page_that_is_being_opened_is_left_alone(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    stripe_double.checkout("user_1", "PRO_MONTHLY")
    CheckoutAttempt.objects.update(stripe_session_id="", leased_until=stripe_double.now + timedelta(seconds=5))
    with pytest.raises(IdempotencyKeyInUse):
        operators.expire_attempt(CheckoutAttempt.objects.get(), reason="stuck")


def test_stripe_is_not_asked_inside_a_transaction(ada: User, pro: Product, stripe_double: StripeDouble) -> None:
    stripe_double.checkout("user_1", "PRO_MONTHLY")
    with pytest.raises(RuntimeError), transaction.atomic():
        operators.expire_attempt(CheckoutAttempt.objects.get(), reason="x")


# --- replay ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def failed_event(stripe_double: StripeDouble, credits_pack: Product) -> StripeEvent:
    """Paid, and the webhook failed since Stripe did not answer when it was asked for the lines."""
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "CREDITS"))
    stripe_double.faults.add("GET", "/v1/checkout/sessions/*/line_items", "drop_before", times=3)
    stripe_double.deliver()
    return StripeEvent.objects.get(status="failed")


def replayed(*arguments: str) -> str:
    out = StringIO()
    call_command("licenzy_replay", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_a_replayed_event_turns_access_on(failed_event: StripeEvent) -> None:
    assert not access.check("user_1")
    assert "processed" in replayed(failed_event.event_id)
    assert access.check("user_1")
    failed_event.refresh_from_db()
    assert (failed_event.status, failed_event.tries, failed_event.error) == ("processed", 2, "")


def test_replaying_all_failed_ones_leaves_none_behind(failed_event: StripeEvent) -> None:
    StripeEvent.objects.filter(pk=failed_event.pk).update(status="received")
    assert failed_event.event_id in replayed("--failed")
    assert "nothing to replay" in replayed("--failed")
    assert Entitlement.objects.count() == EntitlementChange.objects.count() == 1


def test_replaying_twice_changes_nothing_more(failed_event: StripeEvent) -> None:
    replayed(failed_event.event_id)
    replayed(failed_event.event_id)
    assert Entitlement.objects.count() == EntitlementChange.objects.count() == 1


def test_what_fails_again_stays_failed_and_the_shell_hears_of_it(
    failed_event: StripeEvent, stripe_double: StripeDouble
) -> None:
    stripe_double.faults.add("GET", "/v1/checkout/sessions/*/line_items", "drop_before", times=3)
    with pytest.raises(CommandError, match="1 of 1 failed again"):
        replayed("--failed")
    failed_event.refresh_from_db()
    assert (failed_event.status, failed_event.tries) == ("failed", 2)


@pytest.mark.parametrize("arguments", [[], ["--failed", "evt_1"], ["evt_unknown"]])
def test_the_command_says_what_it_needs(arguments: list[str], db: None) -> None:
    with pytest.raises(CommandError):
        replayed(*arguments)
