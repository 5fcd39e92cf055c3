"""A product's form says at the field what does not fit its kind."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licenzy_django.models import Product
from licenzy_django.testing import entitled

ADD = "admin:licenzy_product_add"
LIST = "/admin/licenzy/product/"
SUBSCRIPTION = {
    "mode": "test",
    "code": "PRO_MONTHLY",
    "name": "Pro",
    "kind": "subscription",
    "stripe_price_id": "price_1",
    "features": "export, members, export",
    "is_active": "on",
    "grace_days": "3",
}


def sent(client: Client, **changes: Any) -> Any:
    return client.post(reverse(ADD), SUBSCRIPTION | changes)


def test_features_are_written_with_commas_and_kept_as_a_list(configurer: Client) -> None:
    assert sent(configurer).status_code == 302
    product = Product.objects.get()
    assert (product.features, product.grace_days) == (["export", "members"], 3)
    page = configurer.get(reverse("admin:licenzy_product_change", args=[product.pk]))
    assert 'value="export, members"' in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "time_pass", "grace_days": ""}, "duration_days"),
        ({"kind": "usage_pack", "grace_days": ""}, "units"),
        ({"kind": "usage_pack", "grace_days": "", "units": "5", "valid_days": "0"}, "valid_days"),
        ({"kind": "usage_pack", "grace_days": "", "units": "0"}, "units"),
        ({"duration_days": "7"}, "duration_days"),
        ({"units": "0"}, "units"),
        ({"units": "-1"}, "units"),
        ({"units": "1000000000001"}, "units"),
        ({"unit": "sms"}, "unit"),
        ({"units": "7", "unit": "two words"}, "unit"),
        ({"units_every": "month"}, "units_every"),
        ({"units": "7", "units_every": "day"}, "units_every"),
        ({"units_per": "subscription"}, "units_per"),
        ({"units": "7", "units_per": "seat"}, "units_per"),
        ({"rollover_units": "5"}, "rollover_units"),
        ({"units": "7", "rollover_units": "8"}, "rollover_units"),
        ({"units": "7", "rollover_windows": "1"}, "rollover_windows"),
        ({"units": "7", "rollover_units": "7", "rollover_windows": "0"}, "rollover_windows"),
        ({"units": "7", "rollover_units": "7", "rollover_windows": "13"}, "rollover_windows"),
        ({"units": "7", "trial_units": "7"}, "trial_units"),
        ({"trial_days": "7", "trial_units": "7"}, "trial_units"),
        ({"kind": "usage_pack", "grace_days": "", "units": "5", "units_every": "month"}, "units_every"),
        ({"kind": "usage_pack", "grace_days": "", "units": "5", "rollover_units": "5"}, "rollover_units"),
        ({"kind": "time_pass", "grace_days": "", "duration_days": "7", "unit": "sms"}, "unit"),
        ({"kind": "time_pass", "duration_days": "7"}, "grace_days"),
        ({"code": "has blanks"}, "code"),
        ({"grace_days": "36501"}, "grace_days"),
        ({"stripe_price_id": ""}, "stripe_price_id"),
        ({"is_add_on": "on", "group": "plans"}, "group"),
        ({"kind": "time_pass", "grace_days": "", "duration_days": "7", "is_add_on": "on"}, "is_add_on"),
    ],
)
def test_what_does_not_fit_the_kind_is_said_at_its_field(configurer: Client, changes: Any, field: str) -> None:
    answer = sent(configurer, **changes)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].errors
    assert not Product.objects.exists()


def test_an_add_on_is_saved(configurer: Client) -> None:
    assert sent(configurer, is_add_on="on").status_code == 302
    assert Product.objects.get().is_add_on


UNITS = {"units": "1000", "unit": "", "units_every": "month", "rollover_units": "0", "trial_units": "0"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (UNITS, "1,000 credits a month"),
        (UNITS | {"units_every": "week", "unit": "sms"}, "1,000 sms a week"),
        (UNITS | {"units_every": ""}, "1,000 credits each billing period"),
        ({"kind": "usage_pack", "grace_days": "0", "units": "2500"}, "2,500 credits"),
        ({"kind": "time_pass", "grace_days": "0", "duration_days": "7"}, "7 days"),
        ({}, "access while it runs"),
    ],
)
def test_the_list_says_what_a_product_gives(configurer: Client, changes: Any, words: str) -> None:
    assert sent(configurer, **changes).status_code == 302

    assert f'<td class="field-gives">{words}</td>' in configurer.get(LIST).content.decode()


def test_units_of_a_subscription_are_saved_as_they_are_meant(configurer: Client) -> None:
    sent(configurer, **UNITS, units_per="subscription")

    product = Product.objects.get()
    assert (product.units, product.unit, product.units_every, product.units_per) == (
        1000,
        "credits",
        "month",
        "subscription",
    )
    assert (product.rollover_units, product.rollover_windows, product.trial_units) == (None, None, None)
    page = configurer.get(reverse("admin:licenzy_product_change", args=[product.pk])).content.decode()
    assert "paid lines that begin from now on; what was sold stays" in page


def test_a_unit_that_was_sold_is_shown_and_cannot_be_typed(configurer: Client) -> None:
    sent(configurer, **UNITS)
    product = Product.objects.get()
    page = reverse("admin:licenzy_product_change", args=[product.pk])
    assert 'name="unit"' in configurer.get(page).content.decode()

    entitled("user_1", product.code)

    content = configurer.get(page).content.decode()
    assert 'name="unit"' not in content
    assert '<div class="readonly">credits</div>' in content
    assert "Never changes once it was sold" in content
    configurer.post(page, SUBSCRIPTION | UNITS | {"unit": "sms", "units": "5"})
    product.refresh_from_db()
    assert (product.unit, product.units) == ("credits", 5)


def test_a_product_that_includes_no_units_any_more_keeps_its_unit(configurer: Client) -> None:
    sent(configurer, **UNITS)
    product = Product.objects.get()
    entitled("user_1", product.code)

    answer = configurer.post(reverse("admin:licenzy_product_change", args=[product.pk]), SUBSCRIPTION)

    assert answer.status_code == 302
    product.refresh_from_db()
    assert (product.units, product.units_every, product.unit) == (None, "period", "credits")


def test_a_code_and_a_price_are_used_once_in_a_mode(configurer: Client) -> None:
    sent(configurer)
    assert "with this code in this mode" in sent(configurer, stripe_price_id="price_2").content.decode()
    assert "has this Stripe price" in sent(configurer, code="OTHER").content.decode()
    assert sent(configurer, mode="live").status_code == 302


def test_mode_code_and_kind_never_change(configurer: Client) -> None:
    sent(configurer)
    page = reverse("admin:licenzy_product_change", args=[Product.objects.get().pk])
    configurer.post(page, SUBSCRIPTION | {"mode": "live", "code": "OTHER", "kind": "time_pass", "name": "New"})
    product = Product.objects.get()
    assert (product.mode, product.code, product.kind, product.name) == ("test", "PRO_MONTHLY", "subscription", "New")


def test_those_who_support_do_not_configure(supporter: Client) -> None:
    assert sent(supporter).status_code == 403
    assert not Product.objects.exists()


def test_what_stripes_page_can_do_is_written_as_json(configurer: Client) -> None:
    assert sent(configurer, checkout='{"allow_promotion_codes": true}').status_code == 302
    product = Product.objects.get()
    assert product.checkout == {"allow_promotion_codes": True}

    changed = SUBSCRIPTION | {"checkout": ""}
    configurer.post(reverse("admin:licenzy_product_change", args=[product.pk]), changed)

    product.refresh_from_db()
    assert product.checkout == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('{"mode": "payment"}', "mode: The product's kind decides it."),
        ('{"invoice_creation": {"enabled": true}}', "invoice_creation: It is for what is paid once"),
        ('{"automatic_tax": true}', "automatic_tax: This is an object."),
        ("[1]", "This is an object."),
        ("{", "valid JSON"),
        (r'"\ud800"', "cannot be stored"),
        (r'{"locale": "\ud800"}', "cannot be stored"),
        (r'{"\ud800": 1}', "cannot be stored"),
        (r'{"custom_fields": [{"key": "\u0000"}]}', "cannot be stored"),
        ("[" * 1500, "valid JSON"),
        ("[" * 900 + "]" * 900, "valid JSON"),
        ("[" * 30 + "]" * 30, "valid JSON"),
        ("1" * 5000, "valid JSON"),
    ],
)
def test_what_may_not_be_set_on_stripes_page_is_said_at_the_field(configurer: Client, options: str, words: str) -> None:
    answer = sent(configurer, checkout=options)

    assert answer.context["adminform"].form["checkout"].value() == options
    assert words in answer.context["adminform"].errors["checkout"][0]
    assert not Product.objects.exists()
