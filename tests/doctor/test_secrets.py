"""A secret under the wrong mode costs events; secrets in clear beside keys to encrypt them with."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from licenzy_django.doctor.left_undone import secrets_are_of_their_mode
from licenzy_django.doctor.preparations import secrets_are_encrypted, transactions_are_read_committed
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble


def test_events_that_a_secret_in_the_wrong_list_cost_are_counted(
    stripe_double: StripeDouble, settings: Any, admin_client: Client
) -> None:
    assert list(secrets_are_of_their_mode()) == []
    moved = settings.LICENZY["TEST_WEBHOOK_SECRETS"]
    settings.LICENZY = {**settings.LICENZY, "TEST_WEBHOOK_SECRETS": [], "LIVE_WEBHOOK_SECRETS": moved}
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.buy("user_1", "PRO_MONTHLY")

    [finding] = secrets_are_of_their_mode()

    assert int(finding.message.split()[0]) >= 1
    assert "live mode" in finding.message
    assert "LIVE_WEBHOOK_SECRETS" in finding.hint
    page = admin_client.get("/admin/licenzy/stripeevent/health/", {"mode": "live"}).content.decode()
    assert "signed for the other mode" in page


@pytest.mark.django_db
def test_secrets_in_clear_beside_keys_are_a_finding(settings: Any) -> None:
    endpoints.create("test", "https://hooks.example.com/in")
    assert list(secrets_are_encrypted()) == []
    settings.LICENZY = {**settings.LICENZY, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}

    [finding] = secrets_are_encrypted()

    assert "1 signing secrets are in clear" in finding.message
    endpoints.encrypt_secrets()
    assert list(secrets_are_encrypted()) == []


@pytest.mark.django_db
def test_the_isolation_level_of_the_tests_is_fine() -> None:
    assert list(transactions_are_read_committed()) == []
