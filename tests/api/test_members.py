"""Seats over HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from licenzy_django.models import Seat
from tests.backend import Backend, error_of
from tests.limits.plans import plan

pytestmark = pytest.mark.django_db
ORG = "org:acme/eu"
PATH = f"members/{quote(ORG, safe='')}"


def test_put_gives_a_seat_and_again_the_same(backend: Backend) -> None:
    plan(ORG, seats=1)
    for _ in range(2):
        answer = backend.send("PUT", f"{PATH}/user_7")
        assert answer.status_code == 200
        assert answer.json() == {"subject_ref": ORG, "member_ref": "user_7", "available": True}
    assert Seat.objects.count() == 1


def test_put_without_a_free_seat_is_409_with_the_numbers(backend: Backend) -> None:
    plan(ORG, seats=1)
    backend.send("PUT", f"{PATH}/user_7")

    answer = backend.send("PUT", f"{PATH}/user_8")

    assert error_of(answer) == (409, "limit_reached")
    assert (answer.json()["limit"], answer.json()["in_use"]) == (1, 1)


def test_delete_takes_it_back_also_where_there_is_none(backend: Backend) -> None:
    plan(ORG, seats=1)
    backend.send("PUT", f"{PATH}/user_7")
    for _ in range(2):
        answer = backend.send("DELETE", f"{PATH}/user_7")
        assert answer.status_code == 200
        assert answer.json() == {"subject_ref": ORG, "member_ref": "user_7", "available": False}
    assert backend.get(PATH).json()["members"] == []


def test_get_lists_the_oldest_first_in_pages(backend: Backend) -> None:
    plan(ORG, seats=None)
    for number in (3, 1, 2):
        backend.send("PUT", f"{PATH}/user_{number}")

    first = backend.get(f"{PATH}?limit=2").json()
    rest = backend.get(f"{PATH}?starting_after=user_1").json()

    assert (first["subject_ref"], first["has_more"], rest["has_more"]) == (ORG, True, False)
    found = first["members"] + rest["members"]
    assert [member["member_ref"] for member in found] == ["user_3", "user_1", "user_2"]
    assert found[0].keys() == {"member_ref", "available", "assigned_at"}
    assert found[0]["assigned_at"].endswith("Z")


def test_an_unknown_subject_has_none(backend: Backend) -> None:
    assert backend.get("members/user_1").json() == {"subject_ref": "user_1", "members": [], "has_more": False}


@pytest.mark.parametrize("slash", ["/", "%2F"])
@pytest.mark.parametrize("end", ["", "/"])
def test_the_last_slash_stands_before_the_member(backend: Backend, slash: str, end: str) -> None:
    plan(ORG, seats=1)

    put = backend.send("PUT", f"members/org:acme{slash}eu/user_7{end}")

    assert put.json() == {"subject_ref": ORG, "member_ref": "user_7", "available": True}
    assert len(backend.get(f"members/org:acme{slash}eu{end}").json()["members"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "members/org/%20user", 400, "invalid_request"),
        ("DELETE", "members/org/user%0A", 400, "invalid_request"),
        ("PUT", f"members/org/{'a' * 256}", 400, "invalid_request"),
        ("PUT", "members/%20org/user", 400, "invalid_request"),
        ("PUT", "members/org", 405, "method_not_allowed"),
        ("POST", "members/org/user", 405, "method_not_allowed"),
        ("GET", "members/org?limit=0", 400, "invalid_request"),
        ("GET", "members/org?limit=101", 400, "invalid_request"),
        ("GET", "members/org?starting_after=user_7", 400, "invalid_request"),
    ],
)
def test_what_is_not_allowed(backend: Backend, method: str, path: str, status: int, code: str) -> None:
    assert error_of(backend.send(method, path)) == (status, code)


def test_without_a_key_nobody_is_told(backend: Backend) -> None:
    backend.key = "lz_test_wrong"
    for method in ("PUT", "DELETE", "GET"):
        assert error_of(backend.send(method, f"{PATH}/user_7")) == (401, "invalid_api_key")


def test_the_key_says_the_mode(backend: Backend) -> None:
    plan(ORG, seats=1)
    backend.send("PUT", f"{PATH}/user_7")
    live = Backend("live")
    assert live.get(PATH).json()["members"] == []
    assert error_of(live.send("PUT", f"{PATH}/user_7")) == (409, "limit_reached")
