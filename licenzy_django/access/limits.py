"""How many of something may a subject have? The host counts what is in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async

from licenzy_django.access.availability import availability_of
from licenzy_django.access.decisions import rows_at
from licenzy_django.access.entitlement_rows import EntitlementRow
from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.identity import is_request, subject_ref_of
from licenzy_django.models.limits import MOST, combined


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of a subject under one name.

    Attributes:
        value: how many; None: unlimited; 0 for a name that nothing gives.
        product_codes: the products that it comes from.
    """

    name: str
    value: int | None = 0
    product_codes: tuple[str, ...] = field(default=())

    def allows(self, in_use: int, required: int = 1) -> bool:
        """Whether there may be so many more than are in use. Raises InvalidRequest for what is no such number."""
        counted("in_use", in_use)
        counted("required", required, least=1)
        return self.value is None or in_use + required <= self.value

    def remaining(self, in_use: int) -> int | None:
        """How many more there may be, never below 0; None: unlimited."""
        counted("in_use", in_use)
        return None if self.value is None else max(0, self.value - in_use)

    def over(self, in_use: int) -> int:
        """By how many there are too many: after a downgrade nothing is deleted."""
        counted("in_use", in_use)
        return 0 if self.value is None else max(0, in_use - self.value)


def counted(name: str, number: Any, *, least: int = 0) -> None:
    """Raise InvalidRequest for what is no whole number in range."""
    if type(number) is not int or not least <= number <= MOST:
        raise InvalidRequest(fields={name: [f"This must be a whole number from {least} to 1,000,000,000,000."]})


def limit(subject: Any, name: str, *, mode: str | None = None, at: datetime | None = None) -> Limit:
    """The largest number among the available plans of a subject, and that of each available add-on on top.

    Costs what ``check`` costs: a request remembers, and the cache is asked first.

    Args:
        subject: a ``subject_ref``, a request, a user, or None; an anonymous one has nothing.
        name: as the products call it, for example ``projects``.
        mode: ``test`` or ``live``; by default the setting ``MODE``.
        at: another moment than now.
    """
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        return Limit(name)
    rows = rows_at(
        subject_ref, mode or licenzy_settings().MODE, request=subject if is_request(subject) else None, at=at
    )
    return limit_of(name, rows.rows, rows.at)


def limit_of(name: str, rows: Iterable[EntitlementRow], at: datetime) -> Limit:
    given = [
        row for row in rows if any(known == name for known, _ in row.limits) and availability_of(row, at).available
    ]
    plans, add_ons = ([dict(row.limits) for row in given if row.is_add_on is kind] for kind in (False, True))
    codes = tuple(sorted({row.product_code for row in given}))
    return Limit(name, combined(plans, add_ons).get(name, 0), codes)


alimit = sync_to_async(limit)
