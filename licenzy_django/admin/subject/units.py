"""The units of a subject: for each kind its packs and the windows of its allowances, now, next and over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenzy_django.admin import charts
from licenzy_django.admin.subject.buttons import Button
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.models import Pack, Subject
from licenzy_django.models.availability import is_on
from licenzy_django.models.live_units import LivePack, UnitBalance, balances_of
from licenzy_django.models.pack import ROLLOVER, is_rollover
from licenzy_django.models.querysets import expired_units

NEWEST = 20
NEXT = 12


@dataclass(frozen=True, slots=True)
class ShownPack:
    """A pack or a window as a row of the table.

    Attributes:
        state: what it is now, in words.
        is_live: units can be taken of it now, if it has any.
        reserved, left: without what expired reservations hold, and with it.
    """

    pack: Pack
    state: str
    is_live: bool
    reserved: int
    left: int
    bars: Sequence[charts.Bar]
    buttons: Sequence[Button]


@dataclass(frozen=True, slots=True)
class ShownUnit:
    """One kind of units; without a ``balance`` none can be used now."""

    unit: str
    balance: UnitBalance | None
    packs: list[ShownPack]

    @property
    def resets_on(self) -> str:
        at = self.balance.resets_at if self.balance else None
        return date_format(timezone.localtime(at), "j F") if at else ""


@dataclass(frozen=True, slots=True)
class ShownUnits:
    units: list[ShownUnit]
    has_more: bool


def units_of(
    subject: Subject, live: Sequence[LivePack], at: datetime, buttons_of: Callable[[Pack], Sequence[Button]]
) -> ShownUnits:
    """In two queries, whatever the history: those that can be used first, then the newest, and what comes next.

    Args:
        live: what the subject can use at this moment.
        buttons_of: what may be done to one.
    """
    begun, coming = begun_packs(subject, at), coming_packs(subject, at)
    rows = [*begun[:NEWEST], *coming[:NEXT]]
    rows.sort(key=lambda row: (not row.is_live, row.starts_at is None or row.starts_at <= at))
    running = {pack.window_key.removesuffix(ROLLOVER) for pack in live if pack.is_window}
    balances = balances_of(live)
    names = [*balances, *sorted({row.unit for row in rows} - balances.keys())]
    shown = [
        ShownUnit(
            unit,
            balances.get(unit),
            [shown_pack(row, running, at, buttons_of(row)) for row in rows if row.unit == unit],
        )
        for unit in names
    ]
    return ShownUnits(shown, len(begun) > NEWEST or len(coming) > NEXT)


def begun_packs(subject: Subject, at: datetime) -> list[Any]:
    rows = packs_of(subject, at).filter(Q(starts_at=None) | Q(starts_at__lte=at))
    return list(rows.order_by("-is_live", "-starts_at", "-pk")[: NEWEST + 1])


def coming_packs(subject: Subject, at: datetime) -> list[Any]:
    """The nearest first."""
    return list(packs_of(subject, at).filter(starts_at__gt=at).order_by("starts_at", "pk")[: NEXT + 1])


def packs_of(subject: Subject, at: datetime) -> QuerySet[Any]:
    """With ``is_live``, and the units that expired reservations hold."""
    live = Case(When(is_on(at), then=Value(value=True)), default=Value(value=False), output_field=BooleanField())
    rows = Pack.objects.filter(subject=subject, units_granted__gt=0).select_related("product")
    return rows.annotate(is_live=live, expired=expired_units(at))


def shown_pack(pack: Any, running: set[str], at: datetime, buttons: Sequence[Button]) -> ShownPack:
    expired: int = pack.expired or 0
    reserved, left = pack.units_reserved - expired, pack.units_remaining + expired
    is_live: bool = pack.is_live
    bars = charts.pack_bars(pack, reserved=reserved, left=left)
    return ShownPack(pack, str(state_of(pack, running, at)), is_live, reserved, left, bars, buttons)


def state_of(pack: Pack, running: set[str], at: datetime) -> str | Promise:
    if pack.is_void or pack.units_voided == pack.units_granted:
        return gettext_lazy("void")
    if pack.starts_at is not None and pack.starts_at > at:
        return _("begins %(when)s") % {"when": moment(pack.starts_at)}
    if pack.ends_at is not None and pack.ends_at <= at:
        return gettext_lazy("over")
    if pack.available_until <= at:
        return gettext_lazy("off: the subscription gives no access")
    if is_rollover(pack.window_key):
        is_of_running = pack.window_key.removesuffix(ROLLOVER) in running
        return gettext_lazy("now, rolls over") if is_of_running else gettext_lazy("rolled over")
    return gettext_lazy("now")
