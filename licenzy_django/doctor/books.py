"""Do balances and ledger agree? Each question is one statement, so it is asked of one moment, under traffic too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.models import BigIntegerField, Case, Expression, F, Min, Q, Sum, Value, When, Window
from django.db.models.functions import Coalesce, Lag

from licenzy_django.db.functions import REGISTERED
from licenzy_django.doctor.finding import Finding
from licenzy_django.ledger import packs
from licenzy_django.ledger.entries import EFFECTS
from licenzy_django.models import LedgerEntry, Pack, Reservation
from licenzy_django.models.pack import UNIT_COLUMNS

ADVICE = "Nothing of Licenzy's writes one without the other: look for writes by hand, then adjust with a reason."
OWNERS = ("pack__entitlement", "pack__allowance_of")
TAKEN = [LedgerEntry.Kind.CONSUME, LedgerEntry.Kind.CONFIRM]
RESERVE = LedgerEntry.Kind.RESERVE


def books_are_balanced() -> Iterator[Finding]:
    """The columns of each pack are the sums over its ledger, and each row of the ledger continues the one before."""
    said = {f"said_{column}": ledger_sum(column) for column in UNIT_COLUMNS}
    packs = Pack.objects.select_related("entitlement", "allowance_of").annotate(**said)
    agree = Q(*(Q(**{column: F(f"said_{column}")}) for column in UNIT_COLUMNS))
    for pack in packs.exclude(agree).order_by("subject_ref", "pk").iterator():
        differences = [
            f"{column.removeprefix('units_')} {getattr(pack, column)}, by the ledger {getattr(pack, f'said_{column}')}"
            for column in UNIT_COLUMNS
            if getattr(pack, column) != getattr(pack, f"said_{column}")
        ]
        yield Finding(f"Subject {pack.subject_ref} ({pack.mode}), pack {pack}: {'; '.join(differences)}.", ADVICE)
    for row in broken_rows().iterator():
        yield Finding(f"{named(row)} does not lead from the balance before it to {row.balance_after}.", ADVICE)


def broken_rows() -> Any:
    before = Window(Lag("balance_after"), partition_by="pack", order_by="pk")
    rows = LedgerEntry.objects.annotate(due=Coalesce(before, Value(0)) + signed("units_remaining", prefix=""))
    return rows.exclude(balance_after=F("due")).select_related(*OWNERS).order_by("pk")


def reservations_add_up() -> Iterator[Finding]:
    """What is reserved of each pack is held by open reservations, and each reservation holds and ends what it says."""
    is_open = Q(ledger__kind=RESERVE, ledger__reservation__status=Reservation.Status.OPEN)
    packs = (
        Pack.objects.filter(Q(units_reserved__gt=0) | is_open)
        .select_related("entitlement", "allowance_of")
        .annotate(
            held=Coalesce(Sum("ledger__units", filter=is_open), Value(0)),
            until=Min("ledger__reservation__expires_at", filter=is_open),
        )
    )
    for pack in packs.exclude(units_reserved=F("held"), reserved_until=F("until")).order_by("pk").iterator():
        yield Finding(
            f"Subject {pack.subject_ref} ({pack.mode}), pack {pack}: {pack.units_reserved} reserved until "
            f"{pack.reserved_until}, by its open reservations {pack.held} until {pack.until}.",
            ADVICE,
        )
    for reservation in unbalanced_reservations().iterator():
        yield Finding(
            f"Subject {reservation.subject.subject_ref} ({reservation.mode}), reservation {reservation.public_id} of "
            f"{reservation.units}: by the ledger {reservation.taken} were set aside, {reservation.used} used and "
            f"{reservation.back} given back.",
            ADVICE,
        )


def refunds_add_up() -> Iterator[Finding]:
    """What was given back had been used: not more of any row than it took, and to the pack that it took it from."""
    refunds = Q(refunds__kind=LedgerEntry.Kind.REFUND)
    rows = LedgerEntry.objects.annotate(back=Coalesce(Sum("refunds__units", filter=refunds), Value(0)))
    too_much = rows.filter(kind__in=TAKEN, back__gt=F("units")).select_related(*OWNERS)
    for row in too_much.order_by("pk").iterator():
        yield Finding(f"{named(row)} was given back more than once: {row.back} in all.", ADVICE)
    of_another = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND, units__gt=0).exclude(
        pack=F("consumption__pack"), consumption__kind__in=TAKEN
    )
    for stranger in of_another.select_related(*OWNERS).order_by("pk").iterator():
        yield Finding(f"{named(stranger)} gives back what was not taken from this pack.", ADVICE)


def named(row: LedgerEntry) -> str:
    subject = f"Subject {row.pack.subject_ref} ({row.mode}), pack {row.pack}"
    return f"{subject}: row {row.pk} of the ledger ({row.kind} {row.units})"


def unbalanced_reservations() -> Any:
    Row = LedgerEntry.Kind  # noqa: N806
    reservations = Reservation.objects.annotate(
        taken=units_of(Row.RESERVE), used=units_of(Row.CONFIRM), back=units_of(Row.RELEASE, Row.EXPIRE)
    )
    is_taken = Q(taken=F("units"))
    is_held = Q(status=Reservation.Status.OPEN, used=0, back=0)
    is_ended = ~Q(status=Reservation.Status.OPEN) & Q(
        used=Coalesce(F("units_confirmed"), Value(0)), back=F("units") - F("used")
    )
    return reservations.exclude(is_taken & (is_held | is_ended)).select_related("subject").order_by("pk")


def units_of(*kinds: str) -> Expression:
    return Coalesce(Sum("ledger__units", filter=Q(ledger__kind__in=kinds)), Value(0))


def ledger_sum(column: str) -> Expression:
    return Coalesce(Sum(signed(column, prefix="ledger__")), Value(0), output_field=BigIntegerField())


def signed(column: str, *, prefix: str) -> Expression:
    """The units of a row with the sign that its kind has for the column."""
    cases = [
        When(**{f"{prefix}kind": kind}, then=F(f"{prefix}units") * effect[column])
        for kind, effect in EFFECTS.items()
        if column in effect
    ]
    return Case(*cases, default=Value(0), output_field=BigIntegerField())


def plans_are_stored() -> Iterator[Finding]:
    using = packs.writer()
    if connections[using].vendor == "postgresql" and not all(function.is_there(using) for function in REGISTERED):
        yield Finding(
            "PostgreSQL lacks functions of ours: each usage.consume is four statements and not one, and access checks "
            "take longer.",
            "Run migrate as a role that may create functions.",
            is_wrong=False,
        )
