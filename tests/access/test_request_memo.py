"""A request remembers what it has asked, and forgets when something changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from licenzy_django import access, clock, operators, usage
from licenzy_django.decorators import requires_entitlement
from licenzy_django.models import Entitlement, Kind, Product
from licenzy_django.testing import StripeDouble, entitled
from tests.fixtures import Costs

pytestmark = pytest.mark.usefixtures("rested_cache")

Requests = Callable[..., HttpRequest]
TEN = 10


@pytest.fixture
def request_(request_of: Requests, ada: User) -> HttpRequest:
    return request_of(ada)


@pytest.mark.django_db(transaction=True)
class TestAfterTheCommit:
    """These write as a host does: what is committed is committed."""

    def test_ten_gates_cost_one_query(self, request_: HttpRequest, ada: User, costs: Costs) -> None:
        entitled(ada, "PRO_MONTHLY")

        def page(request: Any, *rest: Any) -> str:
            return "in"

        gates = [requires_entitlement(page), requires_entitlement("PRO_MONTHLY", "OTHER")(page)] * 5
        with costs(1):
            assert [gate(request_) for gate in gates] == ["in"] * TEN
            assert access.check(Request(request_), mode="test") == access.check(Request(request_))
            assert not access.check(request_, "OTHER")

    def test_another_request_asks_anew(self, request_of: Requests, ada: User, costs: Costs) -> None:
        with costs(2):
            access.check(request_of(ada))
            access.check(request_of(ada))

    def test_another_mode_or_moment_asks_anew(self, request_: HttpRequest, costs: Costs) -> None:
        access.check(request_)
        with costs(2):
            access.check(request_, mode="live")
            access.check(request_, at=timezone.now())

    def test_who_logs_in_during_the_request_is_asked_about_anew(
        self, request_: HttpRequest, ada: User, django_user_model: Any
    ) -> None:
        entitled(ada)
        assert access.check(request_)
        request_.user = django_user_model.objects.create_user("eve")
        assert not access.check(request_)

    def test_a_purchase_in_the_request_opens_its_gates(
        self, request_: HttpRequest, ada: User, stripe_double: StripeDouble
    ) -> None:
        stripe_double.sell("PRO_MONTHLY")
        assert not access.check(request_)
        stripe_double.buy(ada, "PRO_MONTHLY")
        assert access.check(request_)

    def test_the_last_unit_closes_them(self, request_: HttpRequest, ada: User) -> None:
        Product.objects.create(mode="test", code="C", name="C", kind=Kind.USAGE_PACK, units=2, stripe_price_id="p_c")
        entitled(ada, "C")
        assert access.check(request_)
        usage.consume(request_, 2, idempotency_key="k1")
        assert access.check(request_).reason == "usage_exhausted"

    def test_what_is_rolled_back_was_never_remembered(self, request_: HttpRequest, ada: User, costs: Costs) -> None:
        row = entitled(ada)
        with transaction.atomic():
            operators.revoke(row, actor=None, reason="a test")
            assert not access.check(request_)
            transaction.set_rollback(True)
        assert access.check(request_)

    def test_within_a_transaction_ten_gates_cost_one_query(self, request_: HttpRequest, costs: Costs) -> None:
        with transaction.atomic(), costs(1):
            for _ in range(TEN):
                access.check(request_)

    @pytest.mark.parametrize("verb", ["revoke", "restore"])
    def test_an_operators_decision_counts_at_once(self, verb: str, request_: HttpRequest, ada: User) -> None:
        row = entitled(ada, revoked_at=None if verb == "revoke" else timezone.now())
        before = bool(access.check(request_))
        getattr(operators, verb)(row, actor=ada, reason="a test")
        assert bool(access.check(request_)) is not before


def test_what_ends_by_the_clock_ends_within_the_request(
    request_: HttpRequest, ada: User, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_at = timezone.now() + timedelta(seconds=5)
    entitled(ada, available_until=ends_at)
    assert access.check(request_)
    monkeypatch.setattr(clock, "now", lambda: ends_at)
    assert not access.check(request_)


def test_in_a_test_that_is_one_transaction_changes_are_seen(request_: HttpRequest, ada: User) -> None:
    """Where ``on_commit`` never comes, as in ``TestCase``."""
    assert not access.check(request_)
    entitlement = entitled(ada)
    assert access.check(request_)
    operators.revoke(entitlement, actor=None, reason="a test")
    assert not access.check(request_)
    assert Entitlement.objects.count() == 1


@pytest.mark.django_db
def test_nobody_costs_no_query(request_of: Requests, costs: Costs) -> None:
    with costs(0):
        for _ in range(TEN):
            assert access.check(request_of()).reason == "anonymous"
            assert access.check(None).reason == "anonymous"
