"""Refunds and disputes."""

from __future__ import annotations

import pytest

from licenzy_django.simulator.refusals import RefusalError
from tests.simulator.conftest import Shop


def charge_of(shop: Shop, ref: object) -> dict[str, object]:
    intent = shop.simulator.payment_of(ref)
    return shop.simulator.get("charge", intent["latest_charge"])


def test_several_refunds_add_up_to_the_whole(shop: Shop) -> None:
    session = shop.bought()
    shop.simulator.refund(session, amount=400)
    charge = charge_of(shop, session)
    assert (charge["amount_refunded"], charge["refunded"]) == (400, False)
    assert shop.told() == ["refund.created", "charge.refunded"]
    assert shop.simulator.refund(session["payment_intent"])["amount"] == 600
    assert charge_of(shop, session)["refunded"] is True
    with pytest.raises(RefusalError) as refused:
        shop.simulator.refund(session)
    assert refused.value.code == "charge_already_refunded"


def test_more_than_was_paid_cannot_be_refunded(shop: Shop) -> None:
    with pytest.raises(RefusalError):
        shop.simulator.refund(shop.bought(), amount=1001)
    unpaid = shop.simulator.pay_by_bank(shop.session(shop.pack))
    with pytest.raises(RefusalError):
        shop.simulator.refund(unpaid)


def test_a_pending_refund_counts_and_a_failed_one_does_not(shop: Shop) -> None:
    session = shop.bought()
    refund = shop.simulator.refund(session, status="pending")
    assert charge_of(shop, session)["amount_refunded"] == 1000
    shop.told()
    assert shop.simulator.settle_refund(refund)["status"] == "succeeded"
    assert shop.told() == ["refund.updated"]
    failed = shop.simulator.fail_refund(refund)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert shop.told() == ["refund.updated", "refund.failed"]
    assert charge_of(shop, session)["amount_refunded"] == 0


def test_a_refund_waiting_for_the_customer_can_be_canceled(shop: Shop) -> None:
    refund = shop.simulator.refund(shop.bought(), status="requires_action")
    assert shop.simulator.cancel_refund(refund)["status"] == "canceled"
    with pytest.raises(RefusalError):
        shop.simulator.cancel_refund(refund)


def test_an_invoice_a_subscription_or_a_charge_can_be_refunded(shop: Shop) -> None:
    ref = shop.subscription()
    first = shop.simulator.get("subscription", ref)["latest_invoice"]
    shop.simulator.renew(ref)
    older, newer = shop.simulator.payment_of(first), shop.simulator.payment_of(ref)
    assert older["id"] != newer["id"]
    assert shop.simulator.refund(first)["payment_intent"] == older["id"]
    assert shop.simulator.refund(newer["latest_charge"])["payment_intent"] == newer["id"]


def test_a_dispute_that_is_won_gives_the_funds_back(shop: Shop) -> None:
    session = shop.bought()
    dispute = shop.simulator.dispute(session)
    assert (dispute["status"], dispute["payment_intent"]) == ("needs_response", session["payment_intent"])
    assert shop.told() == ["charge.dispute.created", "charge.updated", "charge.dispute.funds_withdrawn"]
    assert charge_of(shop, session)["disputed"] is True
    shop.simulator.update_dispute(dispute, "under_review")
    assert shop.told() == ["charge.dispute.updated"]
    shop.simulator.close_dispute(dispute, "won")
    assert shop.told() == ["charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_a_dispute_can_be_lost_at_once_and_won_late(shop: Shop) -> None:
    dispute = shop.simulator.dispute(shop.bought(), status="lost")
    assert shop.told()[-1] == "charge.dispute.closed"
    assert shop.simulator.win_dispute_late(dispute)["status"] == "won"
    assert shop.told() == ["charge.dispute.updated", "charge.dispute.funds_reinstated"]


def test_an_inquiry_moves_no_funds_until_it_becomes_a_chargeback(shop: Shop) -> None:
    dispute = shop.simulator.dispute(shop.bought(), status="warning_needs_response", amount=400)
    assert (dispute["amount"], dispute["balance_transactions"]) == (400, [])
    assert shop.told() == ["charge.dispute.created", "charge.updated"]
    escalated = shop.simulator.update_dispute(dispute, "needs_response")
    assert len(escalated["balance_transactions"]) == 1
    assert shop.told() == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]


def test_an_inquiry_that_is_closed_moves_no_funds(shop: Shop) -> None:
    dispute = shop.simulator.dispute(shop.bought(), status="warning_needs_response")
    shop.told()
    shop.simulator.close_dispute(dispute, "warning_closed")
    assert shop.told() == ["charge.dispute.updated", "charge.dispute.closed"]


def test_a_status_that_does_not_exist_yet_is_possible_and_so_are_two_disputes(shop: Shop) -> None:
    session = shop.bought()
    assert shop.simulator.dispute(session, status="under_appeal_of_2030")["status"] == "under_appeal_of_2030"
    shop.simulator.dispute(session)
    assert len(shop.simulator.all("dispute")) == 2
