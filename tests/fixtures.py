"""What tests of several folders need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from licenzy_django.access import shared_cache
from licenzy_django.testing import StripeDouble
from licenzy_django.usage import postgres
from tests.backend import Backend
from tests.shelf import ON_POSTGRESQL, Shelf

Costs = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def backend(db: None) -> Backend:
    """A server of the company with a key for test mode."""
    return Backend()


@pytest.fixture
def stripe(request: pytest.FixtureRequest, stripe_double: StripeDouble) -> StripeDouble:
    """A Stripe in memory that sells what the marks ``sells`` of the test, its class and its file name."""
    products: dict[str, dict[str, Any]] = {}
    for mark in reversed(list(request.node.iter_markers("sells"))):
        products |= {code: {} for code in mark.args} | mark.kwargs
    for code, terms in products.items():
        stripe_double.sell(code, **terms)
    return stripe_double


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", is_active=True)


@pytest.fixture
def request_of() -> Callable[..., HttpRequest]:
    """A request of a user, or of nobody."""

    def make(user: User | None = None, path: str = "/report/", **headers: str) -> HttpRequest:
        request = RequestFactory().get(path, headers=headers)
        request.user = user or AnonymousUser()
        return request

    return make


@pytest.fixture
def costs(django_assert_num_queries: DjangoAssertNumQueries) -> Costs:
    """``with costs(1): …``"""
    return django_assert_num_queries


@pytest.fixture
def rested_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The cache is in use: nothing is left of the pause that another test's broken cache has caused, and the test kit
    does not switch it off.
    """
    monkeypatch.setattr(shared_cache, "leave_alone", lambda: None)
    shared_cache.rest.until = 0.0
    yield
    shared_cache.rest.until = 0.0


@pytest.fixture(params=["one statement", "portable"] if ON_POSTGRESQL else ["portable"])
def way_of_taking_units(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """PostgreSQL takes units in one function; the way that every database knows is tested there too."""
    if request.param == "portable":
        monkeypatch.setattr(postgres, "is_there", lambda using: False)
    way: str = request.param
    return way


@pytest.fixture
def shelf(stripe_double: StripeDouble) -> Shelf:
    return Shelf(stripe_double)


@pytest.fixture
def balanced_books(db: None) -> Iterator[None]:
    """Balances and ledger agree at the end of the test."""
    yield
    call_command("licenzy_doctor", only=["books"])
