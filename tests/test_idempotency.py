"""What a key may look like, and what makes two requests the same. No database."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from licenzy_django.exceptions import IdempotencyKeyInvalid, IdempotencyKeyMissing
from licenzy_django.idempotency import fingerprint, idempotency_key

pytestmark = pytest.mark.rules

KEYS = {
    "plain": ("order-1", "order-1"),
    "one character": ("k", "k"),
    "as the IETF writes it": ('"order-1"', "order-1"),
    "one quoted character": ('"k"', "k"),
    "quoted at the beginning only": ('"k', '"k'),
    "quoted at the end only": ('k"', 'k"'),
    "one quote": ('"', '"'),
    "quotes within": ('a"b', 'a"b'),
    "quoted twice": ('""k""', '"k"'),
    "all that can be printed": (" !~", " !~"),
    "the longest": ("k" * 255, "k" * 255),
    "the longest, quoted": (f'"{"k" * 255}"', "k" * 255),
}
INVALID = {
    "too long": "k" * 256,
    "nothing in quotes": '""',
    "below what can be printed": "a\x1f",
    "above what can be printed": "a\x7f",
    "not ASCII": "schlüssel",
    "a line break": "a\nb",
}


@pytest.mark.parametrize(("given", "kept"), KEYS.values(), ids=KEYS.keys())
def test_a_key_is_kept_without_its_quotes(given: str, kept: str) -> None:
    assert idempotency_key(given) == kept


@pytest.mark.parametrize("given", INVALID.values(), ids=INVALID.keys())
def test_what_is_no_key_is_refused(given: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        idempotency_key(given)


@pytest.mark.parametrize("given", [None, ""])
def test_a_missing_key_is_said_to_be_missing(given: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        idempotency_key(given)


DIFFERENT: dict[str, dict[str, Any]] = {
    "another value": {"subject": "user_1", "units": 2},
    "another name": {"subject": "user_1", "unit": 1},
    "another type": {"subject": "user_1", "units": "1"},
    "more": {"subject": "user_1", "units": 1, "more": None},
    "less": {"subject": "user_1"},
}


@pytest.mark.parametrize("request_", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_another_request_has_another_fingerprint(request_: dict[str, Any]) -> None:
    assert fingerprint(**request_) != fingerprint(subject="user_1", units=1)


def test_the_order_of_what_is_asked_does_not_count() -> None:
    assert fingerprint(subject="user_1", units=1) == fingerprint(units=1, subject="user_1")


def test_a_time_can_be_part_of_a_request() -> None:
    assert fingerprint(until=datetime(2026, 1, 1, tzinfo=UTC)) != fingerprint(until=datetime(2026, 1, 2, tzinfo=UTC))


def test_a_fingerprint_stays_what_it_was_in_earlier_versions() -> None:
    """Rows of the database are compared with it."""
    assert fingerprint(a=1) == hashlib.sha256(b'{"a": 1}').hexdigest()
