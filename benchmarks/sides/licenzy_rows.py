"""Rows as the app itself would have written them. Imported once Django is set up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from benchmarks import stripe_objects
from benchmarks.sides.licenzy import PRODUCT_CODE
from licenzy_django.clock import from_timestamp
from licenzy_django.models import Entitlement, EntitlementChange, Product, StripeEvent, StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact, fact_of
from licenzy_django.sync.handlers.subscriptions import seen_id_of

SEEN = {"price": stripe_objects.PRICE, "quantity": 1}


@transaction.atomic
def fill(numbers: Iterable[int]) -> None:
    """Subjects that paid for period 0, each with its facts and its entitlement."""
    product = the_product()
    subjects = Subject.objects.bulk_create(
        (Subject(mode="test", subject_ref=f"user_{n}", stripe_customer_id=f"cus_{n}") for n in numbers), 1000
    )
    StripeFact.objects.bulk_create((row for subject in subjects for row in facts_about(subject)), 1000)
    Entitlement.objects.bulk_create((entitlement_of(subject, product) for subject in subjects), 1000)


def the_product() -> Product:
    return Product.objects.get_or_create(
        mode="test",
        code=PRODUCT_CODE,
        defaults={
            "name": "Pro, monthly",
            "kind": "subscription",
            "stripe_price_id": stripe_objects.PRICE,
            "features": ["export"],
        },
    )[0]


def facts_about(subject: Subject) -> list[StripeFact]:
    number = number_of(subject)
    subscription = stripe_objects.subscription(number, 0)
    known = [
        Fact("customer", f"cus_{number}", {"is_deleted": False}, {"customer_id": f"cus_{number}"}),
        fact_of(subscription, seen_at=None),
        Fact(
            "subscription_price",
            seen_id_of(subscription["id"], SEEN),
            SEEN | {"seen_at": stripe_objects.BEGAN},
            {"subscription_id": subscription["id"]},
        ),
        fact_of(stripe_objects.invoice(number, 0), seen_at=stripe_objects.BEGAN, event_type="invoice.paid"),
    ]
    bound = {"customer", "subscription"}
    return [facts.new_row(fact, "test", subject if fact.object in bound else None) for fact in known if fact]


def entitlement_of(subject: Subject, product: Product) -> Entitlement:
    ends_at = stripe_objects.starts_at(1)
    return Entitlement(
        mode="test",
        subject=subject,
        subject_ref=subject.subject_ref,
        product=product,
        source_id=f"sub_{number_of(subject)}",
        stripe_price_id=stripe_objects.PRICE,
        status="active",
        grants_access=True,
        starts_at=from_timestamp(stripe_objects.BEGAN),
        current_period_end=from_timestamp(ends_at),
        available_until=from_timestamp(ends_at + 86_400),
    )


def number_of(subject: Subject) -> int:
    return int(subject.subject_ref.removeprefix("user_"))


def knows_period(number: int, period: int) -> bool:
    """After a renewal the entitlement has the new period's end."""
    ends_at = from_timestamp(stripe_objects.starts_at(period + 1))
    return Entitlement.objects.filter(source_id=f"sub_{number}", current_period_end=ends_at).exists()


def state_after_burst(period: int) -> dict[str, int]:
    ends_at = from_timestamp(stripe_objects.starts_at(period + 1))
    return {
        "entitlements_renewed": Entitlement.objects.filter(current_period_end=ends_at, grants_access=True).count(),
        "changes": EntitlementChange.objects.count(),
        "events": StripeEvent.objects.exclude(status__in=["received", "failed"]).count(),
    }


def many_entitlements(count: int) -> dict[str, Any]:
    """``count`` subjects with one entitlement each, made by PostgreSQL itself.

    All belong to one subject row: the gate does not read that table. Every index is there.
    """
    product = the_product()
    owner = Subject.objects.get_or_create(mode="test", subject_ref="owner_of_many")[0]
    table = Entitlement._meta.db_table
    chosen = {
        "public_id": "'ent_' || md5(n::text)",
        "mode": "'test'",
        "subject_id": str(owner.pk),
        "subject_ref": "'user_' || n",
        "product_id": str(product.pk),
        "source": "'stripe'",
        "source_id": "'sub_' || n",
        "stripe_price_id": f"'{stripe_objects.PRICE}'",
        "quantity": "1",
        "status": "'active'",
        "status_reason": "''",
        "grants_access": "true",
        "starts_at": "now()",
        "current_period_end": "now() + interval '25 days'",
        "available_until": "now() + interval '26 days'",
        "created_at": "now()",
        "updated_at": "now()",
    }
    chosen |= dict.fromkeys(
        [f"units_{name}" for name in ("granted", "consumed", "reserved", "voided", "remaining", "adjusted")], "0"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        indexes = dropped_indexes(cursor, table)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(chosen)}) "
            f"SELECT {', '.join(chosen.values())} FROM generate_series(1, {int(count)}) n"
        )
        for statement in indexes:
            cursor.execute(statement)
        cursor.execute(f"ANALYZE {table}")
        cursor.execute(f"SELECT pg_total_relation_size('{table}')")
        return {"bytes": cursor.fetchone()[0]}


def dropped_indexes(cursor: Any, table: str) -> list[str]:
    """Drop all but the primary key, since filling them row by row takes many times longer; returns how to make them."""
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname, pg_get_constraintdef(c.oid) "
        "FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u' "
        "WHERE i.indrelid = %s::regclass AND NOT i.indisprimary",
        [table],
    )
    again = []
    for index, definition, constraint, constraint_definition in cursor.fetchall():
        if constraint:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
            again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{constraint}" {constraint_definition}')
        else:
            cursor.execute(f"DROP INDEX {index}")
            again.append(definition)
    return again
