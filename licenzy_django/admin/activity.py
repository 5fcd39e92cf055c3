"""How many entitlements of each product were active on each day, from what the rows say now.

A row counts from its start until the clock, an operator or Stripe ended it. Of what was on and off again in between,
only the last change is known here; the exact story of one entitlement stands in its history.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from licenzy_django.clock import NEVER
from licenzy_django.models import Entitlement
from licenzy_django.models.querysets import with_span


def active_by_product(mode: str, days: list[date]) -> list[tuple[date, dict[str, int]]]:
    """Two grouped queries, whatever the number of rows: what began and what ended, by product and day."""
    first = datetime.combine(days[0], time.min, UTC)
    rows = with_span(Entitlement.objects.filter(mode=mode))
    began = changes(rows.filter(ended_at__gt=F("began_at")), "began_at", first)
    ended = changes(rows.filter(ended_at__gt=F("began_at"), ended_at__lt=NEVER), "ended_at", first)
    counts: list[tuple[date, dict[str, int]]] = []
    active: dict[str, int] = defaultdict(int)
    for code in sorted(began):
        active[code] = began[code].get(first.date() - timedelta(days=1), 0)
        active[code] -= ended.get(code, {}).get(first.date() - timedelta(days=1), 0)
    for day in days:
        for code, by_day in began.items():
            active[code] += by_day.get(day, 0) - ended.get(code, {}).get(day, 0)
        counts.append((day, {code: count for code, count in active.items() if count > 0}))
    return counts


def changes(rows: QuerySet[Any], moment: str, first: datetime) -> dict[str, dict[date, int]]:
    """How many by product code and day; everything before the first day counts on the day before it."""
    before = Value(first - timedelta(days=1), DateTimeField())
    clipped = Case(When(Q(**{f"{moment}__gte": first}), then=F(moment)), default=before, output_field=DateTimeField())
    by_day = rows.annotate(day=TruncDate(clipped, tzinfo=UTC)).order_by().values("product__code", "day")
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in by_day.annotate(count=Count("pk")):
        found[row["product__code"]][row["day"]] = row["count"]
    return found
