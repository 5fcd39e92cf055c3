"""``Authorization: Bearer lz_…``: which server asks, and in which mode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from licenzy_django import clock
from licenzy_django.access import entitlement_rows
from licenzy_django.exceptions import InvalidApiKey, MissingBearerToken
from licenzy_django.models import ApiKey
from licenzy_django.models.keys import digest_of

USE_IS_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Whom DRF's throttles and loggers take for the user of a request: a key, by a name that no user's id can be."""

    pk: str
    mode: str
    is_authenticated: bool = True
    is_anonymous: bool = False

    @classmethod
    def of(cls, key: entitlement_rows.KeyRow) -> ApiClient:
        return cls(f"licenzy.ApiKey:{key.pk}", key.mode)


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key by its digest; a closed door otherwise."""

    def authenticate(self, request: Request) -> tuple[ApiClient, entitlement_rows.KeyRow]:
        digest = digest_of(bearer_token(request))
        row = ApiKey.objects.filter(digest=digest).values_list("pk", "mode", "revoked_at", "last_used_at").first()
        key = entitlement_rows.KeyRow(*row) if row else None
        if key is None or key.revoked_at is not None:
            raise InvalidApiKey()
        note_use(key, at=clock.now())
        return ApiClient.of(key), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasApiKey(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, entitlement_rows.KeyRow)


def bearer_token(request: Request | HttpRequest) -> str:
    """The token of the header. Raises MissingBearerToken, InvalidApiKey."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingBearerToken()
    token = token.strip()
    if not token.isascii() or len(token) > 200:
        raise InvalidApiKey()
    return token


def note_use(key: entitlement_rows.KeyRow, *, at: datetime) -> None:
    """Remember that the key is in use, without a write for every request."""
    if key.last_used_at is None or key.last_used_at < at - USE_IS_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=at - USE_IS_NOTED_EVERY)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=at)
