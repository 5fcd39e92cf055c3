"""An existing database migrates without loss: the units of usage packs, and the ledger that says where they went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from licenzy_django import access, usage
from licenzy_django.models import Entitlement, EntitlementChange, LedgerEntry, Pack
from licenzy_django.testing import entitled

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("licenzy", "0016_checkout_options")]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def earlier() -> Iterator[Any]:
    """The models as they were before, with what ``migrate`` undoes."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("licenzy")
    executor.migrate(BEFORE)
    yield executor.loader.project_state(BEFORE).apps
    executor = MigrationExecutor(connection)
    executor.migrate(newest)


def test_units_and_their_ledger_go_into_packs(earlier: Any) -> None:
    def model(name: str) -> Any:
        return earlier.get_model("licenzy", name)

    subject = model("Subject").objects.create(mode="test", public_id="sbj_1", subject_ref="user_1")
    terms = {"mode": "test", "name": "x"}
    pro = model("Product").objects.create(code="PRO", kind="subscription", stripe_price_id="p1", **terms)
    credits_pack = model("Product").objects.create(
        code="CREDITS", kind="usage_pack", units=100, stripe_price_id="p2", **terms
    )
    common = {"mode": "test", "subject": subject, "subject_ref": "user_1", "status": "active", "grants_access": True}
    model("Entitlement").objects.create(product=pro, source_id="sub_1", public_id="ent_1", **common)
    pack = model("Entitlement").objects.create(
        product=credits_pack, source_id="cs_1", public_id="ent_2", units_granted=100, units_consumed=40,
        units_remaining=60, starts_at=NOON, **common,
    )  # fmt: skip
    gone = model("Entitlement").objects.create(
        product=credits_pack, source_id="cs_2", public_id="ent_3", units_granted=100, units_voided=100,
        starts_at=NOON, **common | {"status": "canceled", "grants_access": False},
    )  # fmt: skip
    for owner, kind, units, left in [(pack, "grant", 100, 100), (pack, "consume", 40, 60), (gone, "grant", 100, 100),
                                     (gone, "void", 100, 0)]:  # fmt: skip
        model("LedgerEntry").objects.create(
            mode="test", subject=subject, entitlement=owner, kind=kind, units=units, balance_after=left
        )

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("licenzy"))

    rows = {row.public_id: row for row in Entitlement.objects.select_related("pack")}
    assert rows["ent_1"].pack is None
    assert (rows["ent_2"].units_granted, rows["ent_2"].units_remaining) == (100, 60)
    assert rows["ent_3"].pack is not None
    assert rows["ent_3"].pack.is_void
    assert [(row.pack.entitlement.public_id, row.kind) for row in LedgerEntry.objects.order_by("pk")] == [
        ("ent_2", "grant"), ("ent_2", "consume"), ("ent_3", "grant"), ("ent_3", "void"),
    ]  # fmt: skip
    assert usage.remaining("user_1") == 60
    assert access.check("user_1", "CREDITS")
    assert usage.consume("user_1", 10, idempotency_key="k").usage_remaining == 50
    entitled("user_1", "CREDITS")
    assert usage.remaining("user_1") == 150
    call_command("licenzy_doctor", only=["books"])
    forget_all()


def forget_all() -> None:
    """The way back is refused while there are units."""
    for found in (LedgerEntry, EntitlementChange, Entitlement, Pack):
        rows = found.objects.all()
        rows._raw_delete(rows.db)  # type: ignore[attr-defined]
