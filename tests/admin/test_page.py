"""A subject's page: found by any id, explains itself, changes nothing, and costs the same whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from licenzy_django import operators, usage
from licenzy_django.admin.links import dashboard_url, page_of
from licenzy_django.admin.subject.explanations import moment
from licenzy_django.models import (
    CheckoutAttempt,
    Delivery,
    Entitlement,
    EntitlementChange,
    LedgerEntry,
    OutboundEvent,
    StripeEvent,
    StripeFact,
    Subject,
)
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble
from tests.admin.conftest import Operator

pytestmark = pytest.mark.slow

LIST = "admin:licenzy_subject_changelist"


def page(client: Client, subject: str = "user_1", **query: str) -> Any:
    return client.get(page_of(Subject.objects.get(subject_ref=subject).pk), query)


def text_of(client: Client, subject: str = "user_1", **query: str) -> str:
    answer = page(client, subject, **query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def reason_of(client: Client) -> list[str]:
    return [str(line) for line in page(client).context["why"]]


# --- found -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(stripe_double: StripeDouble, settings: Any) -> dict[str, str]:
    """One subject with one of everything, and every id that people paste."""
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.sell("CREDITS", kind="usage_pack")
    endpoints.create("test", "https://hooks.example.com/in")
    subscribed = stripe_double.buy("user_1", "PRO_MONTHLY")
    bought = stripe_double.buy("user_1", "CREDITS")
    refund = stripe_double.refund(bought, amount=100)
    dispute = stripe_double.dispute(bought)
    stripe_double.checkout("somebody_else", "CREDITS")
    subscription = stripe_double.simulator.get("subscription", subscribed["subscription"])
    intent = stripe_double.simulator.get("payment_intent", bought["payment_intent"])
    invoice = stripe_double.simulator.get("invoice", subscription["latest_invoice"])
    return {
        "subject_ref": "user_1",
        "customer": subscribed["customer"],
        "session": bought["id"],
        "session of a subscription": subscribed["id"],
        "subscription": subscription["id"],
        "payment": bought["payment_intent"],
        "charge": intent["latest_charge"],
        "invoice": invoice["id"],
        "refund": refund["id"],
        "dispute": dispute["id"],
        "event": StripeEvent.objects.filter(type="invoice.paid").values_list("event_id", flat=True)[0],
        "attempt": CheckoutAttempt.objects.filter(subject__subject_ref="user_1").values_list("public_id", flat=True)[0],
        "idempotency key": CheckoutAttempt.objects.filter(subject__subject_ref="user_1")[0].idempotency_key,
        "entitlement": Entitlement.objects.values_list("public_id", flat=True)[0],
        "outbound event": OutboundEvent.objects.values_list("public_id", flat=True)[0],
    }


def test_every_id_that_people_paste_opens_the_page(looker: Client, history: dict[str, str]) -> None:
    subject = Subject.objects.get(subject_ref="user_1")
    for what, pasted in history.items():
        for typed in (pasted, f"  {pasted}\t"):
            answer = looker.get(reverse(LIST), {"q": typed})
            assert (answer.status_code, answer.headers.get("Location")) == (302, page_of(subject.pk)), what


def test_ids_are_found_along_what_stripe_told_us_where_no_event_is_left(
    looker: Client, history: dict[str, str]
) -> None:
    StripeEvent.objects.all().delete()
    subject = Subject.objects.get(subject_ref="user_1")
    for what in ("session", "subscription", "payment", "charge", "invoice", "refund", "dispute"):
        answer = looker.get(reverse(LIST), {"q": history[what]})
        assert answer.headers.get("Location") == page_of(subject.pk), what


def test_what_belongs_to_nobody_finds_nobody(looker: Client, history: dict[str, str]) -> None:
    for pasted in ("user_", "USER_1", "cus_", "sub_unknown", "%", "' OR 1=1", "é" * 300):
        answer = looker.get(reverse(LIST), {"q": pasted})
        assert answer.status_code == 200, pasted
        assert list(answer.context["cl"].result_list) == [], pasted
    assert looker.get(reverse(LIST), {"q": "a\x00b"}).status_code == 200


def test_a_ref_that_both_modes_know_shows_both(looker: Client, history: dict[str, str]) -> None:
    Subject.objects.create(mode="live", subject_ref="user_1")
    answer = looker.get(reverse(LIST), {"q": "user_1"})
    assert {subject.mode for subject in answer.context["cl"].result_list} == {"test", "live"}


# --- explained -------------------------------------------------------------------------------------------------------


def test_the_page_says_yes_and_through_what(looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    session = stripe_double.buy("user_1", "PRO_MONTHLY")
    text = text_of(looker)
    assert "user_1 has access now, through PRO_MONTHLY." in text
    assert f"PRO_MONTHLY is paid by {session['subscription']} and renews on" in text
    assert dashboard_url(session["subscription"], "test") in text


@pytest.mark.parametrize(
    ("scheduled", "sentence"),
    [
        ({"changes_to": "BASIC", "changes_quantity": 1}, "Changes to BASIC on {when}."),
        ({"changes_to": "PRO", "changes_quantity": 3}, "Changes to PRO × 3 on {when}."),
        ({"changes_quantity": 2}, "Changes to a price that no product has on {when}."),
        ({"changes_quantity": 0}, "Ends on {when}, by a schedule at Stripe."),
    ],
)
def test_the_page_says_what_is_scheduled(
    looker: Client, stripe_double: StripeDouble, scheduled: dict[str, Any], sentence: str
) -> None:
    stripe_double.sell("PRO")
    stripe_double.buy("user_1", "PRO")
    at = datetime(2030, 1, 1, tzinfo=UTC)
    said = sentence.format(when=moment(at))
    assert said not in text_of(looker)
    Entitlement.objects.update(changes_at=at, **scheduled)

    assert said in text_of(looker)


def test_the_dashboard_is_the_one_of_the_mode() -> None:
    assert dashboard_url("cus_1", "test") == "https://dashboard.stripe.com/test/customers/cus_1"
    assert dashboard_url("sub_1", "live") == "https://dashboard.stripe.com/subscriptions/sub_1"
    assert dashboard_url("re_1/..", "live") == "https://dashboard.stripe.com/search?query=re_1%2F.."


Story = Callable[[StripeDouble], Any]


def refunded(double: StripeDouble) -> None:
    double.refund(double.buy("user_1", "WEEK"))


def disputed(double: StripeDouble) -> None:
    double.dispute(double.buy("user_1", "WEEK"))


def over(double: StripeDouble) -> None:
    double.buy("user_1", "WEEK")
    double.advance(days=8)


def canceled(double: StripeDouble) -> None:
    double.cancel(double.buy("user_1", "PRO_MONTHLY"))


def not_paid(double: StripeDouble) -> None:
    double.renew(double.buy("user_1", "PRO_MONTHLY"), paid=False)


def used_up(double: StripeDouble) -> None:
    double.buy("user_1", "CREDITS")
    usage.consume("user_1", 1000, mode="test", idempotency_key="k")


def page_open(double: StripeDouble) -> None:
    double.checkout("user_1", "WEEK")


def by_bank(double: StripeDouble) -> None:
    double.simulator.pay_by_bank(double.checkout("user_1", "WEEK"))
    double.deliver()


def bank_bounced(double: StripeDouble) -> None:
    session = double.checkout("user_1", "WEEK")
    double.simulator.pay_by_bank(session)
    double.simulator.bounce_bank(session)
    double.deliver()


def page_closed(double: StripeDouble) -> None:
    double.simulator.expire(double.checkout("user_1", "WEEK"))
    double.deliver()


def webhook_failed(double: StripeDouble) -> None:
    double.simulator.pay(double.checkout("user_1", "WEEK"))
    double.faults.add("GET", "/v1/checkout/sessions/*/line_items", "drop_before", times=3)
    double.deliver()


def never_came(double: StripeDouble) -> None:
    Subject.objects.create(mode="test", subject_ref="user_1")


@pytest.mark.parametrize(
    ("story", "sentence"),
    [
        (refunded, "The payment for WEEK was refunded in full."),
        (disputed, "The customer's bank disputes the payment for WEEK"),
        (over, "WEEK ended on"),
        (canceled, "PRO_MONTHLY was canceled on"),
        (not_paid, "The last payment for PRO_MONTHLY failed"),
        (used_up, "all of its units are used"),
        (page_open, "A payment page for WEEK was opened on"),
        (by_bank, "the money is not there yet"),
        (bank_bounced, "failed at the customer's bank"),
        (page_closed, "was closed without a payment"),
        (webhook_failed, "handling it failed, so what it says does not count yet. Replay the event evt_"),
        (never_came, "No purchase was ever started"),
    ],
)
def test_the_page_says_no_and_why(story: Story, sentence: str, looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.sell("CREDITS", kind="usage_pack")
    story(stripe_double)
    assert "user_1 has no access now." in text_of(looker)
    assert any(sentence in line for line in reason_of(looker)), reason_of(looker)


def test_a_page_that_stripe_never_answered_for_says_so(looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.faults.add("POST", "/v1/checkout/sessions", "drop_before", times=3)
    with pytest.raises(Exception, match="Stripe could not be reached"):
        stripe_double.checkout("user_1", "WEEK")
    assert "Stripe's answer never reached us" in reason_of(looker)[0]


def test_an_operators_decision_is_told_with_who_and_why(
    looker: Client, operator: Operator, stripe_double: StripeDouble
) -> None:
    ada = operator("support", username="ada").user  # type: ignore[attr-defined]
    product = stripe_double.sell("PRO_MONTHLY")
    gift = operators.grant("user_1", product, actor=ada, reason="ticket 7", request_id="1").row
    assert "An operator has granted PRO_MONTHLY without an end (ada," in reason_of(looker)[0]
    operators.revoke(gift, actor=ada, reason="a mistake")
    assert "An operator has taken PRO_MONTHLY away (ada," in reason_of(looker)[0]
    assert "a mistake" in reason_of(looker)[0]


def test_units_are_shown_by_lot_and_as_a_picture(looker: Client, stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.buy("user_1", "CREDITS", quantity=2)
    usage.consume("user_1", 300, mode="test", idempotency_key="k")
    text = text_of(looker)
    assert "1700 of 2000 left" in text
    assert "consumed: 300" in text
    assert "used: 300" in text
    assert "<script" not in text.split('id="content-main"')[1]


def test_what_people_typed_is_never_markup(looker: Client, stripe_double: StripeDouble) -> None:
    product = stripe_double.sell("PRO_MONTHLY")
    evil = "<script>alert(1)</script>"
    operators.grant(evil, product, actor=None, reason=evil, request_id="1")
    text = text_of(looker, evil)
    assert evil not in text
    assert "&lt;script&gt;" in text


# --- in one order, a page at a time ----------------------------------------------------------------------------------


def test_the_timeline_shows_every_kind_newest_first(
    looker: Client, supporter: Client, history: dict[str, str], stripe_double: StripeDouble
) -> None:
    stripe_double.advance(minutes=1)
    pack = Entitlement.objects.get(product__code="CREDITS")
    stripe_double.simulator.close_dispute(history["dispute"], status="won")
    stripe_double.deliver()
    usage.consume("user_1", 10, mode="test", idempotency_key="k")
    supporter.post(
        reverse("admin:licenzy_subject_act_on", args=[pack.subject_id, "requeue", Delivery.objects.all()[0].pk]),
        {"reason": "x"},
    )
    moments = [moment.happened for moment in page(looker).context["moments"]]
    assert {moment.kind for moment in moments} >= {"attempt", "event", "change", "units", "delivery"}
    assert [moment.at for moment in moments] == sorted((moment.at for moment in moments), reverse=True)


def test_pages_of_the_timeline_neither_lose_nor_repeat_what_happened_in_one_moment(
    looker: Client, stripe_double: StripeDouble
) -> None:
    product = stripe_double.sell("PRO_MONTHLY")
    entitlement = operators.grant("user_1", product, actor=None, reason="r", request_id="1").row
    add_history(entitlement, 95)
    add_events(entitlement.subject, 70)

    seen: list[str] = []
    query: dict[str, str] = {}
    for _page in range(10):
        context = page(looker, **query).context
        seen += [" ".join(moment.happened.details) for moment in context["moments"]]
        if not context["timeline"].older:
            break
        query = {"before": context["timeline"].older}
    numbered = [line for line in seen if "number-" in line]
    assert len(numbered) == len(set(numbered)) == 165


@pytest.mark.parametrize("before", ["nonsense", "2026-01-01", "~~", "2026-01-01T00:00:00~1~x", "9" * 400])
def test_a_broken_link_shows_the_newest(before: str, looker: Client, history: dict[str, str]) -> None:
    assert page(looker, before=before).context["timeline"].is_newest


def add_history(entitlement: Entitlement, count: int) -> None:
    EntitlementChange.objects.bulk_create(
        EntitlementChange(
            mode="test",
            entitlement=entitlement,
            at=entitlement.created_at - timedelta(seconds=number // 10),
            reason=f"number-{number}",
            source="stripe",
            after={"status": "active"},
        )
        for number in range(count)
    )


def add_events(subject: Subject, count: int) -> None:
    StripeEvent.objects.bulk_create(
        StripeEvent(
            mode="test",
            event_id=f"evt_{number}_{subject.pk}",
            type="invoice.paid",
            object_id=f"in_{number}",
            occurred_at=subject.created_at,
            received_at=subject.created_at - timedelta(seconds=number // 10),
            status="processed",
            outcome=f"event number-{number}",
            subject=subject,
        )
        for number in range(count)
    )


def add_use(entitlement: Entitlement, count: int) -> None:
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            mode="test",
            subject=entitlement.subject,
            pack=entitlement.pack,
            kind="consume",
            units=1,
            balance_after=0,
            created_at=entitlement.created_at - timedelta(seconds=number),
        )
        for number in range(count)
    )


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_ten_thousand_rows_of_history_cost_no_more_queries_than_ten(
    supporter: Client, stripe_double: StripeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = stripe_double.sell("CREDITS", kind="usage_pack")
    few = operators.grant("few", pack, actor=None, reason="r", request_id="1").row
    many = operators.grant("many", pack, actor=None, reason="r", request_id="2").row
    for entitlement, count in ((few, 10), (many, 10_000)):
        add_history(entitlement, count)
        add_events(entitlement.subject, count // 10)
        add_use(entitlement, count // 10)
    cheap, rich = (queries_of(supporter, page_of(row.subject_id)) for row in (few, many))
    assert cheap == rich
    assert rich <= 25
    older = page(supporter, "many").context["timeline"].older
    assert queries_of(supporter, f"{page_of(many.subject_id)}?before={older}") <= rich


def test_many_entitlements_cost_no_more_queries_either(supporter: Client, stripe_double: StripeDouble) -> None:
    product = stripe_double.sell("PRO_MONTHLY")
    for number in range(60):
        operators.grant("many", product, actor=None, reason="r", request_id=str(number))
    operators.grant("few", product, actor=None, reason="r", request_id="few")
    few, many = (queries_of(supporter, page_of(Subject.objects.get(subject_ref=ref).pk)) for ref in ("few", "many"))
    assert few == many
    assert page(supporter, "many").context["has_more_entitlements"]


# --- looking changes nothing ------------------------------------------------------------------------------------------


def test_looking_writes_nothing_and_asks_stripe_nothing(
    looker: Client, history: dict[str, str], stripe_double: StripeDouble
) -> None:
    asked = len(stripe_double.requests)
    text_of(looker)
    with CaptureQueriesContext(connection) as queries:
        text_of(looker)
        looker.get(reverse(LIST), {"q": history["dispute"]})
    assert not [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]
    assert len(stripe_double.requests) == asked
    assert StripeFact.objects.exists()


def test_nothing_on_the_page_comes_from_another_host(supporter: Client, history: dict[str, str]) -> None:
    text = text_of(supporter)
    for fetched in ('src="http', "@import", 'href="http'):
        where = text.split(fetched)[1:]
        assert all('rel="noopener noreferrer"' in part[:200] for part in where), fetched
