"""One definition of availability: SQL, querysets and Python agree on every row, at every moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from licenzy_django import access, wording
from licenzy_django.access import entitlement_rows
from licenzy_django.access.availability import availability_of
from licenzy_django.access.decisions import decide
from licenzy_django.db.conditions import AT, as_python, as_sql, at_moment
from licenzy_django.entitlements.derive import EntitlementState
from licenzy_django.entitlements.history import apply
from licenzy_django.ledger import packs
from licenzy_django.models import Entitlement, Kind, Pack, Product, Status, Subject
from licenzy_django.models.availability import (
    HAS_UNITS,
    IS_AVAILABLE,
    IS_EARLY,
    IS_OFF,
    IS_OVER,
    IS_REVOKED,
    MAY_BECOME_AVAILABLE,
    OBSTACLES,
    PACK_HAS_UNITS,
    PACK_IS_ON,
    REASON_OF_STATUS,
    Reason,
    is_available,
)
from licenzy_django.models.querysets import with_span
from licenzy_django.models.units import usable_packs

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MOMENTS = st.integers(-2, 2).map(lambda hours: NOON + timedelta(hours=hours))
MAYBE = st.none() | MOMENTS
STORED = [status.value for status in Status if status != Status.EXPIRED]
CONDITIONS = [
    IS_AVAILABLE,
    PACK_HAS_UNITS,
    MAY_BECOME_AVAILABLE,
    *(obstacle.condition for obstacle in OBSTACLES),
]
IS_ON = ~(IS_REVOKED | IS_OFF | IS_EARLY | IS_OVER)
CODES = {Kind.SUBSCRIPTION: "PLAN", Kind.TIME_PASS: "PASS", Kind.USAGE_PACK: "PACK"}

ROW = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(CODES)),
        "status": st.sampled_from(STORED),
        "status_reason": st.sampled_from(["", "payment_pending", "disputed", "paused"]),
        "grants_access": st.sampled_from([True, True, False]),
        "not_before": MAYBE,
        "available_until": MAYBE,
        "cancel_at": MAYBE,
        "revoked_at": st.none() | st.none() | MOMENTS,
        "units_remaining": st.sampled_from([0, 1]),
        "reserved_until": MAYBE,
    }
)


def made(wanted: dict[str, Any], number: int) -> Entitlement:
    columns = dict(wanted)
    kind, left, reserved_until = columns.pop("kind"), columns.pop("units_remaining"), columns.pop("reserved_until")
    row = Entitlement(
        **columns,
        mode="test",
        subject=Subject.objects.get_or_create(mode="test", subject_ref="user_1")[0],
        subject_ref="user_1",
        product=Product.objects.get(code=CODES[kind]),
        source_id=f"source_{number}",
        created_at=NOON - timedelta(days=1),
    )
    if kind == Kind.USAGE_PACK:
        row.pack = packs.new(row, row.product.unit)
        packs.follow(row.pack, row)
        reserved = int(reserved_until is not None)
        row.pack.units_remaining, row.pack.units_reserved, row.pack.reserved_until = left, reserved, reserved_until
        row.pack.units_granted = left + reserved
        row.pack.save()
    return row


def found_by_sql(condition: Q, at: datetime) -> set[int]:
    def column(path: str) -> str:
        relation, _, name = path.rpartition("__")
        return f"{ {'': 'e', 'product': 'p', 'pack': 'u'}[relation] }.{name}"

    where = as_sql(condition, at="%(at)s", column=column)
    moment = at if connection.vendor == "postgresql" else connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM licenzy_entitlement e JOIN licenzy_product p ON p.id = e.product_id "
            "LEFT JOIN licenzy_pack u ON u.id = e.pack_id WHERE " + where,
            {"at": moment},
        )
        return {pk for (pk,) in cursor.fetchall()}


class OneDefinition(TestCase):
    """Its own TestCase, since Hypothesis opens a transaction for each example there."""

    @classmethod
    def setUpTestData(cls) -> None:
        terms = {Kind.TIME_PASS: {"duration_days": 7}, Kind.USAGE_PACK: {"units": 1}}
        for kind, code in CODES.items():
            price = f"price_{code}"
            Product.objects.create(
                mode="test", code=code, name=code, kind=kind, stripe_price_id=price, **terms.get(kind, {})
            )

    def setup_example(self) -> None:
        super().setup_example()
        Entitlement.objects.all().delete()
        Pack.objects.all().delete()

    @given(rows=st.lists(ROW, max_size=6), at=MOMENTS, later=st.integers(0, 3))
    def test_sql_querysets_and_python_agree(self, rows: list[dict[str, Any]], at: datetime, later: int) -> None:
        Entitlement.objects.bulk_create([made(row, number) for number, row in enumerate(rows)])
        stored = list(Entitlement.objects.select_related("product", "pack"))

        for condition in CONDITIONS:
            holds = as_python(condition)
            by_python = {row.pk for row in stored if holds(row, at)}
            by_queryset = set(Entitlement.objects.filter(at_moment(condition, at)).values_list("pk", flat=True))
            assert by_python == by_queryset == found_by_sql(condition, at), condition

        available = {row.pk for row in stored if availability_of(row, at).available}
        assert available == set(Entitlement.objects.filter(is_available(at)).values_list("pk", flat=True))
        self.the_gate_agrees(stored, at, at + timedelta(hours=later))
        self.the_ledger_and_the_chart_agree(stored, at)

    def the_gate_agrees(self, stored: list[Entitlement], at: datetime, later: datetime) -> None:
        read = entitlement_rows.rows_of("user_1", "test", at=at)
        assert {row.public_id: availability_of(row, at) for row in read} == {
            row.public_id: availability_of(row, at) for row in stored
        }
        zone = entitlement_rows.zone_of_texts()
        fewer = [
            entitlement_rows.entitlement_row(row, zone)
            for row in entitlement_rows.rows_that_matter("user_1", "test", at)
        ]
        for codes in ((), ("PLAN",), ("PACK", "PASS")):
            whole, part = (decide("user_1", rows, codes, "", at=at) for rows in (read, fewer))
            assert (whole.allowed, whole.reason) == (part.allowed, part.reason)
            # Remembered rows are asked again at later moments.
            whole, part = (decide("user_1", rows, codes, "", at=later) for rows in (read, fewer))
            assert whole.allowed == part.allowed
        view = access.summary("user_1", mode="test", at=at)
        assert view.has_access == any(availability_of(row, at).available for row in stored)

    def the_ledger_and_the_chart_agree(self, stored: list[Entitlement], at: datetime) -> None:
        is_on = as_python(IS_ON)
        on = {row.pk for row in stored if is_on(row, at)}
        with_units = {row.pk for row in stored if row.units_granted}
        found = usable_packs("user_1", "test", at)
        assert set(found.values_list("entitlement", flat=True)) == on & with_units
        for condition in (PACK_IS_ON, HAS_UNITS):
            holds = as_python(condition)
            by_python = {pack.pk for pack in Pack.objects.all() if holds(pack, at)}
            assert by_python == set(Pack.objects.filter(at_moment(condition, at)).values_list("pk", flat=True))
        span = with_span(Entitlement.objects.filter(grants_access=True, revoked_at=None))
        assert set(span.filter(began_at__lte=at, ended_at__gt=at).values_list("pk", flat=True)) == on


def test_every_reason_has_words_and_every_word_a_reason() -> None:
    assert set(wording.REASONS) == set(Reason)


def test_every_status_has_a_reason_for_rows_that_name_none() -> None:
    assert set(REASON_OF_STATUS) == set(Status)


def test_reasons_are_ranked_by_their_order() -> None:
    assert [reason.rank for reason in Reason] == list(range(len(Reason)))


@pytest.mark.django_db
def test_a_reason_that_is_forgotten_is_an_error() -> None:
    derived = EntitlementState(source_id="s", product_id=1, price="p", status="suspended", status_reason="nobody_knows")
    with pytest.raises(ValueError, match="nobody_knows"):
        apply(derived, Entitlement())


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Q(a=True), "a"),
        (Q(a=False), "(NOT a)"),
        (~Q(a=True), "NOT a"),
        (Q(a=3), "(a = 3)"),
        (Q(a="it's"), "(a = 'it''s')"),
        (Q(a__isnull=True) | Q(a__gt=AT), "((a IS NULL) OR (a IS NOT NULL AND a > now))"),
        (Q(a__lte=AT) & ~Q(b__isnull=False), "((a IS NOT NULL AND a <= now) AND NOT (b IS NOT NULL))"),
    ],
)
def test_a_condition_as_sql(condition: Q, text: str) -> None:
    assert as_sql(condition, at="now", column=str) == text
