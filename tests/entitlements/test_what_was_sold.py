"""What was sold stays, and what the catalog adds comes with a subscription."""

from __future__ import annotations

import pytest

from licenzy_django import access, operators
from licenzy_django.entitlements import catalog_changes
from licenzy_django.models import Entitlement, EntitlementChange, Product
from licenzy_django.models.versions import applied_to_all, sold_at
from licenzy_django.testing import StripeDouble

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
