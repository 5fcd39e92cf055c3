"""The health page names what needs somebody, and draws the last 30 days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from licenzy_django import operators
from licenzy_django.models import ApiKey, CheckoutAttempt, Delivery, StripeEvent
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble
from tests.admin.conftest import Operator

pytestmark = pytest.mark.slow

HEALTH = "admin:licenzy_stripeevent_health"


def health(client: Client, **query: str) -> Any:
    answer = client.get(reverse(HEALTH), query)
    assert answer.status_code == 200
    return answer


def wrong(client: Client) -> dict[str, int]:
    return {str(finding.title): finding.count for finding in health(client).context["wrong"]}


def test_all_is_well_where_nothing_happened(looker: Client, stripe_double: StripeDouble) -> None:
    assert wrong(looker) == {}
    assert "Nothing needs you." in health(looker).content.decode()


def test_only_those_who_look_may_look(operator: Operator) -> None:
    assert operator().get(reverse(HEALTH)).status_code == 403
    for codename in ("look", "support", "configure"):
        assert operator(codename).get(reverse(HEALTH)).status_code == 200


@pytest.fixture
def everything_wrong(stripe_double: StripeDouble) -> None:
    """One of each."""
    double = stripe_double
    double.sell("WEEK", kind="time_pass")
    endpoint, _secret = endpoints.create("test", "https://hooks.example.com/in")
    ApiKey.objects.issue("test", "Forgotten")
    double.simulator.pay(double.checkout("failed", "WEEK"))
    double.faults.add("GET", "/v1/checkout/sessions/*/line_items", "drop_before", times=3)
    double.deliver()
    double.buy("left behind", "WEEK")
    StripeEvent.objects.filter(subject__subject_ref="left behind").update(status="received")
    double.checkout("no answer", "WEEK")
    CheckoutAttempt.objects.filter(subject__subject_ref="no answer").update(stripe_session_id="", expires_at=None)
    double.checkout("no news", "WEEK")
    double.simulator.pay_by_bank(double.checkout("pending", "WEEK"))
    double.deliver()
    double.buy("told", "WEEK")
    first, second = Delivery.objects.order_by("-pk")[:2]
    Delivery.objects.filter(pk=first.pk).update(status="dead")
    Delivery.objects.filter(pk=second.pk).update(status="failed")
    endpoint.__class__.objects.filter(pk=endpoint.pk).update(first_failed_at=double.now)
    double.simulator.advance(timedelta(days=15))
    double.take_events()


def test_everything_that_is_wrong_is_named_and_leads_there(
    looker: Client, everything_wrong: None, stripe_double: StripeDouble
) -> None:
    found = health(looker).context["wrong"]
    assert len(found) == 9
    for finding in found:
        for _words, url in finding.shown:
            assert looker.get(url).status_code == 200, finding.title


def test_live_has_a_page_of_its_own(looker: Client, everything_wrong: None) -> None:
    assert health(looker, mode="live").context["wrong"] == []
    assert health(looker, mode="nonsense").context["mode"] == "test"


def test_a_comparison_that_found_something_is_remembered(looker: Client, stripe_double: StripeDouble) -> None:
    from licenzy_django import sync
    from licenzy_django.models import Subject

    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "WEEK"))
    stripe_double.take_events()
    sync.repair(Subject.objects.get())
    assert wrong(looker) == {"Entitlements that only a comparison with Stripe put right, in the last 30 days": 1}


def test_the_pictures_count_what_happened(looker: Client, stripe_double: StripeDouble) -> None:
    double = stripe_double
    pro, _week = double.sell("PRO_MONTHLY"), double.sell("WEEK", kind="time_pass")
    double.buy("user_1", "WEEK")
    double.advance(days=3)
    double.buy("user_2", "WEEK")
    gift = operators.grant("user_3", pro, actor=None, reason="r", request_id="1").row
    double.advance(days=5)
    operators.revoke(gift, actor=None, reason="r")
    double.advance(days=1)
    events, purchases, active = (chart for _label, chart in health(looker).context["pictures"])
    assert purchases.total == 2
    assert events.total == StripeEvent.objects.count()
    assert set(events.series) <= {"processed", "ignored"}
    by_day = {bar.words.split(" · ")[0]: [] for bar in active.bars}
    for bar in active.bars:
        day, said = bar.words.split(" · ")
        by_day[day].append(said)
    assert [sorted(said) for said in by_day.values()] == [
        *[["WEEK: 1"]] * 3,
        *[["PRO_MONTHLY: 1", "WEEK: 2"]] * 4,
        ["PRO_MONTHLY: 1", "WEEK: 1"],
        ["WEEK: 1"],
        ["WEEK: 1"],
    ]


def test_more_rows_cost_no_more_queries(looker: Client, stripe_double: StripeDouble) -> None:
    double = stripe_double
    double.sell("WEEK", kind="time_pass")
    double.buy("user_1", "WEEK")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            health(looker)
        return len(found)

    few = queries()
    subject = StripeEvent.objects.exclude(subject=None)[0].subject
    StripeEvent.objects.bulk_create(
        StripeEvent(mode="test", event_id=f"evt_{number}", type="invoice.paid", occurred_at=double.now, subject=subject)
        for number in range(2000)
    )
    StripeEvent.objects.filter(event_id__startswith="evt_1").update(status="processed", received_at=double.now)
    assert queries() <= few + 2, "Two findings have more rows than are shown, so they are counted."


def test_nothing_is_loaded_from_another_host(looker: Client, everything_wrong: None) -> None:
    page = health(looker).content.decode()
    assert "https://" not in page.replace("https://hooks.example.com", "")
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_start_page_leads_to_the_search_and_to_the_health_page(looker: Client) -> None:
    page = looker.get(reverse("admin:app_list", args=["licenzy"])).content.decode()
    assert reverse(HEALTH) in page
    assert reverse("admin:licenzy_subject_changelist") in page
