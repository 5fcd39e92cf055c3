"""Who listens: make an endpoint, rotate its secret, switch it off and on, try a delivery again.

The same verbs serve the admin, the shell and tests. A secret is returned once, by the verb that made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from licenzy_django import clock
from licenzy_django.encryption import reseal, seal, unseal
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Delivery, EventType, Mode, OutboundEndpoint, OutboundEvent
from licenzy_django.outbound.addresses import checked_url
from licenzy_django.outbound.signing import new_secret
from licenzy_django.signals import outbound_recorded

BOTH_SECRETS_SIGN_FOR = timedelta(hours=24)


def create(
    mode: str, url: str, events: Iterable[str] = (), description: str = "", *, request_id: str = ""
) -> tuple[OutboundEndpoint, str]:
    """An endpoint that gets every event from now on; the second of the pair is its secret, ``whsec_…``.

    Args:
        events: the types that it gets; none means all.
        request_id: of the form that asks, so that sending it twice makes one.

    Raises InvalidRequest naming the fields; IntegrityError if ``request_id`` has made an endpoint before.
    """
    chosen = list(dict.fromkeys(events))
    if unknown := [name for name in chosen if name not in EventType.values]:
        problem = _("There is no event %(name)s.") % {"name": ", ".join(map(str, unknown))}
        raise InvalidRequest(f"events: {problem}", fields={"events": [problem]})
    secret = new_secret()
    endpoint = OutboundEndpoint.objects.create(
        mode=Mode(mode),
        url=checked_url(url),
        events=chosen,
        description=description.strip()[:200],
        secret=secret,
        request_id=request_id,
    )
    return endpoint, secret


def rotate_secret(endpoint: OutboundEndpoint, *, at: datetime | None = None) -> str:
    """A new secret, returned once. The old one signs too for a day, so that the receiver can change over."""
    now, secret = clock.moment(at), new_secret()
    OutboundEndpoint.objects.filter(pk=endpoint.pk).update(
        previous_secret=F("secret"),
        previous_secret_until=now + BOTH_SECRETS_SIGN_FOR,
        secret=seal(secret),
        updated_at=now,
    )
    endpoint.refresh_from_db()
    return secret


def secrets_of(endpoint: OutboundEndpoint, *, at: datetime) -> list[str]:
    """What signs at that moment, the current secret first."""
    until = endpoint.previous_secret_until
    is_rotating = bool(endpoint.previous_secret) and until is not None and at < until
    stored = [endpoint.secret, endpoint.previous_secret] if is_rotating else [endpoint.secret]
    return [unseal(secret) for secret in stored]


def encrypt_secrets() -> int:
    """Encrypt every stored secret with the first of ``ENCRYPTION_KEYS``, and say how many rows were written.

    Raises ImproperlyConfigured where a row cannot be read: then that row and the later ones are as they were.
    """
    changed = 0
    for pk, *stored in OutboundEndpoint.objects.values_list("pk", "secret", "previous_secret"):
        secret, previous = map(reseal, stored)
        # A secret that was rotated meanwhile is sealed by the rotation.
        unchanged = OutboundEndpoint.objects.filter(pk=pk, secret=stored[0], previous_secret=stored[1])
        changed += unchanged.update(secret=secret, previous_secret=previous)
    return changed


def switch_off(endpoint: OutboundEndpoint, reason: str, *, at: datetime | None = None) -> bool:
    """Nothing more is recorded or sent; what waits keeps waiting. Returns whether it was on."""
    changed = OutboundEndpoint.objects.filter(pk=endpoint.pk, is_active=True).update(
        is_active=False, disabled_reason=reason[:200], updated_at=clock.moment(at)
    )
    endpoint.refresh_from_db()
    return bool(changed)


def switch_on(endpoint: OutboundEndpoint, *, at: datetime | None = None) -> bool:
    """It gets events again, and those that still wait. Returns whether it was off."""
    changed = OutboundEndpoint.objects.filter(pk=endpoint.pk, is_active=False).update(
        is_active=True, disabled_reason="", first_failed_at=None, resting_until=None, updated_at=clock.moment(at)
    )
    endpoint.refresh_from_db()
    if changed:
        announce(endpoint.mode)
    return bool(changed)


def requeue(delivery: Delivery, *, at: datetime | None = None) -> bool:
    """Try a delivery again now, with all its tries before it; one that is dead or was sent too.

    Returns whether anything changed: what is in hand, or waits to be tried now, stays as it is.
    """
    now = clock.moment(at)
    changed = (
        Delivery.objects.filter(pk=delivery.pk)
        .exclude(status=Delivery.Status.PENDING, next_try_at__lte=now)
        .exclude(leased_until__gt=now)
        .update(status=Delivery.Status.PENDING, attempts=0, next_try_at=now, leased_until=None, sent_at=None)
    )
    delivery.refresh_from_db()
    if changed:
        announce(delivery.mode)
    return bool(changed)


def announce(mode: str) -> None:
    """Say, once this is committed, that something waits to be sent."""
    transaction.on_commit(lambda: outbound_recorded.send_robust(sender=OutboundEvent, mode=mode))
