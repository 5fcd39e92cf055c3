"""How many of something a subject may have, from its products and add-ons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from licenzy_django import access, operators
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Entitlement, Product
from licenzy_django.models.limits import are_limits, combined
from licenzy_django.testing import StripeDouble, entitled
from tests.backend import Backend

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells(
        PRO={"limits": {"projects": 10, "api_keys": None, "seats": "quantity"}},
        MAX={"limits": {"projects": 50}},
        MORE={"limits": {"projects": 5, "regions": 1}, "is_add_on": True},
        PASS={"kind": "time_pass", "limits": {"projects": 20}},
    ),
]


def projects(at: Any = None) -> int | None:
    return access.limit("ada", "projects", at=at).value


def test_the_largest_plan_counts_and_each_add_on_on_top(stripe: StripeDouble) -> None:
    assert access.limit("ada", "projects") == access.Limit("projects")
    entitled("ada", "PRO")
    assert access.limit("ada", "projects") == access.Limit("projects", 10, ("PRO",))
    entitled("ada", "MORE", quantity=3)
    assert projects() == 25
    entitled("ada", "MAX", quantity=2)
    assert access.limit("ada", "projects") == access.Limit("projects", 65, ("MAX", "MORE", "PRO"))
    assert access.limit("ada", "api_keys").value is None
    assert access.limit("ada", "regions").value == 3
    assert access.limit("ada", "others").value == 0
    assert access.limit(None, "projects").value == 0


def test_seats_are_as_many_as_are_paid(stripe: StripeDouble) -> None:
    session = stripe.buy("ada", "PRO", quantity=3)
    assert access.limit("ada", "seats").value == 3

    stripe.simulator.set_quantity(session["subscription"], 5)
    stripe.deliver()

    assert access.limit("ada", "seats").value == 5


def test_the_limit_follows_the_very_moment(stripe: StripeDouble) -> None:
    session = stripe.buy("ada", "PASS")
    assert projects() == 20
    stripe.buy("ada", "MORE")
    assert projects() == 25
    assert projects(at=stripe.now + timedelta(days=8)) == 5
    stripe.refund(session)
    assert projects() == 5


def test_what_was_sold_stays_and_what_was_added_counts(stripe: StripeDouble) -> None:
    stripe.buy("ada", "PRO")
    stripe.buy("ada", "PASS")
    for code, limits in (("PRO", {"projects": 3, "exports": 7}), ("PASS", {"projects": 1, "exports": 90})):
        product = Product.objects.get(code=code)
        product.limits = limits
        product.save()

    assert projects() == 20
    assert access.limit("ada", "exports").value == 7
    assert access.limit("ada", "api_keys").value is None
    stripe.advance(days=31)
    assert projects() == 3
    assert access.limit("ada", "api_keys").value == 0


def test_a_grant_gives_its_limits_and_a_revocation_takes_them(stripe: StripeDouble) -> None:
    product = Product.objects.get(code="MAX")
    row = operators.grant("ada", product, actor=None, reason="a gift", request_id="1").row
    assert projects() == 50
    operators.revoke(row, actor=None, reason="a mistake")
    assert projects() == 0


def test_numbers(stripe: StripeDouble) -> None:
    entitled("ada", "PRO")
    limit, unlimited = access.limit("ada", "projects"), access.limit("ada", "api_keys")

    assert [limit.allows(9), limit.allows(10), limit.allows(8, 2), limit.allows(8, 3)] == [True, False, True, False]
    assert [limit.remaining(3), limit.remaining(14), limit.over(14), limit.over(10)] == [7, 0, 4, 0]
    assert [unlimited.allows(10**9), unlimited.remaining(5), unlimited.over(5)] == [True, None, 0]
    for wrong in (-1, 1.5, True, "3", None, 10**13):
        with pytest.raises(InvalidRequest):
            limit.allows(wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        limit.allows(1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_limit_costs_one_query_and_a_request_remembers(stripe: StripeDouble, rf: Any, admin_user: Any) -> None:
    entitled(admin_user, "PRO")
    request = rf.get("/")
    request.user = admin_user
    with CaptureQueriesContext(connection) as queries:
        assert access.limit(admin_user, "projects").value == 10
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert access.check(request)
        assert access.limit(request, "projects").value == 10
        assert access.limit(request, "api_keys").value is None
    assert len(queries) == 1


def test_over_http(stripe: StripeDouble, backend: Backend) -> None:
    entitled("ada", "PRO")

    def ask(**body: Any) -> Any:
        return backend.post("access/check", {"subject_ref": "ada", **body}).json()

    answer = {"subject_ref": "ada", "allowed": True, "limit": 10, "remaining": 1}
    assert ask(limit="projects", in_use=9) == answer
    assert ask(limit="projects", in_use=9, required=2) == answer | {"allowed": False}
    assert ask(limit="projects", in_use=14) == answer | {"allowed": False, "remaining": 0}
    assert ask(limit="api_keys", in_use=9) == answer | {"limit": None, "remaining": None}
    assert ask(limit="projects", in_use=1, product_code="MAX")["allowed"] is False
    assert ask(limit="projects", in_use=1, product_code="PRO")["allowed"] is True
    for wrong in ({"limit": "projects"}, {"in_use": 1}, {"limit": "projects", "in_use": 1, "unit": "credits"},
                  {"limit": "projects", "in_use": -1}, {"limit": "projects", "in_use": True}):  # fmt: skip
        assert ask(**wrong)["error"] == "invalid_request"
    summary = backend.get("customer/access/ada").json()
    assert summary["limits"] == {"api_keys": None, "projects": 10, "seats": 1}
    assert summary["entitlements"][0]["limits"] == {"projects": 10, "api_keys": None, "seats": 1}


@pytest.mark.parametrize(
    "limits", [{"a": True}, {"a": 1.5}, {"a": -1}, {"a": "5"}, {"": 1}, {"a": 10**13}, [], {"a": {}}]
)
def test_what_is_no_limit(limits: Any) -> None:
    assert not are_limits(limits)


NUMBERS = st.none() | st.integers(0, 5)
GIVEN = st.lists(st.dictionaries(st.sampled_from("ab"), NUMBERS, max_size=2), max_size=3)


@given(GIVEN, GIVEN)
def test_the_rule_against_a_plain_model(plans: list[dict[str, Any]], add_ons: list[dict[str, Any]]) -> None:
    found = combined(plans, add_ons)
    for name in "ab":
        of_plans = [limits[name] for limits in plans if name in limits]
        of_add_ons = [limits[name] for limits in add_ons if name in limits]
        if None in of_plans + of_add_ons:
            assert found[name] is None
        else:
            assert found.get(name, 0) == max(of_plans, default=0) + sum(of_add_ons)


def test_entitlements_show_their_own(stripe: StripeDouble) -> None:
    stripe.buy("ada", "MORE", quantity=4)
    assert Entitlement.objects.get().limits == {"projects": 5, "regions": 1}
    [view] = access.entitlements_of("ada")
    assert view.limits == {"projects": 20, "regions": 4}
