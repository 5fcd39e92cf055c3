from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from licenzy_django.access import shared_cache

Costs = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", is_active=True)


@pytest.fixture
def costs(django_assert_num_queries: DjangoAssertNumQueries) -> Costs:
    """``with costs(1): …``"""
    return django_assert_num_queries


@pytest.fixture
def request_of() -> Callable[..., HttpRequest]:
    """A request of a user, or of nobody."""

    def make(user: User | None = None, path: str = "/report/", **headers: str) -> HttpRequest:
        request = RequestFactory().get(path, headers=headers)
        request.user = user or AnonymousUser()
        return request

    return make


@pytest.fixture(autouse=True)
def clock_without_queries(settings: Settings) -> None:
    """The simulator's clock stands in the database and would be counted along."""
    settings.LICENZY = {**settings.LICENZY, "CLOCK": "django.utils.timezone.now"}


@pytest.fixture(autouse=True)
def rested_cache() -> Iterator[None]:
    """No test inherits the pause that another one's broken cache has caused."""
    shared_cache.rest.until = 0.0
    yield
    shared_cache.rest.until = 0.0
