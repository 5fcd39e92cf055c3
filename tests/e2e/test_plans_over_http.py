"""A plan in the shop over HTTP: a trial, another plan with its amount before, an end and second thoughts, receipts."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
import requests

from tests.e2e.shops import Shop
from tests.servers import Visitor, eventually

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


@pytest.fixture
def guest(shop: Shop) -> Visitor:
    visitor = shop.visitor()
    visitor.open("/")
    visitor.press("Create a demo account")
    return visitor


@pytest.fixture
def member(guest: Visitor) -> Visitor:
    """Has Pro, monthly."""
    guest.open("/")
    guest.press("Buy Pro, monthly")
    guest.press("by card")
    eventually(lambda: guest.open("/members/").status_code == 200)
    return guest


def account_says(guest: Visitor, words: str) -> bool:
    return words in guest.open("/account/").text


def test_the_amount_of_the_preview_is_the_amount_of_the_receipt(member: Visitor) -> None:
    member.open("/account/")
    member.follow("Switch to Pro, yearly")
    [due] = re.findall(r"Switch and pay €([\d.,]+)", member.page.text)
    assert "Pro, monthly" in member.page.text
    assert "€190.00 a year" in member.page.text

    member.press("Switch and pay")

    assert "Your plan has changed" in member.page.text
    eventually(lambda: account_says(member, "Your plan: Pro, yearly"))
    receipts = member.open("/account/receipts/").text
    paid = [float(amount.replace(",", "")) for amount in re.findall(r"<h2>€([\d.,]+)</h2>", receipts)]
    # The credit for the month shrinks by the seconds since the preview.
    assert float(due) == pytest.approx(paid[0], abs=0.05)
    assert paid[1] == 19.0


def test_a_smaller_plan_waits_for_the_end_of_the_paid_time_and_can_be_taken_back(member: Visitor) -> None:
    member.open("/account/")
    member.follow("Switch to Pro, yearly")
    member.press("Switch and pay")
    eventually(lambda: account_says(member, "Your plan: Pro, yearly"))

    member.follow("Switch to Pro, monthly")
    assert "Nothing is charged today" in member.page.text
    member.press("Switch")
    assert "Your plan changes on" in member.page.text
    eventually(lambda: account_says(member, "it becomes Pro, monthly"))

    member.press("Keep Pro, yearly")
    assert "Your plan stays as it is" in member.page.text
    eventually(lambda: not account_says(member, "it becomes"))


def test_who_cancels_keeps_the_paid_time_and_may_think_again(member: Visitor) -> None:
    member.open("/account/")
    member.follow("Cancel")
    assert "You keep it until" in member.page.text
    member.press("Cancel it")
    eventually(lambda: account_says(member, "it will not renew"))
    assert member.open("/members/").status_code == 200

    member.open("/account/")
    member.press("Keep Pro, monthly")

    eventually(lambda: account_says(member, "Renews on"))


def test_two_clicks_on_a_change_are_one_change(member: Visitor) -> None:
    member.open("/account/")
    member.follow("Switch to Pro, yearly")
    twin = member.twin()

    member.press("Switch and pay")
    twin.press("Switch and pay")

    assert "Your plan has changed" in twin.page.text
    receipts = member.open("/account/receipts/").text
    assert receipts.count('<li class="row">') == 2


def test_a_declined_upgrade_leaves_the_plan_as_it_is_until_it_is_paid(shop: Shop, member: Visitor) -> None:
    stripe = partial(ask_stripe, shop)
    subscription = stripe("subscriptions?limit=1")["data"][0]
    failing = stripe("payment_methods/pm_card_chargeCustomerFail/attach", customer=subscription["customer"])
    stripe(f"subscriptions/{subscription['id']}", default_payment_method=failing["id"])
    member.open("/account/")
    member.follow("Switch to Pro, yearly")

    member.press("Switch and pay")

    assert "/simulator/invoice/" in member.page.url
    paying = member.page.url
    assert account_says(member, "Your plan: Pro, monthly")
    assert member.open("/members/").status_code == 200
    assert "€19.00" in member.open("/account/receipts/").text

    member.open(paying)
    member.press("Pay")

    eventually(lambda: account_says(member, "Your plan: Pro, yearly"))


def ask_stripe(shop: Shop, path: str, **sent: str) -> Any:
    """The simulated Stripe's own API."""
    url, headers = f"{shop.url}/simulator/v1/{path}", {"Authorization": "Bearer sk_test_simulator"}
    answer = requests.post(url, data=sent, headers=headers) if sent else requests.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_trial_is_tried_once(guest: Visitor) -> None:
    guest.open("/")
    guest.press("Try Pro, yearly")
    assert "14 days free" in guest.page.text
    guest.press("by card")
    eventually(lambda: guest.open("/members/").status_code == 200)
    assert account_says(guest, "Free until")
    assert account_says(guest, "Your plan: Pro, yearly")

    guest.follow("Cancel")
    guest.press("Cancel it")

    eventually(lambda: account_says(guest, "it will not renew"))
    assert "Try Pro, yearly" not in guest.open("/").text


def test_a_promotion_code_takes_off_and_the_tax_is_shown(guest: Visitor) -> None:
    guest.open("/")
    guest.press("Buy Pro, monthly")
    assert "19.00 EUR" in guest.page.text
    guest.press("Apply", promotion_code="RIVER20")
    assert "15.20 EUR" in guest.page.text
    assert "Tax" in guest.page.text or "VAT" in guest.page.text
    guest.press("by card")
    eventually(lambda: guest.open("/members/").status_code == 200)
    assert "€15.20" in guest.open("/account/receipts/").text


def test_a_plan_that_nobody_sells_is_404(member: Visitor) -> None:
    for code in ("NO_SUCH_PLAN", "%00"):
        address = f"/account/plan/change/?product_code=PRO_MONTHLY&to_product_code={code}"
        assert member.open(address).status_code == 404


def test_nobody_changes_the_plan_of_another(shop: Shop, member: Visitor) -> None:
    stranger = shop.visitor()
    stranger.open("/")
    stranger.press("Create a demo account")

    assert stranger.open("/account/plan/change/?product_code=PRO_MONTHLY&to_product_code=PRO_YEARLY").status_code == 404
    assert stranger.open("/account/plan/cancel/?product_code=PRO_MONTHLY").status_code == 404
    assert "No receipts yet" in stranger.open("/account/receipts/").text


def test_a_plan_page_is_for_who_is_logged_in(shop: Shop) -> None:
    visitor = shop.visitor()

    for path in ("/account/plan/change/", "/account/plan/cancel/", "/account/receipts/"):
        assert "/log-in/" in visitor.open(path).url
