"""What ``licenzy_doctor`` looks for: functions that return findings, in groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from licenzy_django.doctor.at_stripe import prices_fit, webhook_is_registered
from licenzy_django.doctor.billing import nobody_has_a_second_trial, nobody_pays_twice, prices_are_known
from licenzy_django.doctor.books import books_are_balanced, plans_are_stored, refunds_add_up, reservations_add_up
from licenzy_django.doctor.finding import Finding
from licenzy_django.doctor.left_undone import (
    attempts_have_answers,
    deliveries_arrive,
    events_are_processed,
    secrets_are_of_their_mode,
)
from licenzy_django.doctor.portal import portal_fits
from licenzy_django.doctor.preparations import (
    a_mode_can_sell,
    checks_are_clean,
    each_mode_has_products_and_keys,
    secrets_are_encrypted,
    settings_are_readable,
    site_is_closed,
    tables_are_migrated,
    transactions_are_read_committed,
)

CHECKS: dict[str, list[Callable[[], Iterable[Finding]]]] = {
    "settings": [
        checks_are_clean,
        site_is_closed,
        a_mode_can_sell,
        transactions_are_read_committed,
        secrets_are_encrypted,
    ],
    "catalog": [each_mode_has_products_and_keys],
    "stripe": [prices_fit, webhook_is_registered, portal_fits],
    "work": [events_are_processed, secrets_are_of_their_mode, attempts_have_answers, deliveries_arrive],
    "billing": [prices_are_known, nobody_pays_twice, nobody_has_a_second_trial],
    "books": [books_are_balanced, reservations_add_up, refunds_add_up, plans_are_stored],
}


def examine(groups: Collection[str] = CHECKS.keys()) -> Iterator[Finding]:
    """Everything that the checks of these groups find, one after the other. Changes nothing.

    Without readable settings or without tables nothing else can be asked, so that is then all.
    """
    for precondition in (settings_are_readable, tables_are_migrated):
        found = list(precondition())
        yield from found
        if found:
            return
    for group, checks in CHECKS.items():
        if group in groups:
            for check in checks:
                yield from check()


__all__ = ["CHECKS", "Finding", "examine"]
