"""What a change is: now or at the period's end, what it leaves, what cannot be changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from licenzy_django.subscriptions import rules
from licenzy_django.subscriptions.rules import Item, Price

pytestmark = pytest.mark.rules


def price(text: str) -> Price:
    """``1900/month`` or ``1900/3 month``; the text is the id."""
    amount, _, rhythm = text.partition("/")
    count, _, interval = rhythm.rpartition(" ")
    return Price(text, Decimal(amount), "eur", interval, int(count or 1))


def items(*texts: str) -> rules.Items:
    """``1900/month x 2``, each with an id by its position."""
    split = [text.partition(" x ") for text in texts]
    return tuple(Item(f"si_{at}", price(of), int(count or 1)) for at, (of, _, count) in enumerate(split))


NOW_OR_LATER = [
    # what it was            what it shall be         left out   why
    (["1900/month"], ["2900/month"], "now", "dearer"),
    (["2900/month"], ["1900/month"], "later", "cheaper"),
    (["1900/month"], ["1900/month x 2"], "now", "more of it"),
    (["1900/month x 2"], ["1900/month"], "later", "less of it"),
    (["1900/month x 2"], ["2900/month"], "later", "dearer, but less in all"),
    (["1900/month"], ["1000/month x 2"], "now", "cheaper, but more in all"),
    (["1900/month"], ["1900/year"], "now", "a longer interval"),
    (["19000/year"], ["1900/month"], "later", "a shorter interval"),
    (["19000/year"], ["99900/month"], "later", "a shorter interval, however dear"),
    (["19000/month"], ["1/year"], "now", "a longer interval, however cheap"),
    (["1900/month"], ["5700/3 month"], "now", "three months are longer than one"),
    (["1900/12 month"], ["1900/year x 2"], "now", "twelve months are a year: the price decides"),
    (["1900/12 month x 2"], ["1900/year"], "later", "twelve months are a year: the price decides"),
    (["1900/4 week"], ["1/month"], "now", "a month is longer than four weeks"),
    (["1900/day x 7"], ["1/week"], "now", "a week is longer than a day"),
    (["1900/month"], ["1900/month"], "later", "nothing is dearer"),
    (["0/month"], ["1/month"], "now", "dearer than nothing"),
    (["1900/month", "500/month"], ["1900/month", "500/month x 2"], "now", "one item of several"),
]


@pytest.mark.parametrize(("before", "after", "expected", "why"), NOW_OR_LATER, ids=[row[3] for row in NOW_OR_LATER])
def test_when_a_change_happens_if_nobody_says(before: list[str], after: list[str], expected: str, why: str) -> None:
    found = rules.is_now(items(*before), items(*after))

    assert found == (expected == "now")
    assert rules.is_now(items(*before), items(*after), is_trial=True)


@pytest.mark.parametrize("is_dearer", [True, False])
@pytest.mark.parametrize(("wanted", "is_trial", "expected"), [
    ("now", False, True),
    ("period_end", False, False),
    ("now", True, True),
    ("period_end", True, True),
])  # fmt: skip
def test_what_is_wanted_decides_but_a_trial_waits_for_nothing(
    wanted: str, is_trial: bool, expected: bool, is_dearer: bool
) -> None:
    before, after = items("1900/month"), items("2900/month" if is_dearer else "900/month")

    assert rules.is_now(before, after, wanted=wanted, is_trial=is_trial) is expected


def test_an_item_that_comes_makes_it_dearer_and_one_that_goes_cheaper() -> None:
    one = items("1900/month")
    two = (*one, Item("", price("500/month"), 1))

    assert rules.is_now(one, two)
    assert not rules.is_now(two, one)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("1900/month", "1900/year", True),
        ("1900/year", "1900/month", True),
        ("1900/month", "2900/month", False),
        ("1900/month", "5700/3 month", True),
        ("1900/12 month", "1900/year", True),
    ],
)
def test_another_interval_begins_a_new_period(before: str, after: str, expected: bool) -> None:
    assert rules.restarts(items(before), items(after)) is expected


def test_a_change_keeps_the_items_id_and_leaves_the_others() -> None:
    before = items("1900/month", "500/month x 3")

    after = rules.changed(before, "si_0", price=price("2900/month"), quantity=2)

    assert after == (Item("si_0", price("2900/month"), 2), before[1])


def test_what_is_added_adds_up_with_what_is_there() -> None:
    before = items("1900/month", "500/month x 3")
    more = [Item("", price("500/month"), 2), Item("", price("700/month"), 1)]

    after = rules.changed(before, "si_0", price=price("1900/month"), quantity=1, added=more)

    assert [(item.id, item.price.id, item.quantity) for item in after] == [
        ("si_0", "1900/month", 1),
        ("si_1", "500/month", 5),
        ("", "700/month", 1),
    ]


def test_an_item_that_is_taken_out_is_gone() -> None:
    assert rules.without(items("1900/month", "500/month"), "si_1") == items("1900/month")


USUAL: dict[str, Any] = {
    "status": "active",
    "collection_method": "charge_automatically",
    "schedule": None,
    "pause_collection": None,
}


@pytest.mark.parametrize(
    ("of", "is_own_schedule", "word"),
    [
        ({}, False, ""),
        ({"status": "trialing"}, False, ""),
        ({"status": "paused"}, False, "paused"),
        ({"pause_collection": {"behavior": "void"}}, False, "paused"),
        ({"status": "incomplete"}, False, "first payment"),
        ({"status": "past_due"}, False, "not paid"),
        ({"status": "unpaid"}, False, "not paid"),
        ({"status": "canceled"}, False, "not paid"),
        ({"status": "a status of tomorrow"}, False, "not paid"),
        ({"collection_method": "send_invoice"}, False, "by hand"),
        ({"schedule": "sub_sched_1"}, False, "schedule"),
        ({"schedule": "sub_sched_1"}, True, ""),
    ],
)
def test_what_cannot_be_changed_as_it_is(of: dict[str, Any], is_own_schedule: bool, word: str) -> None:
    why_not = rules.refusal(USUAL | of, is_own_schedule=is_own_schedule)

    assert word in why_not
    assert bool(why_not) == bool(word)


def test_items_have_one_currency_and_one_interval() -> None:
    assert rules.refusal_of_items(items("1900/month", "500/month"), currency="eur") == ""
    assert "currency" in rules.refusal_of_items(items("1900/month"), currency="usd")
    assert "interval" in rules.refusal_of_items(items("1900/month", "500/year"), currency="eur")


@pytest.mark.parametrize(
    ("invoices", "expected"),
    [
        ([], False),
        (["subscription_cycle paid"], False),
        (["subscription_cycle draft"], True),
        (["subscription_cycle open"], True),
        (["subscription_cycle uncollectible"], True),
        (["subscription_cycle void"], True),
        (["subscription_create open"], True),
        (["subscription_update paid", "subscription_cycle paid"], False),
        (["subscription_update void", "subscription_cycle paid"], False),
        (["subscription_update open", "subscription_cycle paid"], True),
        (["subscription_update paid", "subscription_cycle draft"], True),
        (["manual open", "subscription_cycle paid"], False),
    ],
)
def test_an_unpaid_invoice_of_the_period(invoices: list[str], expected: bool) -> None:
    rows = [dict(zip(("billing_reason", "status"), text.split(), strict=True)) for text in invoices]
    numbered = [{"id": f"in_{at}", **row} for at, row in enumerate(rows)]

    assert rules.is_unpaid(numbered) is expected


def test_the_invoice_of_a_change_that_waits_is_not_an_unpaid_period() -> None:
    waiting = {"id": "in_1", "billing_reason": "subscription_update", "status": "open"}

    assert not rules.is_unpaid([waiting], waiting="in_1")
    assert rules.is_unpaid([waiting], waiting="in_2")


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({"unit_amount": 1900}, 1900),
        ({"unit_amount": 0}, 0),
        ({"unit_amount": None, "unit_amount_decimal": "0.5"}, Decimal("0.5")),
        ({"unit_amount": None, "unit_amount_decimal": Decimal("12.25")}, Decimal("12.25")),
        ({"unit_amount": None, "unit_amount_decimal": None}, 0),
    ],
)
def test_a_price_as_stripe_writes_it(given: dict[str, Any], amount: Decimal) -> None:
    found = Price.of(
        {"id": "price_1", "currency": "eur", "recurring": {"interval": "month", "interval_count": 3}, **given}
    )

    assert (found.amount, found.rhythm, found.is_active) == (amount, ("month", 3), True)
    assert not Price.of({"id": "price_1", "active": False, **given}).is_active


def test_a_price_has_other_currencies_besides_its_own() -> None:
    options = {"usd": {"unit_amount": 2100, "unit_amount_decimal": "2100"}, "eur": {"unit_amount": 1900}}
    given = {"id": "price_1", "currency": "eur", "unit_amount": 1900, "currency_options": options}

    assert [(each.amount, each.currency) for each in (Price.of(given, currency=c) for c in ("eur", "usd", "jpy"))] == [
        (1900, "eur"),
        (2100, "usd"),
        (1900, "eur"),
    ]
