"""Send what is due: at least once, in no promised order, by as many workers as there are.

A worker takes a batch by leasing it (``SKIP LOCKED`` where the database has it, a conditional UPDATE elsewhere), sends
one after the other, and commits each answer before the next. One that dies loses nothing: when its lease is over,
another takes what is left, and at most the one in flight is sent twice.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connections, router, transaction
from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from licenzy_django import clock
from licenzy_django.models import Delivery, OutboundEndpoint
from licenzy_django.outbound import transport
from licenzy_django.outbound.endpoints import secrets_of, switch_off
from licenzy_django.outbound.events import body_of
from licenzy_django.outbound.signing import headers_of

logger = logging.getLogger("licenzy_django")

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Between one try and the next, give or take a tenth. After the last of them a delivery is dead."""

JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(hours=10)
OFF_AFTER = timedelta(days=5)
# An endpoint that does not answer at all rests for a tenth of the time that it has been failing, so that it neither
# holds up the others nor delays its own tries by more than the jitter.
REST_PART = 0.1
SHORTEST_REST = timedelta(seconds=4)
LONGEST_REST = timedelta(minutes=10)
BATCH = 50
# What one endpoint may take of a batch; then it rests for as long, so that the others get their turn.
SECONDS_OF_ONE_ENDPOINT = 10.0
LEASE = timedelta(seconds=180)
# No try begins so late that its lease could be over before it ends.
LEASE_IS_SAFE_FOR_SECONDS = 120.0
SENT = """
UPDATE {table} SET status = 'sent', attempts = attempts + 1, last_status = %s, last_error = '', sent_at = %s,
  leased_until = NULL {relaxed} WHERE id = %s
"""
# For this one statement PostgreSQL answers before its log is on the disk: up to twenty times faster. It is lost only if
# the database server itself crashes within that half second, and then the delivery is sent again.
RELAXED = "FROM (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed"
USER_AGENT = "licenzy-django (+https://www.standardwebhooks.com)"


@dataclass(slots=True)
class Round:
    """What one batch came to.

    Attributes:
        resting: endpoints whose other deliveries wait.
        seconds: what each endpoint took.
    """

    taken: int = 0
    sent: int = 0
    resting: set[int] = field(default_factory=set)
    seconds: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))


def deliver_due(
    *, at: datetime | None = None, batch: int = BATCH, may_go_on: Callable[[], bool] = lambda: True
) -> Round:
    """Take one batch of what is due and try each once.

    Args:
        at: the moment for which this is asked; by default now. Nothing sleeps.
        may_go_on: asked before each try; on False the rest of the batch is given back.
    """
    now = clock.moment(at)
    began = time.monotonic()
    taken = lease(now, batch)
    done = Round(taken=len(taken))
    for number, delivery in enumerate(taken):
        if not may_go_on() or time.monotonic() - began > LEASE_IS_SAFE_FOR_SECONDS:
            give_back(taken[number:])
            break
        if delivery.endpoint_id in done.resting:
            give_back([delivery])
        else:
            attempt(delivery, done, clock.moment(at))
            if delivery.endpoint_id not in done.resting:
                rest_if_slow(delivery.endpoint, done, clock.moment(at))
    return done


def rest_if_slow(endpoint: OutboundEndpoint, done: Round, at: datetime) -> None:
    """An endpoint that has taken its part of the batch, whatever it answers, waits while the others have theirs."""
    seconds = done.seconds[endpoint.pk]
    if seconds >= SECONDS_OF_ONE_ENDPOINT:
        rest(endpoint, timedelta(seconds=seconds), done, at)


def rest(endpoint: OutboundEndpoint, pause: timedelta, done: Round, at: datetime) -> None:
    OutboundEndpoint.objects.filter(pk=endpoint.pk).update(resting_until=at + pause)
    done.resting.add(endpoint.pk)


def waiting() -> QuerySet[Delivery]:
    """What still has to be sent to endpoints that are on."""
    not_over = [Delivery.Status.PENDING, Delivery.Status.FAILED]
    return Delivery.objects.filter(status__in=not_over, endpoint__is_active=True)


def due(at: datetime) -> QuerySet[Delivery]:
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    rested = Q(endpoint__resting_until=None) | Q(endpoint__resting_until__lte=at)
    return waiting().filter(free, rested, next_try_at__lte=at)


def next_sendable_at() -> datetime | None:
    """The next moment at which something can be sent: due, in nobody's hand, to an endpoint that has rested."""
    free_at = Greatest(
        "next_try_at",
        Coalesce("leased_until", "next_try_at"),
        Coalesce("endpoint__resting_until", "next_try_at"),
    )
    earliest: datetime | None = waiting().aggregate(earliest=Min(free_at))["earliest"]
    return earliest


