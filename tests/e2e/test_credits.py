"""The demo's credits page: a tool that costs what it needed."""

from __future__ import annotations

import re

import pytest

from tests.e2e.shops import Shop
from tests.servers import FormReader, Visitor, eventually

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


def left(page: str) -> int:
    found = re.search(r"<strong>(\d+)</strong> of", page)
    assert found is not None
    return int(found[1])


def a_guest_with_credits(shop: Shop) -> Visitor:
    guest = shop.visitor()
    guest.open("/")
    guest.press("Create a demo account")
    guest.open("/")
    guest.press("Buy 1,000 credits")
    guest.press("by card")
    eventually(lambda: left(guest.open("/credits/").text) == 1000)
    return guest


def test_a_note_costs_a_credit_a_word_and_a_double_click_costs_once(shop: Shop) -> None:
    guest = a_guest_with_credits(shop)
    [form] = [form for form in FormReader(guest.page.text).forms if "token" in form.fields]

    guest.send(form, form.fields | {"topic": "The creek"})
    guest.send(form, form.fields | {"topic": "Another one"})

    note = re.search(r"<blockquote>(.*)</blockquote>", guest.page.text)
    assert note is not None
    assert note[1].startswith("The creek: ")
    assert left(guest.page.text) == 1000 - len(note[1].split())
    assert f"{len(note[1].split())} credits used in the last 30 days" in guest.page.text


@pytest.mark.parametrize("token", ["", "\x00", "\x1f", "é" * 300, "not-ours"])
def test_a_token_that_is_none_of_ours_is_refused_and_costs_nothing(shop: Shop, token: str) -> None:
    guest = a_guest_with_credits(shop)
    [form] = [form for form in FormReader(guest.page.text).forms if "token" in form.fields]

    assert guest.send(form, form.fields | {"token": token}).status_code == 400
    assert left(guest.open("/credits/").text) == 1000


def test_without_credits_the_page_sells_some(shop: Shop) -> None:
    guest = shop.visitor()
    guest.open("/")
    guest.press("Create a demo account")

    assert "Buy credits" in guest.open("/credits/").text


def test_credits_that_come_with_a_plan_reset_and_some_roll_over(shop: Shop) -> None:
    guest = shop.visitor()
    guest.open("/")
    guest.press("Create a demo account")
    assert "500 credits each billing period" in guest.open("/").text
    guest.press("Buy Pro, monthly")
    guest.press("by card")
    eventually(lambda: left(guest.open("/credits/").text) == 500)
    assert "resets on" in guest.page.text
    [form] = [form for form in FormReader(guest.page.text).forms if "token" in form.fields]
    guest.send(form, form.fields | {"topic": "The creek"})
    used = 500 - left(guest.open("/credits/").text)
    assert 0 < used < 400

    guest.open("/simulator/")
    [machine] = [form for form in FormReader(guest.page.text).forms if form.fields.get("verb") == "advance"]
    guest.send(machine, machine.fields | {"number": "32", "unit": "days"})

    eventually(lambda: left(guest.open("/credits/").text) == 600)
