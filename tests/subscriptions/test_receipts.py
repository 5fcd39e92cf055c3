"""The invoices that a customer is shown as receipts."""

from __future__ import annotations

import pytest

from licenzy_django import subscriptions
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.subscriptions import receipts
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db, pytest.mark.sells(PRO={"amount": 1900})]


def test_invoices_of_one_second_come_in_the_order_of_stripe(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe.buy("ada", "PRO")
    subscriptions.cancel("ada", "PRO", when="now", idempotency_key="cancel-1")
    stripe.deliver()
    stripe.buy("ada", "PRO")
    older, newer = stripe.simulator.all("invoice")
    listed = [newer | {"id": "in_1"}, older | {"id": "in_2"}]
    monkeypatch.setattr(receipts, "newest", lambda mode, customer_id: listed)

    shown = subscriptions.invoices("ada")

    assert older["created"] == newer["created"]
    assert [invoice.id for invoice in shown] == ["in_1", "in_2"]
    assert subscriptions.invoices("ada", limit=1) == shown[:1]


def test_one_without_invoices_has_an_empty_list() -> None:
    assert subscriptions.invoices("nobody") == []


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_is_1_to_100(limit: int) -> None:
    with pytest.raises(InvalidRequest):
        subscriptions.invoices("ada", limit=limit)
