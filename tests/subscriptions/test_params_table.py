"""What Stripe is asked for each kind of change."""

from __future__ import annotations

from typing import Any

import pytest
from stripe.params import SubscriptionScheduleUpdateParams
from stripe.params import _subscription_schedule_update_params as of_schedules

from licenzy_django.subscriptions import params, phases
from licenzy_django.subscriptions.rules import Item
from tests.subscriptions.test_rules_table import items, price

pytestmark = pytest.mark.rules

NOW = {"proration_behavior": "always_invoice"}
THEN = {"proration_date": 1000}
WAITS = {"payment_behavior": "pending_if_incomplete", "expand": ["latest_invoice"]}
ANEW = {"billing_cycle_anchor": {"type": "now"}}
CHANGES = [
    ("an upgrade", ["1900/month"], ["2900/month"], [{"id": "si_0", "price": "2900/month", "quantity": 1}], THEN),
    (
        "more seats",
        ["1900/month x 2"],
        ["1900/month x 5"],
        [{"id": "si_0", "price": "1900/month", "quantity": 5}],
        THEN,
    ),
    ("to a year", ["1900/month"], ["19000/year"], [{"id": "si_0", "price": "19000/year", "quantity": 1}], ANEW),
    (
        "the others are not named",
        ["1900/month", "500/month"],
        ["2900/month", "500/month"],
        [{"id": "si_0", "price": "2900/month", "quantity": 1}],
        THEN,
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "edits", "more"), [row[1:] for row in CHANGES], ids=[r[0] for r in CHANGES]
)
def test_a_change_now_is_billed_at_once_and_waits_for_its_payment(
    before: list[str], after: list[str], edits: list[Any], more: dict[str, Any]
) -> None:
    asked = params.update_params(items(*before), items(*after), is_trial=False, proration_date=1000)

    assert asked == {"items": edits, **NOW, **WAITS, **more}


@pytest.mark.parametrize("after", ["2900/month", "900/month", "19000/year"])
def test_a_change_during_a_trial_bills_nothing_and_keeps_the_trial(after: str) -> None:
    asked = params.update_params(items("1900/month"), items(after), is_trial=True, proration_date=1000)

    edits = [{"id": "si_0", "price": after, "quantity": 1}]
    assert asked == {"items": edits, "proration_behavior": "none", "expand": ["latest_invoice"]}


def test_add_ons_come_and_go_beside_the_plan() -> None:
    plan, more = items("1900/month"), Item("", price("500/month"), 2)

    assert params.edits(plan, (*plan, more)) == [{"price": "500/month", "quantity": 2}]
    assert params.edits(items("1900/month", "500/month"), plan) == [{"id": "si_1", "deleted": True}]


def test_the_preview_asks_for_what_the_change_will_do() -> None:
    before, after = items("1900/month"), items("19000/year")
    asked = params.update_params(before, after, is_trial=False, proration_date=1000)

    previewed = params.preview_params("sub_1", before, after, proration_date=1000)

    details = previewed["subscription_details"]
    assert previewed["subscription"] == "sub_1"
    assert details == {name: value for name, value in asked.items() if name not in WAITS}


def test_the_next_amount_is_that_of_a_whole_period() -> None:
    edits = [{"id": "si_0", "price": "2900/month", "quantity": 1}]
    asked = params.renewal_params("sub_1", items("1900/month"), items("2900/month"))

    assert asked["subscription_details"] == {"items": edits, "proration_behavior": "none"}
    yearly = params.renewal_params("sub_1", items("1900/month"), items("19000/year"))
    assert yearly["subscription_details"]["billing_cycle_anchor"] == {"type": "now"}


@pytest.mark.parametrize(
    ("subscription", "cleared"),
    [
        ({"cancel_at_period_end": True, "cancel_at": 1000}, {"cancel_at_period_end": False}),
        ({"cancel_at_period_end": True, "cancel_at": None}, {"cancel_at_period_end": False}),
        ({"cancel_at_period_end": False, "cancel_at": 1000}, {"cancel_at": ""}),
    ],
)
def test_resume_clears_only_the_cancellation_that_is_set(subscription: Any, cleared: Any) -> None:
    assert params.resume_params(subscription) == {**cleared, "expand": ["latest_invoice"]}


# --- a change at the period's end ------------------------------------------------------------------------------------

