"""May this subject …? What facts, clock and units make of an entitlement."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licenzy_django import access
from licenzy_django.exceptions import EntitlementRequired
from licenzy_django.models import Pack, Product
from licenzy_django.testing import entitled
from tests.backend import Backend
from tests.copies import copied

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


def test_a_subject_without_entitlements_is_refused_with_the_reason() -> None:
    decision = access.check("user_1")

    assert not decision
    assert (decision.allowed, decision.reason, decision.entitlement) == (False, "no_entitlement", None)


def test_a_decision_knows_what_it_rests_on() -> None:
    entitlement = entitled("user_1", "PRO")

    decision = access.check("user_1")

    assert decision
    assert (decision.reason, decision.subject_ref, decision.product_code) == (None, "user_1", "PRO")
    assert decision.entitlement_id == entitlement.public_id
    assert decision.entitlement == entitlement


def test_subjects_never_touch_each_other() -> None:
    entitled("user_1")

    for other in ("user_2", "USER_1", "user_11", "user_", "user_%"):
        assert not access.check(other)


def test_modes_never_touch_each_other(settings: Any) -> None:
    entitled("user_1", mode="live")

    assert not access.check("user_1")
    assert not access.check("user_1", mode="test")
    assert access.check("user_1", mode="live")
    assert not access.check("user_1", mode="LIVE")
    settings.LICENZY = {**settings.LICENZY, "MODE": "live"}
    assert access.check("user_1")


def test_products_and_features_narrow_the_question() -> None:
    entitled("user_1", "PRO")
    entitled("user_1", "TEAM")
    Product.objects.filter(code="TEAM").update(features=["export"])

    assert access.check("user_1", "PRO")
    assert access.check("user_1", "NO_SUCH", "TEAM").product_code == "TEAM"
    assert access.check("user_1", feature="export").product_code == "TEAM"
    assert not access.check("user_1", "PRO", feature="export")
    assert not access.check("user_1", "NO_SUCH")
    assert not access.check("user_1", feature="exp")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"grants_access": False, "status": "suspended", "status_reason": "payment_pending"}, "payment_pending"),
        ({"grants_access": False, "status": "past_due", "status_reason": "past_due"}, "past_due"),
        ({"grants_access": False, "status": "suspended", "status_reason": "disputed"}, "disputed"),
        ({"grants_access": False, "status": "canceled", "status_reason": "refunded"}, "refunded"),
        ({"grants_access": False, "status": "canceled", "status_reason": "canceled"}, "canceled"),
        ({"grants_access": False, "status": "suspended", "status_reason": "paused"}, "paused"),
        ({"available_until": NOW - HOUR}, "expired"),
        ({"available_until": NOW - HOUR, "cancel_at": NOW - HOUR}, "canceled"),
        ({"available_until": NOW - HOUR, "status": "past_due"}, "past_due"),
        ({"not_before": NOW + HOUR}, "not_started"),
        ({"revoked_at": NOW}, "revoked"),
    ],
)
def test_an_entitlement_that_is_not_available_says_why(columns: dict[str, Any], reason: str) -> None:
    entitled("user_1", "PRO", **columns)

    decision = access.check("user_1", at=NOW)

    assert (decision.allowed, decision.reason) == (False, reason)
    shown = access.entitlements_of("user_1", at=NOW)[0]
    assert (shown.available, shown.reason) == (False, reason)
    assert not access.summary("user_1", at=NOW).has_access
    assert not Backend().is_allowed("user_1")


def test_of_several_refusals_the_one_closest_to_access_is_told() -> None:
    entitled("user_1", "A", grants_access=False, status="canceled", status_reason="canceled")
    entitled("user_1", "B", grants_access=False, status="past_due", status_reason="past_due")
    entitled("user_1", "C", revoked_at=NOW)

    assert access.check("user_1").reason == "past_due"


def test_one_available_entitlement_is_enough() -> None:
    entitled("user_1", "A", grants_access=False, status="canceled", status_reason="canceled")
    entitled("user_1", "B")
    entitled("user_1", "C", revoked_at=NOW)

    assert access.check("user_1").product_code == "B"


def test_an_end_is_exclusive_and_a_beginning_inclusive() -> None:
    entitled("user_1", not_before=NOW, available_until=NOW + HOUR)

    def at(moment: datetime) -> bool:
        return bool(access.check("user_1", at=moment))

    assert not at(NOW - timedelta(microseconds=1))
    assert at(NOW)
    assert at(NOW + HOUR - timedelta(microseconds=1))
    assert not at(NOW + HOUR)


def test_a_pack_counts_while_units_remain() -> None:
    Product.objects.create(mode="test", code="CREDITS", name="c", kind="usage_pack", units=5, stripe_price_id="price_c")
    row = entitled("user_1", "CREDITS")
    assert access.check("user_1")

    Pack.objects.filter(entitlement=row).update(units_remaining=0, units_consumed=5)

    assert access.check("user_1").reason == "usage_exhausted"
    assert access.summary("user_1").usage_remaining == 0


def test_require_returns_the_decision_or_raises_with_it() -> None:
    with pytest.raises(EntitlementRequired) as refused:
        access.require("user_1", "PRO")
    assert refused.value.decision.reason == "no_entitlement"

    entitled("user_1", "PRO")

    assert access.require("user_1", "PRO").product_code == "PRO"


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ([], "none"),
        ([{}], "active"),
        ([{"status": "trialing"}], "active"),
        ([{"status": "past_due"}], "past_due"),
        ([{"grants_access": False, "status": "suspended"}], "suspended"),
        ([{"available_until": NOW - HOUR}], "expired"),
        ([{"grants_access": False, "status": "canceled"}], "canceled"),
        ([{"revoked_at": NOW}], "canceled"),
        ([{"grants_access": False, "status": "past_due"}, {"revoked_at": NOW}], "past_due"),
        ([{"revoked_at": NOW}, {"available_until": NOW - HOUR}], "expired"),
        ([{"grants_access": False, "status": "past_due"}, {}], "active"),
    ],
)
def test_the_summarys_status_is_the_best_of_what_the_subject_has(columns: list[dict[str, Any]], status: str) -> None:
    for number, given in enumerate(columns):
        entitled("user_1", f"P{number}", **given)

    assert access.summary("user_1", at=NOW).status == status


def test_what_is_summed_up_is_what_is_available() -> None:
    Product.objects.create(mode="test", code="CREDITS", name="c", kind="usage_pack", units=5, stripe_price_id="price_c")
    Product.objects.create(mode="test", code="PRO", name="p", kind="subscription", stripe_price_id="price_p",
                           features=["export", "api"])  # fmt: skip
    entitled("user_1", "CREDITS")
    entitled("user_1", "CREDITS", available_until=NOW - HOUR)
    entitled("user_1", "PRO", revoked_at=NOW)
    assert access.summary("user_1").features == []

    entitled("user_1", "PRO")

    summary = access.summary("user_1")
    assert (summary.usage_remaining, summary.features) == (5, ["api", "export"])


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_check_is_one_query_and_for_nobody_none(django_assert_num_queries: Any) -> None:
    entitled("user_1", "PRO")

    with django_assert_num_queries(1):
        assert access.check("user_1", "PRO", feature="")
    with django_assert_num_queries(0):
        for nobody in (None, "", AnonymousUser(), User()):
            assert access.check(nobody).reason == "anonymous"


def test_a_check_over_http_is_one_query_with_its_key_and_all(django_assert_num_queries: Any) -> None:
    entitled("user_1", "PRO")
    backend = Backend()
    backend.is_allowed("user_1")

    for subject in ("user_1", "nobody"):
        with django_assert_num_queries(1):
            backend.is_allowed(subject, product_code="PRO")


def test_neither_checks_nor_summaries_ever_ask_stripe(settings: Any) -> None:
    settings.LICENZY = {**settings.LICENZY, "STRIPE_HTTP_CLIENT": "a.module.that.is_not_there"}
    entitled("user_1")

    assert Backend().is_allowed("user_1")
    assert access.summary("user_1").has_access


def test_very_many_entitlements_are_still_decided_over() -> None:
    copied(entitled("user_1", "OVER", available_until=NOW - HOUR), 130, products=True)
    entitled("user_1", "GOOD")

    with CaptureQueriesContext(connection) as queries:
        assert access.check("user_1").product_code == "GOOD"

    assert len(queries) <= 2
    assert Backend().is_allowed("user_1")


@pytest.mark.parametrize(
    ("columns", "reason", "status"),
    [
        ({"status": "past_due", "grants_access": False, "status_reason": "past_due"}, "past_due", "past_due"),
        ({"status": "suspended", "grants_access": False, "status_reason": "disputed"}, "disputed", "suspended"),
        ({"not_before": NOW + HOUR}, "not_started", "active"),
        ({"available_until": NOW - HOUR}, "expired", "expired"),
        ({"available_until": NOW - HOUR, "cancel_at": NOW - HOUR}, "canceled", "canceled"),
        ({"revoked_at": NOW - HOUR}, "revoked", "canceled"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_very_many_entitlements_hide_no_reason_and_no_status(columns: Any, reason: str, status: str) -> None:
    entitled("user_1", "PRO", **columns)
    copied(entitled("user_1", "OLD", status="canceled", grants_access=False, status_reason="refunded"), 110)

    assert access.check("user_1", "PRO").reason == reason
    assert access.check("user_1", "OLD").reason == "refunded"
    assert access.check("user_1", "OTHER").reason == "no_entitlement"
    assert access.summary("user_1").status == status


def test_very_many_packs_that_are_used_up_are_told_so() -> None:
    copied(entitled("user_1", "PACK", units=3, units_remaining=0, units_consumed=3), 110)

    assert access.check("user_1").reason == "usage_exhausted"
    assert access.summary("user_1").status == "active"


def test_the_async_twins_answer_the_same() -> None:
    assert not async_to_sync(access.acheck)("user_1")
    with pytest.raises(EntitlementRequired):
        async_to_sync(access.arequire)("user_1")
    entitled("user_1")
    assert async_to_sync(access.acheck)("user_1")
    assert async_to_sync(access.arequire)("user_1")
