"""Operators of every kind, each with a browser of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

Operator = Callable[..., Client]


@pytest.fixture
def operator(db: None) -> Operator:
    """``operator("support")``: a member of staff with these of our permissions, logged in."""

    def logged_in(*codenames: str, username: str = "") -> Client:
        user = User.objects.create_user(username or f"with-{'-'.join(codenames) or 'nothing'}", is_staff=True)
        wanted = Permission.objects.filter(content_type__app_label="licenzy", codename__in=codenames)
        assert len(wanted) == len(codenames)
        user.user_permissions.set(wanted)
        client = Client(raise_request_exception=True)
        client.force_login(user)
        client.user = user  # type: ignore[attr-defined]
        return client

    return logged_in


@pytest.fixture
def looker(operator: Operator) -> Client:
    return operator("look")


@pytest.fixture
def supporter(operator: Operator) -> Client:
    return operator("support", username="ada")


@pytest.fixture
def configurer(operator: Operator) -> Client:
    return operator("configure", username="grace")
