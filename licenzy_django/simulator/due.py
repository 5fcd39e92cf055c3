"""When a thing wants attention by time alone: a pure function, so that a store can index it."""

from __future__ import annotations

from collections.abc import Callable

from .json_tree import Json

DRAFT_SECONDS = 3_600
INCOMPLETE_SECONDS = 23 * 3_600
TRIAL_WARNING_SECONDS = 3 * 86_400


def due_at(thing: Json) -> int | None:
    """The next moment at which the world's time changes this thing, or None. A test clock moves its things itself."""
    return None if thing.get("test_clock") else next_change_at(thing)


def next_change_at(thing: Json) -> int | None:
    """On whatever clock."""
    rule = _RULES.get(thing["object"])
    return rule(thing) if rule else None


def _session(session: Json) -> int | None:
    return session["expires_at"] if session["status"] == "open" else None


def _invoice(invoice: Json) -> int | None:
    if not invoice["auto_advance"]:
        return None
    if invoice["status"] == "draft":
        return invoice["automatically_finalizes_at"]  # type: ignore[no-any-return]
    if invoice["status"] != "open":
        return None
    if invoice["collection_method"] == "send_invoice":
        return None if invoice.get("_overdue") else invoice["due_date"]
    return invoice["next_payment_attempt"]  # type: ignore[no-any-return]


def _payment_intent(intent: Json) -> int | None:
    return intent.get("_settles_at") if intent["status"] == "processing" else None


def _subscription(subscription: Json) -> int | None:
    status = subscription["status"]
    if status in ("canceled", "incomplete_expired"):
        return None
    times = [subscription["cancel_at"]]
    if subscription["pending_update"]:
        times.append(subscription["pending_update"]["expires_at"])
    if subscription["pause_collection"]:
        times.append(subscription["pause_collection"]["resumes_at"])
    if status == "incomplete" and not subscription.get("_bank_debit"):
        times.append(subscription["created"] + INCOMPLETE_SECONDS)
    elif status == "trialing":
        times.append(subscription["trial_end"])
        if not subscription.get("_trial_end_told"):
            times.append(max(subscription["trial_end"] - TRIAL_WARNING_SECONDS, subscription["trial_start"]))
    elif status not in ("paused", "incomplete"):
        times.extend(item["current_period_end"] for item in subscription["items"]["data"])
    return min((time for time in times if time is not None), default=None)


def _schedule(schedule: Json) -> int | None:
    return schedule["current_phase"]["end_date"] if schedule["status"] == "active" else None


_RULES: dict[str, Callable[[Json], int | None]] = {
    "checkout.session": _session,
    "invoice": _invoice,
    "payment_intent": _payment_intent,
    "subscription_schedule": _schedule,
    "subscription": _subscription,
}
TIMED = tuple(_RULES)
