"""Texts that no database can hold: refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import subscriptions
from licenzy_django.exceptions import InvalidRequest, ProductNotFound
from licenzy_django.models import SubscriptionChange
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(PRO={}, MAX={"amount": 4900})


@pytest.mark.parametrize("text", ["\x00", "A\x00", "\ud800"])
@pytest.mark.parametrize("where", ["to_product_code", "add", "change_token"])
def test_it_is_refused_and_leaves_no_change(stripe: StripeDouble, where: str, text: str) -> None:
    stripe.buy("user_1", "PRO")
    given: dict[str, Any] = {where: {text: 1} if where == "add" else text}
    if where == "change_token":
        given["to_product_code"] = "MAX"

    with pytest.raises(InvalidRequest if where == "change_token" else ProductNotFound):
        subscriptions.change("user_1", "PRO", idempotency_key="k", **given)

    assert not SubscriptionChange.objects.exists()
