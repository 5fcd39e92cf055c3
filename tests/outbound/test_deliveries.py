"""Retries, leases and endpoints that go wrong, against a real receiver, with the time passed in."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from licenzy_django.exceptions import InvalidRequest
from licenzy_django.models import Delivery, EventType, OutboundEndpoint
from licenzy_django.outbound import deliveries, endpoints, events, outbox, transport, usage_events
from licenzy_django.outbound.events import NewEvent
from tests.outbound.receiver import Receiver, answer

pytestmark = pytest.mark.django_db


def tell(number: int = 1, event_type: EventType = EventType.ENTITLEMENT_UPDATED) -> list[Delivery]:
    """That many events, recorded for whoever listens."""
    for _ in range(number):
        told = NewEvent(type=event_type, subject_ref="user_1", payload=events.payload("user_1", mode="test", units=7))
        outbox.publish("test", [told])
    return list(Delivery.objects.order_by("-pk")[:number])


def deliver(at: datetime, **options: Any) -> deliveries.Round:
    return deliveries.deliver_due(at=at, **options)


def after_every_rest(delivery: Delivery) -> datetime:
    """When this one is tried next."""
    delivery.refresh_from_db()
    delivery.endpoint.refresh_from_db()
    return max(delivery.next_try_at, delivery.endpoint.resting_until or delivery.next_try_at)


def until_dead(delivery: Delivery) -> list[timedelta]:
    """Goes from try to try; returns the pauses between them."""
    tried_at, pauses = timezone.now(), []
    for _ in range(20):
        assert deliver(tried_at).taken == 1
        delivery.refresh_from_db()
        if delivery.status == Delivery.Status.DEAD:
            break
        at = after_every_rest(delivery)
        assert deliver(delivery.next_try_at - timedelta(seconds=0.5)).taken == 0
        pauses.append(at - tried_at)
        tried_at = at
    return pauses


def test_an_event_arrives_signed_and_in_the_words_of_the_contract(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    [delivery] = tell()

    assert deliver(timezone.now()).sent == 1

    [request] = receiver.requests
    event = Webhook(endpoint.secret).verify(request.body, request.headers)
    assert list(event) == ["id", "type", "created_at", "data"]
    assert event["id"] == delivery.event.public_id == request.headers["webhook-id"]
    assert event["id"].startswith("evt_")
    assert event["type"] == "entitlement.updated"
    assert event["created_at"].endswith("Z")
    assert tuple(event["data"]) == events.PAYLOAD_KEYS
    assert event["data"]["units"] == 7
    assert event["data"]["metadata"] is None
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_status) == ("sent", 1, 200)
    assert delivery.sent_at is not None


def test_a_tampered_body_does_not_verify(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    tell()
    deliver(timezone.now())

    [request] = receiver.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(request.body.replace(b'"units":7', b'"units":8'), request.headers)


def test_every_try_sends_the_same_bytes_under_the_same_id(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    receiver.always = answer(500)
    [delivery] = tell()

    until_dead(delivery)

    assert len({request.body for request in receiver.requests}) == 1
    assert len(set(receiver.ids)) == 1


def test_the_pauses_are_those_that_were_promised_and_then_it_is_dead(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    receiver.always = answer(500, "down")
    [delivery] = tell()

    pauses = until_dead(delivery)

    promised = [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
    assert len(receiver.requests) == len(promised) + 1
    for pause, seconds in zip(pauses, promised, strict=True):
        assert abs(pause.total_seconds() - seconds) <= seconds * 0.1
    assert (delivery.status, delivery.attempts) == ("dead", 8)
    assert (delivery.last_status, delivery.last_error) == (500, "HTTP 500: down")
    assert deliver(timezone.now() + timedelta(days=30)).taken == 0


def test_no_two_deliveries_come_again_at_the_same_moment(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    receiver.always = answer(500)
    tell(20)

    deliver(timezone.now())

    assert Delivery.objects.values("next_try_at").distinct().count() == 20


@pytest.mark.parametrize("said", [answer(200), answer(201), answer(204)])
def test_any_2xx_is_a_success(endpoint: OutboundEndpoint, receiver: Receiver, said: bytes) -> None:
    receiver.always = said
    tell()

    assert deliver(timezone.now()).sent == 1


@pytest.mark.parametrize("said", [answer(302, Location="http://127.0.0.1/"), answer(404), answer(500), None])
def test_anything_else_is_tried_again_and_then_arrives(
    endpoint: OutboundEndpoint, receiver: Receiver, said: bytes | None
) -> None:
    receiver.answers = [said]
    [delivery] = tell()

    assert deliver(timezone.now()).sent == 0
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("failed", 1)
    assert delivery.last_error

    assert deliver(after_every_rest(delivery)).sent == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("sent", 2, "")


def test_a_slow_receiver_is_tried_again(
    endpoint: OutboundEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.2)
    receiver.drip_seconds = 0.05
    [delivery] = tell()

    deliver(timezone.now())

    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_status) == ("failed", None)
    assert "Timeout" in delivery.last_error


def test_410_ends_the_delivery_and_switches_the_endpoint_off(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    receiver.always = answer(410)
    [delivery] = tell()

    deliver(timezone.now())

    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.status, delivery.last_status) == ("dead", 410)
    assert (endpoint.is_active, "410" in endpoint.disabled_reason) == (False, True)
    assert tell() == [delivery]  # nothing new was recorded


@pytest.mark.parametrize(
    ("asked", "waits"), [("3600", timedelta(hours=1)), ("1", timedelta(seconds=4)), ("999999", timedelta(hours=10))]
)
def test_retry_after_is_respected_up_to_a_limit(
    endpoint: OutboundEndpoint, receiver: Receiver, asked: str, waits: timedelta
) -> None:
    receiver.always = answer(503, Retry_After=asked)
    [delivery] = tell()
    at = timezone.now()

    deliver(at)

    delivery.refresh_from_db()
    assert waits <= delivery.next_try_at - at <= waits + timedelta(seconds=2)


def test_an_endpoint_that_asks_for_a_pause_gets_nothing_else_meanwhile(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    receiver.answers = [answer(429, Retry_After="60")]
    tell(5)
    at = timezone.now()

    deliver(at)
    assert len(receiver.requests) == 1
    assert deliver(at + timedelta(seconds=59)).taken == 0

    assert deliver(at + timedelta(seconds=61)).sent == 5


def test_an_endpoint_that_does_not_answer_holds_nobody_else_up(
    endpoint: OutboundEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, _ = endpoints.create("test", "http://127.0.0.1:1/nobody-listens-here")
    posts: list[str] = []
    post = transport.post
    monkeypatch.setattr(transport, "post", lambda url, *rest: posts.append(url) or post(url, *rest))
    tell(10)

    assert deliver(timezone.now()).sent == 10
    assert posts.count(silent.url) == 1
    assert Delivery.objects.filter(endpoint=silent, attempts=0, leased_until=None).count() == 9


def test_an_error_that_nobody_foresaw_is_a_failure_of_one_delivery_alone(
    endpoint: OutboundEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    [broken, _, _] = reversed(tell(3))
    post = transport.post

    def breaking(url: str, body: bytes, headers: Any) -> transport.Answer:
        if headers["webhook-id"] == broken.event.public_id:
            raise RuntimeError("unforeseen")
        return post(url, body, headers)

    monkeypatch.setattr(transport, "post", breaking)

    assert deliver(timezone.now()).sent == 2

    broken.refresh_from_db()
    assert (broken.status, broken.attempts, broken.leased_until) == ("failed", 1, None)
    assert broken.last_error == "RuntimeError: unforeseen"
    assert "could not be tried" in caplog.text


def test_a_database_that_does_not_answer_is_no_failure_of_a_delivery(
    endpoint: OutboundEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    [delivery] = tell()
    monkeypatch.setattr(deliveries, "note_success", raising(OperationalError("gone")))

    with pytest.raises(OperationalError):
        deliver(timezone.now())

    delivery.refresh_from_db()
    assert delivery.attempts == 0


def raising(error: Exception) -> Any:
    def broken(*_: Any) -> None:
        raise error

    return broken


def test_an_endpoint_that_fails_for_five_days_is_switched_off_and_says_since_when(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    receiver.always = answer(500)
    tell()
    began = timezone.now()
    deliver(began)
    tell()
    deliver(began + timedelta(days=4, hours=23))
    endpoint.refresh_from_db()
    assert endpoint.is_active

    deliver(began + timedelta(days=6))

    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert f"{began:%Y-%m-%d %H:%M}" in endpoint.disabled_reason


def test_one_success_and_the_five_days_begin_anew(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    receiver.answers = [answer(500)]
    tell()
    began = timezone.now()
    deliver(began)
    deliver(began + timedelta(days=1))
    endpoint.refresh_from_db()
    assert endpoint.first_failed_at is None

    receiver.always = answer(500)
    tell()
    deliver(began + timedelta(days=6))

    endpoint.refresh_from_db()
    assert endpoint.is_active


def test_an_endpoint_that_is_off_gets_nothing_and_what_waits_comes_when_it_is_on(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    tell(2)
    assert endpoints.switch_off(endpoint, "maintenance")
    assert not endpoints.switch_off(endpoint, "again")
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "maintenance")
    tell(1)
    assert deliver(timezone.now()).taken == 0

    assert endpoints.switch_on(endpoint)
    assert not endpoints.switch_on(endpoint)
    assert deliver(timezone.now()).sent == 2
    assert endpoint.disabled_reason == ""


@pytest.mark.parametrize("status", [500, 200])
def test_a_slow_endpoint_does_not_take_the_time_of_the_others(
    status: int, endpoint: OutboundEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr(deliveries.time, "monotonic", lambda: passed[0])
    slow, at = endpoints.create("test", f"{receiver.url}/slow")[0], timezone.now()
    tried: list[str] = []

    def post(url: str, body: bytes, headers: Any) -> transport.Answer:
        tried.append(url)
        passed[0] += 9 if url == slow.url else 0.01
        return transport.Answer(status=status if url == slow.url else 200, error="" if status == 200 else "slow")

    monkeypatch.setattr(transport, "post", post)
    endpoints.switch_off(endpoint, "so that the slow one is before it in the queue")
    tell(10)
    endpoints.switch_on(endpoint)
    tell(5)

    batch = deliver(at + timedelta(seconds=1))

    assert tried.count(slow.url) == 2, "Two tries of nine seconds, then it rests."
    assert tried.count(endpoint.url) == 5
    slow.refresh_from_db()
    assert slow.resting_until == at + timedelta(seconds=1 + 18)
    assert (batch.taken, deliver(at + timedelta(seconds=2)).taken) == (20, 0)
    deliver(at + timedelta(seconds=20))
    assert tried.count(slow.url) == 4


# --- leases -----------------------------------------------------------------------------------------------------------


def test_what_one_worker_has_in_hand_no_other_takes(endpoint: OutboundEndpoint) -> None:
    tell(3)
    at = timezone.now()

    assert len(deliveries.lease(at, 2)) == 2
    assert len(deliveries.lease(at, 10)) == 1
    assert deliveries.lease(at, 10) == []


def test_when_its_lease_is_over_another_takes_it(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    tell(3)
    at = timezone.now()
    deliveries.lease(at, 10)

    assert deliver(at + deliveries.LEASE - timedelta(seconds=1)).taken == 0
    assert deliver(at + deliveries.LEASE).sent == 3


def test_a_worker_that_is_told_to_stop_gives_the_rest_back(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    tell(5)
    at = timezone.now()

    deliver(at, may_go_on=lambda: len(receiver.requests) < 2)

    assert len(receiver.requests) == 2
    assert deliver(at).sent == 3


def test_a_batch_that_takes_too_long_is_given_back_before_its_lease_is_over(
    endpoint: OutboundEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(3)
    monkeypatch.setattr(deliveries, "LEASE_IS_SAFE_FOR_SECONDS", -1.0)

    assert deliver(timezone.now()).sent == 0
    assert receiver.requests == []
    assert not Delivery.objects.exclude(leased_until=None).exists()


def test_a_failure_that_comes_back_after_the_lease_changes_nothing(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    tell()
    at = timezone.now()
    [slow] = deliveries.lease(at, 1)
    deliver(at + deliveries.LEASE)

    deliveries.note_failure(slow, transport.Answer(500, "HTTP 500"), at + deliveries.LEASE)

    slow.refresh_from_db()
    assert (slow.status, slow.attempts) == ("sent", 1)


# --- what operators do ------------------------------------------------------------------------------------------------


def test_a_new_endpoint_shows_its_secret_once(endpoint: OutboundEndpoint) -> None:
    made, secret = endpoints.create("live", "https://hooks.example.com/?token=s3cret", ["invoice.payment_failed"])

    assert secret.startswith("whsec_")
    assert made.mode == "live"
    assert secret not in repr(made)
    assert "s3cret" not in f"{made} {made!r}"
    assert endpoints.create("live", "https://hooks.example.com/")[1] != secret


@pytest.mark.parametrize(
    ("given", "field"),
    [({"url": "https://127.1/"}, "url"), ({"url": "https://a.example/", "events": ["no.such_event"]}, "events")],
)
def test_a_wrong_endpoint_is_refused_by_field(given: Any, field: str, db: None) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        endpoints.create("test", **given)

    assert list(refusal.value.extra["fields"]) == [field]
    assert not OutboundEndpoint.objects.exists()


def test_while_a_secret_is_rotated_both_verify_and_then_only_the_new_one(
    endpoint: OutboundEndpoint, receiver: Receiver
) -> None:
    old, at = endpoint.secret, timezone.now()
    new = endpoints.rotate_secret(endpoint, at=at)
    assert new not in (old, "")

    tell(2)
    deliver(at + timedelta(hours=23), batch=1)
    deliver(at + timedelta(hours=25))

    during, afterwards = receiver.requests
    for secret in (old, new):
        assert Webhook(secret).verify(during.body, during.headers)
    assert Webhook(new).verify(afterwards.body, afterwards.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(afterwards.body, afterwards.headers)


def test_a_dead_delivery_is_requeued_with_all_its_tries(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    receiver.always = answer(500)
    [delivery] = tell()
    until_dead(delivery)

    assert endpoints.requeue(delivery)
    assert not endpoints.requeue(delivery)
    assert (delivery.status, delivery.attempts) == ("pending", 0)

    receiver.always = answer(200)
    assert deliver(after_every_rest(delivery)).sent == 1


def test_what_was_sent_can_be_sent_again(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    [delivery] = tell()
    deliver(timezone.now())
    assert endpoints.requeue(delivery)
    deliver(timezone.now())

    assert receiver.ids == [delivery.event.public_id] * 2


def test_what_a_worker_has_in_hand_cannot_be_requeued(endpoint: OutboundEndpoint) -> None:
    [delivery] = tell()
    at = timezone.now() - timedelta(seconds=1)
    Delivery.objects.update(status="failed", next_try_at=at)
    deliveries.lease(timezone.now(), 1)

    assert not endpoints.requeue(delivery)


# --- who hears what ---------------------------------------------------------------------------------------------------


def test_only_endpoints_of_the_mode_that_want_it_hear_of_it(endpoint: OutboundEndpoint, receiver: Receiver) -> None:
    endpoints.create("live", receiver.url)
    wants, _ = endpoints.create("test", receiver.url, ["usage.consumed", "entitlement.updated"])
    endpoints.create("test", receiver.url, ["usage.consumed"])
    off, _ = endpoints.create("test", receiver.url)
    endpoints.switch_off(off, "not now")

    tell()

    assert set(Delivery.objects.values_list("endpoint", flat=True)) == {endpoint.pk, wants.pk}
    assert json.loads(json.dumps(events.body_of(Delivery.objects.all()[0].event)))["type"] == "entitlement.updated"


def test_with_nobody_listening_nothing_is_kept_and_one_query_is_made(
    db: None, inside_allowed: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert (
            outbox.publish(
                "test", [usage_events.usage_consumed("user_1", 1, mode="test", unit="credits", usage_remaining=0)]
            )
            == []
        )
