"""What is kept of Stripe's objects does not depend on the order in which it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenzy_django.models import StripeEvent, StripeFact
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact, State

TIMES = st.none() | st.integers(1, 5)
STATES = {
    "checkout.session": st.fixed_dictionaries(
        {
            "status": st.none() | st.sampled_from(["open", "expired", "complete", "brand_new"]),
            "payment_status": st.none() | st.sampled_from(["unpaid", "no_payment_required", "paid", "brand_new"]),
            "paid_at": TIMES,
            "found_paid_at": TIMES,
            "failed_at": TIMES,
            "lines": st.none()
            | st.lists(st.fixed_dictionaries({"price": st.just("p"), "quantity": st.integers(1, 3)})),
        }
    ),
    "invoice": st.fixed_dictionaries(
        {
            "status": st.none() | st.sampled_from(["draft", "open", "uncollectible", "void", "paid"]),
            "paid_at": TIMES,
            "failed_at": TIMES,
            "amount_paid": TIMES,
        }
    ),
    "refund": st.fixed_dictionaries(
        {"status": st.sampled_from(["pending", "requires_action", "succeeded", "failed", "canceled"]), "amount": TIMES}
    ),
    "charge": st.fixed_dictionaries({"amount_refunded": TIMES, "refunded_at": TIMES}),
    "customer": st.fixed_dictionaries({"is_deleted": st.booleans(), "deleted_at": TIMES}),
}


@pytest.mark.parametrize("kind", STATES)
def test_merging_does_not_care_about_order_or_repetition(kind: str) -> None:
    @given(STATES[kind], STATES[kind], STATES[kind])
    def holds(one: State, two: State, three: State) -> None:
        def together(left: State, right: State) -> State:
            return facts.merged(kind, left, right)

        assert together(one, two) == together(two, one)
        assert together(together(one, two), three) == together(one, together(two, three))
        assert together(one, one) == one

    holds()


def test_what_was_paid_stays_paid() -> None:
    paid = {"payment_status": "paid", "status": "complete", "paid_at": 7}
    unpaid = {"payment_status": "unpaid", "status": "complete", "paid_at": None}

    assert facts.merged("checkout.session", paid, unpaid) == paid
    assert facts.merged("checkout.session", unpaid, paid) == paid


def subscription(status: str) -> Fact:
    return Fact("subscription", "sub_1", {"status": status, "items": []}, {"subscription_id": "sub_1"})


def test_an_older_fetch_never_replaces_a_newer_one(db: None) -> None:
    facts.save_newest(subscription("past_due"), mode="test", sequence=7, subject=None)
    facts.save_newest(subscription("active"), mode="test", sequence=6, subject=None)
    assert StripeFact.objects.get().state["status"] == "past_due"

    facts.save_newest(subscription("unpaid"), mode="test", sequence=7, subject=None)
    assert StripeFact.objects.get().state["status"] == "past_due"

    facts.save_newest(subscription("paused"), mode="test", sequence=7, subject=None, or_equal=True)
    facts.save_newest(subscription("active"), mode="live", sequence=9, subject=None)

    assert StripeFact.objects.get(mode="test").state["status"] == "paused"


def test_each_mode_keeps_its_own(db: None) -> None:
    facts.save(Fact("customer", "cus_1", {"is_deleted": True}), mode="live")
    kept = facts.save(Fact("customer", "cus_1", {"is_deleted": False}), mode="test")

    assert kept.state == {"is_deleted": False}
    assert StripeEvent.objects.count() == 0


def test_links_do_not_care_about_order_either(db: None) -> None:
    def kept(mode: str, *charges: str) -> str:
        for charge_id in charges:
            whole = facts.save(Fact("invoice", "in_1", {}, {"charge_id": charge_id}), mode=mode)
        return whole.links["charge_id"]

    assert kept("test", "ch_1", "", "ch_2") == kept("live", "ch_2", "ch_1", "")
