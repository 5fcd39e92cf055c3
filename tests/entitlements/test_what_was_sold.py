"""What was sold stays, and what the catalog adds comes with a subscription."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from licenzy_django import access, operators, usage
from licenzy_django.entitlements import catalog_changes
from licenzy_django.entitlements.price_history import allowance_sold
from licenzy_django.entitlements.terms import Allowance
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import CheckoutAttempt, Entitlement, EntitlementChange, LedgerEntry, Pack, Product
from licenzy_django.models.versions import Versions, applied_to_all, sold_at
from licenzy_django.testing import StripeDouble, entitled

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells(
        PRO_MONTHLY={"features": ["export", "api"]},
        WEEK_PASS={"kind": "time_pass", "features": ["export", "api"]},
        CREDITS={"kind": "usage_pack", "features": ["export", "api"]},
    ),
]


def give(code: str, *features: str) -> Product:
    product = Product.objects.get(code=code)
    product.features = list(features)
    product.save()
    return product


def features_of(subject: str) -> set[str]:
    assert access.summary(subject).features == sorted(
        {name for name in ("export", "api", "sso") if access.check(subject, feature=name)}
    )
    return set(access.summary(subject).features)


def test_a_subscription_keeps_what_was_sold_until_the_paid_time_is_over(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(days=1)

    give("PRO_MONTHLY", "export")
    assert features_of("user_1") == {"export", "api"}

    stripe.renew(session)
    assert features_of("user_1") == {"export"}


def test_a_subscription_gets_at_once_what_the_catalog_adds(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO_MONTHLY")
    stripe.advance(days=1)

    give("PRO_MONTHLY", "export", "sso")

    assert features_of("user_1") == {"export", "api", "sso"}


@pytest.mark.parametrize("code", ["WEEK_PASS", "CREDITS"])
def test_what_is_bought_once_keeps_its_features_as_bought(stripe: StripeDouble, code: str) -> None:
    session = stripe.buy("user_1", code)

    give(code, "export", "sso")
    stripe.refund(session, 100)

    assert features_of("user_1") == {"export", "api"}


def test_what_was_bought_before_the_catalog_changed_and_paid_after_it_is_as_bought(stripe: StripeDouble) -> None:
    page = stripe.checkout("user_1", "WEEK_PASS")
    give("WEEK_PASS", "sso")

    stripe.pay(page)

    assert features_of("user_1") == {"export", "api"}


@pytest.mark.parametrize("code", ["PRO_MONTHLY", "WEEK_PASS", "CREDITS"])
def test_an_operator_applies_the_catalog_to_everybody_at_once_and_it_stays_so(stripe: StripeDouble, code: str) -> None:
    session = stripe.buy("user_1", code)
    stripe.advance(days=1)
    product = give(code, "export", "sso")

    assert catalog_changes.apply_to_everybody(product, actor=None, reason="the api is gone") == 1

    assert features_of("user_1") == {"export", "sso"}
    change = EntitlementChange.objects.order_by("-pk")[0]
    assert (change.reason, change.note) == ("catalog_applied", "the api is gone")
    assert (change.before, change.after) == ({"features": ["export", "api"]}, {"features": ["export", "sso"]})
    stripe.refund(session["invoice"] or session, 100)
    assert features_of("user_1") == {"export", "sso"}
    assert catalog_changes.apply_to_everybody(product, actor=None, reason="again") == 0


def test_the_catalog_is_applied_to_grants_too(stripe: StripeDouble) -> None:
    operators.grant("user_1", Product.objects.get(code="CREDITS"), actor=None, reason="a gift", request_id="1")
    product = give("CREDITS", "sso")
    assert features_of("user_1") == {"export", "api"}

    catalog_changes.apply_to_everybody(product, actor=None, reason="for all")

    assert features_of("user_1") == {"sso"}
    assert Entitlement.objects.get().units_remaining == 1000


INCLUDED = {
    "units": 1000,
    "units_every": "month",
    "units_per": "quantity",
    "rollover_units": None,
    "rollover_windows": None,
    "trial_units": None,
}
ALLOWANCE = Allowance(unit="credits", units=1000, every="month")
AT = [
    {"since": 10, "gives": {"features": []}, "is_for_all": False},
    {"since": 20, "gives": {"features": [], **INCLUDED}, "is_for_all": False},
    {"since": 30, "gives": {"features": [], **INCLUDED, "units": 2000}, "is_for_all": False},
]


@pytest.mark.parametrize(
    ("versions", "at", "allowance"),
    [
        (AT, 5, None),
        (AT, 19, None),
        (AT, 20, ALLOWANCE),
        (AT, 29, ALLOWANCE),
        (AT, 30, replace(ALLOWANCE, units=2000)),
        (AT, None, replace(ALLOWANCE, units=2000)),
        (applied_to_all(AT), 5, replace(ALLOWANCE, units=2000)),
        ([*AT, {"since": 40, "gives": {"features": []}, "is_for_all": True}], 25, None),
        ([*AT, {"since": 40, "gives": {"features": []}, "is_for_all": False}], 25, ALLOWANCE),
        ([], 5, replace(ALLOWANCE, units=3000)),
    ],
)
def test_a_paid_line_has_the_units_of_the_catalog_when_it_began(
    versions: Versions, at: int | None, allowance: Allowance | None
) -> None:
    product = Product(kind="subscription", versions=versions, unit="credits", **INCLUDED | {"units": 3000})

    assert allowance_sold(product, at) == allowance


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"rollover_units": 200}, {"rollover_units": 200, "rollover_windows": 1}),
        ({"rollover_units": 200, "rollover_windows": 3}, {"rollover_units": 200, "rollover_windows": 3}),
        ({"units_every": "week", "units_per": "subscription"}, {"every": "week", "per": "subscription"}),
        ({"trial_days": 7, "trial_units": 50}, {"trial_units": 50}),
        ({"unit": "sms"}, {"unit": "sms"}),
    ],
)
def test_every_term_of_an_allowance_is_kept(stripe: StripeDouble, terms: Any, said: Any) -> None:
    product = stripe.sell("MAX", units=1000, **terms)

    assert allowance_sold(product, 0) == Allowance(**{"unit": "credits", "units": 1000, **said})


def test_a_pack_includes_nothing_it_is_units(stripe: StripeDouble) -> None:
    assert allowance_sold(Product.objects.get(code="CREDITS"), None) is None
    assert Product.objects.get(code="CREDITS").versions[-1]["gives"].keys() == {"features"}


@pytest.mark.parametrize("fields", [None, ["units"], {"features", "units"}])
def test_a_save_keeps_what_was_given_before_whichever_columns_it_names(stripe: StripeDouble, fields: Any) -> None:
    product = Product.objects.get(code="PRO_MONTHLY")
    began = int(stripe.now.timestamp())
    stripe.advance(days=1)
    product.units = 1000
    product.save(update_fields=fields)
    stripe.advance(days=1)
    product.units = 2000
    product.save(update_fields=fields)

    stored = Product.objects.get(pk=product.pk)
    assert stored.versions == product.versions
    units = [allowance_sold(stored, began + days * 86_400) for days in (0, 1, 2)]
    assert units == [None, Allowance(unit="credits", units=1000), Allowance(unit="credits", units=2000)]


def test_what_is_not_saved_is_not_given(stripe: StripeDouble) -> None:
    product = Product.objects.get(code="PRO_MONTHLY")
    product.units, product.features = 1000, ["sso"]

    product.save(update_fields=["features"])

    assert allowance_sold(Product.objects.get(pk=product.pk), None) is None
    assert Product.objects.get(pk=product.pk).versions[-1]["gives"] == {"features": ["sso"]}


def test_a_save_that_changes_nothing_makes_no_version(stripe: StripeDouble) -> None:
    product = stripe.sell("MAX", units=1000)
    stripe.advance(days=1)

    Product.objects.get(pk=product.pk).save()

    assert len(Product.objects.get(pk=product.pk).versions) == 1


def test_units_that_are_applied_to_everybody_count_for_lines_that_were_paid(stripe: StripeDouble) -> None:
    product = stripe.sell("MAX", units=1000)
    stripe.buy("user_1", "MAX")
    began = int(stripe.now.timestamp())
    stripe.advance(days=1)
    product.units = 2000
    product.save()
    assert allowance_sold(product, began) == Allowance(unit="credits", units=1000)
    assert usage.remaining("user_1") == 1000

    changed = [catalog_changes.apply_to_everybody(product, actor=None, reason="a present") for _ in range(2)]

    assert changed == [1, 0]
    assert usage.remaining("user_1") == 2000
    assert LedgerEntry.objects.order_by("pk").values_list("reason", "units").last() == ("catalog_applied", 1000)
    assert allowance_sold(Product.objects.get(pk=product.pk), began) == Allowance(unit="credits", units=2000)


def test_subscriptions_are_rebuilt_when_units_are_applied_and_features_are_not_new(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[str] = []
    monkeypatch.setattr(
        catalog_changes, "rebuild_or_wait", lambda subject, name, audit: rebuilt.append(subject.subject_ref)
    )
    product = stripe.sell("MAX", units=1000)
    stripe.buy("user_1", "MAX")
    stripe.buy("user_2", "PRO_MONTHLY")

    for each in (product, Product.objects.get(code="PRO_MONTHLY")):
        catalog_changes.apply_to_everybody(each, actor=None, reason="a present")

    assert rebuilt == ["user_1"]


def test_a_pack_is_of_its_products_unit(stripe: StripeDouble) -> None:
    stripe.sell("SMS", kind="usage_pack", unit="sms")
    stripe.buy("user_1", "SMS")
    entitled("user_2", "SMS")
    operators.grant("user_3", Product.objects.get(code="SMS"), actor=None, reason="a gift", request_id="1")

    assert list(Pack.objects.values_list("unit", flat=True)) == ["sms"] * 3


def test_a_paid_window_keeps_its_units_and_the_next_one_has_what_the_catalog_says(stripe: StripeDouble) -> None:
    product = stripe.sell("MAX", units=1000)
    session = stripe.buy("user_1", "MAX")
    stripe.advance(days=1)

    product.units = 2000
    product.save()
    assert usage.remaining("user_1") == 1000

    stripe.renew(session)
    assert usage.remaining("user_1") == 2000


def test_a_subscription_with_units_is_no_pack(stripe: StripeDouble) -> None:
    """Its access follows the subscription, and what is bought is the subscription."""
    product = stripe.sell("MAX", units=1000)
    session = stripe.buy("user_1", "MAX")
    entitled("user_2", "MAX")
    operators.grant("user_3", product, actor=None, reason="a gift", request_id="1")

    assert [bool(access.check(f"user_{n}", "MAX")) for n in (1, 2, 3)] == [True] * 3
    assert not Pack.objects.filter(window_key="").exists()
    attempt = CheckoutAttempt.objects.get()
    assert attempt.terms["units"] is None
    assert "adjustable_quantity" not in attempt.stripe_params["line_items"][0]
    with pytest.raises(InvalidRequest) as refused:
        operators.grant("user_4", product, units=5, actor=None, reason="a gift", request_id="2")
    assert refused.value.extra["fields"] == {"units": ["Only a usage pack has units."]}
    stripe.refund(session)
    assert access.check("user_1", "MAX").reason == "refunded"


V = [{"since": at, "gives": {"features": [at]}, "is_for_all": False} for at in (10, 20, 30)]


@pytest.mark.parametrize(
    ("versions", "at", "gives"),
    [
        ([], 5, {}),
        (V, 5, {"features": [10]}),
        (V, 10, {"features": [10]}),
        (V, 29, {"features": [20]}),
        (V, 99, {"features": [30]}),
        (V, None, {"features": [30]}),
        (applied_to_all(V), 5, {"features": [30]}),
        ([*applied_to_all(V[:2]), V[2]], 5, {"features": [20]}),
        ([*applied_to_all(V[:2]), V[2]], 30, {"features": [30]}),
    ],
)
def test_the_version_counts_that_was_sold_or_applied_to_everybody(versions: list, at: int | None, gives: dict) -> None:  # type: ignore[type-arg]
    assert sold_at(versions, at) == gives
