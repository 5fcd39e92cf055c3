"""What ``licenzy_doctor`` looks for: functions that return findings, one list of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from licenzy_django.doctor.books import books_are_balanced, plans_are_kept, reservations_add_up
from licenzy_django.doctor.finding import Finding

CHECKS: list[Callable[[], Iterable[Finding]]] = [books_are_balanced, reservations_add_up, plans_are_kept]


def examine() -> Iterator[Finding]:
    """Everything that every check finds, one after the other. Changes nothing."""
    return chain.from_iterable(check() for check in CHECKS)


__all__ = ["CHECKS", "Finding", "examine"]
