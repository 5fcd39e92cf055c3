"""An existing database migrates without loss: the prices that were sold, and what was sold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("licenzy", "0003_terms_by_kind")]
LAST = [("licenzy", "0009_what_was_sold")]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.fixture
def earlier() -> Iterator[Any]:
    """The models as they were before."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("licenzy")
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    executor = MigrationExecutor(connection)
    executor.migrate(newest)


def migrated() -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(LAST)
    return executor.loader.project_state(LAST).apps


def test_prices_features_and_unknown_prices_are_found_in_what_was_sold(earlier: Any) -> None:
    Product, Subject = earlier.get_model("licenzy", "Product"), earlier.get_model("licenzy", "Subject")  # noqa: N806
    values = {"mode": "test", "kind": "subscription"}
    pro = Product.objects.create(code="PRO", stripe_price_id="p3", features=["export"], created_at=day(1), **values)
    team = Product.objects.create(code="TEAM", stripe_price_id="p1", created_at=day(2), **values)
    subject = Subject.objects.create(mode="test", public_id="sbj_1", subject_ref="user_1")
    attempts = earlier.get_model("licenzy", "CheckoutAttempt").objects
    for number, (product, price) in enumerate([(pro, "p1"), (pro, "p2"), (team, "p1")], start=3):
        attempts.create(mode="test", subject=subject, product=product, stripe_price_id=price, created_at=day(number),
                        public_id=f"att_{number}", idempotency_key=f"key {number}")  # fmt: skip
    earlier.get_model("licenzy", "Entitlement").objects.create(
        mode="test", public_id="ent_1", subject=subject, subject_ref="user_1", product=pro, source_id="sub_1",
        stripe_price_id="p1", status="active", created_at=day(4),
    )  # fmt: skip
    facts = earlier.get_model("licenzy", "StripeFact").objects
    for name, price, status in [("sub_1", "p1", "active"), ("sub_2", "p9", "active"), ("sub_3", "p9", "canceled")]:
        facts.create(mode="test", object="subscription", stripe_id=name, subject=subject,
                     state={"status": status, "items": [{"price": price}]})  # fmt: skip

    apps = migrated()

    rows = apps.get_model("licenzy", "ProductPrice").objects.order_by("stripe_price_id", "since")
    assert [(r.stripe_price_id, r.product.code, r.role, r.since, r.until) for r in rows] == [
        ("p1", "PRO", "former", day(3), day(5)),
        ("p1", "TEAM", "for_sale", day(5), None),
        ("p2", "PRO", "former", day(4), None),
        ("p3", "PRO", "for_sale", day(1), None),
    ]
    assert apps.get_model("licenzy", "Entitlement").objects.get().features == ["export"]
    [version] = apps.get_model("licenzy", "Product").objects.get(code="PRO").versions
    assert (version["since"], version["gives"]) == (int(day(1).timestamp()), {"features": ["export"]})
    unknown = apps.get_model("licenzy", "UnknownPrice").objects.get()
    assert (unknown.subscription_id, unknown.stripe_price_id) == ("sub_2", "p9")
    assert apps.get_model("licenzy", "Subject").objects.get().has_unknown_prices
