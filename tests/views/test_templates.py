"""Asking in templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.formats import date_format

from licenzy_django import subscriptions
from licenzy_django.models import Product
from licenzy_django.testing import StripeDouble, entitled
from tests.fixtures import Costs
from tests.shelf import Shelf

Requests = Callable[..., HttpRequest]


@pytest.fixture
def rendered(request_of: Requests, ada: User) -> Callable[..., str]:
    """The text of a template as ada sees it, or nobody."""

    def render(source: str, user: User | None = ada, **more: Any) -> str:
        context = Context({"request": request_of(user), "user": user, "csrf_token": "a-token", **more})
        return " ".join(Template("{% load licenzy %}" + source).render(context).split())

    return render


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("request|has_access", "yes"),
        ("user|has_access", "yes"),
        ('request|has_access:"PRO_MONTHLY"', "yes"),
        ('request|has_access:"OTHER, PRO_MONTHLY"', "yes"),
        ('request|has_access:"OTHER"', "no"),
        ('request|has_feature:"export"', "yes"),
        ('request|has_feature:"import"', "no"),
        ('request|has_feature:""', "no"),
        ("nothing|has_access", "no"),
        ('request|has_access:""', "no"),
        ('request|has_access:" , "', "no"),
        ("request|has_access:nothing", "no"),
        ("request|has_access:none", "no"),
    ],
)
def test_asking_reads_as_english(asked: str, answer: str, rendered: Callable[..., str], ada: User) -> None:
    entitled(ada, "PRO_MONTHLY")
    Product.objects.update(features=["export"])
    assert rendered(f"{{% if {asked} %}}yes{{% else %}}no{{% endif %}}", none=None) == answer


def test_nobody_has_access_and_costs_no_query(rendered: Callable[..., str], costs: Costs) -> None:
    with costs(0):
        assert rendered('{{ request|has_access }} {{ request|has_feature:"x" }} {{ request|units_left }}', None) == (
            "False False 0"
        )


def test_units_left_and_entitlements(rendered: Callable[..., str], ada: User, stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack")
    entitled(ada, "CREDITS")
    entitled(ada, "PRO_MONTHLY")
    assert rendered('{{ request|units_left }} {{ user|units_left:"CREDITS" }}') == "1000 1000"
    assert rendered('{{ request|units_left_of:"credits" }}') == "1000"
    shown = "{% for one in mine %}{{ one.product_code }} {% endfor %}"
    assert rendered(f"{{% entitlements as mine %}}{shown}") == "PRO_MONTHLY CREDITS"
    assert rendered(f"{{% entitlements user as mine %}}{shown}", None) == ""
    assert rendered(f"{{% entitlements as mine %}}{shown}", None) == ""


ACCOUNT = '{% licenzy_account manage_url="/billing/" pricing_url="/prices/" %}'


def test_the_account_of_somebody_without_anything(rendered: Callable[..., str]) -> None:
    page = rendered(ACCOUNT)
    assert "Nothing yet." in page
    assert '<a href="/prices/">See the prices</a>' in page
    assert "<form" not in page
    assert "Nothing yet." in rendered(ACCOUNT, None)


def test_the_account_says_what_until_when_and_how_many(
    rendered: Callable[..., str], ada: User, stripe_double: StripeDouble, costs: Costs
) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.sell("WEEK_PASS", kind="time_pass")
    session = stripe_double.buy(ada, "PRO_MONTHLY")
    stripe_double.buy(ada, "CREDITS", quantity=2)
    stripe_double.buy(ada, "WEEK_PASS")
    with costs(6):
        page = rendered(ACCOUNT)
    for words in ("<h2>PRO_MONTHLY</h2>", "Renews on", "<h2>CREDITS × 2</h2>", "2000 of 2000 left.", "Until "):
        assert words in page
    assert '<form class="licenzy-manage" method="post" action="/billing/">' in page
    assert 'value="a-token"' in page
    assert "<form" not in rendered("{% licenzy_account %}")

    stripe_double.cancel(session, at_period_end=True)
    assert "it will not renew" in rendered(ACCOUNT)
    stripe_double.advance(days=40)
    assert "licenzy-unavailable" in rendered(ACCOUNT)


def test_the_account_says_what_is_left_of_an_allowance_and_when_it_resets(
    rendered: Callable[..., str], ada: User, shelf: Shelf
) -> None:
    window = shelf.window(shelf.plan(to=f"user_{ada.pk}"), 1000, used=100)
    page = rendered(ACCOUNT)
    assert "900 of 1000 left." in page
    assert f"Resets on {date_format(window.ends_at, 'DATE_FORMAT')}." in page


def test_the_account_names_units_where_there_are_several(rendered: Callable[..., str], ada: User, shelf: Shelf) -> None:
    shelf.give(500, to=f"user_{ada.pk}")
    assert "500 of 500 left." in rendered(ACCOUNT)

    shelf.double.sell("SMS", kind="usage_pack", unit="sms")

    assert "500 of 500 credits left." in rendered(ACCOUNT)


def test_the_account_says_until_when_a_trial_runs(
    rendered: Callable[..., str], ada: User, stripe_double: StripeDouble
) -> None:
    stripe_double.sell("PRO_MONTHLY", trial_days=14)
    stripe_double.buy(ada, "PRO_MONTHLY")

    assert "Free until" in rendered(ACCOUNT)


@pytest.mark.parametrize(("change", "words"), [({"to_product_code": "PRO"}, "PRO × 3"), ({"quantity": 1}, "MAX.")])
def test_the_account_says_what_a_plan_becomes(
    rendered: Callable[..., str], ada: User, stripe_double: StripeDouble, change: Any, words: str
) -> None:
    stripe_double.sell("PRO", group="plans")
    stripe_double.sell("MAX", group="plans", amount=2900)
    stripe_double.buy(ada, "MAX", quantity=3)

    subscriptions.change(ada, "MAX", **change, idempotency_key="change-1")

    assert f"it becomes {words}" in rendered(ACCOUNT)


@pytest.mark.parametrize("reason", ["revoked", "expired"])
def test_the_account_says_why_not(reason: str, rendered: Callable[..., str], ada: User) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    entitled(ada, **({"revoked_at": yesterday} if reason == "revoked" else {"available_until": yesterday}))
    words = {"revoked": "It was withdrawn.", "expired": "Its time is over."}
    assert words[reason] in rendered(ACCOUNT)


def test_the_account_shows_what_is_ordered(
    rendered: Callable[..., str], ada: User, stripe_double: StripeDouble
) -> None:
    stripe_double.sell("WEEK_PASS", kind="time_pass")
    stripe_double.simulator.pay_by_bank(stripe_double.checkout(ada, "WEEK_PASS"))
    stripe_double.deliver()
    assert "WEEK_PASS is ordered." in rendered(ACCOUNT)
    assert "Nothing yet" not in rendered(ACCOUNT)


def test_a_name_is_text_and_not_markup(rendered: Callable[..., str], ada: User) -> None:
    entitled(ada)
    Product.objects.update(name="<script>alert(1)</script>")
    assert "<script>" not in rendered(ACCOUNT)


def test_the_account_in_german(rendered: Callable[..., str], ada: User) -> None:
    with translation.override("de"):
        assert "Noch nichts." in rendered(ACCOUNT)
        entitled(ada, revoked_at=timezone.now())
        assert "zurückgezogen" in rendered(ACCOUNT)
