"""What fails is answered 5xx, stays visible, and succeeds when it comes again."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from licenzy_django import access
from licenzy_django.entitlements import history
from licenzy_django.models import StripeEvent
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.sells(CREDITS={"kind": "usage_pack"})

BOOKKEEPING = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def paid(stripe: StripeDouble) -> dict[str, Any]:
    """The event that tells of a paid pack."""
    stripe.simulator.pay(stripe.checkout("user_1", "CREDITS"))
    return next(event for event in stripe.take_events() if event["type"] == "checkout.session.completed")


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseError("the disk is full"), 503), (ZeroDivisionError("a bug"), 500)], ids=str
)
def test_a_failed_handler_is_told_kept_and_made_good(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    event = paid(stripe)

    def fails(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(history, "write", fails)
        assert stripe.deliver([event]) == [status]
    row = StripeEvent.objects.get()
    assert (row.status, row.tries) == ("failed", 1)
    assert str(error) in row.error
    assert not access.check("user_1")

    assert stripe.deliver([event]) == [200]

    row.refresh_from_db()
    assert (row.status, row.error, row.tries) == ("processed", "", 2)
    assert access.summary("user_1").usage_remaining == 1000


def test_what_stripe_says_of_a_wrong_key_is_not_logged(
    stripe: StripeDouble, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message shows the beginning of the key."""
    event = paid(stripe)
    settings.LICENZY = {**settings.LICENZY, "TEST_SECRET_KEY": "rk_that_is_wrong"}

    stripe.deliver([event])

    assert "AuthenticationError (code" in caplog.text
    assert "Invalid API Key" not in caplog.text
    assert "rk_" not in caplog.text


@pytest.mark.parametrize("fault", ["drop_before", "rate_limit", "server_error", "timeout"])
def test_an_event_comes_again_when_stripe_cannot_be_asked(stripe: StripeDouble, fault: str) -> None:
    event = paid(stripe)
    stripe.faults.add("GET", "/v1/checkout/sessions/*", fault, times=3)

    assert stripe.deliver([event]) == [503]
    assert StripeEvent.objects.get().status == "failed"
    stripe.faults.clear()
    assert stripe.deliver([event]) == [200]

    assert access.check("user_1")


@pytest.mark.parametrize("change", [{"created": 0}, {"metadata": ["x"]}], ids=str)
def test_what_stripe_never_sends_loses_no_grant(stripe: StripeDouble, change: dict[str, Any]) -> None:
    event = paid(stripe)
    event |= {name: value for name, value in change.items() if name in event}
    event["data"]["object"] |= {name: value for name, value in change.items() if name not in event}

    assert stripe.deliver([event]) == [200]

    assert access.summary("user_1").usage_remaining == 1000


def test_an_event_kept_by_a_process_that_died_is_handled_when_it_comes_again(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def dies(row: StripeEvent) -> None:
        raise KilledError

    event = paid(stripe)
    with monkeypatch.context() as dying:
        dying.setattr(inbox, "handle_event", dies)
        with pytest.raises(KilledError):
            stripe.deliver([event])
    assert StripeEvent.objects.get().status == "received"

    assert stripe.deliver([event]) == [200]

    assert access.check("user_1")


def test_a_death_between_learning_and_settling_loses_nothing(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def dies(*args: Any, **kwargs: Any) -> None:
        raise KilledError

    event = paid(stripe)
    with monkeypatch.context() as dying:
        dying.setattr(inbox, "finish", dies)
        with pytest.raises(KilledError):
            stripe.deliver([event])
    assert not access.check("user_1"), "the grant and the mark on the event are one transaction"

    assert stripe.deliver([event]) == [200]

    assert access.summary("user_1").usage_remaining == 1000


def test_a_failure_with_strange_letters_can_still_be_written_down(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = paid(stripe)
    caplog.set_level(logging.CRITICAL, logger="licenzy_django")  # a worker cannot hand half a letter to its parent

    def fails(*args: Any, **kwargs: Any) -> None:
        raise ValueError("a\x00b\ud800c" * 1000)

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "handle_event", fails)
        assert stripe.deliver([event]) == [500]

    assert StripeEvent.objects.get().status == "failed"


@pytest.mark.django_db(transaction=True)
def test_duplicates_and_ignored_events_cost_at_most_two_statements(stripe: StripeDouble) -> None:
    event = paid(stripe)
    stranger = {**event, "id": "evt_of_nobody", "type": "payout.paid"}
    stripe.deliver([event])

    for again in (event, stranger, stranger):
        with CaptureQueriesContext(connection) as captured:
            assert stripe.deliver([again]) == [200]
        assert len([query for query in captured if not query["sql"].startswith(BOOKKEEPING)]) <= 2
