"""An existing database migrates without loss: what packs hold is credits, and no subscription includes units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from licenzy_django.entitlements.price_history import allowance_sold
from licenzy_django.models import Product
from licenzy_django.models.querysets import units_sold

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("licenzy", "0019_ledger_of_packs")]
SOLD: dict[str, dict[str, Any]] = {
    "PRO": {"kind": "subscription", "trial_days": 14},
    "WEEK": {"kind": "time_pass", "duration_days": 7},
    "CREDITS": {"kind": "usage_pack", "units": 1000, "valid_days": 30},
}


@pytest.fixture
def earlier() -> Iterator[Any]:
    """The models as they were before."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("licenzy")
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    executor = MigrationExecutor(connection)
    executor.migrate(newest)


def test_packs_hold_credits_and_a_subscription_includes_none(earlier: Any) -> None:
    products = earlier.get_model("licenzy", "Product").objects
    versions = [{"since": 1, "gives": {"features": ["export"]}, "is_for_all": False}]
    for code, terms in SOLD.items():
        products.create(mode="test", code=code, stripe_price_id=f"price_{code}", versions=versions, **terms)
    executor = MigrationExecutor(connection)

    executor.migrate(executor.loader.graph.leaf_nodes("licenzy"))

    found = {product.code: product for product in Product.objects.all()}
    assert {code: (product.units, product.unit) for code, product in found.items()} == {
        "PRO": (None, ""),
        "WEEK": (None, ""),
        "CREDITS": (1000, "credits"),
    }
    assert all(getattr(found[code], name) == value for code, terms in SOLD.items() for name, value in terms.items())
    assert units_sold("test") == ["credits"]
    pro = found["PRO"]
    assert allowance_sold(pro, None) is None
    pro.units = 1000
    pro.save()
    assert allowance_sold(pro, 5) is None
    assert allowance_sold(pro, None) is not None
