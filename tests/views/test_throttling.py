"""As many requests as the plan allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from licenzy_django.throttling import LimitThrottle
from tests.limits.plans import plan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def statuses(user: Any, times: int, *throttles: Any) -> list[int]:
    class Report(APIView):
        authentication_classes = ()
        permission_classes = ()
        throttle_classes = throttles or (LimitThrottle,)

        def get(self, request: Any) -> Response:
            return Response({})

    def ask() -> int:
        request = APIRequestFactory().get("/report/")
        force_authenticate(request, user)
        return int(Report.as_view()(request).status_code)

    return [ask() for _ in range(times)]


def test_the_limit_is_the_rate(ada: User) -> None:
    plan(f"user_{ada.pk}", requests_per_minute=2)
    assert statuses(ada, 4) == [200, 200, 429, 429]


def test_a_bigger_plan_is_heard_at_once(ada: User) -> None:
    plan(f"user_{ada.pk}", requests_per_minute=1)
    assert statuses(ada, 2) == [200, 429]
    plan(f"user_{ada.pk}", code="MAX", requests_per_minute=3)
    assert statuses(ada, 3) == [200, 200, 429]


def test_unlimited_is_not_throttled(ada: User) -> None:
    plan(f"user_{ada.pk}", requests_per_minute=None)
    assert statuses(ada, 20) == [200] * 20


def test_no_limit_is_no_request(ada: User) -> None:
    assert statuses(ada, 1) == statuses(AnonymousUser(), 1) == [429]


def test_each_subject_and_each_limit_counts_for_itself(ada: User) -> None:
    bob = User.objects.create_user("bob")
    per_day = LimitThrottle.of("exports_per_day")
    for user in (ada, bob):
        plan(f"user_{user.pk}", requests_per_minute=1, exports_per_day=1)
    assert [statuses(user, 2, kind) for user in (ada, bob) for kind in (LimitThrottle, per_day)] == [[200, 429]] * 4


def test_the_name_says_the_period(ada: User) -> None:
    assert LimitThrottle.of("exports_per_day").limit == "exports_per_day"
    for name in ("exports", "exports_per_month"):
        with pytest.raises(ImproperlyConfigured):
            LimitThrottle.of(name)
