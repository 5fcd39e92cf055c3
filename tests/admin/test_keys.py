"""A key is created, shown once, and revoked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from licenzy_django.models import ApiKey
from licenzy_django.models.keys import digest_of
from tests.admin.conftest import Operator

ADD = "admin:licenzy_apikey_add"


def filled(client: Client) -> dict[str, Any]:
    """The form as an operator sends it."""
    form = client.get(reverse(ADD)).context["form"]
    return {"mode": "test", "name": "Shop backend", "request_id": form["request_id"].value()}


def test_the_answer_shows_the_key_once_and_no_page_ever_after(configurer: Client) -> None:
    answer = configurer.post(reverse(ADD), filled(configurer))
    key = answer.context["secret"]
    row = ApiKey.objects.get()
    assert row.digest == digest_of(key)
    assert key in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for page in (
        reverse("admin:licenzy_apikey_changelist"),
        reverse("admin:licenzy_apikey_change", args=[row.pk]),
        reverse("admin:licenzy_apikey_history", args=[row.pk]),
        reverse("admin:index"),
    ):
        assert key not in configurer.get(page).content.decode()
    assert key not in str(LogEntry.objects.values())


def test_a_double_click_makes_one_key(configurer: Client) -> None:
    form = filled(configurer)
    configurer.post(reverse(ADD), form)
    second = configurer.post(reverse(ADD), form, follow=True)
    assert ApiKey.objects.count() == LogEntry.objects.count() == 1
    assert "sent before" in second.content.decode()


def test_a_key_needs_a_name_and_a_mode(configurer: Client) -> None:
    answer = configurer.post(reverse(ADD), filled(configurer) | {"name": " ", "mode": "both"})
    assert set(answer.context["form"].errors) == {"name", "mode"}
    assert not ApiKey.objects.exists()


def test_revoking_asks_first_and_wants_a_reason(configurer: Client) -> None:
    row, _ = ApiKey.objects.issue("test", "Shop")
    url = reverse("admin:licenzy_apikey_revoke", args=[row.pk])
    assert "cannot be undone" in configurer.get(url).content.decode()
    assert "reason" in configurer.post(url, {"reason": " "}).context["form"].errors
    row.refresh_from_db()
    assert row.revoked_at is None

    for _click in range(2):
        configurer.post(url, {"reason": "leaked in a log"})

    row.refresh_from_db()
    assert row.revoked_at is not None
    [entry] = LogEntry.objects.all()
    assert "leaked in a log" in entry.change_message
    assert entry.user.username == "grace"


@pytest.mark.parametrize("codename", ["look", "support"])
def test_those_who_do_not_configure_neither_create_nor_revoke(codename: str, operator: Operator) -> None:
    row, _ = ApiKey.objects.issue("test", "Shop")
    client = operator(codename)
    revoke = reverse("admin:licenzy_apikey_revoke", args=[row.pk])
    assert client.post(reverse(ADD), {"mode": "test", "name": "x", "request_id": "1"}).status_code == 403
    assert client.post(revoke, {"reason": "because"}).status_code == 403
    row.refresh_from_db()
    assert row.revoked_at is None
    assert ApiKey.objects.count() == 1
    assert revoke not in client.get(reverse("admin:licenzy_apikey_change", args=[row.pk])).content.decode()


def test_a_form_of_another_site_is_refused(configurer: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(configurer.user)  # type: ignore[attr-defined]
    assert strict.post(reverse(ADD), filled(configurer)).status_code == 403
    assert not ApiKey.objects.exists()
