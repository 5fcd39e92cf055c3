"""A product's form says at the field what does not fit its kind."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licenzy_django.models import Product

ADD = "admin:licenzy_product_add"
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
        ({"units": "7"}, "units"),
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
