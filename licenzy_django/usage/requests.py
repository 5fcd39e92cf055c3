"""What is asked of usage, checked; and how an answer is found when nothing could be taken at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from licenzy_django import clock
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InsufficientUsage, InvalidRequest, ProductNotFound, UnitRequired
from licenzy_django.idempotency import fingerprint
from licenzy_django.idempotency import idempotency_key as checked_key
from licenzy_django.identity import subject_ref_of, validate_subject_ref
from licenzy_django.ledger import entries, packs
from licenzy_django.models import LedgerEntry, Product, Reservation
from licenzy_django.models.units import MAX_UNITS, NOT_A_NUMBER_OF_UNITS, is_whole, only_unit, refuse_unknown_unit
from licenzy_django.usage import expiry
from licenzy_django.usage.actions import checked_actions, cost_of, units_of
from licenzy_django.usage.allocation import UsageRequest

MAX_TTL_SECONDS = 86_400
DEFAULT_TTL_SECONDS = 900
TRIES = 50
"""A try that fails without a reason to refuse has only lost a race."""


def usage_request(
    subject: Any,
    units: Any,
    idempotency_key: str,
    mode: str | None,
    unit: str,
    product_code: str,
    at: datetime | None,
    **more: int,
) -> UsageRequest:
    """The request, checked. Raises what ``consume`` raises for a wrong argument."""
    checked_key(idempotency_key)
    if not is_whole(units) or not 1 <= units <= MAX_UNITS:
        raise InvalidRequest(fields={"units": [NOT_A_NUMBER_OF_UNITS]})
    return new_request(subject, idempotency_key, mode, unit, product_code, at, units=units, **more)


def request_for_actions(
    subject: Any,
    actions: Any,
    idempotency_key: str,
    mode: str | None,
    unit: str,
    product_code: str,
    at: datetime | None,
) -> UsageRequest:
    """The request for what the actions cost now. Where the rates cannot say it and the key was used before, it asks for
    nothing, and its first answer will be found.

    Raises what ``consume`` raises for a wrong argument.
    """
    checked_key(idempotency_key)
    counted = checked_actions(actions)
    request = new_request(subject, idempotency_key, mode, unit, product_code, at, actions=counted)
    try:
        cost = cost_of(counted, unit)
    except (InvalidRequest, UnitRequired):
        # What was answered stays answered, whatever the rates say by now.
        if entries.first_of_key(request.mode, LedgerEntry.Kind.CONSUME, request.idempotency_key, request.fingerprint):
            return request
        raise
    return replace(request, unit=cost.unit, units=cost.units, actions=cost.kept)


def new_request(
    subject: Any,
    idempotency_key: str,
    mode: str | None,
    unit: str,
    product_code: str,
    at: datetime | None,
    **meant: Any,
) -> UsageRequest:
    """What ``meant`` says is part of what the key stands for."""
    subject_ref = subject_ref_of(subject)
    if subject_ref is None:
        raise InsufficientUsage(usage_remaining=0)
    validate_subject_ref(subject_ref)
    if "\0" in product_code:
        raise ProductNotFound()
    mode = mode or licenzy_settings().MODE
    if storable(unit) != unit:
        refuse_unknown_unit(unit, mode, using=packs.writer())
    # A request without a unit keeps the digest that it had when units were of one kind: its key goes on replaying.
    named = {"unit": unit} if unit else {}
    digest = fingerprint(subject_ref=subject_ref, product_code=product_code, **meant, **named)
    key, units = checked_key(idempotency_key), meant.get("units", 0)
    return UsageRequest(subject_ref, mode, unit, product_code, units, key, digest, clock.moment(at))


def answer_before(request: UsageRequest, kind: LedgerEntry.Kind) -> LedgerEntry | None:
    """Why nothing was taken: the entry that has the first answer to this key, or None, and it is worth another try.

    A refusal rests on a balance that was read at one moment, so it is true of that moment.

    Raises InsufficientUsage, ProductNotFound, UnitRequired, InvalidRequest, IdempotencyKeyReused.
    """
    first = entries.first_of_key(request.mode, kind, request.idempotency_key, request.fingerprint)
    if first is not None or expiry.reclaim(request.subject_ref, request.mode, request.at):
        return first
    using = packs.writer()
    unit = request.unit or ("" if request.product_code else only_unit(request.mode, using=using))
    left = packs.remaining(request.subject_ref, request.mode, request.at, unit=unit, product_code=request.product_code)
    if left < request.units:
        if request.unit:
            refuse_unknown_unit(request.unit, request.mode, using=using)
        if request.product_code and not is_product(request.product_code, request.mode):
            raise ProductNotFound()
        raise InsufficientUsage(usage_remaining=left)
    return None


def answer_of(row: LedgerEntry | Reservation) -> int:
    """How much was left, as it was answered when the row was written."""
    if row.usage_remaining is None:
        raise RuntimeError(f"The row {row} keeps no answer.")
    return row.usage_remaining


def consumed_by(first: LedgerEntry, request: UsageRequest) -> int:
    """How many units the first request with this key used: of actions, at the rates of then."""
    return units_of(first.actions) if first.actions else request.units


def is_product(code: str, mode: str) -> bool:
    return Product.objects.filter(code=code, mode=mode).exists()
