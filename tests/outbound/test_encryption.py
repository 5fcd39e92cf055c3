"""Signing secrets at rest: in clear without ENCRYPTION_KEYS, sealed with them, and readable while a key is there."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from licenzy_django import encryption
from licenzy_django.conf import LicenzySettings
from licenzy_django.models import OutboundEndpoint
from licenzy_django.outbound import endpoints

FIRST, SECOND = Fernet.generate_key().decode(), Fernet.generate_key().decode()
URL = "https://hooks.example.com/in"


@pytest.fixture
def keys(settings: Any) -> Callable[..., None]:
    def use(*given: str) -> None:
        settings.LICENZY = {**settings.LICENZY, "ENCRYPTION_KEYS": list(given)}

    return use


def stored() -> list[str]:
    return list(OutboundEndpoint.objects.values_list("secret", flat=True))


def signing(endpoint: OutboundEndpoint) -> list[str]:
    endpoint.refresh_from_db()
    return endpoints.secrets_of(endpoint, at=timezone.now())


@pytest.mark.django_db
def test_a_secret_is_sealed_in_the_database_and_signs_all_the_same(keys: Callable[..., None]) -> None:
    keys(FIRST)
    endpoint, secret = endpoints.create("test", URL)

    assert secret not in stored()[0]
    assert stored()[0].startswith("fernet:")
    assert signing(endpoint) == [secret]


@pytest.mark.django_db
def test_without_keys_it_is_in_clear(db: None) -> None:
    endpoint, secret = endpoints.create("test", URL)

    assert stored() == [secret]
    assert signing(endpoint) == [secret]


@pytest.mark.django_db
def test_a_row_in_clear_keeps_working_and_is_sealed_by_the_next_save(keys: Callable[..., None]) -> None:
    endpoint, secret = endpoints.create("test", URL)
    keys(FIRST)

    assert signing(endpoint) == [secret]
    endpoint.save()
    assert secret not in stored()[0]
    assert signing(endpoint) == [secret]


@pytest.mark.django_db
def test_a_rotation_seals_the_new_one_and_keeps_the_old_one_readable(keys: Callable[..., None]) -> None:
    endpoint, old = endpoints.create("test", URL)
    keys(FIRST)

    new = endpoints.rotate_secret(endpoint)

    assert signing(endpoint) == [new, old]
    assert new not in str(OutboundEndpoint.objects.values())


@pytest.mark.django_db
def test_the_command_seals_every_row_with_the_first_key(keys: Callable[..., None]) -> None:
    endpoint, secret = endpoints.create("test", URL)
    keys(FIRST)
    call_command("licenzy_encrypt", stdout=StringIO())
    keys(SECOND, FIRST)
    call_command("licenzy_encrypt", stdout=StringIO())
    keys(SECOND)

    assert signing(endpoint) == [secret]
    assert secret not in stored()[0]


@pytest.mark.django_db
def test_a_key_that_is_gone_is_named_and_nothing_is_written(keys: Callable[..., None]) -> None:
    keys(FIRST)
    endpoint, _secret = endpoints.create("test", URL)
    before = stored()

    for wrong in ([SECOND], []):
        keys(*wrong)
        with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
            signing(endpoint)
        with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
            call_command("licenzy_encrypt")
    assert stored() == before


def test_a_key_that_is_none_is_named_without_its_text(keys: Callable[..., None]) -> None:
    keys("not-a-key")

    with pytest.raises(ImproperlyConfigured) as raised:
        encryption.seal("whsec_x")
    assert "not-a-key" not in str(raised.value)


def test_keys_are_in_no_repr() -> None:
    assert FIRST not in repr(LicenzySettings(ENCRYPTION_KEYS=[FIRST]))
