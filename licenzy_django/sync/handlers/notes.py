"""What a later state of a subscription no longer shows: its trial, and a start for which Stripe made no invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from licenzy_django import clock
from licenzy_django.models import StripeFact, Subject
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact, State, merged
from licenzy_django.stripe.objects.subscription import free_start_of, trial_of


def ids_of_notes(subscription_id: str) -> list[str]:
    return [f"{subscription_id}/trial", f"{subscription_id}/free_start"]


def remember(shown: Iterable[Fact], known: Mapping[str, StripeFact], subject: Subject, mode: str) -> None:
    """Keep what is new of it; no statement where nothing is.

    Args:
        shown: one subscription, as an event and Stripe's answer show it.
        known: the facts that are known, among them those of ``ids_of_notes``.
    """
    notes: dict[str, Fact] = {}
    for note in (note for subscription in shown for note in notes_of(subscription)):
        before = notes.get(note.stripe_id)
        notes[note.stripe_id] = replace(note, state=merged(note.object, before.state, note.state)) if before else note
    for stripe_id, note in notes.items():
        if stripe_id not in known or says_more(note, known[stripe_id]):
            facts.save(note, mode=mode, subject=subject)


def notes_of(subscription: Fact) -> list[Fact]:
    seen_at = subscription.state["seen_at"] or int(clock.now().timestamp())
    notes = (trial_of(subscription), free_start_of(subscription, seen_at=seen_at))
    return [note for note in notes if note is not None]


def says_more(note: Fact, known: StripeFact) -> bool:
    """The same items, shown later once more, are nothing new."""
    before, after = known.state, merged(note.object, known.state, note.state)
    return {**before, "shown": items_of(before)} != {**after, "shown": items_of(after)}


def items_of(note: State) -> Any:
    return note.get("shown", {}).get("items")
