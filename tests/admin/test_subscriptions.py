"""What operators do to a subscription: changed with its cost shown first, canceled, resumed; each with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client

from licenzy_django import access
from licenzy_django.admin.links import page_of
from licenzy_django.models import Entitlement, Product, Subject, SubscriptionChange
from licenzy_django.testing import StripeDouble
from tests.admin.test_actions import do, filled, url_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sells(
        PRO={"amount": 1900, "group": "plans"},
        MAX={"amount": 2900, "group": "plans"},
        MORE={"amount": 500, "is_add_on": True},
        WEEK={"kind": "time_pass"},
    ),
]


@pytest.fixture
def bought(stripe: StripeDouble) -> Any:
    session = stripe.buy("user_1", "PRO")
    stripe.advance(days=10)
    return stripe.simulator.get("subscription", session["subscription"])


def url(slug: str, code: str = "PRO") -> str:
    return url_of(slug, Entitlement.objects.get(product__code=code, source="stripe").public_id)


def choice(supporter: Client, code: str = "MAX", **more: Any) -> dict[str, Any]:
    product = Product.objects.get(code=code).pk
    return filled(supporter, url("change"), **{"product": product, "quantity": 1, "when": "", **more})


def again(page: Any) -> dict[str, Any]:
    """The form as the page has it now."""
    return {field.name: field.value() for field in page.context["form"]}


def test_a_change_shows_first_what_it_costs_and_is_made_when_it_is_confirmed(
    supporter: Client, stripe: StripeDouble, bought: Any
) -> None:
    shown = supporter.post(url("change"), choice(supporter))

    assert shown.status_code == 200
    assert "EUR now, and 29.00 EUR for the next whole period" in shown.context["consequence"]
    assert not SubscriptionChange.objects.exists()
    assert not access.check("user_1", "MAX")
    done = supporter.post(url("change"), again(shown))
    assert done.status_code == 302
    [said] = [str(message) for message in get_messages(done.wsgi_request)]
    assert said == "It is MAX × 1 now."
    assert access.check("user_1", "MAX")
    amount = stripe.simulator.all("invoice")[-1]["amount_due"]
    assert f"{amount / 100:.2f} EUR now" in shown.context["consequence"]
    assert LogEntry.objects.get().get_change_message() == "It is MAX × 1 now. ticket 7"


def test_another_choice_after_the_preview_is_shown_too(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    shown = supporter.post(url("change"), choice(supporter))

    other = supporter.post(url("change"), {**again(shown), "quantity": 3})

    assert other.status_code == 200
    assert "87.00 EUR for the next" in other.context["consequence"]
    assert not SubscriptionChange.objects.exists()
    assert supporter.post(url("change"), again(other)).status_code == 302
    assert Entitlement.objects.get(product__code="MAX").quantity == 3


def test_a_second_click_changes_nothing_more(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    where, shown = url("change"), supporter.post(url("change"), choice(supporter))
    form = again(shown)

    answers = [supporter.post(where, form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert SubscriptionChange.objects.count() == LogEntry.objects.count() == 1


def test_a_preview_that_is_too_old_is_begun_again(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    shown = supporter.post(url("change"), choice(supporter))
    stripe.advance(minutes=16)

    late = supporter.post(url("change"), again(shown), follow=True)

    assert "Please begin again" in late.content.decode()
    assert not SubscriptionChange.objects.exists()


def test_what_cannot_be_changed_is_said_on_the_form(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    nothing = supporter.post(url("change"), choice(supporter, "PRO"))
    assert "change nothing" in str(nothing.context["form"].errors)
    stripe.renew(bought, paid=False)
    unpaid = supporter.post(url("change"), choice(supporter))
    assert "not paid" in str(unpaid.context["form"].errors)
    assert not SubscriptionChange.objects.exists()


def test_a_declined_card_is_said_with_the_page_to_pay_on(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    stripe.set_card(bought, works=False)
    shown = supporter.post(url("change"), choice(supporter))

    done = supporter.post(url("change"), again(shown))

    [said] = [str(message) for message in get_messages(done.wsgi_request)]
    assert stripe.simulator.all("invoice")[-1]["hosted_invoice_url"] in said
    assert access.check("user_1", "PRO")


def test_only_what_it_can_become_is_offered(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    Product.objects.filter(code="PRO").update(is_active=False)
    form = supporter.get(url("change")).context["form"]

    assert [product.code for product in form.fields["product"].queryset] == ["MAX", "PRO"]


def test_cancel_and_resume(supporter: Client, stripe: StripeDouble, bought: Any) -> None:
    page = page_of(Subject.objects.get().pk)
    assert url("resume") not in supporter.get(page).content.decode()

    [said, second] = do(supporter, url("cancel"), when="period_end", clicks=2)

    row = Entitlement.objects.get()
    assert row.cancel_at == row.current_period_end
    assert said.startswith("PRO ends on")
    assert "nothing more" in second
    assert url("resume") in supporter.get(page).content.decode()
    assert do(supporter, url("resume")) == ["PRO goes on."]
    assert Entitlement.objects.get().cancel_at is None
    do(supporter, url("cancel"), when="now")
    assert not access.check("user_1")
    assert LogEntry.objects.count() == 3


def test_what_is_no_subscription_has_none_of_these_buttons(supporter: Client, stripe: StripeDouble) -> None:
    stripe.buy("user_1", "WEEK")
    text = supporter.get(page_of(Subject.objects.get().pk)).content.decode()

    for slug in ("change", "cancel", "resume"):
        assert f"/do/{slug}/" not in text