PHASE: dict[str, Any] = {
    "add_invoice_items": [{"price": "price_setup", "quantity": 1}],
    "application_fee_percent": 1.5,
    "automatic_tax": {"enabled": True, "disabled_reason": None, "liability": {"type": "self", "account": None}},
    "billing_cycle_anchor": "automatic",
    "billing_thresholds": {"amount_gte": 9000, "reset_billing_cycle_anchor": False},
    "collection_method": "charge_automatically",
    "currency": "eur",
    "default_payment_method": "pm_1",
    "default_tax_rates": [{"id": "txr_1", "object": "tax_rate"}],
    "description": "For Ada",
    "discounts": [{"coupon": "co_1", "discount": "di_1", "promotion_code": None}, {"coupon": "co_2"}],
    "end_date": 2000,
    "invoice_settings": {"account_tax_ids": ["atxi_1"], "footer": "Thanks", "issuer": {"type": "self"}},
    "items": [
        {
            "price": "1900/month",
            "plan": "1900/month",
            "quantity": 2,
            "discounts": [{"coupon": None, "discount": "di_2", "promotion_code": None}],
            "metadata": {"seat": "1"},
            "tax_rates": [{"id": "txr_2"}],
            "billing_thresholds": None,
        },
        {"price": {"id": "500/month"}, "quantity": 1, "discounts": [], "metadata": {}, "tax_rates": []},
    ],
    "metadata": {"licenzy_attempt": "att_1"},
    "on_behalf_of": "acct_1",
    "proration_behavior": "create_prorations",
    "start_date": 1000,
    "transfer_data": {"destination": "acct_2", "amount_percent": 50},
    "trial_end": None,
}
COPIED: dict[str, Any] = {
    "application_fee_percent": 1.5,
    "automatic_tax": {"enabled": True, "liability": {"type": "self"}},
    "billing_thresholds": {"amount_gte": 9000, "reset_billing_cycle_anchor": False},
    "collection_method": "charge_automatically",
    "default_payment_method": "pm_1",
    "default_tax_rates": ["txr_1"],
    "description": "For Ada",
    "discounts": [{"discount": "di_1"}, {"coupon": "co_2"}],
    "invoice_settings": {"account_tax_ids": ["atxi_1"], "footer": "Thanks", "issuer": {"type": "self"}},
    "metadata": {"licenzy_attempt": "att_1"},
    "on_behalf_of": "acct_1",
    "transfer_data": {"destination": "acct_2", "amount_percent": 50},
}
KEPT_ITEM = {
    "price": "1900/month",
    "quantity": 2,
    "discounts": [{"discount": "di_2"}],
    "metadata": {"seat": "1"},
    "tax_rates": ["txr_2"],
}


def test_both_phases_have_all_that_the_subscription_has() -> None:
    before, after = items("1900/month x 2", "500/month"), items("900/month", "500/month")

    asked = phases.schedule_params({"phases": [PHASE]}, before, after, change_id="chg_1")

    more = {"price": "500/month", "quantity": 1}
    first = {**COPIED, "items": [KEPT_ITEM, more], "start_date": 1000, "end_date": 2000}
    second = {
        **COPIED,
        "items": [{**KEPT_ITEM, "price": "900/month", "quantity": 1}, more],
        "duration": {"interval": "month", "interval_count": 1},
        "proration_behavior": "none",
    }
    assert asked == {
        "phases": [first, second],
        "end_behavior": "release",
        "proration_behavior": "none",
        "metadata": {"licenzy_change": "chg_1"},
    }


@pytest.mark.parametrize(
    ("after", "anchor"), [("900/month", None), ("900/year", "phase_start"), ("9/week", "phase_start")]
)
def test_another_interval_begins_with_the_second_phase(after: str, anchor: str | None) -> None:
    first, second = phases.schedule_params({"phases": [PHASE]}, items("1900/month x 2"), items(after), change_id="c")[
        "phases"
    ]

    assert second.get("billing_cycle_anchor") == anchor
    assert "billing_cycle_anchor" not in first
    assert second["duration"]["interval"] == after.partition("/")[2]


def test_a_trial_ends_when_it_was_to_end() -> None:
    running = {"phases": [PHASE | {"trial_end": 2000}]}

    first, second = phases.schedule_params(running, items("1900/month x 2"), items("1900/month"), change_id="c")[
        "phases"
    ]

    assert first["trial_end"] == 2000
    assert "trial_end" not in second


def test_an_item_that_goes_is_not_in_the_second_phase() -> None:
    before = items("1900/month x 2", "500/month")

    _, second = phases.schedule_params({"phases": [PHASE]}, before, before[:1], change_id="c")["phases"]

    assert second["items"] == [KEPT_ITEM]


def test_every_parameter_of_a_phase_is_copied_ours_or_left_out_on_purpose() -> None:
    """A parameter of a later SDK makes this fail, so that somebody decides."""
    ours = {*phases.AS_IT_IS, *phases.COPIES, *phases.OURS, *phases.NOT_COPIED}

    assert ours == set(of_schedules.SubscriptionScheduleUpdateParamsPhase.__annotations__)
    assert {"phases", "end_behavior", "proration_behavior", "metadata"} <= set(
        SubscriptionScheduleUpdateParams.__annotations__
    )
