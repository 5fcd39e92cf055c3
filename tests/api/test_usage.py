"""The units of contract section 4, as another backend uses them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse

from licenzy_django import usage
from licenzy_django.models import LedgerEntry, Reservation
from tests.backend import Backend, error_of
from tests.shelf import Shelf

pytestmark = pytest.mark.usefixtures("way_of_taking_units")


def consume(backend: Backend, units: object = 100, key: str = "k", **more: object) -> HttpResponse:
    return backend.post("usage/consume", {"subject_ref": "user_1", "units": units, **more}, idempotency_key=key)


def reserve(backend: Backend, units: object = 100, key: str = "k", **more: object) -> HttpResponse:
    return backend.post("usage/reserve", {"subject_ref": "user_1", "units": units, **more}, idempotency_key=key)


def test_consume_answers_as_the_contract_says(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)

    answer = consume(backend)

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "consumed": 100, "usage_remaining": 900}
    assert "Idempotent-Replayed" not in answer.headers


def test_a_replay_says_so_and_repeats_the_first_answer(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)
    usage.consume("user_1", 800, idempotency_key="other")

    answer = consume(backend, key='"k"')

    assert answer.json() == {"ok": True, "consumed": 100, "usage_remaining": 900}
    assert answer.headers["Idempotent-Replayed"] == "true"


def test_too_few_units_is_a_409_that_says_how_many(shelf: Shelf, backend: Backend) -> None:
    shelf.give(40)

    answer = consume(backend)

    assert error_of(answer) == (409, "insufficient_usage")
    assert answer.json()["usage_remaining"] == 40
    shelf.give(1000)
    assert consume(backend).json()["usage_remaining"] == 940


def test_a_key_of_another_request_is_a_422(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)

    assert error_of(consume(backend, 101)) == (422, "idempotency_key_reused")


def test_reserve_confirm_and_release_answer_as_the_contract_says(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)

    held = reserve(backend)
    assert held.status_code == 201
    body = held.json()
    assert body.keys() == {"reservation_id", "reserved", "usage_remaining", "expires_at"}
    assert (body["reserved"], body["usage_remaining"]) == (100, 800)
    assert body["reservation_id"].startswith("res_")
    assert body["expires_at"] == (shelf.double.now + timedelta(seconds=900)).strftime("%Y-%m-%dT%H:%M:%SZ")

    confirmed = backend.post("usage/confirm", {"reservation_id": body["reservation_id"], "units": 70})
    assert (confirmed.status_code, confirmed.json()) == (200, {"ok": True, "consumed": 70, "usage_remaining": 830})
    again = backend.post("usage/confirm", {"reservation_id": body["reservation_id"], "units": 70})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (confirmed.json(), "true")

    other = reserve(backend, key="k2").json()
    released = backend.post("usage/release", {"reservation_id": other["reservation_id"]})
    assert (released.status_code, released.json()) == (200, {"ok": True, "usage_remaining": 830})


def test_a_retried_reserve_is_a_409_once_its_reservation_is_closed(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)
    held = reserve(backend).json()
    assert reserve(backend).json() == held

    backend.post("usage/confirm", {"reservation_id": held["reservation_id"], "units": 70})

    assert error_of(reserve(backend)) == (409, "reservation_closed")


def test_a_closed_reservation_is_a_409_and_an_unknown_one_a_404(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)
    held = reserve(backend, ttl_seconds=60).json()
    shelf.double.advance(seconds=60)

    late = backend.post("usage/confirm", {"reservation_id": held["reservation_id"], "units": 1})
    assert error_of(late) == (409, "reservation_closed")
    for nowhere in ("res_unknown", "res_" + "x" * 60):
        assert error_of(backend.post("usage/release", {"reservation_id": nowhere})) == (404, "reservation_not_found")
        unknown = backend.post("usage/confirm", {"reservation_id": nowhere, "units": 1})
        assert error_of(unknown) == (404, "reservation_not_found")


def test_a_live_key_sees_nothing_of_test(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)
    held = reserve(backend).json()
    live = Backend("live")

    assert consume(live).json()["usage_remaining"] == 0
    assert error_of(live.post("usage/release", {"reservation_id": held["reservation_id"]})) == (
        404,
        "reservation_not_found",
    )


def test_the_access_of_a_subject_shows_its_units(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)
    reserve(backend)

    assert backend.access("user_1")["usage_remaining"] == 800
    assert backend.entitlements("user_1")["entitlements"][0]["usage_remaining"] == 800


def test_a_trailing_slash_works_too(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)

    answer = backend.post("usage/consume/", {"subject_ref": "user_1", "units": 1}, idempotency_key="k")

    assert answer.status_code == 200


GOOD = {"subject_ref": "user_1", "units": 5}
HELD = {"reservation_id": "res_x", "units": 5}
BAD = [
    ("consume", GOOD | {"units": 0}),
    ("consume", GOOD | {"units": -1}),
    ("consume", GOOD | {"units": 1.5}),
    ("consume", GOOD | {"units": 5.0}),
    ("consume", GOOD | {"units": "5"}),
    ("consume", GOOD | {"units": True}),
    ("consume", GOOD | {"units": None}),
    ("consume", GOOD | {"units": 10**12}),
    ("consume", GOOD | {"units": [5]}),
    ("consume", {"subject_ref": "user_1"}),
    ("consume", {"units": 5}),
    ("consume", GOOD | {"unit": 5}),
    ("consume", GOOD | {"mode": "live"}),
    ("consume", GOOD | {"subject_ref": "a\0b"}),
    ("consume", GOOD | {"subject_ref": 1}),
    ("consume", GOOD | {"subject_ref": ""}),
    ("consume", GOOD | {"subject_ref": "x" * 256}),
    ("consume", GOOD | {"product_code": "a\0b"}),
    ("consume", GOOD | {"product_code": None}),
    ("consume", GOOD | {"padding": "x" * 1_000_000}),
    ("consume", [GOOD]),
    ("consume", b'{"subject_ref": "user_1", "units": 5'),
    ("consume", b'{"subject_ref": "user_1", "units": NaN}'),
    ("consume", b'{"subject_ref": "user_1", "units": ' + b"9" * 5000 + b"}"),
    ("consume", b"\xff\xfe"),
    ("reserve", GOOD | {"ttl_seconds": 0}),
    ("reserve", GOOD | {"ttl_seconds": 86_401}),
    ("reserve", GOOD | {"ttl_seconds": "900"}),
    ("reserve", GOOD | {"units": 0}),
    ("confirm", HELD | {"units": -1}),
    ("confirm", HELD | {"units": "5"}),
    ("confirm", HELD | {"units": None}),
    ("confirm", HELD | {"reservation_id": "a\0b"}),
    ("confirm", HELD | {"subject_ref": "user_1"}),
    ("confirm", {"reservation_id": "res_x"}),
    ("release", HELD),
    ("release", {}),
    ("release", {"reservation_id": None}),
]


@pytest.mark.parametrize(("verb", "body"), BAD, ids=range(len(BAD)))
def test_bad_input_is_a_400_and_writes_nothing(shelf: Shelf, backend: Backend, verb: str, body: object) -> None:
    shelf.give(1000)

    answer = backend.post(f"usage/{verb}", body, idempotency_key="k")

    assert error_of(answer) == (400, "invalid_request")
    assert LedgerEntry.objects.count() == 1
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("verb", ["consume", "reserve"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "idempotency_key_missing"),
        ({"idempotency_key": ""}, "idempotency_key_missing"),
        ({"idempotency_key": "k" * 300}, "idempotency_key_invalid"),
        ({"idempotency_key": "ké"}, "idempotency_key_invalid"),
        ({"idempotency_key": "a\0b"}, "idempotency_key_invalid"),
    ],
    ids=["missing", "empty", "300 characters", "not ASCII", "NUL"],
)
def test_a_key_that_is_none_is_a_400(
    shelf: Shelf, backend: Backend, verb: str, headers: dict[str, str], code: str
) -> None:
    shelf.give(1000)

    assert error_of(backend.post(f"usage/{verb}", GOOD, **headers)) == (400, code)
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize("verb", ["consume", "reserve", "confirm", "release"])
def test_nobody_gets_in_without_a_key(db: None, verb: str) -> None:
    stranger = Backend(key="lz_test_" + "x" * 43)

    assert error_of(stranger.post(f"usage/{verb}", GOOD, idempotency_key="k")) == (401, "invalid_api_key")
    assert stranger.get(f"usage/{verb}").status_code in (401, 405)


# --- refund -----------------------------------------------------------------------------------------------------------


def refund(backend: Backend, consumption_key: object = "k", key: str = "r", **more: object) -> HttpResponse:
    body = {"consumption_key": consumption_key, "reason": "the picture failed", **more}
    return backend.post("usage/refund", body, idempotency_key=key)


def test_refund_answers_as_the_contract_says(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)

    answer = refund(backend, units=30)

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "refunded": 30, "usage_remaining": 930})
    assert "Idempotent-Replayed" not in answer.headers
    assert refund(backend, key="r2").json() == {"ok": True, "refunded": 70, "usage_remaining": 1000}
    assert refund(backend, key="r3").json() == {"ok": True, "refunded": 0, "usage_remaining": 1000}
    assert LedgerEntry.objects.filter(kind="refund", reason="the picture failed").count() == 3


def test_the_key_of_a_confirmed_reserve_can_be_refunded(shelf: Shelf, backend: Backend) -> None:
    shelf.give(900)
    held = reserve(backend).json()
    assert error_of(refund(backend)) == (404, "consumption_not_found")
    backend.post("usage/confirm", {"reservation_id": held["reservation_id"], "units": 70})

    assert refund(backend).json() == {"ok": True, "refunded": 70, "usage_remaining": 900}


def test_a_retried_refund_repeats_the_first_answer(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)
    first = refund(backend, units=30)
    consume(backend, key="other")

    answer = refund(backend, units=30, key='"r"')

    assert (answer.json(), answer.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert error_of(refund(backend, units=31)) == (422, "idempotency_key_reused")


def test_a_refund_of_more_than_is_left_is_a_400_that_says_how_many_are(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)

    answer = refund(backend, units=101)

    assert error_of(answer) == (400, "invalid_request")
    assert answer.json()["fields"] == {"units": ["Only 100 of the 100 units are left to be given back."]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"consumption_key": 5}, "consumption_key"),
        ({"units": 0}, "units"),
        ({"units": None}, "units"),
        ({"subject_ref": "user_1"}, "subject_ref"),
    ],
)
def test_a_wrong_refund_names_its_field(shelf: Shelf, backend: Backend, body: dict[str, object], field: str) -> None:
    shelf.give(1000)
    consume(backend)

    answer = refund(backend, **{"consumption_key": "k", **body})

    assert error_of(answer) == (400, "invalid_request")
    assert answer.json()["fields"].keys() == {field}


def test_a_refund_needs_a_key_and_finds_only_what_was_consumed_in_its_mode(shelf: Shelf, backend: Backend) -> None:
    shelf.give(1000)
    consume(backend)

    body = {"consumption_key": "k", "reason": "the picture failed"}
    assert error_of(backend.post("usage/refund", body)) == (400, "idempotency_key_missing")
    assert error_of(refund(backend, "unknown")) == (404, "consumption_not_found")
    assert error_of(refund(Backend("live"))) == (404, "consumption_not_found")
    row_id = str(LedgerEntry.objects.get(kind="consume").pk)
    assert error_of(refund(backend, row_id)) == (404, "consumption_not_found")