def lease(at: datetime, batch: int) -> list[Delivery]:
    """Make a batch ours until the lease is over."""
    until = at + LEASE
    candidates = due(at).order_by("next_try_at")
    if connections[router.db_for_write(Delivery)].features.has_select_for_update_skip_locked:
        with transaction.atomic():
            locked = candidates.select_for_update(skip_locked=True, of=("self",))
            ours = list(locked.values_list("pk", flat=True)[:batch])
            Delivery.objects.filter(pk__in=ours).update(leased_until=until)
    else:
        ours = [pk for pk in candidates.values_list("pk", flat=True)[:batch] if take(pk, at, until)]
    return list(Delivery.objects.filter(pk__in=ours).select_related("event", "endpoint").order_by("next_try_at"))


def take(pk: int, at: datetime, until: datetime) -> bool:
    """The UPDATE says whether another worker was faster."""
    return bool(due(at).filter(pk=pk).update(leased_until=until))


def give_back(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        Delivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until).update(leased_until=None)


def attempt(delivery: Delivery, done: Round, at: datetime) -> None:
    """One try. An error that nobody foresaw is a failure of this delivery alone, and ends as any other does.

    Raises OperationalError and InterfaceError, since without a database there is nothing to note it in.
    """
    try:
        send(delivery, done, at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Delivery %s to endpoint %s could not be tried", delivery.pk, delivery.endpoint_id)
        note_failure(delivery, transport.Answer(error=transport.in_one_line(f"{type(error).__name__}: {error}")), at)


def send(delivery: Delivery, done: Round, at: datetime) -> None:
    """One request, and its answer committed."""
    endpoint = delivery.endpoint
    body = json.dumps(body_of(delivery.event), ensure_ascii=False, separators=(",", ":")).encode()
    signing = headers_of(delivery.event.public_id, body, secrets_of(endpoint, at=at), at=timezone.now())
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signing}
    began = time.monotonic()
    answer = transport.post(endpoint.url, body, headers)
    done.seconds[endpoint.pk] += time.monotonic() - began
    if answer.is_success:
        done.sent += 1
        note_success(delivery, answer, at)
        return
    note_failure(delivery, answer, at)
    if pause := rest_after(answer, endpoint.first_failed_at or at, at):
        rest(endpoint, pause, done, at)


def rest_after(answer: transport.Answer, failing_since: datetime, at: datetime) -> timedelta | None:
    """How long the whole endpoint rests: none if it refused just this one."""
    if answer.status is None:
        return min(max((at - failing_since) * REST_PART, SHORTEST_REST), LONGEST_REST)
    if answer.status in (429, 503) and answer.retry_after:
        return asked_pause(answer)
    return None


def asked_pause(answer: transport.Answer) -> timedelta:
    return min(timedelta(seconds=answer.retry_after or 0), LONGEST_RETRY_AFTER)


def note_success(delivery: Delivery, answer: transport.Answer, at: datetime) -> None:
    """Committed before the next one is sent. In SQL, since the ORM spends four times as long on this statement."""
    connection = connections[router.db_for_write(Delivery)]
    stands_alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    statement = SENT.format(table=Delivery._meta.db_table, relaxed=RELAXED if stands_alone else "")
    with connection.cursor() as cursor:
        cursor.execute(statement, [answer.status, connection.ops.adapt_datetimefield_value(at), delivery.pk])
    if delivery.endpoint.first_failed_at is not None:
        OutboundEndpoint.objects.filter(pk=delivery.endpoint_id).update(first_failed_at=None, resting_until=None)


def note_failure(delivery: Delivery, answer: transport.Answer, at: datetime) -> None:
    """When it comes again, or that it does not; a lease that was lost meanwhile is somebody else's."""
    pause = pause_after(delivery.attempts + 1, answer)
    is_dead = pause is None or answer.status == 410
    Delivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until).update(
        status=Delivery.Status.DEAD if is_dead else Delivery.Status.FAILED,
        attempts=F("attempts") + 1,
        last_status=answer.status,
        last_error=answer.error[:300],
        next_try_at=at + (pause or timedelta()),
        leased_until=None,
    )
    logger.warning("Delivery %s to endpoint %s failed: %s", delivery.pk, delivery.endpoint_id, answer.error)
    note_failing_endpoint(delivery.endpoint, answer, at)


def pause_after(attempts: int, answer: transport.Answer) -> timedelta | None:
    """How long to wait after so many tries; None means no more. Never less than the other side asked for."""
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(pause, asked_pause(answer))


def note_failing_endpoint(endpoint: OutboundEndpoint, answer: transport.Answer, at: datetime) -> None:
    reason = ""
    if answer.status == 410:
        reason = "It answered 410: it does not want to hear any more."
    elif endpoint.first_failed_at is None:
        OutboundEndpoint.objects.filter(pk=endpoint.pk, first_failed_at=None).update(first_failed_at=at)
        endpoint.first_failed_at = at
    elif endpoint.first_failed_at <= at - OFF_AFTER:
        reason = (
            f"Every try has failed since {endpoint.first_failed_at:%Y-%m-%d %H:%M} UTC, the last with: {answer.error}"
        )
    if reason and switch_off(endpoint, reason, at=at):
        logger.error("Endpoint %s is switched off. %s", endpoint.pk, reason)
