"""What has no price at Stripe yet is for sale to nobody: not in a checkout, and not by a change."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F

from licenzy_django import subscriptions
from licenzy_django.exceptions import ProductNotFound
from licenzy_django.models import Product
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(PRO={}, MAX={"amount": 4900}, MORE={"is_add_on": True})


@pytest.mark.parametrize("asked", [{"to_product_code": "MAX"}, {"add": {"MORE": 1}}], ids=["target", "add-on"])
def test_a_subscription_is_not_changed_to_it(stripe: StripeDouble, asked: dict[str, Any]) -> None:
    stripe.buy("user_1", "PRO")
    Product.objects.filter(code__in=["MAX", "MORE"]).update(stripe_price_id="", stripe_lookup_key=F("code"))

    with pytest.raises(ProductNotFound):
        subscriptions.preview("user_1", "PRO", **asked)
