"""licenzy_sync in the shell: says what differs, changes it unless it is only asked."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from licenzy_django import access, sync
from licenzy_django.models import Subject
from licenzy_django.testing import StripeDouble


def synced(*arguments: str) -> str:
    out = StringIO()
    call_command("licenzy_sync", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def lost(stripe_double: StripeDouble) -> StripeDouble:
    """Two have paid, and no webhook came."""
    stripe_double.sell("WEEK", kind="time_pass")
    for subject in ("user_1", "user_2"):
        stripe_double.simulator.pay(stripe_double.checkout(subject, "WEEK"))
    stripe_double.take_events()
    return stripe_double


def test_a_dry_run_says_what_differs_and_changes_nothing(lost: StripeDouble) -> None:
    said = synced("--dry-run")
    assert "user_1: WEEK" in said
    assert "checkout.session.completed had not been handled\n" in said
    assert "nothing was changed" in said
    assert not access.check("user_1")


def test_one_subject_is_put_right_and_the_other_left_alone(lost: StripeDouble) -> None:
    said = synced("--subject", "user_1")
    assert "user_1" in said
    assert "user_2" not in said
    assert access.check("user_1")
    assert not access.check("user_2")
    assert "Nothing differs" in synced("--subject", "user_1")


def test_everybody_is_put_right(lost: StripeDouble) -> None:
    synced()
    assert access.check("user_1")
    assert access.check("user_2")
    assert "Nothing differs" in synced()


def test_only_what_is_newer_is_asked_for(lost: StripeDouble) -> None:
    lost.simulator.advance(3 * 86_400)
    assert "Nothing differs" in synced("--since", "1d")
    assert "Nothing differs" in synced("--since", f"{lost.now:%Y-%m-%dT%H:%MZ}")
    assert "had not been handled: processed" in synced("--since", f"{lost.now.year}-01-01")


def test_of_one_subject_also_what_became_of_an_older_purchase_is_seen(stripe_double: StripeDouble) -> None:
    stripe_double.sell("WEEK", kind="time_pass")
    stripe_double.buy("user_1", "WEEK")
    stripe_double.advance(days=4)
    stripe_double.simulator.refund(stripe_double.simulator.all("payment_intent")[-1])
    stripe_double.take_events()
    assert "active → canceled" in synced("--subject", "user_1", "--since", "3d", "--dry-run")
    assert "charge.refunded had not been handled" in synced("--since", "3d", "--dry-run")


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_while_stripe_is_away_the_shell_hears_of_it(
    lost: StripeDouble, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lost.faults.add("GET", "*", "drop_before", times=99)
    with pytest.raises(CommandError, match="could not be compared"):
        call_command("licenzy_sync", *arguments)
    assert "Nothing differs" not in capsys.readouterr().out
    assert not access.check("user_1")


def test_one_subject_that_fails_keeps_no_other_from_being_put_right(
    lost: StripeDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    repair = sync.repair

    def fails_for_one(subject: Subject, **given: Any) -> Any:
        if subject.subject_ref == "user_1":
            raise OverflowError("a bug")
        return repair(subject, **given)

    monkeypatch.setattr(sync, "repair", fails_for_one)
    monkeypatch.setattr(sync, "missed_events", lambda *args, **given: iter(()))

    with pytest.raises(CommandError, match="1 could not be compared; the rest was"):
        synced()

    assert access.check("user_2")
    assert "user_1 could not be compared" in caplog.text
    assert "OverflowError: a bug" in caplog.text


def test_a_mode_without_a_key_is_not_said_to_be_right(stripe_double: StripeDouble) -> None:
    with pytest.raises(CommandError, match="could not be compared"):
        synced("--mode", "live", "--dry-run")


@pytest.mark.parametrize("arguments", [("--subject", "nobody"), ("--since", "yesterday"), ("--since", "2026-13-45")])
def test_the_command_says_what_it_does_not_understand(arguments: tuple[str, ...], stripe_double: StripeDouble) -> None:
    with pytest.raises(CommandError):
        synced(*arguments)
