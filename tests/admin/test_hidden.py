"""What is hidden is hidden from questions too: every view, every kind of user, odd query strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from licenzy_django import subscriptions, usage
from licenzy_django.admin.base import LookedUp
from licenzy_django.models import ApiKey, OutboundEndpoint, Subject
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble
from tests.admin.conftest import Operator

OURS = {model: page for model, page in admin.site._registry.items() if model._meta.app_label == "licenzy"}
HUGE = "9" * 40
ODD_VALUES = [
    "",
    "x",
    "\x00",
    "[",
    "(?P<",
    "-1",
    HUGE,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31",
    "é" * 300,
    "1,2",
    "None",
]
STANDARD = [
    "q",
    "p",
    "o",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_facets",
    "_changelist_filters",
    "before",
    "mode",
    "next",
]
LOOKUPS = ["", "regex", "iregex", "startswith", "contains", "gt", "in", "range", "exact", "isnull", "year", "nope"]


@pytest.fixture
def shop(stripe_double: StripeDouble) -> dict[type, Any]:
    """A row of each model that has a page."""
    endpoints.create("test", "https://hooks.example.com/in")
    ApiKey.objects.issue("test", "Shop")
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.buy("user_1", "PRO_MONTHLY")
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.buy("user_1", "CREDITS")
    usage.reserve("user_1", 1, idempotency_key="k")
    subscriptions.cancel("user_1", "PRO_MONTHLY", when="period_end", idempotency_key="k")
    return {model: model._default_manager.get_queryset()[:1].get() for model in OURS}


@pytest.fixture
def users(operator: Operator, db: None) -> list[Client]:
    """Nobody, a customer, each kind of staff, and a superuser; an exception in a view fails the test."""
    customer, root = Client(), Client()
    customer.force_login(User.objects.create_user("customer"))
    root.force_login(User.objects.create_superuser("root"))
    return [Client(), customer, operator(), operator("look"), operator("support"), operator("configure"), root]


def test_every_page_of_ours_is_hidden_by_the_base_class() -> None:
    assert OURS
    assert all(isinstance(page, LookedUp) for page in OURS.values())


def filters_of(page: Any) -> set[str]:
    return {each[0] if isinstance(each, tuple) else each for each in page.list_filter}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_column_can_be_asked_that_no_filter_names(model: Any, admin_client: Client, shop: Any) -> None:
    """Staff read a signing secret letter by letter with ``?secret__regex=^whsec_a``."""
    page = OURS[model]
    url = reverse(f"admin:licenzy_{model._meta.model_name}_changelist")
    for field in model._meta.get_fields():
        if field.name in filters_of(page):
            continue
        for suffix in ("", "__regex", "__gt"):
            assert admin_client.get(url, {f"{field.name}{suffix}": "^whsec_[a-m]"}).status_code == 400, field.name


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_no_lookup_of_a_secret_is_allowed(lookup: str) -> None:
    asked = f"secret__{lookup}".removesuffix("__")
    assert not OURS[OutboundEndpoint].lookup_allowed(asked, "^whsec_[a-m]")
    assert not OURS[ApiKey].lookup_allowed(asked.replace("secret", "digest"), "^[a-f]")


@pytest.mark.parametrize("path", ["endpoint__secret", "endpoint__previous_secret", "event__payload"])
def test_no_relation_leads_there_either(path: str, admin_client: Client, shop: Any) -> None:
    url = reverse("admin:licenzy_delivery_changelist")
    for suffix in ("", "__regex", "__startswith", "__exact"):
        assert admin_client.get(url, {f"{path}{suffix}": "^"}).status_code == 400


@pytest.mark.parametrize("secret", ["secret", "previous_secret"])
def test_a_row_is_not_found_by_its_secret(secret: str, admin_client: Client, shop: Any) -> None:
    endpoint = OutboundEndpoint.objects.get()
    url = reverse("admin:licenzy_outboundendpoint_change", args=[endpoint.secret])
    assert admin_client.get(url, {"_to_field": secret}).status_code == 400
    url = reverse("admin:licenzy_apikey_change", args=[ApiKey.objects.get().digest])
    assert admin_client.get(url, {"_to_field": "digest"}).status_code == 400
    listed = admin_client.get(reverse("admin:licenzy_outboundendpoint_changelist"), {"q": endpoint.secret})
    assert not listed.context["cl"].result_list


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_filter_still_filters(model: Any, admin_client: Client, shop: Any) -> None:
    url = reverse(f"admin:licenzy_{model._meta.model_name}_changelist")
    page = admin_client.get(url)
    shown = page.context["cl"]
    choices = [choice["query_string"] for spec in shown.filter_specs for choice in spec.choices(shown)]
    assert bool(choices) == bool(shown.filter_specs)
    for query in choices:
        assert admin_client.get(f"{url}{query}").status_code == 200, query


def odd_queries(page: Any) -> Iterator[str]:
    for name in STANDARD:
        yield from (urlencode({name: value}) for value in ("", "\x00", "[", "-1", HUGE, "0001-01-01"))
    for name in filters_of(page):
        for suffix in ("", "__exact", "__isnull", "__isempty", "__id__exact", "__gte", "__year"):
            yield from (urlencode({f"{name}{suffix}": value}) for value in ("x", "\x00", HUGE, "0001-01-01"))
    yield from ("%", "&&&", "=", "a=b", "__=1", "pk__in=1", "x\x00=1", "mode__exact=test&mode__exact=live")


@pytest.mark.slow
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_odd_query_of_a_list_is_a_failure(model: Any, shop: Any, users: list[Client]) -> None:
    url = reverse(f"admin:licenzy_{model._meta.model_name}_changelist")
    for query in odd_queries(OURS[model]):
        assert users[-1].get(f"{url}?{query}").status_code in (200, 302, 400, 403), query


def pages_of(model: Any, row: Any) -> Iterator[str]:
    """Every view that the admin has for a model, with a row's key, and with keys that are none."""
    for pattern in OURS[model].urls:
        if not pattern.name:
            continue
        names = pattern.pattern.regex.groupindex
        for key in (str(row.pk), "0", HUGE, "x", "a\x00b", "1_2F"):
            given = {"object_id": key, "subject_pk": key, "slug": "revoke", "target": key}
            try:
                yield reverse(f"admin:{pattern.name}", kwargs={name: given[name] for name in names})
            except NoReverseMatch:
                continue  # not an address at all


@pytest.mark.slow
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_page_fails_for_anybody(model: Any, shop: dict[type, Any], users: list[Client]) -> None:
    *others, superuser = users
    for url in dict.fromkeys(pages_of(model, shop[model])):
        for query in ("", "_to_field=id", f"before={HUGE}", "_popup=1&_changelist_filters=%00"):
            assert superuser.get(f"{url}?{query}").status_code in (200, 302, 400, 403, 404), (url, query)
        for client in others:
            assert client.get(url).status_code in (200, 302, 400, 403, 404), url


@pytest.mark.parametrize("value", ODD_VALUES)
def test_a_subject_s_page_takes_any_point_of_its_timeline(value: str, looker: Client, shop: Any) -> None:
    """``?before=0001-01-01T00:00:00+14:00~0~1`` is before the first moment that UTC has."""
    url = reverse("admin:licenzy_subject_change", args=[Subject.objects.get().pk])
    for rank in "0x":
        for pk in ("1", HUGE):
            before = f"{value}~{rank}~{pk}"
            assert looker.get(url, {"before": before}).status_code == 200, before
